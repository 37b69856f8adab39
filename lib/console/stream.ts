import type { IncomingMessage, ServerResponse } from 'node:http';
import type { History } from '../core/history.js';
import { beginEventStream, eventText, MAX_UNREAD_BYTES } from '../http/page/event-stream.js';
import type { Health, StreamEvent } from './api.js';
import { ConsoleRefusal } from './refusal.js';

/** What happens, told to open pages as server-sent events. */
export interface Streams {
  /**
   * Answers with the events, and the health first.
   *
   * @param requireStill - asked every few seconds whether the caller may still listen; where it rejects, the stream ends.
   * @throws ConsoleRefusal `TOO_MANY_STREAMS`, `CLOSING`.
   */
  open(req: IncomingMessage, res: ServerResponse, requireStill: () => Promise<void>): void;
  /** Ends those that are open, and opens no more. */
  close(): void;
}

/** How often the health is told; it also keeps proxies from taking the connection for idle. Milliseconds. */
const HEALTH_EVERY_MS = 5_000;
/** How often it is asked whether who listens still may: somebody may have been logged out. Milliseconds. */
const ASK_EVERY_MS = 5_000;
/** Then it ends, and the browser comes again and is asked again who it is. Milliseconds; and so much more by chance. */
const LIFE_MS = 55_000;
const LIFE_SPREAD_MS = 10_000;
/** How long a browser waits before it comes again, milliseconds. */
const RETRY_MS = 2_000;
const MAX_STREAMS = 100;

/** @param parts.health - may reject: then it is told the next time. */
export function createStreams(parts: {
  readonly history: Pick<History, 'watch'>;
  readonly health: () => Promise<Health>;
}): Streams {
  const open = new Set<ServerResponse>();
  let isClosed = false;
  /** Only while somebody looks. */
  let watching: { readonly stop: () => void } | undefined;

  const tell = (res: ServerResponse, { event, data }: StreamEvent): void => {
    if (res.writableEnded || res.destroyed) return;
    res.write(eventText(event, data));
    // What it did not read it would be given from memory: it comes again, and reads what is there then.
    if (res.writableLength > MAX_UNREAD_BYTES) res.destroy();
  };

  const startWatching = (): { readonly stop: () => void } => {
    const stopHistory = parts.history.watch((changed) => {
      for (const res of open) tell(res, { event: 'executions', data: changed });
    });
    let timer: NodeJS.Timeout | undefined;
    let isStopped = false;
    const wait = (): void => {
      if (!isStopped) timer = setTimeout(tellHealth, HEALTH_EVERY_MS).unref();
    };
    const tellHealth = (): void => {
      void parts
        .health()
        .then(
          (data) => {
            for (const res of open) tell(res, { event: 'health', data });
          },
          () => undefined,
        )
        .then(wait);
    };
    wait();
    return {
      stop: () => {
        isStopped = true;
        clearTimeout(timer);
        stopHistory();
      },
    };
  };

  return {
    open: (req, res, requireStill) => {
      // Gone while it was asked who it is.
      if (res.destroyed) return;
      if (isClosed) throw new ConsoleRefusal('CLOSING', 'This gateway is shutting down.');
      if (open.size >= MAX_STREAMS) {
        throw new ConsoleRefusal('TOO_MANY_STREAMS', 'Too many pages of the console are open.', {
          remedy: 'Close some of them; this one works without live updates until then.',
          headers: { 'Retry-After': '30' },
        });
      }
      if (!beginEventStream(req, res, RETRY_MS)) return;
      const end = (): void => {
        res.end();
      };
      const timer = setTimeout(end, LIFE_MS + Math.random() * LIFE_SPREAD_MS).unref();
      let asking: NodeJS.Timeout | undefined;
      // By itself, so that a health which hangs keeps nobody in.
      const waitToAsk = (): void => {
        if (!open.has(res)) return;
        asking = setTimeout(() => void requireStill().then(waitToAsk, end), ASK_EVERY_MS).unref();
      };
      open.add(res);
      waitToAsk();
      watching ??= startWatching();
      res.once('close', () => {
        clearTimeout(timer);
        clearTimeout(asking);
        open.delete(res);
        if (open.size > 0) return;
        watching?.stop();
        watching = undefined;
      });
      // A gateway that drains says so: the browser is to come again at another one.
      const isDraining = /\bclose\b/i.test(String(res.getHeader('Connection') ?? ''));
      void parts
        .health()
        .then(
          (data) => {
            if (open.has(res)) tell(res, { event: 'health', data });
          },
          () => undefined,
        )
        .then(() => {
          if (isDraining) end();
        });
    },
    close: () => {
      isClosed = true;
      for (const res of open) res.end();
    },
  };
}
