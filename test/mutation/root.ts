import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The URL of a file of Stryker, which is installed beside this file. By path, because it has no types before that. */
export function toolAt(path: string): URL {
  return new URL(`node_modules/@stryker-mutator/${path}`, import.meta.url);
}
