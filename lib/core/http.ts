/** What channels hand to the hook's HTTP client, and what they get back. `http/request.ts` is the client. */

/**
 * The part of an undici dispatcher that the hook's calls use. A `ProxyAgent` of undici 7 or 8 is one. Its parameters are not
 * undici's types: a gateway then compiles without undici, or with a version other than ours.
 */
export interface HttpDispatcher {
  /** Sends a request, and passes what comes of it to the handler. Both are undici's: `DispatchOptions`, `DispatchHandler`. */
  dispatch(options: object, handler: object): unknown;
}

/** A value of a form. A list repeats its name. `undefined` leaves the field out. */
type FormValue = string | number | boolean;
/** The fields of a form, `application/x-www-form-urlencoded`. */
export type HttpForm = Readonly<Record<string, FormValue | readonly FormValue[] | undefined>>;

/** A request of a channel. It has one body at most: `json`, `form` or `body`. */
export interface HttpRequest {
  /** `https`, or `http`. User name and password do not belong here, but into a header. */
  readonly url: string;
  /** Default `POST`. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | undefined;
  /** Default: `accept: application/json`, and the `content-type` of `json` or `form`. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as a form. */
  readonly form?: HttpForm | undefined;
  /** Sent as it is. Give its `content-type` in `headers`. */
  readonly body?: string | undefined;
  /**
   * For a provider at which a repeat is safe: ends the request after this share of the send window that is left, so that the
   * rest is for the repeat. Above 0, at most 1. Default: a request that has left goes on for 10 s after the window.
   */
  readonly windowShare?: number | undefined;
}

/** A complete answer. Redirects are not followed: a 3xx is an answer. */
export interface HttpAnswer {
  readonly kind: 'answered';
  readonly status: number;
  /** Names in lower case; repeated headers are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body, parsed; `undefined` if it is not JSON, because a proxy in front of a provider may answer in HTML. */
  readonly json: unknown;
}

/**
 * The result of a call. Failover rests on the difference between the two failures: `not-sent` has certainly
 * not reached the other side, `no-answer` may have.
 */
export type HttpResult =
  | HttpAnswer
  | {
      readonly kind: 'not-sent';
      /** A word, such as `ECONNREFUSED`, `CONNECT_TIMEOUT`, `DEADLINE` or `WRONG_REQUEST`. */
      readonly reason: string;
      /** What is wrong with the request, if it is `WRONG_REQUEST`. */
      readonly problem?: string | undefined;
    }
  | {
      readonly kind: 'no-answer';
      /** A word, such as `ECONNRESET` or `TIMEOUT`. */
      readonly reason: string;
    };
