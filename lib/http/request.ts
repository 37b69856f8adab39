import { type Outcome, type Refusal, effectOf } from '../core/channel.js';
import type { HttpAnswer, HttpForm, HttpRequest, HttpResult } from '../core/http.js';
import { asObject, isObject, type JsonObject } from '../core/json.js';
import { callHttp, type HttpCall, type HttpLimits } from './call.js';

/**
 * What channels send by: the HTTP client that they get as `context.http`, and `outcomeOf`, which reads its results. A wrong request
 * is never sent.
 */

/** The limits of a request, and what its `windowShare` is a share of. */
export interface RequestLimits extends HttpLimits {
  /** The send window that is left, milliseconds. Default: `timeoutMs`. */
  readonly windowMs?: number | undefined;
}

/**
 * Makes one request. Never rejects.
 *
 * @param onInvalid - called with what is wrong with a request that cannot be sent.
 */
export function sendRequest(
  request: HttpRequest,
  limits: RequestLimits,
  onInvalid: (problem: string) => void,
): Promise<HttpResult> {
  let call: HttpCall | string;
  try {
    call = checkedCall(request);
  } catch {
    call = 'its fields cannot be read';
  }
  if (typeof call !== 'string') return callHttp(call, limitsOf(request, limits));
  onInvalid(call);
  return Promise.resolve({ kind: 'not-sent', reason: 'WRONG_REQUEST', problem: call });
}

function limitsOf({ windowShare }: HttpRequest, limits: RequestLimits): HttpLimits {
  if (windowShare === undefined) return limits;
  return { ...limits, timeoutMs: (limits.windowMs ?? limits.timeoutMs) * windowShare };
}

const METHODS: ReadonlySet<unknown> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** The call as it is made, or what is wrong with the request. A channel without types may hand on anything. */
function checkedCall(request: HttpRequest): HttpCall | string {
  if (typeof request !== 'object' || (request as unknown) === null) return 'it must be an object with url';
  const { url, method = 'POST', headers: given = {}, json, form, body, windowShare } = request;
  const target = parseUrl(url);
  if (target?.protocol !== 'https:' && target?.protocol !== 'http:') {
    return 'url must be a whole URL that begins with https:// or http://';
  }
  if (target.username !== '' || target.password !== '') {
    return 'url must not hold a user name or a password; they go into the header authorization';
  }
  if (!METHODS.has(method)) return `method must be one of ${[...METHODS].join(', ')}`;
  if (windowShare !== undefined && !(windowShare > 0 && windowShare <= 1)) {
    return 'windowShare must be a number above 0 and at most 1';
  }
  const bodies = Number(json !== undefined) + Number(form !== undefined) + Number(body !== undefined);
  if (bodies > 1) return 'it must have one body: json, form or body';
  if (bodies > 0 && method === 'GET') return 'GET has no body: it goes without json, form and body';
  const headers: Record<string, string> = { accept: 'application/json' };
  let content = body;
  if (json !== undefined) {
    headers['content-type'] = 'application/json';
    content = jsonOf(json);
    if (content === undefined) return 'json must be a value that JSON can express';
  } else if (form !== undefined) {
    if (typeof form !== 'object') return 'form must be an object of fields';
    headers['content-type'] = 'application/x-www-form-urlencoded';
    content = formOf(form);
  } else if (body !== undefined && typeof body !== 'string') return 'body must be a text';
  for (const name of Object.keys(given)) {
    const value: unknown = given[name];
    if (value === undefined) continue;
    if (!TOKEN.test(name) || typeof value !== 'string' || !FIELD.test(value)) {
      return 'headers must be names with texts of one line';
    }
    headers[name.toLowerCase()] = value;
  }
  return { method, origin: target.origin, path: target.pathname + target.search, headers, body: content };
}

function parseUrl(url: unknown): URL | undefined {
  try {
    return typeof url === 'string' ? new URL(url) : undefined;
  } catch {
    return undefined;
  }
}

/** The name of a header, and its value without line breaks and other control characters: RFC 9110, section 5. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const FIELD = /^[\t\x20-\x7e\x80-\xff]*$/;

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // A circle, or a bigint.
    return undefined;
  }
}

/**
 * Encodes a form or a query. A list repeats its name. A lone surrogate, as at the end of a text that was cut, cannot be
 * encoded and is replaced, so that the rest of the text survives.
 */
export function formOf(fields: HttpForm): string {
  let form = '';
  const add = (name: string, value: unknown): void => {
    form += `${form === '' ? '' : '&'}${encode(name)}=${encode(value)}`;
  };
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (Array.isArray(value)) for (const item of value) add(name, item);
    else if (value !== undefined) add(name, value);
  }
  return form;
}

