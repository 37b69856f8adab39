import type { IncomingMessage } from 'node:http';
import type { ReceivedMessage } from '../../channels/channel.js';
import type { CallbackAnswer, CallbackRequest, DeliveryReport } from '../../core/channel.js';
import { describeThrown } from '../../core/errors.js';
import { maskText, toToken } from '../../core/masking.js';
import { RequestError, shuttingDown } from '../../core/request-error.js';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import type { ReadyChannel, ReadyReceiver } from '../../delivery/attempt.js';
import { questionContext, readReport } from '../../delivery/channel-contract.js';
import { answerText, methodNotAllowed, readBody } from '../../http/exchange.js';
import type { Route } from '../../http/routes.js';
import { E164 } from '../../numbers/phone-number.js';
import { answerError } from '../answer-error.js';
import type { HookParts } from '../call.js';
import { callbackPath } from '../ready-channels.js';
import type { Inbox } from './inbox.js';
import type { ReceivedReport } from './reports.js';
import { queryIn } from './signed-form.js';

/** The routes of channels with `receive`: the channel proves the sender and reads what it sent; the hook does the rest. */

/** Meta's batches of statuses have up to 3 MiB. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** Of all callbacks that are being read. */
const MAX_BYTES_AT_ONCE = 64 * 1024 * 1024;
/** For the body, then for the channel, milliseconds. */
const TIME_MS = 10_000;
const CONNECT_MS = 1_000;

const PLAIN_TEXT = 'text/plain; charset=utf-8';

/** A reference as an attempt has it. */
const REFERENCE = /^[\w-]{1,64}$/;
/** As in an accepted outcome. */
const MAX_ID_LENGTH = 200;
const MAX_STATUS_LENGTH = 40;

interface Takers {
  readonly takeReport: (received: ReceivedReport) => void;
  readonly inbox: Inbox;
}

/** One route for each provider that can push. */
export function channelRoutes(parts: HookParts, takers: Takers): readonly Route[] {
  const bodies = new Bodies();
  return [...parts.channels].flatMap(([name, providers]) =>
    providers.flatMap((channel, index) => {
      const { receiver, key } = channel;
      if (receiver === undefined) return [];
      const path = parts.settings.path + callbackPath(name, index);
      const onMistake = (mistake: string): void => {
        const reason = `${key}: ${mistake}`;
        parts.events.emitFailed({ extension: 'receive', reason, call: undefined }, `receive ${key}`);
      };
      const handle = receiveBy({ channel, receiver, onMistake }, parts, takers, bodies);
      return [{ path, handle, onError: answerError(parts) }];
    }),
  );
}

/** A channel with what reports the mistakes of its `receive`. */
interface Receiving {
  readonly channel: ReadyChannel;
  readonly receiver: ReadyReceiver;
  readonly onMistake: (mistake: string) => void;
}

function receiveBy(
  receiving: Receiving,
  { events, underWay }: HookParts,
  { takeReport, inbox }: Takers,
  bodies: Bodies,
): Route['handle'] {
  const { channel, receiver, onMistake } = receiving;
  const { client, name } = channel;
  return async (req, res) => {
    const { methods = ['POST'] } = receiver.port;
    const method = methods.find((one) => one === req.method);
    if (method === undefined) throw methodNotAllowed(...methods);
    const rawBody = await bodies.read(req);
    // Until then, reports still decide about sends under way.
    if (underWay.isDrained) throw shuttingDown();
    const request = {
      method,
      url: `${client.callbackUrl ?? ''}${queryIn(req.url)}`,
      query: readQuery(req.url),
      headers: req.headers,
      rawBody,
    };
    const answered = readAnswer(await askChannel(receiving, request), onMistake);
    const { status, body, contentType } = answered;
    // What the channel has not taken has no effect.
    const isTaken = status < 300;
    const reports = isTaken ? answered.reports.flatMap((report) => readPushed(report, receiving) ?? []) : [];
    const messages = isTaken
      ? answered.inbound.flatMap((message) => readMessage(message, receiving) ?? [])
      : [];
    if (messages.length > 0) inbox.requireOpen();
    receiver.hasReported ||= reports.length > 0;
    for (const report of reports) takeReport(report);
    if (status === 401 || status === 403) {
      events.emitCounted(`rejected callback ${name}`, (count) => ({
        type: 'request.rejected',
        status,
        code: 'BAD_SIGNATURE',
        channel: name,
        fields: [],
        reason: undefined,
        count,
      }));
    }
    await Promise.all(
      messages.map(({ message, sentAtMs }) =>
        // The answer to a callback carries no reply.
        inbox.receive(message, {
          idNamespace: channel.idNamespace,
          planChannel: name,
          keepsStop: true,
          replies: 'all',
          sentAtMs,
        }),
      ),
    );
    answerText(req, res, { status, type: contentType, text: body });
  };
}

/** Reads the bodies of all callbacks. Nobody is proven before, so all of them together have a limit. */
class Bodies {
  #bytes = 0;

