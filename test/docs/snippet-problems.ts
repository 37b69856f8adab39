import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale, ROOT, TYPESCRIPT_7 } from '#harness/consumer.js';
import type { Snippet } from './snippets.js';

/** Compiles the snippets of the pages. */

/** A snippet as a module: `before` declares what the snippet uses. */
export interface SnippetModule extends Snippet {
  readonly before: string;
}

/**
 * Compiles the modules in one program with the options of the checkout. Each problem begins with its document and
 * line.
 */
export function problemsOf(modules: readonly SnippetModule[]): readonly string[] {
  buildIfStale();
  // In the checkout, so that TypeScript finds the package and its dependencies, but in no folder that other tools read.
  const folder = join(ROOT, `.snippets-${process.pid}.tmp`);
  mkdirSync(folder);
  try {
    for (const [index, { before, code }] of modules.entries())
      writeFileSync(join(folder, `${index}.ts`), `${before}\n${code}`);
    const configuration = {
      extends: '../tsconfig.json',
      compilerOptions: {
        // Handlers have parameters that a short example does not use.
        noUnusedParameters: false,
        // As for a user: the package by its name, through its exports, from dist/.
        paths: {},
      },
      include: ['*.ts'],
      exclude: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
    const { stdout } = spawnSync(process.execPath, [TYPESCRIPT_7, '-p', folder, '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return stdout.match(/^\S.*(?:\n .*)*/gm)?.map((problem) => withDocumentLine(problem, modules)) ?? [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The problem with its line in the document instead of the line in the module. */
function withDocumentLine(problem: string, modules: readonly SnippetModule[]): string {
  const [, index, lineOfModule, text] = /^(\d+)\.ts\((\d+),\d+\): error TS\d+: (.*)/s.exec(problem) ?? [];
  const module = modules[Number(index)];
  if (module === undefined) return problem;
  // `before` is above the code.
  const line = module.line + Number(lineOfModule) - 1 - module.before.split('\n').length;
  return `${module.document}:${line}: ${text ?? ''}`;
}
