import { createHash } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { between, chanceOf, pick } from '../chance.js';
import type { MessageFact } from '../account/facts.js';
import { MESSAGES_PATH, PUSHING, type PushingRequest } from '../pushing.js';
import type { User } from './script.js';
import { userOfCode, userOfId } from './users.js';
import { FunctionDispatcher, VendorCall } from './vendor-call.js';

/**
 * Okta's Users API, Twilio and the other provider of WhatsApp for one schedule. What they do depends on the seed and on what they are asked, not on what
 * was before: so a step can be left out of a schedule, and the rest stays as it was.
 */

/** A status that a provider reports, milliseconds after it got the message. */
export interface Report {
  readonly afterMs: number;
  readonly status: 'sent' | 'delivered' | 'undelivered';
}

/** What a provider does with a request for a message. */
interface Ending {
  readonly kind: 'accepted' | 'refused' | 'unavailable' | 'failed' | 'reset' | 'silent' | 'unreachable';
  readonly afterMs: number;
  /** It has the message, whatever it answers. */
  readonly isSent: boolean;
}

export type SentMessage = { -readonly [Key in keyof MessageFact]: MessageFact[Key] } & {
  readonly user: number;
  readonly reports: readonly Report[];
  /** The provider's callbacks go there. */
  readonly callbackUrl: string | undefined;
  /** Of the attempt, if the provider got it by itself. */
  readonly reference: string | undefined;
};

/** The process that asks. */
export interface Asker {
  readonly index: number;
  readonly life: number;
  readonly isDead: boolean;
  /** When Redis made the last answer that it has read. */
  readonly answeredAtMs: number;
}

/** A request for a message. */
interface Sending {
  readonly code: string;
  readonly channel: string;
  readonly provider: string;
  readonly callbackUrl: string | undefined;
  readonly reference: string | undefined;
}

interface VendorOptions {
  readonly seed: number;
  readonly users: readonly User[];
}

export class Vendors {
  readonly messages: SentMessage[] = [];
  /** By code: the requests to its providers. */
  readonly sendRequests = new Map<string, number>();
  readonly #options: VendorOptions;
  readonly #startedAt = Date.now();
  readonly #on: {
    /** A provider gets a request for a message. */
    readonly onRequest: (asker: Asker) => void;
    /** A provider has a message. */
    readonly onMessage: (message: SentMessage, asker: Asker) => void;
    readonly onStep: () => void;
  };
  /** By process and user: how often it has read the profile. */
  readonly #reads = new Map<string, number>();

  constructor(
    options: VendorOptions,
    on: {
      readonly onRequest: (asker: Asker) => void;
      readonly onMessage: (message: SentMessage, asker: Asker) => void;
      readonly onStep: () => void;
    },
  ) {
    this.#options = options;
    this.#on = on;
  }

  dispatcherOf(asker: Asker): Dispatcher {
    return new FunctionDispatcher((options, handler) => {
      const call = new VendorCall(handler, () => asker.isDead, this.#on.onStep);
      void this.#handle(options, asker, call);
    });
  }

  async #handle(
    { path, method, body }: Dispatcher.DispatchOptions,
    asker: Asker,
    call: VendorCall,
  ): Promise<void> {
    this.#on.onStep();
    if (path.startsWith('/api/v1/users/')) {
      await this.#readUser(path, asker, call);
    } else if (method === 'POST' && path.endsWith('/Messages.json')) {
      await this.#send(readTwilio(new URLSearchParams(typeof body === 'string' ? body : '')), asker, call);
    } else if (path === MESSAGES_PATH) {
      await this.#send(readPushing(typeof body === 'string' ? body : '{}'), asker, call);
    } else if (call.leave()) {
      const sid = /\/Messages\/(\w+)\.json$/.exec(path)?.[1];
      const message = this.messages.find((sent) => sent.sid === sid);
      if (message === undefined) call.answer(404, {});
      else call.answer(200, { sid, status: message.status, error_code: message.errorCode ?? null });
    }
  }

  async #readUser(path: string, { index, life }: Asker, call: VendorCall): Promise<void> {
    const { seed, users } = this.#options;
    const userId = path.split('/').at(-1) ?? '';
    const user = users[userOfId(userId)];
    const isSlow = Date.now() - this.#startedAt < (user?.oktaSlowForMs ?? 0);
    const reader = `read ${userId} ${index} ${life}`;
    const reads = (this.#reads.get(reader) ?? 0) + 1;
    this.#reads.set(reader, reads);
    const chance = chanceOf(seed, `${reader} ${reads}`);
    if (!call.leave()) return;
    await call.after(pick(chance, isSlow ? SLOW_READS : READS));
    if (chance() < 0.01) call.answer(429, { errorCode: 'E0000047' });
    else call.answer(200, { id: userId, profile: { whatsAppOptIn: user?.isOptedIn === true } });
  }

  async #send(sending: Sending, asker: Asker, call: VendorCall): Promise<void> {
    const { code, channel, provider } = sending;
    const times = (this.sendRequests.get(code) ?? 0) + 1;
    const way = provider === PUSHING ? `${channel} ${provider}` : channel;
    const request = `${code} ${way} ${times}`;
    const chance = chanceOf(this.#options.seed, `send ${request}`);
    const user = userOfCode(code);
    const isWhatsAppDown = this.#options.users[user]?.isWhatsAppDown === true;
    const ending = isWhatsAppDown && channel === 'whatsapp' ? ACCEPTED : endingBy(chance);
    if (ending.kind === 'unreachable') {
      await call.after(ending.afterMs);
      call.fail('ECONNREFUSED');
      return;
    }
    this.#on.onRequest(asker);
    if (!call.leave()) return;
    this.sendRequests.set(code, times);
    const message = ending.isSent
      ? this.#accept(sending, asker, {
          user,
          // Not the code itself: the hook masks ids that contain it.
          sid: `SM${createHash('md5').update(request).digest('hex')}`,
          reports: isWhatsAppDown ? reportsOfFailure(chance, channel) : reportsBy(chance, channel),
        })
      : undefined;
    await call.after(ending.afterMs);
    answerBy(ending, message, call);
  }

  #accept(sending: Sending, asker: Asker, own: Pick<SentMessage, 'user' | 'sid' | 'reports'>): SentMessage {
    const now = Date.now();
    const message: SentMessage = {
      ...{ ...sending, ...own, at: now, status: 'queued', statusAt: now, errorCode: undefined },
      ...{ gateway: asker.index, life: asker.life, knewAt: asker.answeredAtMs, acceptedAt: undefined },
    };
    this.messages.push(message);
    this.#on.onMessage(message, asker);
    return message;
  }
}

