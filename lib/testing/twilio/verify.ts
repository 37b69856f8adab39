import { requireKeys } from '../server/faults.js';
import { formOf } from '../server/request.js';
import { randomDigits, randomSid } from '../server/random-ids.js';
import { jsonReply, okReply, type Answer, type Reply } from '../server/reply.js';
import { given, type TwilioContext } from './context.js';
import { notFound, twilioErrorReply } from './errors.js';
import { isoDate } from './formats.js';
import type { EmulatedPhoneItem } from '../server/phones.js';
import type { Mutable } from '../server/status-callbacks.js';
import { codeSentence, KEEP_SECRET } from './templates.js';
import {
  FIRST_VERIFY_SERVICE,
  readVerification,
  verifyServiceResource,
  type VerifyChannel,
  type VerifySettings,
} from './verify-service.js';

/** A verification of Verify, as it is now. */
export interface EmulatedVerification {
  readonly sid: string;
  /** E.164. */
  readonly to: string;
  /** The channel of the latest send. */
  readonly channel: VerifyChannel;
  readonly status: 'pending' | 'approved' | 'canceled' | 'expired';
  /** The latest code. */
  readonly code: string;
  /** The requested locale. */
  readonly locale: string | undefined;
  readonly riskCheck: 'enable' | 'disable' | undefined;
  /** The IP address of the user of the latest send. */
  readonly deviceIp: string | undefined;
  /** Every send. Another one while it is pending keeps the SID. */
  readonly attempts: readonly {
    readonly sid: string;
    readonly channel: VerifyChannel;
    readonly at: number;
  }[];
  /** Milliseconds by the emulator's clock. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** How long a code is valid and its sends are counted. */
const LIFE_MS = 10 * 60 * 1000;
const MAX_SENDS = 5;
const ATTEMPT_CHANNEL: Readonly<Record<VerifyChannel, string>> = {
  sms: 'SMS',
  call: 'CALL',
  whatsapp: 'whatsapp',
};

/** A Verify service, and the API that sends codes by it: `/v2/Services`. */
export class TwilioVerify {
  readonly #verifications: Mutable<EmulatedVerification>[] = [];
  readonly #bySid = new Map<string, Mutable<EmulatedVerification>>();
  /** By number. Some may have expired. */
  readonly #pending = new Map<string, Mutable<EmulatedVerification>>();
  readonly #context: TwilioContext;
  readonly #createdAt: number;
  #service = FIRST_VERIFY_SERVICE;

  constructor(context: TwilioContext) {
    this.#context = context;
    this.#createdAt = context.clock();
  }

  configure(settings: VerifySettings): void {
    requireKeys('configureVerify()', settings, Object.keys(FIRST_VERIFY_SERVICE));
    this.#service = { ...this.#service, ...given(settings) };
  }

  get verifications(): readonly EmulatedVerification[] {
    for (const verification of [...this.#pending.values()]) this.#expire(verification);
    return this.#verifications;
  }

  readonly showService = (): Reply =>
    okReply(verifyServiceResource(this.#service, this.#context, this.#url(), this.#createdAt));

  readonly show: Answer = (request, { wanted = '' }) => {
    const verification = this.#find(wanted);
    return verification === undefined ? notFound(request) : okReply(this.#resource(verification));
  };

  readonly create: Answer = (request) => {
    const { lateFailures, recipients, clock, phones } = this.#context;
    const read = readVerification(request, this.#service, recipients);
    if ('error' in read) return twilioErrorReply(read.error);
    const { to, channel, locale, riskCheck, deviceIp, customCode } = read;
    const pending = this.#find(to);
    if (pending !== undefined && pending.attempts.length >= MAX_SENDS) {
      return twilioErrorReply({ code: 60203 });
    }
    const now = clock();
    const code = customCode ?? pending?.code ?? randomDigits(this.#service.codeLength);
    const attempt = { sid: randomSid('VL'), channel, at: now };
    const next: Mutable<EmulatedVerification> = {
      sid: pending?.sid ?? randomSid('VE'),
      to,
      channel,
      status: 'pending',
      code,
      locale,
      riskCheck,
      deviceIp,
      attempts: [...(pending?.attempts ?? []), attempt],
      createdAt: pending?.createdAt ?? now,
      updatedAt: now,
    };
    return {
      ...jsonReply(201, this.#resource(next)),
      commit: () => {
        if (pending === undefined) {
          this.#verifications.push(next);
          this.#bySid.set(next.sid, next);
          this.#pending.set(to, next);
        } else {
          Object.assign(pending, next);
        }
        if (lateFailures.take(request) === undefined) {
          phones.deliver(to, this.#item(next));
        }
      },
    };
  };

  readonly update: Answer = (request, { wanted = '' }) => {
    const verification = this.#find(wanted);
    if (verification === undefined) return notFound(request);
    const status = formOf(request)('Status');
    if (status !== 'approved' && status !== 'canceled') {
      return twilioErrorReply({ code: 60200, message: 'Invalid parameter: Status' });
    }
    if (verification.status !== 'pending') return notFound(request);
    const changed = { status, updatedAt: this.#context.clock() } as const;
    return {
      ...okReply(this.#resource({ ...verification, ...changed })),
      commit: () => {
        Object.assign(verification, changed);
        this.#pending.delete(verification.to);
      },
    };
  };

  /** By SID in any state, by number only a pending one. */
  #find(wanted: string): Mutable<EmulatedVerification> | undefined {
    for (const known of [this.#bySid.get(wanted), this.#pending.get(wanted)]) {
      if (known !== undefined) this.#expire(known);
    }
    return this.#bySid.get(wanted) ?? this.#pending.get(wanted);
  }

  #expire(verification: Mutable<EmulatedVerification>): void {
    if (verification.status !== 'pending') return;
    if (this.#context.clock() - verification.createdAt < LIFE_MS) return;
    verification.status = 'expired';
    this.#pending.delete(verification.to);
  }

  #item({ sid, channel, code }: EmulatedVerification): EmulatedPhoneItem {
    const at = this.#context.clock();
    if (channel === 'sms') {
      return { channel, text: `Your ${this.#service.friendlyName} verification code is: ${code}`, at, sid };
    }
    if (channel === 'call') {
      const spoken = `Your verification code is: ${Array.from(code).join(', ')}.`;
      return { channel: 'voice', text: spoken, spoken, at, sid };
    }
    const text = `${codeSentence(code)} ${KEEP_SECRET}`;
    return { channel, text, button: { text: 'Copy code', copies: code }, at, sid };
  }

  #resource(verification: EmulatedVerification): object {
    return {
      account_sid: this.#context.accountSid,
      channel: verification.channel,
      date_created: isoDate(verification.createdAt),
      date_updated: isoDate(verification.updatedAt),
      send_code_attempts: verification.attempts.map(({ sid, channel, at }) => ({
        attempt_sid: sid,
        channel: ATTEMPT_CHANNEL[channel],
        time: isoDate(at),
      })),
      service_sid: this.#context.verifyServiceSid,
      sid: verification.sid,
      status: verification.status,
      to: verification.to,
      url: `${this.#url()}/Verifications/${verification.sid}`,
      valid: verification.status === 'approved',
    };
  }

  #url(): string {
    return `${this.#context.server.origin}/v2/Services/${this.#context.verifyServiceSid}`;
  }
}
