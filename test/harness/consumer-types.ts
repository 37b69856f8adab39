import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type TS from 'typescript';
import { ts } from '#harness/typescript.js';
import { manifest } from './consumer.js';

/** Compiles a consumer of the package with TypeScript 6, and reads the published declarations. */

/** The compiler options of a consumer without a tsconfig.json. */
export const COMPILED = [
  ...['--types', 'node', '--lib', 'es2023', '--target', 'es2023', '--strict', '--noEmit'],
  ...['--ignoreConfig', '--skipLibCheck'],
];

/** Compiles a consumer with TypeScript 6. */
export function compile(
  folder: string,
  { options, fileNames }: Pick<TS.ParsedCommandLine, 'options' | 'fileNames'>,
): TS.Program {
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => folder;
  // As tsc does.
  host.jsDocParsingMode = ts.JSDocParsingMode.ParseForTypeErrors;
  return ts.createProgram(
    fileNames.map((file) => resolve(folder, file)),
    options,
    host,
  );
}

/** The errors in the consumer and in our declarations. TypeScript 7, which is faster, also checks those of Node. */
export function problemsOf(program: TS.Program): readonly string[] {
  const roots = program.getRootFileNames().map((name) => program.getSourceFile(name));
  const files = [...roots, ...filesOfPackage(program)].filter((file) => file !== undefined);
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ].map(
    ({ file, messageText }) =>
      `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}

/** The published declarations that the consumer needs. */
export function filesOfPackage(program: TS.Program): readonly TS.SourceFile[] {
  return program
    .getSourceFiles()
    .filter(({ fileName }) => fileName.includes(`/node_modules/${manifest.name}/dist/`));
}

export function parse(path: string): TS.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), {
    languageVersion: ts.ScriptTarget.ES2023,
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
  });
}

export function isImportForEffect(statement: TS.Statement): boolean {
  return ts.isImportDeclaration(statement) && statement.importClause === undefined;
}

export function visit(node: TS.Node, look: (node: TS.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => {
    visit(child, look);
  });
}

export function allowsUndefined(type: TS.TypeNode | undefined): boolean {
  if (type === undefined) return true;
  if (ts.isUnionTypeNode(type)) return type.types.some(allowsUndefined);
  return type.kind === ts.SyntaxKind.UndefinedKeyword || type.kind === ts.SyntaxKind.UnknownKeyword;
}
