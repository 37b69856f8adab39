import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale, ROOT, TYPESCRIPT_7 } from '#harness/consumer.js';
import type { Snippet } from './snippets.js';

/** What the compiler says of snippets. */

/** A snippet as a module: `before` declares what its reader has already. */
export interface SnippetModule extends Snippet {
  readonly before: string;
}

/**
 * Compiles modules beside each other in one program, with the options of the checkout; each problem begins with its
 * document and line.
 */
export function problemsOf(modules: readonly SnippetModule[]): readonly string[] {
  buildIfStale();
  // In the checkout, so that the package and its dependencies are found; in none of the folders that other tools read.
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
        // As a user has it: the package by its own name, through its exports, from dist/.
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
    return stdout.match(/^\S.*(?:\n .*)*/gm)?.map((problem) => placed(problem, modules)) ?? [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Its place in the document instead of that in the module. */
function placed(problem: string, modules: readonly SnippetModule[]): string {
  const [, index, lineOfModule, text] = /^(\d+)\.ts\((\d+),\d+\): error TS\d+: (.*)/s.exec(problem) ?? [];
  const module = modules[Number(index)];
  if (module === undefined) return problem;
  // `before` stands above the code.
  const line = module.line + Number(lineOfModule) - 1 - module.before.split('\n').length;
  return `${module.document}:${line}: ${text ?? ''}`;
}
