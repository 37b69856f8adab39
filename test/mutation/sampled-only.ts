import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { cwd, env } from 'node:process';
import type { Position } from './mutants.js';

/**
 * A checker for Stryker that lets only the chosen mutants run: Stryker itself accepts only ranges of a file, and runs
 * every mutant in them.
 */

/** A mutant in Stryker's checkers and reports. */
export interface NamedMutant {
  readonly fileName: string;
  readonly location: { readonly start: Position; readonly end: Position };
  readonly mutatorName: string;
  readonly replacement?: string;
}

/** The environment variable that names the file with the keys of the chosen mutants, as JSON. */
export const SAMPLE = 'MUTATION_SAMPLE';

/** A unique key of a mutant. Lines and columns from 0. */
export function keyOf({ fileName, location: { start, end }, mutatorName, replacement }: NamedMutant): string {
  return JSON.stringify([fileName, start.line, start.column, end.line, end.column, mutatorName, replacement]);
}

function chosenOnly() {
  let chosen: ReadonlySet<string>;
  return {
    init: () => {
      chosen = new Set(JSON.parse(readFileSync(env[SAMPLE] ?? '', 'utf8')) as string[]);
      return Promise.resolve();
    },
    group: (mutants: readonly { readonly id: string }[]) => Promise.resolve([mutants.map(({ id }) => id)]),
    check: (mutants: readonly (NamedMutant & { readonly id: string })[]) =>
      Promise.resolve(
        Object.fromEntries(
          mutants.map((mutant) => {
            const fileName = relative(cwd(), mutant.fileName).split(sep).join('/');
            const isChosen = chosen.has(keyOf({ ...mutant, fileName }));
            return [
              mutant.id,
              isChosen ? { status: 'passed' } : { status: 'compileError', reason: 'not chosen' },
            ];
          }),
        ),
      ),
  };
}

export const strykerPlugins = [{ kind: 'Checker', name: 'sampled-only', factory: chosenOnly }];
