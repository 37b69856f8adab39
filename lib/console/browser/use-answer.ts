import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** An answer of the server that a view keeps up to date. */
interface KeptAnswer<Answer> {
  /** `undefined` until the first answer. */
  readonly answer: Answer | undefined;
  /** Shows a newer answer. What was requested before it is ignored. */
  readonly replace: (newer: Answer) => void;
  /** Reads again if the answer is old. */
  readonly renew: () => void;
}

/**
 * Reads an answer whenever the view appears or an input changes. An answer to an earlier question is ignored.
 *
 * @param read - resolves to `undefined` if the last answer stays.
 */
export function useAnswer<Answer>(
  read: () => Promise<Answer | undefined>,
  inputs: readonly unknown[],
  { isShown, oldMs }: { readonly isShown: boolean; readonly oldMs: number },
): KeptAnswer<Answer> {
  const [answer, setAnswer] = useState<Answer>();
  const readAt = useRef(0);
  const requests = useRef(0);
  const replace = (newer: Answer): void => {
    requests.current += 1;
    setAnswer(() => newer);
  };
  const load = async (): Promise<void> => {
    readAt.current = Date.now();
    requests.current += 1;
    const mine = requests.current;
    const got = await read();
    if (mine === requests.current && got !== undefined) setAnswer(() => got);
  };
  const renew = (): void => {
    if (isShown && Date.now() - readAt.current >= oldMs) void load();
  };
  useLayoutEffect(() => {
    if (isShown) void load();
  }, [...inputs, isShown]);
  return { answer, replace, renew };
}
