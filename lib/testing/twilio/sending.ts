import { formOf, queryOf, type RecordedRequest } from '../server/request.js';
import { appOf } from '../server/phones.js';
import { jsonReply, okReply, type Answer } from '../server/reply.js';
import type { Mutable } from '../server/status-callbacks.js';
import { readCall, wordsOfCall, type EmulatedCall } from './calls.js';
import type { EmulatedTemplate, TwilioContent } from './content.js';
import type { TwilioContext } from './context.js';
import { notFound, twilioErrorReply } from './errors.js';
import { addressOf, API_VERSION, twilioDate } from './formats.js';
import type { LateFailure, TwilioLifecycle } from './lifecycle.js';
import { readMessage, type EmulatedFeedback, type EmulatedMessage } from './messages.js';
import { legacyPage } from './lists.js';
import { renderTemplate, templateFailure } from './templates.js';

type Sent = Mutable<EmulatedMessage> | EmulatedCall;

/** The messages and calls of an account, as the API of 2010 makes and shows them. */
export class TwilioSending {
  readonly messages: Mutable<EmulatedMessage>[] = [];
  readonly calls: EmulatedCall[] = [];
  readonly feedback: EmulatedFeedback[] = [];
  readonly #bySid = new Map<string, Sent>();
  readonly #context: TwilioContext;
  readonly #content: TwilioContent;
  readonly #lifecycle: TwilioLifecycle;

  constructor(context: TwilioContext, content: TwilioContent, lifecycle: TwilioLifecycle) {
    this.#context = context;
    this.#content = content;
    this.#lifecycle = lifecycle;
  }

