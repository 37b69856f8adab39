import type { ServerResponse } from 'node:http';
import { closesConnection, isCallerGone } from '../exchange.js';
import { PAGE_HEADERS } from './assets.js';

/** Server-sent events for the pages. */

/** A client with more unread bytes than this is disconnected; its browser reconnects and receives the current state. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** The open event streams of one page. */
export class EventStreams {
  readonly #retryMs: number;
  readonly #watch: () => () => void;
  readonly #open = new Set<ServerResponse>();
  #stopWatching: (() => void) | undefined;

  /**
   * @param retryMs - how long a browser waits before it reconnects.
   * @param watch - called when the first stream opens. Returns a function that is called when the last one has closed.
   */
  constructor(retryMs: number, watch: () => () => void) {
    this.#retryMs = retryMs;
    this.#watch = watch;
  }

  get count(): number {
    // Node emits no `close` for a stream that is queued behind another answer on its connection.
    for (const res of this.#open) if (isCallerGone(res)) this.#remove(res);
    return this.#open.size;
  }

  has(res: ServerResponse): boolean {
    return this.#open.has(res);
  }

  /** Opens a stream. Returns `false` for a HEAD request, which is then complete, and for a browser that has gone. */
  open(res: ServerResponse): boolean {
    if (isCallerGone(res)) return false;
    const headers = {
      ...PAGE_HEADERS,
      'Content-Type': 'text/event-stream; charset=utf-8',
      // Compression or buffering on the way would delay events.
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    };
    // Set one by one, so that middleware of the gateway sees them.
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    res.writeHead(200);
    if (res.req.method === 'HEAD') {
      res.end();
      return false;
    }
    res.write(`retry: ${this.#retryMs}\n\n`);
    this.#open.add(res);
    this.#stopWatching ??= this.#watch();
    res.once('close', () => {
      this.#remove(res);
    });
    return true;
  }

  #remove(res: ServerResponse): void {
    this.#open.delete(res);
    if (this.#open.size > 0) return;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  /** Sends an event to every stream, or to one. */
  send(event: string, data: unknown, to: Iterable<ServerResponse> = this.#open): void {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const res of to) {
      if (isCallerGone(res)) this.#remove(res);
      else if (!res.writableEnded) {
        res.write(text);
        if (res.writableLength > MAX_UNREAD_BYTES) res.destroy();
      }
    }
  }

  /** Ends every stream. Their pages connect again. */
  end(): void {
    for (const res of this.#open) res.end();
  }
}

/**
 * Ends a stream if the gateway drains, so that its browser connects to another gateway. In a turn of the event loop of its own, like
 * every answer that ends its connection.
 */
export function endIfDraining(res: ServerResponse): void {
  if (closesConnection(res)) setImmediate(() => res.end());
}
