import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Execution } from '../history/answers.js';
import { openExecution, ServerFailure } from './server.js';
import { useStream, type Stream } from './stream.js';

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
