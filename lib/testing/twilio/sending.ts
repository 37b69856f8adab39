import type { RecordedRequest } from '../server/faults.js';
import { jsonReply, type Reply } from '../server/loopback-server.js';
import { readCall, wordsOfCall, type StoredCall } from './calls.js';
import type { EmulatedTemplate } from './content.js';
import { methodNotAllowed, notFound, twilioErrorReply } from './errors.js';
import { TwilioForm } from './form.js';
import type { LateFailure, TwilioLifecycle } from './lifecycle.js';
import { readMessage, type EmulatedFeedback, type MessageRules, type StoredMessage } from './messages.js';
import { legacyPage, queryOf } from './paging.js';
import type { EmulatedPhoneItem, TwilioPhones } from './phones.js';
import { callResource, feedbackResource, messageResource } from './resources.js';
import type { SendingRules } from './rules.js';
import { renderTemplate, templateFailure } from './templates.js';
import type { WhatsAppSessions } from './whatsapp.js';

/** What messages and calls are made from. */
export interface SendingParts extends MessageRules {
  readonly accountSid: string;
  readonly clock: () => number;
  readonly rules: SendingRules;
  readonly sessions: WhatsAppSessions;
  readonly lifecycle: TwilioLifecycle;
  readonly phones: TwilioPhones;
}

/** The messages and calls of an account, as the API of 2010 makes and shows them. */
export class TwilioSending {
  readonly messages: StoredMessage[] = [];
  readonly calls: StoredCall[] = [];
  readonly feedback: EmulatedFeedback[] = [];
  readonly #messagesBySid = new Map<string, StoredMessage>();
  readonly #callsBySid = new Map<string, StoredCall>();
  readonly #parts: SendingParts;

  constructor(parts: SendingParts) {
    this.#parts = parts;
  }

  /** Answers what is under `Messages`: `sid` and `part` are what follows it in the path. */
  answerMessages(request: RecordedRequest, path: string, sid?: string, part?: string): Reply {
    const { accountSid } = this.#parts;
    if (sid === undefined) {
      if (request.method === 'POST') return this.#createMessage(request);
      const show = (message: StoredMessage): object => messageResource(message, accountSid);
      return this.#list(request, 'messages', this.messages, show);
    }
    const message = this.#messagesBySid.get(sid);
    if (message === undefined || (part !== undefined && part !== 'Feedback')) return notFound(path);
    if (part === 'Feedback') {
      return request.method === 'POST' ? this.#postFeedback(request, message) : methodNotAllowed();
    }
    return request.method === 'GET'
      ? jsonReply(200, messageResource(message, accountSid))
      : methodNotAllowed();
  }

  /** Answers what is under `Calls`. */
  answerCalls(request: RecordedRequest, path: string, sid?: string, part?: string): Reply {
    const { accountSid } = this.#parts;
    if (sid === undefined) {
      if (request.method === 'POST') return this.#createCall(request);
      const show = (call: StoredCall): object => callResource(call, accountSid);
      return this.#list(request, 'calls', this.calls, show);
    }
    const call = this.#callsBySid.get(sid);
    if (call === undefined || part !== undefined) return notFound(path);
    return request.method === 'GET' ? jsonReply(200, callResource(call, accountSid)) : methodNotAllowed();
  }

