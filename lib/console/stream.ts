import type { ServerResponse } from 'node:http';
import type { History } from './history/answers.js';
import { EventStreams, endIfDraining } from '../http/page/event-stream.js';
import type { Health, StreamEvent } from './api.js';
import { ConsoleRefusal } from './refusal.js';

/** Sends changes to open pages as server-sent events. */
export type Streams = ReturnType<typeof createStreams>;

/** How often the health is sent, milliseconds. It also keeps proxies from closing an idle connection. */
const HEALTH_EVERY_MS = 5_000;
/** How often the stream checks that the caller is still logged in, milliseconds. */
const ASK_EVERY_MS = 5_000;
/** The life of a stream, and a random part on top of it, milliseconds. The browser then connects and logs in anew. */
const LIFE_MS = 55_000;
const LIFE_SPREAD_MS = 10_000;
/** How long a browser waits before it connects again, milliseconds. */
const RETRY_MS = 2_000;
const MAX_STREAMS = 100;

/** @param parts.health - may reject; the next one is sent then. */
export function createStreams(parts: {
  readonly history: Pick<History, 'watch'>;
  readonly health: () => Promise<Health>;
}) {
  let isClosed = false;

  const watch = (): (() => void) => {
    const stopHistory = parts.history.watch((changed) => send({ event: 'executions', data: changed }));
    let timer: NodeJS.Timeout | undefined;
    let isStopped = false;
    const wait = (): void => {
      if (!isStopped) timer = setTimeout(sendAgain, HEALTH_EVERY_MS).unref();
    };
    const sendAgain = (): void => void sendHealth().then(wait);
    wait();
    return () => {
      isStopped = true;
      clearTimeout(timer);
      stopHistory();
    };
  };
  const streams = new EventStreams(RETRY_MS, watch);
  const send = ({ event, data }: StreamEvent, to?: ServerResponse): void =>
    streams.send(event, data, to && [to]);
  const sendHealth = (to?: ServerResponse): Promise<void> =>
    parts.health().then(
      (data) => send({ event: 'health', data }, to),
      () => undefined,
    );

  return {
    /**
     * Answers with an event stream, whose first event is the health.
     *
     * @param requireStill - called every few seconds; the stream ends if it rejects. If it rejects with `NOT_AUTHORIZED`, the stream
     *   first tells the page that the caller is logged out.
     * @throws ConsoleRefusal `TOO_MANY_STREAMS`, `CLOSING`.
     */
    open: (res: ServerResponse, requireStill: () => Promise<unknown>): void => {
      if (isClosed) throw new ConsoleRefusal('CLOSING', 'This gateway is shutting down.');
      if (streams.count >= MAX_STREAMS) {
        throw new ConsoleRefusal('TOO_MANY_STREAMS', 'Too many pages of the console are open.', {
          remedy: 'Close some of them. Until then this one works without live updates.',
          headers: { 'Retry-After': '30' },
        });
      }
      // The browser may have gone while `authorize` ran.
      if (!streams.open(res)) return;
      const end = (): void => {
        res.end();
      };
      const timer = setTimeout(end, LIFE_MS + Math.random() * LIFE_SPREAD_MS).unref();
      let asking: NodeJS.Timeout | undefined;
      // Apart from the health, so that a health that hangs does not keep a logged-out caller.
      const waitToAsk = (): void => {
        if (!streams.has(res)) return;
        asking = setTimeout(() => void requireStill().then(waitToAsk, refuse), ASK_EVERY_MS).unref();
      };
      const refuse = (error: unknown): void => {
        const isLoggedOut = error instanceof ConsoleRefusal && error.code === 'NOT_AUTHORIZED';
        if (isLoggedOut) send({ event: 'ended', data: null }, res);
        end();
      };
      waitToAsk();
      res.once('close', () => {
        clearTimeout(timer);
        clearTimeout(asking);
      });
      void sendHealth(res).then(() => {
        endIfDraining(res);
      });
    },
    /** Ends all open streams. Their pages connect again. */
    end: (): void => streams.end(),
    /** Ends all open streams, and opens no more. */
    close: (): void => {
      isClosed = true;
      streams.end();
    },
  };
}
