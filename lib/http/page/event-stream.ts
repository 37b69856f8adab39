import type { IncomingMessage, ServerResponse } from 'node:http';
import { PAGE_HEADERS } from './assets.js';

/** Server-sent events for the pages. */

/**
 * A client with more unread bytes than this is disconnected; its browser reconnects and receives the current
 * state.
 */
export const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * Writes the head of an event stream. Returns `false` for a HEAD request, which is then complete.
 *
 * @param retryMs - how long a browser waits before it reconnects.
 */
export function beginEventStream({ method }: IncomingMessage, res: ServerResponse, retryMs: number): boolean {
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
  if (method === 'HEAD') {
    res.end();
    return false;
  }
  res.write(`retry: ${retryMs}\n\n`);
  return true;
}

/** One event in wire format. */
export function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
