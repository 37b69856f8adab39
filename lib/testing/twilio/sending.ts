import type { RecordedRequest } from '../server/faults.js';
import { jsonReply, type Reply } from '../server/answer.js';
import { readCall, wordsOfCall, type EmulatedCall, type StoredCall } from './calls.js';
import type { EmulatedTemplate, TwilioContent } from './content.js';
import type { TwilioContext } from './context.js';
import { notFound, twilioErrorReply } from './errors.js';
import { TwilioForm } from './formats.js';
import type { LateFailure, TwilioLifecycle } from './lifecycle.js';
import { readMessage, type EmulatedFeedback, type EmulatedMessage, type StoredMessage } from './messages.js';
import { legacyPage, queryOf } from './paging.js';
import type { EmulatedPhoneItem } from './phones.js';
import { callResource, feedbackResource, messageResource } from './resources.js';
import { renderTemplate, templateFailure } from './templates.js';

/** The messages and calls of an account, as the API of 2010 makes and shows them. */
export class TwilioSending {
  readonly messages: StoredMessage[] = [];
  readonly calls: StoredCall[] = [];
  readonly feedback: EmulatedFeedback[] = [];
  readonly #messagesBySid = new Map<string, StoredMessage>();
  readonly #callsBySid = new Map<string, StoredCall>();
  readonly #context: TwilioContext;
  readonly #content: TwilioContent;
  readonly #lifecycle: TwilioLifecycle;

  constructor(context: TwilioContext, content: TwilioContent, lifecycle: TwilioLifecycle) {
    this.#context = context;
    this.#content = content;
    this.#lifecycle = lifecycle;
  }

  listMessages(request: RecordedRequest): Reply {
    return listReply(request, 'messages', this.messages, (message) => this.#messageResource(message));
  }

  showMessage(request: RecordedRequest, sid = ''): Reply {
    const message = this.#messagesBySid.get(sid);
    return message === undefined ? notFound(request) : jsonReply(200, this.#messageResource(message));
  }

  listCalls(request: RecordedRequest): Reply {
    return listReply(request, 'calls', this.calls, (call) => this.#callResource(call));
  }

  showCall(request: RecordedRequest, sid = ''): Reply {
    const call = this.#callsBySid.get(sid);
    return call === undefined ? notFound(request) : jsonReply(200, this.#callResource(call));
  }

  createMessage(request: RecordedRequest): Reply {
    const { rules, phones } = this.#context;
    const refusal = rules.refusals.take(request);
    if (refusal !== undefined) return twilioErrorReply(refusal);
    const read = readMessage(new TwilioForm(request), this.#context, this.#content);
    if ('error' in read) return twilioErrorReply(read.error);
    const { message, template } = read;
    return {
      ...jsonReply(201, this.#messageResource(message)),
      commit: () => {
        this.messages.push(message);
        this.#messagesBySid.set(message.sid, message);
        const failure = this.#failureOf(message, template, request);
        const button = template && renderTemplate(template, message.contentVariables ?? {}).button;
        if (failure === undefined) phones.deliver(message.to, this.#item(message, message.text, { button }));
        this.#lifecycle.runMessage(message, failure);
      },
    };
  }

  createCall(request: RecordedRequest): Reply {
    const { rules, phones } = this.#context;
    const refusal = rules.refusals.take(request);
    if (refusal !== undefined) return twilioErrorReply(refusal);
    const read = readCall(new TwilioForm(request), this.#context);
    if ('error' in read) return twilioErrorReply(read.error);
    const { call } = read;
    return {
      ...jsonReply(201, this.#callResource(call)),
      commit: () => {
        this.calls.push(call);
        this.#callsBySid.set(call.sid, call);
        const rule = rules.lateFailures.take(request);
        const spoken = wordsOfCall(call);
        if (rule === undefined) phones.deliver(call.to, this.#item(call, spoken, { spoken }));
        this.#lifecycle.runCall(call, rule === undefined ? undefined : { code: rule.code, status: 'failed' });
      },
    };
  }

  postFeedback(request: RecordedRequest, sid = ''): Reply {
    const message = this.#messagesBySid.get(sid);
    if (message === undefined) return notFound(request);
    const outcome = new TwilioForm(request).get('Outcome') ?? 'confirmed';
    if (outcome !== 'confirmed' && outcome !== 'unconfirmed') {
      return twilioErrorReply({ code: 20001, message: 'Outcome must be confirmed or unconfirmed.' });
    }
    const feedback = { messageSid: message.sid, outcome, at: this.#context.clock() } as const;
    return {
      ...jsonReply(200, feedbackResource(feedback, this.#context.accountSid)),
      commit: () => {
        message.feedback = outcome;
        this.feedback.push(feedback);
      },
    };
  }

  #messageResource(message: EmulatedMessage): object {
    return messageResource(message, this.#context.accountSid);
  }

  #callResource(call: EmulatedCall): object {
    return callResource(call, this.#context.accountSid);
  }

  #failureOf(
    message: StoredMessage,
    template: EmulatedTemplate | undefined,
    request: RecordedRequest,
  ): LateFailure | undefined {
    const rule = this.#context.rules.lateFailures.take(request);
    if (rule !== undefined) {
      const usual = message.channel === 'sms' ? 'undelivered' : 'failed';
      return { code: rule.code, status: rule.status ?? usual };
    }
    const code = message.channel === 'whatsapp' ? this.#whatsAppFailure(message, template) : undefined;
    return code === undefined ? undefined : { code, status: 'failed' };
  }

  #whatsAppFailure(message: StoredMessage, template: EmulatedTemplate | undefined): number | undefined {
    const { to, from, contentVariables = {} } = message;
    const { sessions } = this.#context;
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
      at: this.#context.clock(),
      sid: sent.sid,
    };
  }
}

/** Lists the newest first. `To` and `From` in the query narrow the list. */
function listReply<Item extends StoredMessage | StoredCall>(
  request: RecordedRequest,
  name: string,
  items: readonly Item[],
  show: (item: Item) => object,
): Reply {
  const query = queryOf(request);
  const found = items.filter(({ channel, to, from }) => {
    const prefix = channel === 'whatsapp' ? 'whatsapp:' : '';
    return (
      (query.get('To') ?? prefix + to) === prefix + to &&
      (query.get('From') ?? prefix + from) === prefix + from
    );
  });
  return jsonReply(200, legacyPage(request, name, found.reverse(), show));
}
