import { RuleList, type RecordedRequest } from './faults.js';
import { jsonReply, type Reply } from './loopback-server.js';
import { readCall, wordsOfCall, type StoredCall } from './twilio-calls.js';
import { twilioErrorReply, type TwilioError } from './twilio-errors.js';
import { TwilioForm } from './twilio-form.js';
import type { LateFailure, TwilioLifecycle } from './twilio-lifecycle.js';
import { readMessage, textOfMessage, type StoredMessage } from './twilio-messages.js';
import { accountResource, callResource, feedbackResource, messageResource } from './twilio-resources.js';
import type { WhatsAppSandbox } from './twilio-sandbox.js';
import type { TwilioSenders } from './twilio-senders.js';

/** Something that a phone got. */
export interface EmulatedPhoneItem {
  readonly channel: 'sms' | 'whatsapp' | 'voice';
  /** The text of a message; the words of a call. */
  readonly text: string;
  /** The words of a call. */
  readonly spoken?: string | undefined;
  /** Milliseconds by the emulator's clock. */
  readonly at: number;
  /** The message's or call's SID. */
  readonly sid: string;
}

/** Refuses messages and calls with a code of Twilio's. */
export interface RefusalRule extends TwilioError {
  /** Which requests are refused. Default: every new message and call. */
  readonly match?: ((request: RecordedRequest) => boolean) | undefined;
  /** How many. Default: all. */
  readonly times?: number | undefined;
}

/** Accepts messages and calls, and lets them fail afterwards. */
export interface LateFailureRule {
  readonly code: number;
  /** Default: `undelivered` for SMS, `failed` for WhatsApp and calls. */
  readonly status?: 'failed' | 'undelivered' | undefined;
  /** Which requests fail. Default: every new message and call. */
  readonly match?: ((request: RecordedRequest) => boolean) | undefined;
  /** How many. Default: all. */
  readonly times?: number | undefined;
}

/** The secrets of an emulated account. */
interface TwilioKeys {
  readonly accountSid: string;
  readonly authToken: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
}

/** What an account is made from. */
export interface TwilioAccountParts {
  readonly keys: TwilioKeys;
  readonly clock: () => number;
  readonly senders: TwilioSenders;
  readonly poolNumber: string;
  readonly sandboxNumber: string;
  readonly sandbox: WhatsAppSandbox;
  readonly lifecycle: TwilioLifecycle;
  /** Told about everything that a phone gets. */
  readonly onDelivered: (to: string, item: EmulatedPhoneItem) => void;
}

const EVERYTHING = (): boolean => true;

/** An account: its messages and calls, and the answers of its REST API. */
export class TwilioAccount {
  readonly messages: StoredMessage[] = [];
  readonly calls: StoredCall[] = [];
  readonly refusals = new RuleList<RefusalRule>(EVERYTHING);
  readonly lateFailures = new RuleList<LateFailureRule>(EVERYTHING);
  readonly #parts: TwilioAccountParts;
  readonly #messagesBySid = new Map<string, StoredMessage>();
  readonly #callsBySid = new Map<string, StoredCall>();

  constructor(parts: TwilioAccountParts) {
    this.#parts = parts;
  }

  /** Answers a request of the 2010-04-01 API. */
  answer(request: RecordedRequest): Reply {
    const path = request.path.split('?')[0] ?? '';
    const [, sid, resource] = /^\/2010-04-01\/Accounts\/([^/]+?)(?:\/(.+))?\.json$/.exec(path) ?? [];
    const { keys, clock } = this.#parts;
    const caller = callerOf(request, keys);
    if (caller === undefined || sid === undefined) {
      return caller === undefined ? twilioErrorReply({ code: 20003 }) : notFound(path);
    }
    if (resource === undefined) {
      if (request.method !== 'GET') return methodNotAllowed();
      // Standard API keys may use everything but accounts and keys.
      if (caller === 'apiKey') return twilioErrorReply({ code: 20003 });
      return sid === keys.accountSid
        ? jsonReply(200, accountResource(sid, keys.authToken, clock()))
        : notFound(path);
    }
    if (sid !== keys.accountSid) return twilioErrorReply({ code: 20003 });

    const [name, itemSid, part, ...rest] = resource.split('/');
    if (rest.length > 0) return notFound(path);
    if (name === 'Messages') {
      if (itemSid === undefined) return this.#onlyPost(request, () => this.#createMessage(request));
      const message = this.#messagesBySid.get(itemSid);
      if (message === undefined) return notFound(path);
      if (part === 'Feedback') return this.#onlyPost(request, () => this.#postFeedback(request, message));
      if (part !== undefined) return notFound(path);
      return request.method === 'GET' ? jsonReply(200, messageResource(message, sid)) : methodNotAllowed();
    }
    if (name === 'Calls' && part === undefined) {
      if (itemSid === undefined) return this.#onlyPost(request, () => this.#createCall(request));
      const call = this.#callsBySid.get(itemSid);
      if (call === undefined) return notFound(path);
      return request.method === 'GET' ? jsonReply(200, callResource(call, sid)) : methodNotAllowed();
    }
    return notFound(path);
  }

