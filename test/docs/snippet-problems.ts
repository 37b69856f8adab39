import { join } from 'node:path';
import ts from 'typescript';
import { buildIfStale, ROOT } from '#harness/consumer.js';
import type { Snippet } from './snippets.js';

/** What the compiler says of snippets. Apart from them, as a compiler takes most of a second to load. */

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
  // Below the checkout, so that the package and its dependencies are found. They are not written.
  const sources = new Map(
    modules.map((module, index) => [join(ROOT, 'test', `snippet-${index}.ts`).replaceAll('\\', '/'), module]),
  );
  const read = (path: string): string | undefined => {
    const module = sources.get(path);
    return module === undefined ? ts.sys.readFile(path) : `${module.before}\n${module.code}`;
  };
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const paths = [...sources.keys()];
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: paths, include: [] }, ts.sys, ROOT);
  // Handlers have parameters that a short example does not use.
  options.noUnusedParameters = false;
  // As a user has it: the package by its own name, through its exports, from dist/.
  delete options.paths;
  const host = ts.createCompilerHost(options);
  // As tsc reads comments.
  host.jsDocParsingMode = ts.JSDocParsingMode.ParseForTypeErrors;
  const program = ts.createProgram(paths, options, {
    ...host,
    readFile: read,
    fileExists: (path) => sources.has(path) || host.fileExists(path),
    getSourceFile: (path, target, ...rest) => {
      const module = sources.get(path);
      return module === undefined
        ? host.getSourceFile(path, target, ...rest)
        : ts.createSourceFile(path, read(path) ?? '', target);
    },
  });
  return [...sources].flatMap(([path, module]) => {
    const file = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ start = 0, messageText }) => {
      // The lines of `before` count as the one above the code.
      const added = module.before.split('\n').length;
      const line = module.line + (file?.getLineAndCharacterOfPosition(start).line ?? 0) - added;
      return `${module.document}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}
