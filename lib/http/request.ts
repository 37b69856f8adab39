import type { HttpForm, HttpRequest, HttpResult } from '../core/http.js';
import { callHttp, type HttpCall } from './call.js';

/** The HTTP client that channels get as `context.http`. A wrong request is never sent. */

/** What a context decides about a request: by what it goes, and its limits in time. */
export type HttpLimits = Pick<HttpCall, 'dispatcher' | 'timeoutMs' | 'mayLeave' | 'leaveWithinMs'>;

/**
 * Makes one request. Never rejects.
 *
 * @param onInvalid - called with what is wrong with a request that cannot be sent.
 */
export function sendRequest(
  request: HttpRequest,
  limits: HttpLimits,
  onInvalid: (problem: string) => void,
): Promise<HttpResult> {
  const call = callOf(request, limits);
  if (typeof call !== 'string') return callHttp(call);
  onInvalid(call);
  return Promise.resolve({ kind: 'not-sent', reason: 'WRONG_REQUEST', problem: call });
}

function callOf(request: HttpRequest, limits: HttpLimits): HttpCall | string {
  try {
    return readRequest(request, limits);
  } catch {
    return 'its fields cannot be read';
  }
}

const METHODS: ReadonlySet<unknown> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** The call as it is made, or what is wrong with the request. A channel without types may hand on anything. */
function readRequest(request: HttpRequest, limits: HttpLimits): HttpCall | string {
  if (typeof request !== 'object' || (request as unknown) === null) return 'it must be an object with url';
  const { url, method = 'POST', headers: given = {}, json, form, body } = request;
  const target = parseUrl(url);
  if (target?.protocol !== 'https:' && target?.protocol !== 'http:') {
    return 'url must be a whole URL that begins with https:// or http://';
  }
  if (target.username !== '' || target.password !== '') {
    return 'url must not hold a user name or a password; they go into the header authorization';
  }
  if (!METHODS.has(method)) return `method must be one of ${[...METHODS].join(', ')}`;
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
  // Field by field: to spread the limits into it takes 20 µs.
  return {
    method,
    origin: target.origin,
    path: target.pathname + target.search,
    headers,
    body: content,
    dispatcher: limits.dispatcher,
    timeoutMs: limits.timeoutMs,
    mayLeave: limits.mayLeave,
    leaveWithinMs: limits.leaveWithinMs,
  };
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
