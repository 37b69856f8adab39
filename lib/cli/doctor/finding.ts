/** What one check came to. */
export interface Finding {
  /** `warn`: it works, but perhaps not as meant, or it could not be seen. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** One sentence, without a secret, a phone number or a login. */
  readonly message: string;
  /** What to do about it; `undefined` where nothing need be done. */
  readonly remedy: string | undefined;
  /** The check that has to pass before anything can be seen here; `undefined` where it was looked at. */
  readonly unseenFor?: string | undefined;
}

/** One thing that is looked at, by itself and beside the others. It changes nothing, and sends nothing to anybody. */
export interface Check {
  /** Stable, for programs: the group and the thing, such as `okta.hook`. */
  readonly name: string;
  /** What may go wrong while it looks is told as a failure. */
  readonly look: () => Promise<Finding>;
}

/** Checks that belong together. */
export interface CheckGroup {
  readonly title: string;
  readonly checks: readonly Check[];
  /** Ends what the checks have opened, also under those that still wait. */
  readonly close?: (() => Promise<void>) | undefined;
}

export const ok = (message: string): Finding => ({ status: 'ok', message, remedy: undefined });
export const warn = (message: string, remedy: string): Finding => ({ status: 'warn', message, remedy });
export const fail = (message: string, remedy: string): Finding => ({ status: 'fail', message, remedy });

/** A check whose finding is known already. */
export const known = (name: string, finding: Finding): Check => ({
  name,
  look: () => Promise.resolve(finding),
});

/** Work that several checks need. It runs once, when the first of them asks. */
export function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  return () => (running ??= work());
}

/** Looks only if another check has not failed, and has been looked at itself. */
export function after(first: Check, look: () => Promise<Finding>): () => Promise<Finding> {
  return async () => {
    // The line of that check says how it has failed.
    const found = await first.look().catch(() => undefined);
    const cause = found === undefined || found.status === 'fail' ? first.name : found.unseenFor;
    if (cause === undefined) return look();
    return { ...warn(`Not looked at, since ${cause} has failed.`, `See ${cause}.`), unseenFor: cause };
  };
}

/** Makes checks that all rest on one. */
export const restingOn =
  (first: Check) =>
  (name: string, look: () => Promise<Finding>): Check => ({ name, look: after(first, look) });
