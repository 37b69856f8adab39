import type { Execution, ExecutionSummary } from '../history/answers.js';
import type { Health, StreamEvent } from '../api.js';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { openExecution, readAbout, ServerFailure } from './server.js';

/** The updates that the server sends while the page is open. */

export interface StreamListener {
  readonly onExecutions?: ((changed: readonly ExecutionSummary[]) => void) | undefined;
  readonly onHealth?: ((health: Health) => void) | undefined;
  /** The stream opened, for the first time or again. Earlier changes were not sent on it. */
  readonly onOpened?: (() => void) | undefined;
}

export interface Stream {
  /** Returns a function that ends it. */
  listen(listener: () => StreamListener): () => void;
  end(): void;
}

/** Listens for as long as the component is there. */
export function useStream(stream: Stream, listener: StreamListener): void {
  const current = useRef(listener);
  current.current = listener;
  // Before the stream can open.
  useLayoutEffect(() => stream.listen(() => current.current), [stream]);
}

/**
 * The execution as the server has it now; `undefined` until the first answer. Once it is there, a request that fails changes
 * nothing.
 *
 * @param id - `undefined` for none.
 */
export function useExecution(id: string | undefined, stream: Stream): Execution | ServerFailure | undefined {
  const [found, setFound] = useState<{ readonly id: string; readonly answer: Execution | ServerFailure }>();
  const wanted = useRef(id);
  wanted.current = id;
  const load = async (): Promise<void> => {
    if (id === undefined) return;
    const answer = await openExecution(id);
    if (wanted.current !== id) return;
    setFound((before) => {
      const isKept = before?.id === id && !(before.answer instanceof ServerFailure);
      return isKept && answer instanceof ServerFailure ? before : { id, answer };
    });
  };
  useLayoutEffect(() => void load(), [id]);
  useStream(stream, {
    onExecutions: (changed) => {
      if (changed.some((execution) => execution.id === id)) void load();
    },
    onOpened: () => void load(),
  });
  return found?.id === id ? found?.answer : undefined;
}

/** The server ends a stream after a minute, and browsers connect again by themselves. Only a longer gap counts as lost. */
const PATIENCE_MS = 4000;
/** Browsers do not try again after a refusal; the page does, less and less often. */
const RETRY_MS = 2000;
const MAX_RETRY_MS = 30_000;

/**
 * The stream is closed while the page is hidden: over HTTP/1.1 a browser has six connections to a host, which six open
 * tabs would keep.
 *
 * @param onConnection - called with `true` when the connection is lost, and with `false` when it is there.
 * @param onEnded - the server says that the user is logged out.
 */
export function openStream(onConnection: (isLost: boolean) => void, onEnded: () => void): Stream {
  const listeners = new Set<() => StreamListener>();
  let source: EventSource | undefined;
  let doubt: number | undefined;
  let retry: number | undefined;
  let retryMs = RETRY_MS;
  let isEnded = false;

  const disconnect = (): void => {
    window.clearTimeout(doubt);
    window.clearTimeout(retry);
    doubt = retry = undefined;
    source?.close();
    source = undefined;
  };
  const follow = (): void => {
    if (isEnded) return;
    if (document.hidden) disconnect();
    else if (source === undefined && retry === undefined) connect();
  };
  const end = (): void => {
    isEnded = true;
    disconnect();
    document.removeEventListener('visibilitychange', follow);
  };

  const connect = (): void => {
    const opened = new EventSource('api/stream');
    source = opened;
    retry = undefined;
    opened.addEventListener('open', () => {
      window.clearTimeout(doubt);
      doubt = undefined;
      retryMs = RETRY_MS;
      onConnection(false);
      for (const listener of listeners) listener().onOpened?.();
    });
    opened.addEventListener('error', () => {
      doubt ??= window.setTimeout(() => {
        onConnection(true);
      }, PATIENCE_MS);
      if (opened.readyState !== EventSource.CLOSED) return;
      source = undefined;
      retry = window.setTimeout(connect, retryMs);
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
      // Browsers do not say why a stream was refused: a request of the page learns whether the user is logged out.
      void readAbout();
    });
    hear(opened, 'executions', (changed) => {
      for (const listener of listeners) listener().onExecutions?.(changed);
    });
    hear(opened, 'ended', onEnded);
    hear(opened, 'health', (health) => {
      for (const listener of listeners) listener().onHealth?.(health);
    });
  };
  document.addEventListener('visibilitychange', follow);
  follow();
  return {
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end,
  };
}

type DataOf<Name extends StreamEvent['event']> = Extract<StreamEvent, { event: Name }>['data'];

function hear<Name extends StreamEvent['event']>(
  source: EventSource,
  name: Name,
  onData: (data: DataOf<Name>) => void,
): void {
  source.addEventListener(name, (message: MessageEvent<string>) => {
    // `api.ts` is the contract.
    onData(JSON.parse(message.data) as DataOf<Name>);
  });
}
