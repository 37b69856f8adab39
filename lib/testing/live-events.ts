import type { ServerResponse } from 'node:http';
import { PAGE_HEADERS } from '../page/assets.js';

/** Proxies end what says nothing for a minute. */
const HEARTBEAT_MS = 15_000;
/** Who reads so much too slowly is dropped; its browser comes back by itself and is told how things stand. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const MAX_STREAMS = 64;

/** Server-sent events to all pages that are open. */
export class LiveEvents {
  readonly #open = new Set<ServerResponse>();
  #heartbeat: NodeJS.Timeout | undefined;

  /** How many pages listen. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes a page in, or answers its HEAD, which listens to nothing; `false` where there are too many already. */
  add(res: ServerResponse): boolean {
    if (this.#open.size >= MAX_STREAMS) return false;
    const headers = {
      ...PAGE_HEADERS,
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    };
    // One by one, so that a gateway that drains can tell what it is.
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    res.writeHead(200);
    if (res.req.method === 'HEAD') {
      res.end();
      return true;
    }
    res.write('retry: 1000\n\n');
    this.#open.add(res);
    this.#heartbeat ??= setInterval(() => {
      for (const page of this.#open) this.#write(page, ': still here\n\n');
    }, HEARTBEAT_MS).unref();
    res.once('close', () => {
      this.#open.delete(res);
      if (this.#open.size > 0) return;
      clearInterval(this.#heartbeat);
      this.#heartbeat = undefined;
    });
    return true;
  }

  /** Tells one page, or all. */
  send(event: string, data: unknown, to: Iterable<ServerResponse> = this.#open): void {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const page of to) this.#write(page, text);
  }

  /** Ends them all. */
  close(): void {
    for (const page of this.#open) page.end();
  }

  #write(page: ServerResponse, text: string): void {
    if (page.writableLength > MAX_UNREAD_BYTES) page.destroy();
    else page.write(text);
  }
}
