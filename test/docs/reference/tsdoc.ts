import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type TS from 'typescript';
import { ROOT } from '#harness/consumer.js';
import { ts } from '#harness/typescript.js';

/** Reads the TSDoc of types in the sources. It parses only: the compiler would take seconds for the types. */

/** A member of a type, with its TSDoc. */
export interface Member {
  readonly name: string;
  readonly isOptional: boolean;
  /** One line. Empty if the member has none. */
  readonly doc: string;
  /** The type as the source writes it. */
  readonly type: TS.TypeNode | undefined;
}

type Declaration = TS.InterfaceDeclaration | TS.TypeAliasDeclaration;

export class Sources {
  readonly #declarations = new Map<string, Declaration>();

  /** @param files - below `lib/`, whose types refer to each other. */
  constructor(...files: readonly string[]) {
    for (const file of files)
      for (const statement of parse(file).statements)
        if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
          this.#declarations.set(statement.name.text, statement);
  }

  find(name: string): Declaration | undefined {
    return this.#declarations.get(name);
  }

  /** The TSDoc of a type. */
  docOf(name: string): string {
    const found = this.find(name);
    if (found === undefined) throw new Error(`the sources have no type ${name}`);
    return docOf(found);
  }

  /** The members that an interface declares itself. */
  membersOf(name: string): readonly Member[] {
    const found = this.find(name);
    if (found === undefined) throw new Error(`the sources have no type ${name}`);
    return ts.isInterfaceDeclaration(found) ? membersOf(found) : [];
  }
}

export function membersOf(node: TS.InterfaceDeclaration | TS.TypeLiteralNode): readonly Member[] {
  return node.members.flatMap((member) => {
    const isMember = ts.isPropertySignature(member) || ts.isMethodSignature(member);
    if (!isMember || ts.isComputedPropertyName(member.name)) return [];
    const isOptional = member.questionToken !== undefined;
    const type = ts.isPropertySignature(member) ? member.type : undefined;
    return [{ name: member.name.text, isOptional, doc: docOf(member), type }];
  });
}

/** The TSDoc of each entry of an object literal, by the name of its constant. */
export function entryDocsOf(file: string, constant: string): ReadonlyMap<string, string> {
  const docs = new Map<string, string>();
  for (const statement of parse(file).statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      const object =
        initializer && ts.isSatisfiesExpression(initializer) ? initializer.expression : initializer;
      if (name.getText() !== constant || object === undefined || !ts.isObjectLiteralExpression(object))
        continue;
      for (const entry of object.properties)
        if (ts.isPropertyAssignment(entry)) docs.set(entry.name.getText(), docOf(entry));
    }
  }
  return docs;
}

/** A type as one line, without `readonly` and `undefined`. */
export function textOfType(type: TS.TypeNode): string {
  return type
    .getText()
    .replaceAll(/\/\*\*.*?\*\//gs, '')
    .replaceAll(/\breadonly /g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/^\| | \| undefined\b/g, '')
    .trim();
}

function parse(file: string): TS.SourceFile {
  const path = join(ROOT, 'lib', file);
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}

/** The text of a node's TSDoc before its tags. */
function docOf(node: TS.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  return (ts.getTextOfJSDocComment(doc?.comment) ?? '').replaceAll(/\s+/g, ' ').trim();
}
