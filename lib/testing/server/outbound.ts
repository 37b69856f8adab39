import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'undici';

/** A call that a vendor makes to a customer's server. */
export interface OutboundCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

type Headers = OutboundCall['headers'];

/** A call with a JSON body. A text is sent unchanged, so that it need not be JSON. */
export function jsonPost(url: string, headers: Headers, payload: unknown): OutboundCall {
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: typeof payload === 'string' ? payload : JSON.stringify(payload),
  };
}

export function formPost(
  url: string,
  headers: Headers,
  fields: Readonly<Record<string, string>>,
): OutboundCall {
  const type = 'application/x-www-form-urlencoded; charset=UTF-8';
  const body = new URLSearchParams(fields).toString();
  return { method: 'POST', url, headers: { 'content-type': type, ...headers }, body };
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

/** Reading an answer ends at this size. */
export const MAX_ANSWER_BYTES = 256 * 1024;

/** The HTTP client of the calls that an emulator makes. */
export class Outbound {
  readonly #agent = new Agent({ connections: null, keepAliveTimeout: 1000 });
  readonly #timeoutMs: number;

  /** @param timeoutMs - the time limit of a whole call. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Calls a server once, in limited time, without following a redirect. Never rejects. */
  async call({ method, url, headers: sent, body }: OutboundCall): Promise<OutboundAnswer> {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), this.#timeoutMs);
    let status: number | undefined;
    let headers: IncomingHttpHeaders = {};
    try {
      const response = await request(url, {
        dispatcher: this.#agent,
        method,
        headers: lowerCased(sent),
        body: body ?? null,
        signal: giveUp.signal,
      });
      status = response.statusCode;
      headers = response.headers;
      return { status, headers, text: await readAnswer(response.body) };
    } catch (error) {
      const problem = giveUp.signal.aborted
        ? `no answer within ${this.#timeoutMs / 1000} s`
        : `no answer: ${describe(error)}`;
      return { status, headers, text: undefined, problem };
    } finally {
      clearTimeout(timer);
    }
  }

  /** As `call`, with one retry after no answer or a 5xx. */
  async callWithRetry(call: OutboundCall): Promise<OutboundAnswer[]> {
    const first = await this.call(call);
    if (first.text !== undefined && first.status !== undefined && first.status < 500) return [first];
    return [first, await this.call(call)];
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
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
function lowerCased(headers: Headers): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