  /** Lists the newest first. */
  listOf(kind: 'messages' | 'calls'): Answer {
    return (request) => {
      const query = queryOf(request);
      const sent: readonly Sent[] = this[kind];
      const fits = (name: string, address: string): boolean => (query.get(name) || address) === address;
      const found = sent.filter(
        ({ channel, to, from }) =>
          fits('To', addressOf(channel, to)) && fits('From', addressOf(channel, from)),
      );
      const items = found.reverse().map((one) => this.#resource(one));
      return legacyPage(request, { name: kind, items, filters: ['To', 'From'] });
    };
  }

  showOf(kind: 'messages' | 'calls'): Answer {
    return (request, { sid = '' }) => {
      const sent = this.#bySid.get(sid);
      const isCall = sent?.channel === 'voice';
      if (sent === undefined || isCall !== (kind === 'calls')) return notFound(request);
      return okReply(this.#resource(sent));
    };
  }

  readonly createMessage: Answer = (request) => {
    const { clock, phones } = this.#context;
    const read = readMessage(request, this.#context, this.#content);
    if ('error' in read) return twilioErrorReply(read.error);
    const { message, template } = read;
    const { sid, channel, to, text, contentVariables = {} } = message;
    return {
      ...jsonReply(201, this.#resource(message)),
      commit: () => {
        this.messages.push(message);
        this.#bySid.set(sid, message);
        const failure = this.#failureOf(message, template, request);
        const button = template && renderTemplate(template, contentVariables).button;
        const item = { channel: appOf(channel), text, ...(button && { button }), at: clock(), sid };
        if (failure === undefined) phones.deliver(to, item);
        this.#lifecycle.runMessage(message, failure);
      },
    };
  };

  readonly createCall: Answer = (request) => {
    const { clock, phones, lateFailures } = this.#context;
    const call = readCall(request, this.#context);
    if ('error' in call) return twilioErrorReply(call.error);
    const { sid, channel, to } = call;
    return {
      ...jsonReply(201, this.#resource(call)),
      commit: () => {
        this.calls.push(call);
        this.#bySid.set(sid, call);
        const rule = lateFailures.take(request);
        const spoken = wordsOfCall(call);
        if (rule === undefined) phones.deliver(to, { channel, text: spoken, spoken, at: clock(), sid });
        this.#lifecycle.runCall(call, rule === undefined ? undefined : { code: rule.code, status: 'failed' });
      },
    };
  };

  readonly postFeedback: Answer = (request, { sid = '' }) => {
    const message = this.#bySid.get(sid);
    if (message === undefined || message.channel === 'voice') return notFound(request);
    const outcome = formOf(request)('Outcome') ?? 'confirmed';
    if (outcome !== 'confirmed' && outcome !== 'unconfirmed') {
      return twilioErrorReply({ code: 20001, message: 'Outcome must be confirmed or unconfirmed.' });
    }
    const feedback = { messageSid: message.sid, outcome, at: this.#context.clock() } as const;
    return {
      ...okReply(feedbackResource(feedback, this.#context.accountSid)),
      commit: () => {
        message.feedback = outcome;
        this.feedback.push(feedback);
      },
    };
  };

  #resource(sent: Sent): object {
    const { accountSid } = this.#context;
    return sent.channel === 'voice' ? callResource(sent, accountSid) : messageResource(sent, accountSid);
  }

  #failureOf(
    message: EmulatedMessage,
    template: EmulatedTemplate | undefined,
    request: RecordedRequest,
  ): LateFailure | undefined {
    const rule = this.#context.lateFailures.take(request);
    if (rule !== undefined) {
      const usual = message.channel === 'whatsapp' ? 'failed' : 'undelivered';
      return { code: rule.code, status: rule.status ?? usual };
    }
    const code = message.channel === 'whatsapp' ? this.#whatsAppFailure(message, template) : undefined;
    return code === undefined ? undefined : { code, status: 'failed' };
  }

  #whatsAppFailure(message: EmulatedMessage, template: EmulatedTemplate | undefined): number | undefined {
    const { to, from, contentVariables = {} } = message;
    const { sessions } = this.#context;
    if (!sessions.isReachable(to, from)) return 63015;
    const isWindowOpen = sessions.isWindowOpen(to, from);
    if (template === undefined) return isWindowOpen ? undefined : 63016;
    return templateFailure(template, contentVariables, isWindowOpen);
  }
}

function messageResource(message: EmulatedMessage, accountSid: string): object {
  const isUnassigned = message.status === 'accepted';
  const hasLeft = ['sent', 'delivered', 'read', 'failed', 'undelivered'].includes(message.status);
  const isObfuscated = hasLeft && message.addressRetention === 'obfuscate';
  const uri = `/${API_VERSION}/Accounts/${accountSid}/Messages/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: API_VERSION,
    body: hasLeft && message.contentRetention === 'discard' ? '' : message.text,
    date_created: twilioDate(message.createdAt),
    date_sent: hasLeft ? twilioDate(message.createdAt) : null,
    date_updated: twilioDate(message.updatedAt),
    direction: 'outbound-api',
    error_code: message.errorCode ?? null,
    error_message: message.errorCode === undefined ? null : `Error ${message.errorCode}`,
    from: isUnassigned ? null : addressOf(message.channel, message.from),
    messaging_service_sid: message.messagingServiceSid ?? null,
    num_media: '0',
    num_segments: isUnassigned ? '0' : '1',
    price: null,
    price_unit: isUnassigned ? null : 'USD',
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: addressOf(message.channel, isObfuscated ? message.to.replace(/.{4}$/, 'XXXX') : message.to),
    uri: `${uri}.json`,
  };
}

function feedbackResource(feedback: EmulatedFeedback, accountSid: string): object {
  return {
    account_sid: accountSid,
    date_created: twilioDate(feedback.at),
    date_updated: twilioDate(feedback.at),
    message_sid: feedback.messageSid,
    outcome: feedback.outcome,
    uri: `/${API_VERSION}/Accounts/${accountSid}/Messages/${feedback.messageSid}/Feedback.json`,
  };
}

/** The Call resource, without the TwiML. */
function callResource(call: EmulatedCall, accountSid: string): object {
  const uri = `/${API_VERSION}/Accounts/${accountSid}/Calls/${call.sid}`;
  const isOver = call.status === 'completed' || call.status === 'failed';
  return {
    account_sid: accountSid,
    answered_by: null,
    api_version: API_VERSION,
    caller_name: null,
    date_created: isOver ? twilioDate(call.createdAt) : null,
    date_updated: isOver ? twilioDate(call.updatedAt) : null,
    direction: 'outbound-api',
    duration: isOver ? '0' : null,
    end_time: isOver ? twilioDate(call.updatedAt) : null,
    forwarded_from: null,
    from: call.from,
    from_formatted: call.from,
    group_sid: null,
    parent_call_sid: null,
    phone_number_sid: null,
    price: null,
    price_unit: 'USD',
    queue_time: '0',
    sid: call.sid,
    start_time: isOver ? twilioDate(call.createdAt) : null,
    status: call.status,
    subresource_uris: Object.fromEntries(
      ['Notifications', 'Recordings', 'Payments', 'Events', 'Siprec', 'Streams', 'Transcriptions'].map(
        (name) => [name.toLowerCase(), `${uri}/${name}.json`],
      ),
    ),
    to: call.to,
    to_formatted: call.to,
    trunk_sid: null,
    uri: `${uri}.json`,
  };
}