function readTwilio(form: URLSearchParams): Sending {
  const text = `${form.get('Body') ?? ''} ${form.get('ContentVariables') ?? ''}`;
  return {
    code: /\b\d{6}\b/.exec(text)?.[0] ?? '',
    channel: form.get('To')?.startsWith('whatsapp:') === true ? 'whatsapp' : 'sms',
    provider: 'TWILIO',
    callbackUrl: form.get('StatusCallback') ?? undefined,
    reference: undefined,
  };
}

function readPushing(body: string): Sending {
  return { ...(JSON.parse(body) as PushingRequest), channel: 'whatsapp', provider: PUSHING };
}

function answerBy({ kind }: Ending, message: SentMessage | undefined, call: VendorCall): void {
  switch (kind) {
    case 'accepted':
      if (call.answer(201, { sid: message?.sid, status: 'queued' }) && message !== undefined)
        message.acceptedAt = Date.now();
      return;
    case 'refused':
      call.answer(400, { code: 20_001, message: 'no' });
      return;
    case 'unavailable':
      call.answer(503, { code: 20_503, message: 'no' });
      return;
    case 'failed':
      call.answer(500, {});
      return;
    case 'reset':
      call.fail('ECONNRESET');
      return;
    case 'unreachable':
    case 'silent':
  }
}

const READS = [
  [5, 0, 9],
  [3, 30, 300],
  [2, 300, 780],
] as const;
const SLOW_READS = [
  [2, 0, 9],
  [2, 30, 500],
  [6, 500, 1_900],
] as const;

const ACCEPTED: Ending = { kind: 'accepted', afterMs: 5, isSent: true };

function endingBy(chance: () => number): Ending {
  const quickMs = pick(chance, [
    [6, 0, 30],
    [2, 30, 400],
    [1, 400, 1_500],
  ]);
  const lot = chance();
  if (lot < 0.5) return { kind: 'accepted', afterMs: quickMs, isSent: true };
  // Most of these after the answer to Okta.
  if (lot < 0.66) return { kind: 'accepted', afterMs: between(chance, 2_000, 9_000), isSent: true };
  const slowMs = pick(chance, [
    [3, 0, 30],
    [2, 30, 400],
    [3, 400, 1_800],
  ]);
  if (lot < 0.82) return { kind: 'refused', afterMs: slowMs, isSent: false };
  if (lot < 0.86) return { kind: 'unavailable', afterMs: quickMs, isSent: false };
  if (lot < 0.89) return { kind: 'failed', afterMs: quickMs, isSent: false };
  if (lot < 0.94) return { kind: 'reset', afterMs: quickMs, isSent: true };
  if (lot < 0.96) return { kind: 'silent', afterMs: 0, isSent: true };
  return { kind: 'unreachable', afterMs: 20, isSent: false };
}

/** While WhatsApp is down, only an SMS arrives. */
function reportsOfFailure(chance: () => number, channel: string): readonly Report[] {
  const afterMs = pick(chance, [
    [3, 0, 400],
    [4, 400, 6_000],
  ]);
  return [{ afterMs, status: channel === 'whatsapp' ? 'undelivered' : 'delivered' }];
}

function reportsBy(chance: () => number, channel: string): readonly Report[] {
  const afterMs = pick(chance, [
    [3, 0, 40],
    [3, 40, 400],
    [4, 400, 6_000],
  ]);
  const lot = chance();
  if (lot < 0.15) return [{ afterMs, status: 'sent' }];
  const isDelivered = lot < 0.45 || channel === 'sms';
  const reports: Report[] = [{ afterMs, status: isDelivered ? 'delivered' : 'undelivered' }];
  if (chance() < 0.5) reports.unshift({ afterMs: Math.max(0, afterMs - 20), status: 'sent' });
  // Some arrive after all.
  const arrivesMs = afterMs + between(chance, 50, 3_000);
  if (!isDelivered && chance() < 0.1) reports.push({ afterMs: arrivesMs, status: 'delivered' });
  return reports;
}
