import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import { TelephonyHookError } from '../../core/errors.js';
import { CommandError } from '../failure.js';
import { fail, type Check, type CheckGroup, type Finding } from './finding.js';
import type { Terminal } from '../terminal.js';

/** One check in the JSON of doctor. */
export interface CheckResult {
  readonly check: string;
  readonly status: Finding['status'];
  readonly message: string;
  /** `null` if there is nothing to do. */
  readonly remedy: string | null;
}

/** The results of all checks, and how many of these checks were skipped. */
export interface Checkup {
  readonly results: readonly CheckResult[];
  readonly skippedCount: number;
}

/** How often doctor prints what it still waits for, in milliseconds. */
const PROGRESS_EVERY_MS = 2_000;

const SKIPPED = 'not checked';
const STYLE = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
const SYMBOL = { ok: '✔', warn: '!', fail: '✘' } as const;
const WORD = { ok: 'ok  ', warn: 'warn', fail: 'fail' } as const;

/**
 * Runs all checks at the same time, and prints them in their order, each as soon as those before it are done. A check that
 * hangs delays no other and fails after `limitMs`. The checks of a group that were skipped share one line for each cause.
 */
export async function runCheckup(
  groups: readonly CheckGroup[],
  { terminal, limitMs }: { readonly terminal: Terminal; readonly limitMs: number },
): Promise<Checkup> {
  const waiting = new Set<string>();
  const begun = groups.map(({ title, checks }) => ({
    title,
    running: checks.map((check) => {
      waiting.add(check.name);
      const finding = runInTime(check, limitMs).finally(() => waiting.delete(check.name));
      return { name: check.name, finding };
    }),
  }));
  const progress = setInterval(() => {
    terminal.note(`… still waiting for ${[...waiting].join(', ')}`, 'dim');
  }, PROGRESS_EVERY_MS);
  const names = begun.flatMap(({ running }) => running.map(({ name }) => name));
  const width = Math.max(0, ...names.map(({ length }) => length));
  const print = (name: string, { status, message, remedy }: Finding): void => {
    const mark = terminal.hasSymbols ? SYMBOL[status] : WORD[status];
    terminal.say(`${mark} ${name.padEnd(width)}  ${message}`, STYLE[status]);
    if (remedy !== undefined) terminal.say(`${' '.repeat(mark.length + width + 3)}${remedy}`);
  };
  const results: CheckResult[] = [];
  let skippedCount = 0;
  try {
    for (const [index, { title, running }] of begun.entries()) {
      terminal.say(index === 0 ? title : ['', title], 'bold');
      const skipped = new Map<string, string[]>();
      for (const { name, finding } of running) {
        const found = await finding;
        const { status, message, remedy, failedCheck } = found;
        results.push({ check: name, status, message, remedy: remedy ?? null });
        if (failedCheck === undefined) print(name, found);
        else skipped.set(failedCheck, [...(skipped.get(failedCheck) ?? []), name]);
      }
      for (const [cause, skippedNames] of skipped) {
        skippedCount += skippedNames.length;
        const message = `${skippedNames.join(', ')}: ${cause} failed.`;
        print(SKIPPED, { status: 'warn', message, remedy: undefined });
      }
    }
  } finally {
    clearInterval(progress);
    for (const group of groups) await group.close?.();
  }
  return { results, skippedCount };
}

/** Never rejects. */
async function runInTime(check: Check, limitMs: number): Promise<Finding> {
  try {
    const found = await waitAtMost(check.run(), limitMs);
    if (found !== TIMED_OUT) return found;
    return fail(
      `The check did not finish within ${limitMs / 1000} s.`,
      'Check the network of this machine (egress, DNS, a proxy), or allow more time with --timeout.',
    );
  } catch (error) {
    return findingOf(error);
  }
}

/** The message of an unexpected error is not printed: it may contain anything, even a secret. */
function findingOf(error: unknown): Finding {
  const isExpected = error instanceof TelephonyHookError || error instanceof CommandError;
  if (isExpected) return fail(error.message, error.remedy ?? `Its code is ${error.code}.`);
  const name = error instanceof Error ? error.name : typeof error;
  return fail(`The check itself failed (${name}).`, 'Please report this as a fault of okta-telephony-hook.');
}
