/** What can happen in a schedule. */

/** Where a connection is cut: before a command reaches Redis, after Redis has run it, or within its answer. */
export type Cut = 'before' | 'after' | 'within';

/** One of a gateway's next commands to Redis. */
interface AtCommand {
  readonly gateway: number;
  /** How many commands pass before it. */
  readonly skip: number;
}

/** One thing that happens, milliseconds after the start. */
export type Step = { readonly atMs: number } & (
  | {
      /** Okta calls for an event: the first time or again. */
      readonly kind: 'code';
      readonly user: number;
      readonly event: number;
      readonly gateway: number;
      /** After this the caller hangs up. */
      readonly hangUpMs: number;
    }
  | {
      /** Twilio brings a word of the user: the first time or again. */
      readonly kind: 'word';
      readonly user: number;
      readonly word: 'STOP' | 'START';
      readonly message: number;
      readonly gateway: number;
    }
  | {
      /** Okta reports the use of an event's code: the first time or again. */
      readonly kind: 'use';
      readonly user: number;
      readonly event: number;
      readonly use: number;
      readonly gateway: number;
    }
  | Fault
);

/** Each stays below the time-outs of Redis, unless it says otherwise. */
export type Fault =
  | { readonly kind: 'cut'; readonly gateway: number }
  | ({ readonly kind: 'cut at a command'; readonly cut: Cut } & AtCommand)
  /** One command, and what is behind it, comes to Redis later. */
  | ({ readonly kind: 'slow command'; readonly forMs: number } & AtCommand)
  | {
      readonly kind: 'slow way';
      readonly gateway: number;
      readonly forMs: number;
      /** The longest delay to Redis and back. */
      readonly delayMs: { readonly to: number; readonly from: number };
    }
  /** A new connection takes longer than a command may. The present one ends. */
  | {
      readonly kind: 'slow connect';
      readonly gateway: number;
      readonly forMs: number;
      readonly connectMs: number;
    }
  | { readonly kind: 'no way'; readonly gateway: number; readonly forMs: number }
  /** For longer than a command may take, or not. What was sent runs afterwards. */
  | { readonly kind: 'frozen Redis'; readonly forMs: number }
  /** It is full, or a replica. */
  | { readonly kind: 'refusing Redis'; readonly forMs: number; readonly refusal: string }
  /** The slot of a cluster moves. */
  | { readonly kind: 'resharding Redis'; readonly forMs: number }
  | { readonly kind: 'flushed Redis' }
  /** A replica gets nothing more, and becomes the primary after a while. From then on there is no Redis for `forMs`. */
  | { readonly kind: 'failover'; readonly behindMs: number; readonly forMs: number }
  /** Redis's clock is set forward or back. */
  | { readonly kind: 'clock jump'; readonly byMs: number }
  | { readonly kind: 'evicting Redis'; readonly share: number }
  | { readonly kind: 'kill'; readonly gateway: number; readonly forMs: number }
  | ({ readonly kind: 'kill at a command'; readonly cut: Cut; readonly forMs: number } & AtCommand)
  /** At the next request for a message: before Twilio gets it, or after. */
  | { readonly kind: 'kill at a send'; readonly isBefore: boolean; readonly forMs: number }
  /** As in a deployment. */
  | { readonly kind: 'restart'; readonly gateway: number };

/** When it is over, milliseconds after the start. */
export function endOfStep(step: Step): number {
  const behindMs = step.kind === 'failover' ? step.behindMs : 0;
  return step.atMs + behindMs + ('forMs' in step ? step.forMs : 0);
}

/** A line for the report. */
export function describeStep({ atMs, kind, ...details }: Step): string {
  const words = Object.entries(details).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${String(atMs).padStart(7)} ms  ${[kind, ...words].join(', ')}`;
}
