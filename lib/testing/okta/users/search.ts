import { fieldOf } from '../../../core/json.js';

export type Search = (resource: unknown) => boolean;

const VALUE = /^(?:"((?:[^"\\]|\\.)*)"|(true|false|null)|(-?\d+(?:\.\d+)?))$/;
const CLAUSE = /^([A-Za-z][\w.]*)\s+(?:(pr)|(eq|ne|sw|co)\s+(\S.*))$/;

/**
 * Reads a search of the Users API: `eq`, `ne`, `sw`, `co` and `pr` of an attribute, joined by `and` or `or`, without
 * parentheses. Returns `undefined` if it cannot be read.
 */
export function readSearch(text: string): Search | undefined {
  const alternatives = splitOutsideQuotes(text, 'or').map((alternative) =>
    splitOutsideQuotes(alternative, 'and').map(readClause),
  );
  if (alternatives.some((clauses) => clauses.some((clause) => clause === undefined))) return undefined;
  return (resource) => alternatives.some((clauses) => clauses.every((clause) => clause?.(resource) === true));
}

function readClause(text: string): Search | undefined {
  const [, path = '', present, operator, value = ''] = CLAUSE.exec(text.trim()) ?? [];
  if (path === '') return undefined;
  const read = (resource: unknown): unknown => fieldOf(resource, ...path.split('.'));
  if (present !== undefined) return (resource) => isThere(read(resource));
  const wanted = readValue(value.trim());
  if (wanted === undefined) return undefined;
  return (resource) => {
    const found = fold(read(resource));
    if (operator === 'eq') return found === wanted.value;
    if (operator === 'ne') return found !== wanted.value;
    if (typeof found !== 'string' || typeof wanted.value !== 'string') return false;
    return operator === 'sw' ? found.startsWith(wanted.value) : found.includes(wanted.value);
  };
}

function readValue(text: string): { readonly value: unknown } | undefined {
  const [whole, quoted] = VALUE.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return { value: fold(quoted === undefined ? JSON.parse(whole) : quoted.replaceAll(/\\(.)/g, '$1')) };
}

/** Okta ignores the case of strings, and a missing attribute equals null. */
function fold(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : (value ?? null);
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function splitOutsideQuotes(text: string, word: 'and' | 'or'): string[] {
  const parts: string[] = [];
  let part = '';
  for (const piece of text.match(/"(?:[^"\\]|\\.)*"|\s+|[^\s"]+|"/g) ?? []) {
    if (piece.toLowerCase() === word) {
      parts.push(part);
      part = '';
    } else part += piece;
  }
  return [...parts, part];
}
