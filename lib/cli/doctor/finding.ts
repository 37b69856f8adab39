import type { Time } from '../../okta/admin/administration.js';

export interface Finding {
  /** `warn`: it works, but perhaps not as intended, or doctor could not see it. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** One sentence without a secret, a phone number or a login. */
  readonly message: string;
  /** What to do about it; `undefined` if there is nothing to do. */
  readonly remedy: string | undefined;
  /** The name of the failed check for which this one was skipped. `undefined`: it was not skipped. */
  readonly failedCheck?: string | undefined;
}

/** One check of doctor. All checks run at the same time. A check changes nothing, and sends nothing to a phone. */
export interface Check {
  /** Stable, for programs: group and subject, such as `okta.hook`. */
  readonly name: string;
  /** May reject: an error becomes a failed finding. */
  readonly run: () => Promise<Finding>;
}

/** The clock of the checks, and the time that one of their calls may take. */
export interface CheckTimes {
  readonly time: Time;
  readonly callMs: number;
}

/** The checks of one side, printed under a title. */
export interface CheckGroup {
  readonly title: string;
  readonly checks: readonly Check[];
  /** Closes the connections of the checks, even if one still waits. */
  readonly close?: (() => Promise<void>) | undefined;
}

export const ok = (message: string): Finding => ({ status: 'ok', message, remedy: undefined });
export const warn = (message: string, remedy: string): Finding => ({ status: 'warn', message, remedy });
export const fail = (message: string, remedy: string): Finding => ({ status: 'fail', message, remedy });

/** A check with a finding that is already known. */
export const known = (name: string, finding: Finding): Check => ({
  name,
  run: () => Promise.resolve(finding),
});

/** Work that several checks share. It runs once, for the first of them. */
export function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  return () => (running ??= work());
}

/** Runs a check unless `first` has failed or was skipped itself. */
export function after(first: Check, run: () => Promise<Finding>): () => Promise<Finding> {
  return async () => {
    // The error of `first` is reported by its own line.
    const found = await first.run().catch(() => undefined);
    const cause = found === undefined || found.status === 'fail' ? first.name : found.failedCheck;
    if (cause === undefined) return run();
    return { ...warn(`Not checked, because ${cause} failed.`, `See ${cause}.`), failedCheck: cause };
  };
}

/**
 * The checks of a side without a value: what was found in its variables and, if they are wrong, that the others are skipped.
 * @param side - begins the names of the checks.
 */
export function checksWithoutValue(side: string, found: Finding, others: readonly string[]): Check[] {
  const variables = known(`${side}.variables`, found);
  const skipped = found.status === 'fail' ? others : [];
  return [
    variables,
    ...skipped.map((name) => ({ name: `${side}.${name}`, run: after(variables, variables.run) })),
  ];
}

/** Returns a function that makes checks which all need `first`. */
export const checksAfter =
  (first: Check) =>
  (name: string, run: () => Promise<Finding>): Check => ({ name, run: after(first, run) });
