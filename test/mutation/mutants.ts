import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { ROOT, toolAt } from './root.js';
import type { Target } from './targets.js';

/** Line and column, both from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One small change of a file. */
export interface Mutant {
  /** Relative to the checkout. */
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
  /** The kind of change, by Stryker's name. */
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
}

/** The part of Stryker's instrumenter that this file uses. */
interface Instrumenter {
  instrument(
    files: readonly { readonly name: string; readonly content: string; readonly mutate: true }[],
    options: object,
  ): Promise<{
    readonly mutants: readonly {
      readonly location: { readonly start: Position; readonly end: Position };
      readonly mutatorName: string;
      readonly replacement: string;
    }[];
  }>;
}

/** Every mutant that Stryker makes of a target. */
async function mutantsOf({ sources }: Target): Promise<Mutant[]> {
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, isDebugEnabled: () => false };
  // Its types exist only after its installation.
  const { Instrumenter } = (await import(toolAt('instrumenter/dist/src/index.js').href)) as {
    readonly Instrumenter: new (logger: object) => Instrumenter;
  };
  const mutants: Mutant[] = [];
  for (const file of sources) {
    const content = readFileSync(join(ROOT, file), 'utf8');
    const lines = content.split('\n');
    const { mutants: made } = await new Instrumenter(logger).instrument(
      [{ name: join(ROOT, file), content, mutate: true }],
      { plugins: null, excludedMutations: [], ignorers: [] },
    );
    for (const { location, mutatorName, replacement } of made) {
      const original = textBetween(lines, location.start, location.end);
      mutants.push({ file, ...location, mutator: mutatorName, original, replacement });
    }
  }
  return mutants;
}

/** Chooses some mutants that compile. */
export async function sampleOf(target: Target, size: number, seed: string): Promise<Mutant[]> {
  const ranked = ranking(await mutantsOf(target), seed);
  const found: Mutant[] = [];
  // About half of the mutants compile.
  for (let at = 0; at < ranked.length && found.length < size; at += 2 * size) {
    found.push(...compiling(ranked.slice(at, at + 2 * size), target));
  }
  return found.slice(0, size);
}

/**
 * Orders by the seed and by the change of a mutant, not by its position: after an edit elsewhere, or after a move of the
 * file, the same seed chooses the same mutants.
 */
function ranking(mutants: readonly Mutant[], seed: string): Mutant[] {
  const counts = new Map<string, number>();
  const ranked = mutants.map((mutant) => {
    const { file, mutator, original, replacement } = mutant;
    const change = JSON.stringify([basename(file), mutator, original, replacement]);
    const count = (counts.get(change) ?? 0) + 1;
    counts.set(change, count);
    return {
      mutant,
      rank: createHash('sha256')
        .update(JSON.stringify([seed, change, count]))
        .digest('hex'),
    };
  });
  ranked.sort((one, other) => (one.rank < other.rank ? -1 : 1));
  return ranked.map(({ mutant }) => mutant);
}

/**
 * Leaves out mutants that do not compile, because the compiler would catch such a mistake. Compiles mutants of different
 * files together, and reads only the errors of these files: each compilation takes seconds with any number of files.
 */
function compiling(mutants: readonly Mutant[], { sources, isBrowser }: Target): Mutant[] {
  const place = isBrowser ? dirname(sources[0] ?? '') : '.';
  const config = ts.getParsedCommandLineOfConfigFile(
    join(ROOT, place, 'tsconfig.json'),
    // A change that leaves a name unused is a possible mistake.
    { noUnusedLocals: false, noUnusedParameters: false, noEmit: true, allowUnreachableCode: true },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  const changed = new Map<string, string>();
  let version = 0;
  const service = ts.createLanguageService({
    getCompilationSettings: () => config?.options ?? {},
    getScriptFileNames: () => sources.map((file) => join(ROOT, file)),
    getScriptVersion: (path) => (changed.has(path) ? String(version) : '0'),
    getScriptSnapshot: (path) => {
      const text = changed.get(path) ?? ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (path) => ts.sys.fileExists(path),
    readFile: (path) => ts.sys.readFile(path),
    directoryExists: (path) => ts.sys.directoryExists(path),
    getDirectories: (path) => ts.sys.getDirectories(path),
    realpath: (path) => ts.sys.realpath?.(path) ?? path,
  });
  const found: Mutant[] = [];
  let left = [...mutants];
  while (left.length > 0) {
    const look = left.filter((mutant, at) => left.findIndex(({ file }) => file === mutant.file) === at);
    left = left.filter((mutant) => !look.includes(mutant));
    version += 1;
    changed.clear();
    for (const mutant of look) changed.set(join(ROOT, mutant.file), mutated(mutant));
    for (const mutant of look) {
      const path = join(ROOT, mutant.file);
      const errors = [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)];
      if (errors.length === 0) found.push(mutant);
    }
  }
  return mutants.filter((mutant) => found.includes(mutant));
}

/** The whole text of a mutant's file. */
function mutated({ file, start, end, replacement }: Mutant): string {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  const before = textBetween(lines, { line: 0, column: 0 }, start);
  const after = textBetween(lines, end, { line: lines.length - 1, column: (lines.at(-1) ?? '').length });
  return before + replacement + after;
}

function textBetween(lines: readonly string[], start: Position, end: Position): string {
  const taken = lines.slice(start.line, end.line + 1);
  const last = taken.length - 1;
  taken[last] = (taken[last] ?? '').slice(0, end.column);
  taken[0] = (taken[0] ?? '').slice(start.column);
  return taken.join('\n');
}
