import type { ServerResponse } from 'node:http';
import type { Handler } from '../http/routes.js';

/**
 * The answers of the hook and its consoles that are not complete. While the gateway drains, each ends its connection, so that a
 * load balancer's next request comes on another connection, to another gateway.
 */
export class OpenAnswers {
  readonly #open = new Set<ServerResponse>();
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Wraps a handler of the hook: its answers belong to this set until they are complete. */
  of(handle: Handler): Handler {
    return (req, res, next) => {
      if (this.#isDraining) endConnection(res);
      // The `close` of an answer whose caller is gone has come already, so nothing would take it from the set.
      else if (!res.destroyed) this.#keep(res);
      handle(req, res, next);
    };
  }

  #keep(res: ServerResponse): void {
    const forget = (): void => {
      this.#open.delete(res);
    };
    this.#open.add(res);
    // A serverless adapter's answer has no connection that closes. One whose caller disconnects is never finished.
    res.once('finish', forget).once('close', forget);
  }

  /** How many answers are not complete. */
  get size(): number {
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