  /** Newest first, of `To` and `From` only where they are asked for. */
  #list<Item extends StoredMessage | StoredCall>(
    request: RecordedRequest,
    name: string,
    items: readonly Item[],
    show: (item: Item) => object,
  ): Reply {
    if (request.method !== 'GET') return methodNotAllowed();
    const query = queryOf(request);
    const found = items.filter(({ channel, to, from }) => {
      const prefix = channel === 'whatsapp' ? 'whatsapp:' : '';
      return [
        ['To', prefix + to],
        ['From', prefix + from],
      ].every(([field = '', value]) => (query.get(field) ?? value) === value);
    });
    return jsonReply(200, legacyPage(request, name, found.reverse(), show));
  }

  #createMessage(request: RecordedRequest): Reply {
    const { rules, clock, accountSid, phones, lifecycle } = this.#parts;
    const refusal = rules.refusals.take(request);
    if (refusal !== undefined) return twilioErrorReply(refusal);
    const read = readMessage(new TwilioForm(request), this.#parts, clock());
    if ('error' in read) return twilioErrorReply(read.error);
    const { message, template } = read;
    return {
      ...jsonReply(201, messageResource(message, accountSid)),
      commit: () => {
        this.messages.push(message);
        this.#messagesBySid.set(message.sid, message);
        const failure = this.#failureOf(message, template, request);
        const button = template && renderTemplate(template, message.contentVariables ?? {}).button;
        if (failure === undefined) phones.deliver(message.to, this.#item(message, message.text, { button }));
        lifecycle.runMessage(message, failure);
      },
    };
  }

  #createCall(request: RecordedRequest): Reply {
    const { rules, clock, accountSid, phones, lifecycle } = this.#parts;
    const refusal = rules.refusals.take(request);
    if (refusal !== undefined) return twilioErrorReply(refusal);
    const read = readCall(new TwilioForm(request), this.#parts, clock());
    if ('error' in read) return twilioErrorReply(read.error);
    const { call } = read;
    return {
      ...jsonReply(201, callResource(call, accountSid)),
      commit: () => {
        this.calls.push(call);
        this.#callsBySid.set(call.sid, call);
        const rule = rules.lateFailures.take(request);
        const spoken = wordsOfCall(call);
        if (rule === undefined) phones.deliver(call.to, this.#item(call, spoken, { spoken }));
        lifecycle.runCall(call, rule === undefined ? undefined : { code: rule.code, status: 'failed' });
      },
    };
  }

  #postFeedback(request: RecordedRequest, message: StoredMessage): Reply {
    const outcome = new TwilioForm(request).get('Outcome') ?? 'confirmed';
    if (outcome !== 'confirmed' && outcome !== 'unconfirmed') {
      return twilioErrorReply({ code: 20001, message: 'Outcome must be confirmed or unconfirmed.' });
    }
    const feedback = { messageSid: message.sid, outcome, at: this.#parts.clock() } as const;
    return {
      ...jsonReply(200, feedbackResource(feedback, this.#parts.accountSid)),
      commit: () => {
        message.feedback = outcome;
        this.feedback.push(feedback);
      },
    };
  }

  #failureOf(
    message: StoredMessage,
    template: EmulatedTemplate | undefined,
    request: RecordedRequest,
  ): LateFailure | undefined {
    const rule = this.#parts.rules.lateFailures.take(request);
    if (rule !== undefined) {
      const usual = message.channel === 'sms' ? 'undelivered' : 'failed';
      return { code: rule.code, status: rule.status ?? usual };
    }
    const code = message.channel === 'whatsapp' ? this.#whatsAppFailure(message, template) : undefined;
    return code === undefined ? undefined : { code, status: 'failed' };
  }

  #whatsAppFailure(message: StoredMessage, template: EmulatedTemplate | undefined): number | undefined {
    const { to, from, contentVariables = {} } = message;
    const { sessions } = this.#parts;
    if (!sessions.isReachable(to, from)) return 63015;
    const isWindowOpen = sessions.isWindowOpen(to, from);
    if (template === undefined) return isWindowOpen ? undefined : 63016;
    return templateFailure(template, contentVariables, isWindowOpen);
  }

  #item(
    sent: StoredMessage | StoredCall,
    text: string,
    { spoken, button }: Pick<EmulatedPhoneItem, 'spoken' | 'button'>,
  ): EmulatedPhoneItem {
    return {
      channel: sent.channel,
      text,
      ...(spoken === undefined ? {} : { spoken }),
      ...(button === undefined ? {} : { button }),
      at: this.#parts.clock(),
      sid: sent.sid,
    };
  }
}
