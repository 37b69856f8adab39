import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BreakerState } from '../core/events.js';
import type { ConsoleOptions } from '../options/options.js';

/** What the factory gives: the middleware, and what a gateway asks of it. */

/** What `ready()` found: `'ok'`, or the error that a code would meet, with its `remedy` where one is known. */
export interface Readiness {
  /** Whether Okta's API lets us read users. */
  readonly okta: 'ok' | Error;
  /** Whether Twilio accepts the credentials. */
  readonly twilio: 'ok' | Error;
  /** The keys that check Okta's access tokens; `'ok'` where no scheme needs any. */
  readonly hookKeys: 'ok' | Error;
  /** Whether what must be remembered can be. */
  readonly state: 'ok' | Error;
  /**
   * Whether the providers would take a message, of each channel that can be asked without sending: by its name, as `sms[1]`
   * where it has several providers.
   */
  readonly channels: Readonly<Record<string, 'ok' | Error>>;
}

/** What `status()` tells, without asking anyone. */
export interface HookStatus {
  /** Hook calls that have not been answered yet, and codes that did not arrive and are being sent by the next channel. */
  readonly inFlight: number;
  /** Sends that left before their deadline and have not ended. */
  readonly detached: number;
  readonly closing: boolean;
  /** By host: each provider's, and Okta's. */
  readonly breakers: Readonly<Record<string, BreakerState>>;
  readonly state: 'ok' | 'lost';
  /** When each channel last had a message accepted. */
  readonly lastSuccess: Readonly<Record<string, Date>>;
}

/** The console as a gateway mounts it. It answers all that comes below its mount. */
export type ConsoleHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** An Express request handler, and what a gateway asks of it. */
export interface TelephonyHook {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void;
  /**
   * Warms connections, keys and tokens, and says what is wrong. Resolves within 5 s, never rejects.
   * Awaited before the gateway takes traffic, it leaves the first code nothing to wait for.
   */
  ready(): Promise<Readiness>;
  /** At once; for probes. */
  status(): HookStatus;
  /**
   * The administrators' page: a request handler to mount behind the gateway's own login, at any path. The history begins
   * with the first one that is made; several share it.
   *
   * @throws ConfigurationError that names every problem of the options and its remedy.
   */
  console(options: ConsoleOptions): ConsoleHandler;
  /**
   * Answers new events 503 from now on, and repeats as their first, where that is known; lets what is under way end, resolves;
   * never rejects. Closes its state as well, unless another hook has that.
   */
  close(): Promise<void>;
}
