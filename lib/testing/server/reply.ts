import type { RecordedRequest } from './request.js';

/** An answer that is ready to be written. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body: string;
  /** Makes the request take effect. It is not called if a fault says that there was no effect. */
  readonly commit?: (() => void) | undefined;
}

/** The values of a path's parameters. */
export type PathParams = Record<string, string>;

export type Answer = (request: RecordedRequest, params: PathParams) => Reply | Promise<Reply>;

export type Method = 'get' | 'post' | 'put' | 'delete';

/** An operation of an API. The path may have parameters, e.g. `/v1/messages/:id`. */
export type Route = readonly [method: Method, path: string, answer: Answer];

/** An API: what each request is answered. */
export interface Api {
  readonly routes: readonly Route[];
  /** The answer at a path without a route. */
  readonly notFound: Answer;
  /** The answer at a path with routes, none of which has the method. Default: `notFound`. */
  readonly notAllowed?: Answer | undefined;
  /** The answer at a path whose parameters cannot be decoded. Default: `notFound`. */
  readonly undecodable?: Answer | undefined;
}

export function jsonReply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers, body: JSON.stringify(body) };
}

/** A success in JSON. */
export function okReply(body: unknown, headers?: Readonly<Record<string, string>>): Reply {
  return jsonReply(200, body, headers);
}
