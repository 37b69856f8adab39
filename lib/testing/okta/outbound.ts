import type { IncomingHttpHeaders } from 'node:http';
import { request, type Dispatcher } from 'undici';
import type { HttpDispatcher } from '../../core/http.js';
import { MAX_ANSWER_BYTES } from './verdict.js';

/** A call that Okta makes to a customer's server. */
export interface OutboundCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** A call with a JSON body. A text is sent unchanged, so that it need not be JSON. */
export function jsonPost(
  url: string,
  headers: Readonly<Record<string, string>>,
  payload: unknown,
): OutboundCall {
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: typeof payload === 'string' ? payload : JSON.stringify(payload),
  };
}

/** The answer, or why there is none. */
export type OutboundAnswer = {
  /** `undefined` without an answer in time. */
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
} & (
  | { readonly text: string; readonly problem?: undefined }
  | { readonly text: undefined; readonly problem: string }
);

/** The HTTP client of Okta's calls, and the time limit of a whole call. */
export interface Outbound {
  readonly dispatcher: HttpDispatcher;
  readonly timeoutMs: number;
}

/** Calls a server as Okta does: once, in limited time, without following a redirect. Never rejects. */
export async function callOut(
  call: OutboundCall,
  { dispatcher, timeoutMs }: Outbound,
): Promise<OutboundAnswer> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), timeoutMs);
  let status: number | undefined;
  let headers: IncomingHttpHeaders = {};
  try {
    const response = await request(call.url, {
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- undici calls its `dispatch` only
      dispatcher: dispatcher as Dispatcher,
      method: call.method,
      headers: lowerCased(call.headers),
      body: call.body ?? null,
      signal: giveUp.signal,
    });
    status = response.statusCode;
    headers = response.headers;
    return { status, headers, text: await readAnswer(response.body) };
  } catch (error) {
    const problem = giveUp.signal.aborted
      ? `no answer within ${timeoutMs / 1000} s`
      : `no answer: ${describe(error)}`;
    return { status, headers, text: undefined, problem };
  } finally {
    clearTimeout(timer);
  }
}

/** As `callOut`, with one retry after no answer or a 5xx. */
export async function callOutWithRetry(call: OutboundCall, outbound: Outbound): Promise<OutboundAnswer[]> {
  const first = await callOut(call, outbound);
  if (first.text !== undefined && first.status !== undefined && first.status < 500) return [first];
  return [first, await callOut(call, outbound)];
}

/** Stops reading when the answer is too large. */
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

/** Of a header with two spellings, the later one is sent. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
