import type { ServerResponse } from 'node:http';
import type { Handler } from '../http/routes.js';

/** A set of this size is swept: the answers of some serverless adapters emit no `close`. */
const SWEEP_AT = 128;

/**
 * An answer that is not complete; without its response once it is. What a set has lost may stay in memory for several
 * collections of garbage, and a response holds its whole call.
 */
interface OpenAnswer {
  res: ServerResponse | undefined;
}

/**
 * The answers of the hook and its consoles that are not complete. While the gateway drains, each ends its connection, so that a
 * load balancer's next request comes on another connection, to another gateway.
 */
export class OpenAnswers {
  readonly #open = new Set<OpenAnswer>();
  #sweepAt = SWEEP_AT;
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How many answers are not complete. */
  get size(): number {
    this.#removeComplete();
    return this.#open.size;
  }

  /** Wraps a handler of the hook: its answers belong to this set until they are complete. */
  of(handle: Handler): Handler {
    return (req, res, next) => {
      if (this.#isDraining) endConnection(res);
      else if (!res.destroyed) this.#keep(res);
      handle(req, res, next);
    };
  }

  #keep(res: ServerResponse): void {
    const open: OpenAnswer = { res };
    this.#open.add(open);
    res.on('close', () => {
      open.res = undefined;
      this.#open.delete(open);
    });
    if (this.#open.size >= this.#sweepAt) this.#removeComplete();
  }

  #removeComplete(): void {
    for (const open of this.#open) {
      if (open.res?.writableFinished === true || open.res?.destroyed === true) this.#open.delete(open);
    }
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#open.size);
  }

  /** From now on each answer ends its connection, also those that have begun already. */
  drain(): void {
    this.#isDraining = true;
    for (const { res } of this.#open) if (res !== undefined) endConnection(res);
    this.#open.clear();
  }
}

function endConnection(res: ServerResponse): void {
  if (!res.headersSent && !res.destroyed) res.setHeader('Connection', 'close');
}
