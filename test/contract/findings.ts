import type { Operation, SeenRequest } from './prism.js';

/** One thing that is wrong. No part of it has a code, a number, a login or a secret. */
export interface Finding {
  /** The document, or the part of the run, e.g. `types`. */
  readonly document: string;
  /** E.g. `CreateMessage (POST …/Messages.json)`; where there is none, what was done. */
  readonly operation: string;
  readonly what: string;
}

/** What was found by a part of the run, and what was looked at. */
export interface Report {
  readonly findings: readonly Finding[];
  /** One sentence, for whoever reads a run that found nothing. */
  readonly summary: string;
}

/** An operation by name and place. */
export function nameOperation({ iid, method, path }: Operation): string {
  return `${iid} (${method.toUpperCase()} ${path})`;
}

/** A request that no document has, without what its path may name: only its words are kept. */
export function nameRequest({ method, path }: Pick<SeenRequest, 'method' | 'path'>): string {
  const segments = path.split('/').map((segment) => (PLAIN_SEGMENT.test(segment) ? segment : '*'));
  return `${method} ${segments.join('/')}`;
}

const PLAIN_SEGMENT = /^([A-Za-z-]*(\.json)?|v\d|2010-04-01)$/;

/** The same finding once, in the order of the documents. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const unique = new Map(
    findings.map((finding) => [`${finding.document} ${finding.operation} ${finding.what}`, finding]),
  );
  return [...unique].sort(([one], [other]) => one.localeCompare(other)).map(([, finding]) => finding);
}