/** Fast path: most names and many values need no escaping. */
const PLAIN = /^[\w.~-]*$/;

function encode(value: unknown): string {
  const text = String(value);
  return PLAIN.test(text) ? text : encodeURIComponent(text.toWellFormed());
}

/** How to read the complete answers of one provider. */
export interface AnswerReader {
  /** The name in reasons, e.g. `Twilio`. */
  readonly provider: string;
  /** The header with the provider's id of the request, in lower case, such as `twilio-request-id`. Default: none. */
  readonly requestIdHeader?: string | undefined;
  /** The transaction id in a 2xx, or its outcome; `undefined` if the answer cannot be read. */
  readonly readSuccess: (answer: HttpAnswer) => Outcome | string | undefined;
  /**
   * The refusal in a complete 3xx, 4xx or 503 with the provider's own error, or another outcome: `accepted` if the
   * provider already has this message. `undefined` for any other answer, such as a proxy's page.
   *
   * A refusal without `status` counts only if the body is a JSON object. If the provider's errors have another form,
   * return it with `status: 'refused'`.
   */
  readonly readRefusal: (answer: HttpAnswer) => Outcome | Omit<Refusal, 'status'> | undefined;
}

const FIX_REQUEST =
  'Fix the channel: context.http takes { url, method?, headers?, json | form | body? }; the reason says what is wrong.';
const FIX_READER = 'Fix the functions that the channel passes to outcomeOf: one of them threw.';
const CHECK_PROXY =
  "Look at the proxies, gateways and service meshes on the way to the provider, and at the provider's status page.";

/**
 * The outcome of an attempt by `context.http`. It is `refused` only if the message has certainly not gone out:
 * the request never left, or a complete 3xx, 4xx or 503 came with the provider's own error. Any other answer without
 * the id of a message is `unknown`, whatever its status: a proxy or a service mesh may have made it after the
 * provider had read the request.
 */
export function outcomeOf(result: HttpResult, reader: AnswerReader): Outcome {
  const { provider, requestIdHeader } = reader;
  if (result.kind === 'not-sent') return outcomeOfNotSent(result, provider);
  if (result.kind === 'no-answer') {
    return { status: 'unknown', reason: `No complete answer from ${provider} (${result.reason})` };
  }
  const outcome = outcomeOfAnswer(result, reader);
  const providerRequestId = requestIdHeader === undefined ? undefined : result.headers[requestIdHeader];
  return providerRequestId === undefined ? outcome : { ...outcome, providerRequestId };
}

function outcomeOfAnswer(result: HttpAnswer, reader: AnswerReader): Outcome {
  const { provider } = reader;
  const { status } = result;
  if (status >= 200 && status <= 299) {
    const reason = `${provider} answered with status ${status} and nothing that can be read`;
    try {
      const read = reader.readSuccess(result);
      if (!read) return { status: 'unknown', reason };
      return typeof read === 'object' ? read : { status: 'accepted', transactionId: read };
    } catch {
      return { status: 'unknown', reason, remedy: FIX_READER };
    }
  }
  if (status >= 500 && status !== 503) {
    return { status: 'unknown', reason: `${provider} answered with status ${status}` };
  }
  const reason = `Status ${status} came without an error of ${provider}'s own`;
  try {
    const read = reader.readRefusal(result);
    if (read !== undefined && 'status' in read) return read;
    // A page in HTML or plain text is not the provider's, even if the reader takes it for a refusal.
    return read === undefined || !isObject(result.json)
      ? { status: 'unknown', reason, remedy: CHECK_PROXY }
      : { status: 'refused', ...read };
  } catch {
    return { status: 'unknown', reason, remedy: FIX_READER };
  }
}

function outcomeOfNotSent(
  { reason, problem }: Extract<HttpResult, { kind: 'not-sent' }>,
  provider: string,
): Refusal {
  const refused = { status: 'refused', ...effectOf('never-left') } as const;
  return problem === undefined
    ? {
        ...refused,
        code: 'UNREACHABLE',
        reason: `Not sent: ${provider} could not be reached (${reason})`,
        remedy: 'Look at the egress of the gateway.',
      }
    : {
        ...refused,
        code: reason,
        reason: `Not sent: the request to ${provider} is wrong: ${problem}`,
        remedy: FIX_REQUEST,
      };
}

/** The JSON object of an answer; empty if there is none. */
export function readObject(answer: HttpAnswer): JsonObject {
  return asObject(answer.json);
}
