import type { ServerResponse } from 'node:http';
import type { Handler } from '../http/routes.js';

/** That many answers are kept before the complete ones are removed. */
const SWEEP_AT = 128;

/**
 * The answers of the hook and its consoles that are not complete. While the gateway drains, each ends its connection, so that a
 * load balancer's next request comes on another connection, to another gateway.
 */
export class OpenAnswers {
  /** Some of these may be complete. */
  readonly #open = new Set<ServerResponse>();
  #sweepAt = SWEEP_AT;
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
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
    this.#open.add(res);
    // Two listeners for each answer cost more: about a tenth of a call's CPU. So complete answers go many at a time.
    if (this.#open.size >= this.#sweepAt) this.#removeComplete();
  }

  #removeComplete(): void {
    for (const res of this.#open) if (res.writableFinished || res.destroyed) this.#open.delete(res);
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#open.size);
  }

  /** How many answers are not complete. */
  get size(): number {
    this.#removeComplete();
    return this.#open.size;
  }

  /** From now on each answer ends its connection, also those that have begun already. */
  drain(): void {
    this.#isDraining = true;
    for (const res of this.#open) endConnection(res);
    this.#open.clear();
  }
}

function endConnection(res: ServerResponse): void {
  if (!res.headersSent && !res.destroyed) res.setHeader('Connection', 'close');
}
