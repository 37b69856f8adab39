import type { IncomingMessage, ServerResponse } from 'node:http';
import { PAGE_HEADERS } from './assets.js';

/** Server-sent events, as every page of ours is told them. */

/** Who has not read so much of what was told is to be dropped: its browser comes back, and is told how things stand. Bytes. */
export const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * Begins one. `false` for a HEAD, which is answered and listens to nothing.
 *
 * @param retryMs - how long a browser waits before it comes again.
 */
export function beginEventStream({ method }: IncomingMessage, res: ServerResponse, retryMs: number): boolean {
  const headers = {
    ...PAGE_HEADERS,
    'Content-Type': 'text/event-stream; charset=utf-8',
    // Who compresses or buffers it holds back what has just happened.
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  };
  // One by one, so that a gateway that drains can tell what it is.
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.writeHead(200);
  if (method === 'HEAD') {
    res.end();
    return false;
  }
  res.write(`retry: ${retryMs}\n\n`);
  return true;
}

/** One event on the wire. */
export function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
