import { pathOf as pathIn, queryOf, type RecordedRequest } from '../server/faults.js';
import { okReply, type Reply } from '../server/reply.js';
import type { EmulatedCall } from './calls.js';
import { twilioErrorReply } from './errors.js';
import type { EmulatedFeedback, EmulatedMessage } from './messages.js';
import { addressOf, API_VERSION, twilioDate } from './formats.js';

export function messageResource(message: EmulatedMessage, accountSid: string): object {
  const isUnassigned = message.status === 'accepted';
  const hasLeft = ['sent', 'delivered', 'read', 'failed', 'undelivered'].includes(message.status);
  const uri = `/${API_VERSION}/Accounts/${accountSid}/Messages/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: API_VERSION,
    body: message.text,
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
    to: addressOf(message.channel, message.to),
    uri: `${uri}.json`,
  };
}

export function feedbackResource(feedback: EmulatedFeedback, accountSid: string): object {
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
export function callResource(call: EmulatedCall, accountSid: string): object {
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

/** A list: its name in the answer, what it has, and the parameters that narrow it. */
export interface List {
  readonly name: string;
  readonly items: readonly object[];
  readonly filters?: readonly string[] | undefined;
}

/** A page of a list. */
interface Page {
  readonly items: readonly object[];
  readonly page: number;
  readonly size: number;
  /** The request of another page; `null` if there is none. */
  readonly pathOf: (page: number) => string | null;
}

const PAGING: readonly string[] = ['PageSize', 'Page', 'PageToken'];
const USUAL_SIZE = 50;
const MAX_SIZE = 1000;

/** A list in the API of 2010. */
export function legacyPage(request: RecordedRequest, list: List): Reply {
  return withPage(request, list, ({ items, page, size, pathOf }) => ({
    [list.name]: items,
    end: page * size + Math.max(items.length - 1, 0),
    first_page_uri: pathOf(0),
    next_page_uri: pathOf(page + 1),
    page,
    page_size: size,
    previous_page_uri: pathOf(page - 1),
    start: page * size,
    uri: request.path,
  }));
}

/** A list in the newer APIs, with whole URLs under `meta`. */
export function metaPage(request: RecordedRequest, origin: string, list: List): Reply {
  return withPage(request, list, ({ items, page, size, pathOf }) => {
    const urlOf = (one: number): string | null => {
      const path = pathOf(one);
      return path === null ? null : origin + path;
    };
    return {
      [list.name]: items,
      meta: {
        first_page_url: urlOf(0),
        key: list.name,
        next_page_url: urlOf(page + 1),
        page,
        page_size: size,
        previous_page_url: urlOf(page - 1),
        url: origin + request.path,
      },
    };
  });
}

/** Without `PageSize`, a list is one page, however long it is. */
function withPage(
  request: RecordedRequest,
  { items, filters = [] }: List,
  show: (page: Page) => object,
): Reply {
  const query = queryOf(request);
  // Twilio has more filters than the emulator. If one were ignored, the answer would have too much.
  const unknown = [...query.keys()].find((name) => ![...filters, ...PAGING].includes(name));
  if (unknown !== undefined) {
    const known = filters.length === 0 ? 'no filter' : `only ${filters.join(', ')}`;
    return invalid(`The emulated list does not know the parameter ${unknown}. It knows ${known}.`);
  }
  const size = Number(query.get('PageSize') ?? Math.max(USUAL_SIZE, items.length));
  const page = Number(query.get('Page') ?? 0);
  const isPaged = query.has('PageSize');
  if (!isCount(page) || !isCount(size) || size === 0 || (isPaged && size > MAX_SIZE)) {
    return invalid(`PageSize must be between 1 and ${MAX_SIZE}, and Page 0 or more.`);
  }
  const last = Math.max(Math.ceil(items.length / size) - 1, 0);
  const pathOf = (one: number): string | null => {
    if (one < 0 || one > last) return null;
    const next = new URLSearchParams(query);
    if (!isPaged) return request.path;
    next.set('Page', String(one));
    return `${pathIn(request)}?${next.toString()}`;
  };
  return okReply(show({ items: items.slice(page * size, (page + 1) * size), page, size, pathOf }));
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function invalid(message: string): Reply {
  return twilioErrorReply({ code: 20001, message });
}
