import type { ExecutionSummary } from '../../delivery/history.js';
import type { Health, StreamEvent } from '../api.js';

/** What the server tells by itself, for as long as the page is open. */

export interface StreamListener {
  readonly onExecutions?: ((changed: readonly ExecutionSummary[]) => void) | undefined;
  readonly onHealth?: ((health: Health) => void) | undefined;
  /** It is there, for the first time or again: what happened until now was not told. */
  readonly onOpened?: (() => void) | undefined;
}

export interface Stream {
  listen(listener: StreamListener): void;
}

/** The server ends a stream after a minute, and browsers connect again by themselves: only a longer silence is told. */
const PATIENCE_MS = 4000;
/** After a refusal browsers do not try again; we do, less and less often. */
const RETRY_MS = 2000;
const MAX_RETRY_MS = 30_000;

/**
 * @param onConnection - told when the connection is lost, and when it is there again.
 */
export function openStream(onConnection: (isThere: boolean) => void): Stream {
  const listeners: StreamListener[] = [];
  let doubt: number | undefined;
  let retryMs = RETRY_MS;

  const connect = (): void => {
    const source = new EventSource('api/stream');
    source.addEventListener('open', () => {
      window.clearTimeout(doubt);
      doubt = undefined;
      retryMs = RETRY_MS;
      onConnection(true);
      for (const listener of listeners) listener.onOpened?.();
    });
    source.addEventListener('error', () => {
      doubt ??= window.setTimeout(() => {
        onConnection(false);
      }, PATIENCE_MS);
      if (source.readyState !== EventSource.CLOSED) return;
      window.setTimeout(connect, retryMs);
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
    });
    hear(source, 'executions', (changed) => {
      for (const listener of listeners) listener.onExecutions?.(changed);
    });
    hear(source, 'health', (health) => {
      for (const listener of listeners) listener.onHealth?.(health);
    });
  };
  connect();
  return { listen: (listener) => void listeners.push(listener) };
}

type DataOf<Name extends StreamEvent['event']> = Extract<StreamEvent, { event: Name }>['data'];

function hear<Name extends StreamEvent['event']>(
  source: EventSource,
  name: Name,
  onData: (data: DataOf<Name>) => void,
): void {
  source.addEventListener(name, (message: MessageEvent<string>) => {
    // By the contract of `api.ts`.
    onData(JSON.parse(message.data) as DataOf<Name>);
  });
}