  /** @throws RequestError, also if the bytes are lost: a signature covers each of them. */
  async read(req: IncomingMessage): Promise<Buffer> {
    const bytes = Number(req.headers['content-length'] ?? MAX_BODY_BYTES);
    if (req.method === 'POST' && bytes <= MAX_BODY_BYTES && this.#bytes + bytes > MAX_BYTES_AT_ONCE) {
      throw new RequestError('BUSY', 'This gateway is reading too many callbacks.');
    }
    this.#bytes += bytes;
    try {
      const body = await readBody(req, { type: undefined, waitMs: TIME_MS, maxBytes: MAX_BODY_BYTES });
      if (Buffer.isBuffer(body)) return body;
    } finally {
      this.#bytes -= bytes;
    }
    throw new RequestError(
      'BODY_ALREADY_READ',
      'The body was parsed before the hook: mount the hook ahead of what reads bodies.',
    );
  }
}

function readQuery(url: string | undefined): CallbackRequest['query'] {
  const query: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(queryIn(url))) query[name] ??= value;
  return query;
}

/** Asks the channel. If it fails, the provider must send the callback again. */
async function askChannel(
  { channel, receiver, onMistake }: Receiving,
  request: CallbackRequest,
): Promise<unknown> {
  try {
    const handling = Promise.resolve(
      receiver.port.handle(request, questionContext(channel.client, TIME_MS, CONNECT_MS)),
    );
    const given = await waitAtMost(handling, TIME_MS);
    if (given !== TIMED_OUT) return given;
    onMistake('its receive gave no answer within 10 s');
  } catch (error) {
    onMistake(describeThrown('its receive', error));
  }
  return FAILED;
}

const FAILED: CallbackAnswer = { status: 500 };

type Fields = Readonly<Record<string, unknown>>;

/** The answer of a channel, complete. A channel may be written without types. */
function readAnswer(
  given: unknown,
  onMistake: (mistake: string) => void,
): { readonly status: number; readonly body: string; readonly contentType: string } & Readonly<
  Record<'reports' | 'inbound', readonly unknown[]>
> {
  const { status, body, contentType, reports, inbound } = Object(given) as Fields;
  const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599;
  if (!isStatus) onMistake('its receive gave no status from 200 to 599');
  return {
    status: isStatus ? status : FAILED.status,
    body: typeof body === 'string' ? body : '',
    contentType: typeof contentType === 'string' ? contentType : PLAIN_TEXT,
    reports: Array.isArray(reports) ? reports : [],
    inbound: Array.isArray(inbound) ? inbound : [],
  };
}

/** A report of a channel; `undefined` if it cannot be used, which is reported. */
function readPushed(
  given: unknown,
  { channel: { name, idNamespace }, onMistake }: Receiving,
): ReceivedReport | undefined {
  const { transactionId, reference, providerStatus, to } = Object(given) as Fields;
  const id = isText(transactionId) ? transactionId.slice(0, MAX_ID_LENGTH) : undefined;
  const attempt = isText(reference) && REFERENCE.test(reference) ? reference : undefined;
  if (id === undefined && attempt === undefined) {
    onMistake('its report names no message: it has no transactionId and no reference');
    return undefined;
  }
  let report: DeliveryReport;
  try {
    report = readReport(given);
  } catch {
    onMistake("its report has none of the statuses 'pending', 'delivered' and 'failed'");
    return undefined;
  }
  const failure = report.status === 'failed' ? report : undefined;
  return {
    channel: name,
    idNamespace,
    transactionId: id,
    reference: attempt,
    report: failure === undefined ? report : { ...failure, remedy: masked(failure.remedy) },
    status: (isText(providerStatus) ? shown(providerStatus) : undefined) ?? report.status,
    reported: report.status,
    code: failure && (shown(failure.code) ?? 'FAILED'),
    reason: masked(failure?.reason),
    to: isText(to) && E164.test(to) ? to : undefined,
  };
}

/** Nobody may know whose message it is, so every number is masked. */
const masked = (text: string | undefined): string | undefined => maskText(text, undefined) || undefined;

/** A status or a code, unless it may show a number. */
function shown(word: string): string | undefined {
  return /\d{7}/.test(word) ? undefined : toToken(word, MAX_STATUS_LENGTH);
}

/** A message of a user; `undefined` if it cannot be used, which is reported. */
function readMessage(
  given: unknown,
  { channel: { name }, onMistake }: Receiving,
): { readonly message: ReceivedMessage; readonly sentAtMs: number | undefined } | undefined {
  const { messageId, from, externalUserId, text, sentAt, isHandled } = Object(given) as Fields;
  const number = isText(from) && E164.test(from) ? from : undefined;
  // Only a number begins with a plus.
  const id = isText(externalUserId) && !externalUserId.startsWith('+') ? externalUserId : undefined;
  if (!isText(messageId) || (number === undefined && id === undefined)) {
    onMistake('its inbound message has no messageId, or no from in E.164 and no externalUserId');
    return undefined;
  }
  const message = {
    messageId,
    channel: name,
    from: number,
    externalUserId: id,
    text: isText(text) ? text : '',
    isHandled: isHandled === true,
  };
  const sentAtMs = sentAt instanceof Date ? sentAt.getTime() : NaN;
  return { message, sentAtMs: Number.isNaN(sentAtMs) ? undefined : sentAtMs };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
