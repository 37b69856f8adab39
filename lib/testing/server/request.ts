import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** A request that an emulator received. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as text; empty if it was not read. */
  readonly body: string;
  /** When it arrived, milliseconds by the emulator's clock. */
  readonly at: number;
  /** The fields of a body that is a form. A field that occurs more than once is an array. */
  readonly form?: Readonly<Record<string, string | string[]>> | undefined;
  /** The answer; `undefined` until it is sent, and if there is no whole answer because of a fault. */
  answer?: { readonly status: number; readonly body: string } | undefined;
}

/** Reads the body of a request. Resolves to `undefined` if the caller goes away. */
export async function readBody(
  head: RecordedRequest,
  stream: Readable,
): Promise<RecordedRequest | undefined> {
  // Not by `express.json()` and `express.urlencoded()`: `requests` shows bodies as they were sent, malformed ones too.
  const body = await text(stream).catch(() => undefined);
  if (body === undefined) return undefined;
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(head.headers['content-type'] ?? '');
  return isForm ? { ...head, body, form: readForm(body) } : { ...head, body };
}

function readForm(body: string): Record<string, string | string[]> {
  const fields = new URLSearchParams(body);
  return Object.fromEntries(
    Array.from(fields, ([name, value]) => {
      const all = fields.getAll(name);
      return [name, all.length === 1 ? value : all];
    }),
  );
}

/** The path without the query. HTTP lets a client send a whole URL, as it does to a proxy. */
export function pathOf(request: RecordedRequest): string {
  return request.path.replace(/^https?:\/\/[^/?]+/i, '').split('?')[0] ?? '';
}

export function queryOf(request: RecordedRequest): URLSearchParams {
  return new URLSearchParams(request.path.split('?')[1]);
}

/** Reads the fields of a form: of several values the last; an empty one counts as missing. */
export function formOf({ form = {} }: RecordedRequest): (name: string) => string | undefined {
  return (name) => [form[name] ?? []].flat().at(-1) || undefined;
}
