import { randomSid } from '../server/random-ids.js';
import type { CallbackRule, Mutable, StatusCallbacks } from '../server/status-callbacks.js';
import type { EmulatedCall } from './calls.js';
import type { TwilioContext } from './context.js';
import type { EmulatedMessage } from './messages.js';
import { addressOf, API_VERSION, twilioDate } from './formats.js';

/** A fault of the status callbacks of new messages and calls. */
export type CallbackFault = CallbackRule<EmulatedMessage | EmulatedCall>;

/** The failure of an accepted message or call. */
export interface LateFailure {
  readonly code: number;
  readonly status: 'failed' | 'undelivered';
}

const INSTALL_SIDS = { whatsapp: randomSid('XE'), rcs: randomSid('XE') };

/** Takes messages and calls from step to step, with their status callbacks. */
export class TwilioLifecycle {
  readonly #context: TwilioContext;
  readonly #callbacks: StatusCallbacks<EmulatedMessage | EmulatedCall>;

  constructor(context: TwilioContext, callbacks: StatusCallbacks<EmulatedMessage | EmulatedCall>) {
    this.#context = context;
    this.#callbacks = callbacks;
  }

  /** From accepted to delivered, or to the failure. */
  runMessage(message: Mutable<EmulatedMessage>, failure: LateFailure | undefined): void {
    const steps = failure === undefined ? ['sent', 'delivered'] : [];
    // An undelivered message was sent to the carrier first.
    if (failure?.status === 'undelivered' && message.channel !== 'whatsapp') steps.push('sent');
    if (failure !== undefined) steps.push(failure.status);
    this.#callbacks.walk(message, steps, (status) => {
      // A message that was read is delivered.
      if (message.status === 'read') return undefined;
      message.status = status;
      message.updatedAt = this.#context.clock();
      if (status === failure?.status) message.errorCode = failure.code;
      return this.#messageParams(message);
    });
  }

  /** The recipient opens a WhatsApp or RCS message. Throws for one that was not delivered. */
  readMessage(message: Mutable<EmulatedMessage>): void {
    if (message.errorCode !== undefined) throw new Error(`message ${message.sid} was not delivered`);
    message.status = 'read';
    message.updatedAt = this.#context.clock();
    this.#callbacks.make(message, { ...this.#messageParams(message), EventType: 'READ' });
  }

  /** From queued to completed, or to the failure. */
  runCall(call: Mutable<EmulatedCall>, failure: LateFailure | undefined): void {
    const steps =
      failure === undefined ? ['initiated', 'ringing', 'answered', 'completed'] : ['initiated', 'failed'];
    this.#callbacks.walk(call, steps, (step, index) => {
      call.status = STATUS_OF_STEP[step] ?? step;
      call.updatedAt = this.#context.clock();
      if (step === 'failed' && failure !== undefined) call.errorCode = failure.code;
      const isWanted = call.statusCallbackEvents.includes(step === 'failed' ? 'completed' : step);
      return isWanted ? this.#callParams(call, step, index) : undefined;
    });
  }

  #messageParams(message: EmulatedMessage): Record<string, string> {
    return {
      AccountSid: this.#context.accountSid,
      ApiVersion: API_VERSION,
      From: addressOf(message.channel, message.from),
      To: addressOf(message.channel, message.to),
      MessageSid: message.sid,
      MessageStatus: message.status,
      SmsSid: message.sid,
      SmsStatus: message.status,
      ...(message.messagingServiceSid === undefined
        ? {}
        : { MessagingServiceSid: message.messagingServiceSid }),
      ...(message.errorCode === undefined ? {} : { ErrorCode: String(message.errorCode) }),
      ...(message.channel === 'sms'
        ? {}
        : {
            ChannelInstallSid: INSTALL_SIDS[message.channel],
            ChannelPrefix: message.channel,
            ChannelToAddress: message.to,
          }),
      ...(message.channel === 'sms' && message.status === 'delivered'
        ? { RawDlrDoneDate: new Date(this.#context.clock()).toISOString().replace(/\D/g, '').slice(2, 12) }
        : {}),
    };
  }

  #callParams(call: EmulatedCall, step: string, index: number): Record<string, string> {
    return {
      AccountSid: this.#context.accountSid,
      ApiVersion: API_VERSION,
      CallSid: call.sid,
      CallStatus: step === 'initiated' ? step : call.status,
      CallbackSource: 'call-progress-events',
      Called: call.to,
      Caller: call.from,
      Direction: 'outbound-api',
      From: call.from,
      To: call.to,
      SequenceNumber: String(index),
      Timestamp: twilioDate(this.#context.clock()),
      ...(step === 'completed' ? { CallDuration: '12', Duration: '1' } : {}),
      ...(call.errorCode === undefined ? {} : { ErrorCode: String(call.errorCode) }),
    };
  }
}

const STATUS_OF_STEP: Readonly<Record<string, string>> = { initiated: 'queued', answered: 'in-progress' };
