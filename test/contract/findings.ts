import type { Operation, SeenRequest } from './prism.js';

/** One problem. It contains no code, number, login or secret. */
export interface Finding {
  /** The document, or the part of the run, e.g. `types`. */
  readonly document: string;
  /** The operation, e.g. `CreateMessage (POST …/Messages.json)`; without one, the action. */
  readonly operation: string;
  readonly what: string;
}

/** The findings of a part of the run, and what it checked. */
export interface Report {
  readonly findings: readonly Finding[];
  /** One sentence that says what was checked, even if there are no findings. */
  readonly summary: string;
}

/** The name, method and path of an operation. */
export function nameOperation({ iid, method, path }: Operation): string {
  return `${iid} (${method.toUpperCase()} ${path})`;
}

/** Names a request without an operation. Keeps only plain words of its path, which may contain a login. */
export function nameRequest({ method, path }: Pick<SeenRequest, 'method' | 'path'>): string {
  const segments = path.split('/').map((segment) => (PLAIN_SEGMENT.test(segment) ? segment : '*'));
  return `${method} ${segments.join('/')}`;
}

const PLAIN_SEGMENT = /^([A-Za-z-]*(\.json)?|v\d|2010-04-01)$/;

/** Each finding once, in the order of the documents. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const unique = new Map(
    findings.map((finding) => [`${finding.document} ${finding.operation} ${finding.what}`, finding]),
  );
  return [...unique].sort(([one], [other]) => one.localeCompare(other)).map(([, finding]) => finding);
}
