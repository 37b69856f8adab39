import { VIOLATIONS, type Account } from '../account/account.js';
import { PROBLEMS } from '../account/loss-reports.js';

/** The kinds of faults that an account has, in words. */
export const FINDINGS: Readonly<Record<string, string>> = { ...VIOLATIONS, ...PROBLEMS };

export function findingsOf({ violations, problems }: Account): ReadonlySet<string> {
  return new Set([...violations, ...problems].map(({ kind }) => kind));
}
