import { pageAt, PAGES } from './pages.js';

/** The TypeScript code in the pages. */

export interface Snippet {
  readonly document: string;
  /** The heading above the snippet; empty before the first heading. */
  readonly heading: string;
  /** The line number of its first line of code, from 1. */
  readonly line: number;
  readonly code: string;
}

/** Every block of `ts`, in the order of the pages. */
export const SNIPPETS: readonly Snippet[] = PAGES.flatMap((document) => {
  const text = pageAt(document);
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ index, 1: code = '' }) => {
    const above = text.slice(0, index);
    const heading = [...above.matchAll(/^#{1,4} (.*)$/gm)].at(-1)?.[1] ?? '';
    return { document, heading, line: above.split('\n').length + 1, code };
  });
});

/** The first snippet under a heading of a page. */
export function snippetIn(document: string, heading: string): string {
  const found = SNIPPETS.find((one) => one.document === document && one.heading === heading);
  if (found === undefined) throw new Error(`${document} has no code under ${heading}`);
  return found.code;
}
