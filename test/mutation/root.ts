import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A file of a tool that is installed beside this one. It has no types before it is installed, so it is named by its place. */
export function toolAt(path: string): URL {
  return new URL(`node_modules/@stryker-mutator/${path}`, import.meta.url);
}
