import type { IncomingHttpHeaders } from 'node:http';
import { performance } from 'node:perf_hooks';
import { request, type Dispatcher } from 'undici';
import { makeHookPayload, type HookPayloadOptions } from './okta-hook-payload.js';
import type { EmulatedUser } from './okta-users.js';
import { failover, judgeAnswer, MAX_ANSWER_BYTES, type OktaVerdict } from './okta-verdict.js';

/** A call of a telephony hook. */
export interface HookCallOptions extends HookPayloadOptions {
  /** The hook's URL. */
  readonly url: string;
  /** What Okta proves itself with, e.g. `authorization`. They go before the usual headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Changes the payload before it leaves: in place, or by returning another one. A string is sent as it is, so
   * that it need not be JSON.
   */
  readonly change?: ((payload: Record<string, unknown>) => unknown) | undefined;
}

/** What came of a hook call. */
export interface HookCall {
  /** What was sent. */
  readonly payload: unknown;
  /** `undefined` when no answer came in time. */
  readonly httpStatus: number | undefined;
  readonly headers: IncomingHttpHeaders;
  /** The answer's JSON; its text where it is none; `undefined` when no whole answer came. */
  readonly body: unknown;
  readonly durationMs: number;
  /** The code that was to be delivered. */
  readonly otpCode: string;
  /** What Okta does now. */
  readonly okta: OktaVerdict;
}

/** Okta waits so long for the whole of a hook call. */
const OKTA_TIMEOUT_MS = 3000;

/** Calls a hook as Okta does: once, within three seconds, following no redirect. Never rejects because of the hook. */
export async function callHook(
  options: HookCallOptions,
  user: EmulatedUser | undefined,
  org: { readonly orgUrl: string; readonly now: number; readonly dispatcher: Dispatcher },
): Promise<HookCall> {
  const original = makeHookPayload(options, user, org);
  const otpCode = otpCodeOf(original);
  const payload = options.change?.(original) ?? original;
  const giveUp = new AbortController();
  const timer = setTimeout(() => {
    giveUp.abort();
  }, OKTA_TIMEOUT_MS);
  const startedAt = performance.now();
  let httpStatus: number | undefined;
  let headers: IncomingHttpHeaders = {};
  let body: unknown;
  let okta: OktaVerdict;
  try {
    const response = await request(options.url, {
      dispatcher: org.dispatcher,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...lowerCased(options.headers),
      },
      body: typeof payload === 'string' ? payload : JSON.stringify(payload),
      signal: giveUp.signal,
    });
    httpStatus = response.statusCode;
    headers = response.headers;
    const text = await readAnswer(response.body);
    body = parsedOrText(text);
    okta = judgeAnswer({ status: httpStatus, text });
  } catch (error) {
    okta = failover(giveUp.signal.aborted ? 'no answer within 3 s' : `no answer: ${describe(error)}`);
  } finally {
    clearTimeout(timer);
  }
  return { payload, httpStatus, headers, body, durationMs: performance.now() - startedAt, otpCode, okta };
}

/** Reads as much as is needed to know that it is too much. */
async function readAnswer(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function otpCodeOf(payload: Record<string, unknown>): string {
  const { data } = payload;
  if (typeof data !== 'object' || data === null || !('messageProfile' in data)) return '';
  const { messageProfile } = data;
  if (typeof messageProfile !== 'object' || messageProfile === null || !('otpCode' in messageProfile))
    return '';
  return String(messageProfile.otpCode);
}
