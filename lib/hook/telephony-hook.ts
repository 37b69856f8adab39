import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TelephonyHookError } from '../core/errors.js';
import type { BreakerState } from '../core/events.js';
import type { ConsoleOptions } from '../options/options.js';

/** The types of what `oktaTelephonyHook()` returns. */

/** The result of `ready()`: for each part `'ok'`, or the error that a code would meet, with a `remedy` if one is known. */
export interface Readiness {
  /** Whether Okta's API lets us read users. */
  readonly okta: 'ok' | TelephonyHookError;
  /** Whether Twilio accepts the credentials; `'ok'` if there are none, because Twilio is not used. */
  readonly twilio: 'ok' | TelephonyHookError;
  /** Whether the keys for Okta's access tokens can be fetched; `'ok'` if no scheme needs keys. */
  readonly hookKeys: 'ok' | TelephonyHookError;
  /** Whether the state store works. */
  readonly state: 'ok' | TelephonyHookError;
  /**
   * Whether each provider would accept a message, for channels that can be checked without sending. The key is the channel's
   * name, such as `sms`, or `sms[1]` if it has several providers.
   */
  readonly channels: Readonly<Record<string, 'ok' | TelephonyHookError>>;
}

/** The result of `status()`. */
export interface HookStatus {
  /**
   * For the readiness probe: whether a load balancer should send calls here. `true` once `ready()` has ended, whatever it found: a
   * gateway with a failing vendor still sends what can be sent. `false` after `drain()` or `close()`.
   */
  readonly isReady: boolean;
  /** Hook calls without an answer yet, and late failovers under way. */
  readonly inFlight: number;
  /** Sends that left before the deadline and have not ended. */
  readonly detached: number;
  readonly closing: boolean;
  /** By host, for each provider and Okta. */
  readonly breakers: Readonly<Record<string, BreakerState>>;
  readonly state: 'ok' | 'lost';
  /** By channel: when a provider last accepted a message. */
  readonly lastSuccess: Readonly<Record<string, Date>>;
}

/** Declared as a method, so that a callback that takes an `Error` only is one, too, such as Fastify's `done`. */
type Next = { call(error?: unknown): void }['call'];

/** The console's request handler. It answers every request below its mount path. */
export type ConsoleHandler = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** An Express request handler, with methods for the gateway. */
export interface TelephonyHook {
  (req: IncomingMessage, res: ServerResponse, next: Next): void;
  /**
   * Checks every part, and opens connections and fetches keys and tokens. Resolves within 5 s, never rejects.
   * Await it before the gateway takes traffic, so that the first code need not wait for them. Each part that does not work writes
   * one `error` line and emits `readiness.failed`, so the result need not be read.
   */
  ready(): Promise<Readiness>;
  /** Returns what is known, without any call; for probes. */
  status(): HookStatus;
  /**
   * The channels by which no codes go to a number now, e.g. for a preference page. `stopped`: the user wrote STOP, or the
   * provider says that they do not want messages. `unreachable`: the provider cannot reach them. If the shared state
   * does not answer, it returns what this process knows.
   *
   * @param number - E.164.
   * @throws TypeError if it is not.
   */
  suppressions(
    number: string,
  ): Promise<
    readonly { readonly channel: string; readonly reason: 'stopped' | 'unreachable'; readonly until: Date }[]
  >;
  /**
   * The administrators' page: a request handler to mount behind the gateway's own login, at any path. The history begins
   * with the first console; all consoles share it.
   *
   * @throws ConfigurationError that names every problem of the options and its remedy.
   */
  console(options: ConsoleOptions): ConsoleHandler;
  /**
   * Prepares the end of the gateway: call it first, wait until the load balancer has noticed, then call `server.close()`, then
   * `close()`. From now on `status().isReady` is `false`, and every answer of the hook and its consoles ends its connection. The
   * consoles' event streams end at once; new ones end after their first event. Everything is served as before. Further calls do
   * nothing.
   */
  drain(): void;
  /**
   * From now on, answers new events and messages of users with 503, and repeats like their first call if its answer is known.
   * Resolves when all calls, messages and sends under way have ended; never rejects. Also closes the state, unless another hook
   * uses it.
   */
  close(): Promise<void>;
}
