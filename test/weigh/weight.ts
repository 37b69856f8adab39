import { extname } from 'node:path';
import { transform, type Loader } from 'esbuild';
import type TS from 'typescript';
import { ts } from '#harness/typescript.js';

/** What there is to read and to keep right in a file, or in several. */
export interface Weight {
  /** Nodes of the syntax tree of the compiled JavaScript, without the file itself. */
  readonly nodes: number;
  /** Lines of Lua that are neither blank nor comments: in files, and in strings of the code. */
  readonly luaLines: number;
  readonly jsonBytes: number;
  /** Files of code. */
  readonly files: number;
  /** Lines of code that are not blank. */
  readonly lines: number;
}

const NO_WEIGHT: Weight = { nodes: 0, luaLines: 0, jsonBytes: 0, files: 0, lines: 0 };

const LOADERS: Readonly<Record<string, Loader>> = {
  ...{ '.ts': 'ts', '.cts': 'ts', '.mts': 'ts', '.tsx': 'tsx' },
  ...{ '.js': 'js', '.cjs': 'js', '.mjs': 'js' },
};

/** A line that only Lua has. English sentences may contain `local`, but do not declare a variable. */
const IS_LUA = /\bredis\.p?call\(|^\s*local (?:function \w|[\w, ]+=)/m;

/** Weighs a file by its name and text. Files that are neither code nor Lua nor JSON weigh nothing. */
export async function weighFile(name: string, text: string): Promise<Weight> {
  const ending = extname(name);
  if (ending === '.json') return { ...NO_WEIGHT, jsonBytes: Buffer.byteLength(text) };
  if (ending === '.lua') return { ...NO_WEIGHT, luaLines: linesOfLua(text) };
  const loader = LOADERS[ending];
  if (loader === undefined) return NO_WEIGHT;
  const { code } = await transform(text, {
    loader,
    target: 'esnext',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // Otherwise esbuild looks for the options of a tsconfig.json, and they change what it compiles.
    tsconfigRaw: '{}',
  });
  return { ...weighCode(code), jsonBytes: 0, files: 1, lines: linesOf(text).length };
}

export function sumOf(weights: readonly Weight[]): Weight {
  return weights.reduce(
    (sum, weight) => ({
      nodes: sum.nodes + weight.nodes,
      luaLines: sum.luaLines + weight.luaLines,
      jsonBytes: sum.jsonBytes + weight.jsonBytes,
      files: sum.files + weight.files,
      lines: sum.lines + weight.lines,
    }),
    NO_WEIGHT,
  );
}

/** The lines that are not blank. */
export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function linesOfLua(text: string): number {
  return linesOf(text).filter((line) => !line.trim().startsWith('--')).length;
}

function weighCode(code: string): Pick<Weight, 'nodes' | 'luaLines'> {
  const file = ts.createSourceFile('compiled.js', code, {
    languageVersion: ts.ScriptTarget.Latest,
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
  });
  let [nodes, luaLines] = [0, 0];
  const weigh = (node: TS.Node): void => {
    if (node.kind === ts.SyntaxKind.EndOfFileToken) return;
    nodes += isRenaming(node) ? 0 : 1;
    const text = textOf(node);
    if (text !== undefined && IS_LUA.test(text)) luaLines += linesOfLua(text);
    ts.forEachChild(node, weigh);
  };
  ts.forEachChild(file, weigh);
  return { nodes, luaLines };
}

/** Whether a node has two names where one is enough, as in `{ id: userId }`. It weighs what `{ id }` does: names cost nothing. */
function isRenaming(node: TS.Node): boolean {
  if (ts.isPropertyAssignment(node)) return ts.isIdentifier(node.name) && ts.isIdentifier(node.initializer);
  if (ts.isBindingElement(node) || ts.isImportSpecifier(node) || ts.isExportSpecifier(node)) {
    return (
      node.propertyName !== undefined && ts.isIdentifier(node.propertyName) && ts.isIdentifier(node.name)
    );
  }
  return false;
}

/** The text of a string or a template. An expression in a template is one character: its own strings are nodes too. */
function textOf(node: TS.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `x${literal.text}`).join('');
}