  #onlyPost(request: RecordedRequest, answer: () => Reply): Reply {
    return request.method === 'POST' ? answer() : methodNotAllowed();
  }

  #createMessage(request: RecordedRequest): Reply {
    const refusal = this.refusals.take(request);
    if (refusal !== undefined) return twilioErrorReply(refusal);
    const { senders, poolNumber, clock, keys } = this.#parts;
    const read = readMessage(new TwilioForm(request), senders, poolNumber, clock());
    if ('error' in read) return twilioErrorReply(read.error);
    const { message } = read;
    return {
      ...jsonReply(201, messageResource(message, keys.accountSid)),
      commit: () => {
        this.messages.push(message);
        this.#messagesBySid.set(message.sid, message);
        const failure = this.#failureOf(message, request);
        if (failure === undefined) this.#deliver(message, textOfMessage(message));
        this.#parts.lifecycle.runMessage(message, failure);
      },
    };
  }

  #createCall(request: RecordedRequest): Reply {
    const refusal = this.refusals.take(request);
    if (refusal !== undefined) return twilioErrorReply(refusal);
    const { senders, clock, keys } = this.#parts;
    const read = readCall(new TwilioForm(request), senders, clock());
    if ('error' in read) return twilioErrorReply(read.error);
    const { call } = read;
    return {
      ...jsonReply(201, callResource(call, keys.accountSid)),
      commit: () => {
        this.calls.push(call);
        this.#callsBySid.set(call.sid, call);
        const rule = this.lateFailures.take(request);
        if (rule === undefined) this.#deliver(call, wordsOfCall(call));
        this.#parts.lifecycle.runCall(
          call,
          rule === undefined ? undefined : { code: rule.code, status: 'failed' },
        );
      },
    };
  }

  #postFeedback(request: RecordedRequest, message: StoredMessage): Reply {
    const outcome = new TwilioForm(request).get('Outcome') ?? 'confirmed';
    if (outcome !== 'confirmed' && outcome !== 'unconfirmed') {
      return twilioErrorReply({ code: 20001, message: 'Outcome must be confirmed or unconfirmed.' });
    }
    const { keys, clock } = this.#parts;
    const body = feedbackResource({ ...message, feedback: outcome }, keys.accountSid, clock());
    return {
      ...jsonReply(200, body),
      commit: () => {
        message.feedback = outcome;
      },
    };
  }

  #failureOf(message: StoredMessage, request: RecordedRequest): LateFailure | undefined {
    const rule = this.lateFailures.take(request);
    if (rule !== undefined) {
      const usual = message.channel === 'sms' ? 'undelivered' : 'failed';
      return { code: rule.code, status: rule.status ?? usual };
    }
    if (message.channel === 'sms') return undefined;
    const isTemplate = message.contentSid !== undefined;
    const { sandbox, sandboxNumber } = this.#parts;
    // Nobody writes to approved senders here, so that free text from them is always outside the window.
    const outsideWindow = isTemplate ? undefined : 63016;
    const code = message.from === sandboxNumber ? sandbox.failureOf(message.to, isTemplate) : outsideWindow;
    return code === undefined ? undefined : { code, status: 'failed' };
  }

  #deliver(item: StoredMessage | StoredCall, text: string): void {
    this.#parts.onDelivered(item.to, {
      channel: item.channel,
      text,
      ...(item.channel === 'voice' ? { spoken: text } : {}),
      at: this.#parts.clock(),
      sid: item.sid,
    });
  }
}

function callerOf(request: RecordedRequest, keys: TwilioKeys): 'account' | 'apiKey' | undefined {
  const [, encoded = ''] = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  if (credentials === `${keys.accountSid}:${keys.authToken}`) return 'account';
  return credentials === `${keys.apiKeySid}:${keys.apiKeySecret}` ? 'apiKey' : undefined;
}

function notFound(path: string): Reply {
  return twilioErrorReply({ code: 20404, message: `The requested resource ${path} was not found` });
}

function methodNotAllowed(): Reply {
  return twilioErrorReply({ code: 20004, status: 405, message: 'Method not allowed' });
}
