import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type TS from 'typescript';
import { filesUnder, ROOT } from '#harness/consumer.js';
import { ts } from '#harness/typescript.js';

/** The codes and remedies of this package in its sources. */

const CODE = /^[A-Z][A-Z\d]*(?:_[A-Z\d]+)*$/;

/** Files with words of others: vendors' codes, and keywords of users. */
const OTHERS = /^(?:testing\/|.*\/browser\/|texts\/keywords|channels\/\w+\/(?:verify-)?error-codes)/;

const sources = filesUnder(join(ROOT, 'lib'))
  .filter((file) => file.endsWith('.ts') && !OTHERS.test(file))
  .map((file) =>
    ts.createSourceFile(file, readFileSync(join(ROOT, 'lib', file), 'utf8'), {
      languageVersion: ts.ScriptTarget.ES2023,
      jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
    }),
  );

/** Every text in capitals of three letters or more in the sources: our codes, and other words that look like codes. */
export function wordsInCapitals(): ReadonlySet<string> {
  const words = new Set<string>();
  for (const source of sources)
    visit(source, (node) => {
      if (ts.isStringLiteral(node) && node.text.length > 2 && CODE.test(node.text)) words.add(node.text);
    });
  return words;
}

/** Codes with their remedies, if both are texts in one object or in one call such as `new OktaApiError(…)`. */
export function remediesBesideCodes(): readonly { readonly code: string; readonly remedy: string }[] {
  const found: { code: string; remedy: string }[] = [];
  for (const source of sources) {
    const constants = constantsOf(source);
    const textOf = (node: TS.Expression | undefined): string | undefined => {
      if (node === undefined) return undefined;
      if (ts.isIdentifier(node)) return constants.get(node.text);
      return ts.isStringLiteralLike(node) ? node.text : undefined;
    };
    const propertyOf = (node: TS.Expression | undefined, name: string): string | undefined => {
      if (node === undefined || !ts.isObjectLiteralExpression(node)) return undefined;
      const property = node.properties.find(
        (one) => ts.isPropertyAssignment(one) && one.name.getText(source) === name,
      );
      return property !== undefined && ts.isPropertyAssignment(property)
        ? textOf(property.initializer)
        : undefined;
    };
    visit(source, (node) => {
      const isCall = ts.isNewExpression(node) || ts.isCallExpression(node);
      const texts = isCall ? (node.arguments ?? []).map(textOf) : [];
      const code = isCall
        ? texts.find((text) => CODE.test(text ?? ''))
        : propertyAt(node, 'code', propertyOf);
      const remedy = isCall
        ? (propertyOf(node.arguments?.at(-1), 'remedy') ?? remedyOfCommand(node, source, texts))
        : propertyAt(node, 'remedy', propertyOf);
      if (code !== undefined && CODE.test(code) && remedy !== undefined) found.push({ code, remedy });
    });
  }
  return found;
}

/** The remedy by its position: `new CommandError(code, message, remedy)`, `warn(code, remedy)`. */
function remedyOfCommand(
  node: TS.NewExpression | TS.CallExpression,
  source: TS.SourceFile,
  texts: readonly (string | undefined)[],
): string | undefined {
  const name = node.expression.getText(source);
  if (name === 'CommandError') return texts[2];
  return /\bwarn$/.test(name) && CODE.test(texts[0] ?? '') ? texts[1] : undefined;
}

function propertyAt(
  node: TS.Node,
  name: string,
  read: (node: TS.Expression, name: string) => string | undefined,
): string | undefined {
  return ts.isObjectLiteralExpression(node) ? read(node, name) : undefined;
}

function constantsOf(source: TS.SourceFile): ReadonlyMap<string, string> {
  const constants = new Map<string, string>();
  visit(source, (node) => {
    if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name)) return;
    if (node.initializer !== undefined && ts.isStringLiteralLike(node.initializer))
      constants.set(node.name.text, node.initializer.text);
  });
  return constants;
}

function visit(node: TS.Node, look: (node: TS.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => {
    visit(child, look);
  });
}
