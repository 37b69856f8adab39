import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { request, type Dispatcher } from 'undici';
import type { LoopbackServer } from './loopback-server.js';
import { randomSid } from './random-ids.js';
import type { StoredCall } from './twilio-calls.js';
import type { StoredMessage } from './twilio-messages.js';
import { twilioDate } from './twilio-resources.js';

/** A status callback that Twilio made. */
export interface EmulatedCallback {
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  /** The answer's status; `undefined` while there is none, and where none came. */
  readonly httpStatus: number | undefined;
}

/** How a message or call ends that fails after it was accepted. */
export interface LateFailure {
  readonly code: number;
  readonly status: 'failed' | 'undelivered';
}

/** What a lifecycle needs of its emulator. */
export interface LifecycleParts {
  readonly server: () => LoopbackServer;
  readonly dispatcher: Dispatcher;
  readonly accountSid: string;
  readonly authToken: string;
  readonly stepMs: number;
  readonly clock: () => number;
}

const CALLBACK_TIMEOUT_MS = 15_000;
const WHATSAPP_INSTALL_SID = randomSid('XE');

/** Takes messages and calls from step to step and tells the status callback, signed as Twilio signs. */
export class TwilioLifecycle {
  readonly callbacks: EmulatedCallback[] = [];
  readonly #parts: LifecycleParts;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  /** From accepted to delivered, or to the failure. */
  runMessage(message: StoredMessage, failure: LateFailure | undefined): void {
    const steps = failure === undefined ? ['sent', 'delivered'] : [];
    // A carrier that does not deliver was handed the message first.
    if (failure?.status === 'undelivered' && message.channel === 'sms') steps.push('sent');
    if (failure !== undefined) steps.push(failure.status);
    this.#walk(steps, (status) => {
      message.status = status;
      if (status === failure?.status) message.errorCode = failure.code;
      this.#call(message.statusCallback, this.#messageParams(message));
    });
  }

  /** From queued to completed, or to the failure. */
  runCall(call: StoredCall, failure: LateFailure | undefined): void {
    const steps =
      failure === undefined ? ['initiated', 'ringing', 'answered', 'completed'] : ['initiated', 'failed'];
    this.#walk(steps, (step, index) => {
      call.status = STATUS_OF_STEP[step] ?? step;
      if (step === 'failed' && failure !== undefined) call.errorCode = failure.code;
      const event = step === 'failed' ? 'completed' : step;
      if (call.statusCallbackEvents.includes(event)) {
        this.#call(call.statusCallback, this.#callParams(call, step, index));
      }
    });
  }

  #walk(steps: readonly string[], take: (step: string, index: number) => void): void {
    steps.forEach((step, index) => {
      this.#parts.server().later(this.#parts.stepMs * (index + 1), () => {
        take(step, index);
      });
    });
  }

  #messageParams(message: StoredMessage): Record<string, string> {
    const prefix = message.channel === 'whatsapp' ? 'whatsapp:' : '';
    return {
      AccountSid: this.#parts.accountSid,
      ApiVersion: '2010-04-01',
      From: prefix + message.from,
      To: prefix + message.to,
      MessageSid: message.sid,
      MessageStatus: message.status,
      SmsSid: message.sid,
      SmsStatus: message.status,
      ...(message.messagingServiceSid === undefined
        ? {}
        : { MessagingServiceSid: message.messagingServiceSid }),
      ...(message.errorCode === undefined ? {} : { ErrorCode: String(message.errorCode) }),
      ...(message.channel === 'whatsapp'
        ? { ChannelInstallSid: WHATSAPP_INSTALL_SID, ChannelPrefix: 'whatsapp', ChannelToAddress: message.to }
        : {}),
      ...(message.channel === 'sms' && message.status === 'delivered'
        ? { RawDlrDoneDate: new Date(this.#parts.clock()).toISOString().replace(/\D/g, '').slice(2, 12) }
        : {}),
    };
  }

  #callParams(call: StoredCall, step: string, index: number): Record<string, string> {
    return {
      AccountSid: this.#parts.accountSid,
      ApiVersion: '2010-04-01',
      CallSid: call.sid,
      CallStatus: step === 'initiated' ? step : call.status,
      CallbackSource: 'call-progress-events',
      Called: call.to,
      Caller: call.from,
      Direction: 'outbound-api',
      From: call.from,
      To: call.to,
      SequenceNumber: String(index),
      Timestamp: twilioDate(this.#parts.clock()),
      ...(step === 'completed' ? { CallDuration: '12', Duration: '1' } : {}),
      ...(call.errorCode === undefined ? {} : { ErrorCode: String(call.errorCode) }),
    };
  }

  #call(url: string | undefined, params: Record<string, string>): void {
    if (url === undefined) return;
    const callback: { -readonly [Key in keyof EmulatedCallback]: EmulatedCallback[Key] } = {
      url,
      params,
      httpStatus: undefined,
    };
    this.callbacks.push(callback);
    // The fragment holds connection settings; it is neither sent nor signed.
    const [target = url] = url.split('#');
    const signature = getExpectedTwilioSignature(this.#parts.authToken, target, params);
    void request(target, {
      dispatcher: this.#parts.dispatcher,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        'user-agent': 'TwilioProxy/1.1',
        'x-twilio-signature': signature,
        'i-twilio-idempotency-token': randomSid(''),
      },
      body: new URLSearchParams(params).toString(),
      headersTimeout: CALLBACK_TIMEOUT_MS,
      bodyTimeout: CALLBACK_TIMEOUT_MS,
    })
      .then(async (response) => {
        callback.httpStatus = response.statusCode;
        await response.body.dump();
      })
      // Nobody there, or gone: Twilio writes it into its debugger, nothing more.
      .catch(() => undefined);
  }
}

const STATUS_OF_STEP: Readonly<Record<string, string>> = { initiated: 'queued', answered: 'in-progress' };
