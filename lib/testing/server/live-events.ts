import type { ServerResponse } from 'node:http';
import { beginEventStream, eventText, MAX_UNREAD_BYTES } from '../../http/page/event-stream.js';

/** Proxies end what says nothing for a minute. */
const HEARTBEAT_MS = 15_000;
/** How long a browser waits before it comes again, milliseconds. */
const RETRY_MS = 1_000;
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
    if (!beginEventStream(res.req, res, RETRY_MS)) return true;
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
    const text = eventText(event, data);
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
