import type { Time } from '../admin/administration.js';

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

/** How long the connection of one call may take, milliseconds: the rest of its time is for the answer. */
export function connectMsOf(callMs: number): number {
  return callMs * 0.6;
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

interface TableCheck<Parts> {
  /** The check of the same side that must not fail before this one. Default: the first one, which itself needs `variables`. */
  readonly needs?: string;
  /** Whether the side has the check. Default: it always has. */
  readonly isUsed?: ((parts: Parts) => boolean) | undefined;
  readonly run: (parts: Parts) => Finding | Promise<Finding>;
}

/** The checks of a side by their names, in their order: a check follows the one that it needs. */
export type CheckTable<Parts> = Readonly<Record<string, TableCheck<Parts>>>;

/**
 * The checks of a side: that of its variables, then those of the table.
 *
 * @param side - begins the names of the checks.
 * @param parts - `undefined` if the side is not configured, or if its variables are wrong. Then the others are skipped.
 */
export function checksOf<Parts>(
  side: string,
  found: Finding,
  parts: Parts | undefined,
  table: CheckTable<Parts>,
): readonly Check[] {
  const made = new Map([['variables', known(`${side}.variables`, found)]]);
  if (parts === undefined && found.status !== 'fail') return [...made.values()];
  const [first = ''] = Object.keys(table);
  for (const [key, { needs = key === first ? 'variables' : first, isUsed, run }] of Object.entries(table)) {
    const needed = made.get(needs);
    if (needed === undefined) throw new Error(`${side}.${key} stands before ${needs}`);
    if (isUsed !== undefined && (parts === undefined || !isUsed(parts))) continue;
    // Without parts the check of the variables has failed, and no other one runs.
    made.set(key, {
      name: `${side}.${key}`,
      run: once(after(needed, async () => run(parts as Parts))),
    });
  }
  return [...made.values()];
}

/** Patterns for Node's error codes, with the cause in words and a remedy. The first match counts. */
const BY_REASON: readonly (readonly [RegExp, string, string])[] = [
  [
    /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/,
    'its name does not resolve',
    'Look for a misspelling, and check the DNS of this machine.',
  ],
  [
    /^ECONNREFUSED$/,
    'nothing listens there',
    'Check that it runs, and check the port and the firewalls in between.',
  ],
  [
    /CERT_HAS_EXPIRED/,
    'its certificate has expired',
    'Renew the certificate, and make the server load the new one.',
  ],
  [
    /ALTNAME/,
    'its certificate is for another name',
    "Give the server a certificate for the URL's host name.",
  ],
  [
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    'its certificate chain is incomplete',
    'Make the server also send the intermediate certificates (the full chain).',
  ],
  [
    /CERT|ISSUER|SIGNATURE/,
    'its certificate is not trusted here',
    'Use a certificate of a public authority. If your own proxy is in between, start Node with NODE_EXTRA_CA_CERTS.',
  ],
  [
    /SSL|TLS|EPROTO/,
    'the TLS handshake failed',
    'Check that the server supports TLS 1.2 or later at this port, and that nothing is in between.',
  ],
  [
    /TIMEOUT/,
    'it did not answer in time',
    'Check that this machine may reach it (egress, a firewall, a proxy), and that it is not overloaded.',
  ],
];

const OTHER_REMEDY = 'Check that it runs, and that this machine may reach it: egress, DNS, TLS, a proxy.';

/** The finding about a server that was not reached. @param what - begins the message. */
export function unreachedFinding(what: string, reason: string): Finding {
  const { why, remedy } = describeUnreached(reason);
  return fail(`${what}: ${why}.`, remedy);
}

/**
 * Why a server was not reached, with a remedy.
 * @param reason - that of an `HttpResult`, or the code of an error.
 */
export function describeUnreached(reason: string): { readonly why: string; readonly remedy: string } {
  const [, why, remedy] = BY_REASON.find(([pattern]) => pattern.test(reason)) ?? [];
  return { why: why === undefined ? reason : `${why} (${reason})`, remedy: remedy ?? OTHER_REMEDY };
}
