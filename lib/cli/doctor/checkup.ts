import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import { TelephonyHookError } from '../../core/errors.js';
import { CommandError } from '../failure.js';
import { fail, type Check, type CheckGroup, type Finding } from './finding.js';
import type { Terminal } from '../terminal.js';

/** Runs checks side by side, and prints them in their order. */

/** A finding with the name of its check, as programs are told it. */
export interface CheckResult {
  readonly check: string;
  readonly status: Finding['status'];
  readonly message: string;
  /** `null` where there is nothing to do. */
  readonly remedy: string | null;
}

/** Whoever waits longer is told for what. */
const TELL_AFTER_MS = 2_000;

const STYLE = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
const SYMBOL = { ok: '✔', warn: '!', fail: '✘' } as const;
const WORD = { ok: 'ok  ', warn: 'warn', fail: 'fail' } as const;

/**
 * Looks at everything at once; a check that hangs holds no other, and is told when its time is over. Each line is
 * printed as soon as those before it are.
 */
export async function runCheckup(
  groups: readonly CheckGroup[],
  { terminal, limitMs }: { readonly terminal: Terminal; readonly limitMs: number },
): Promise<readonly CheckResult[]> {
  const waiting = new Set<string>();
  const begun = groups.map(({ title, checks }) => ({
    title,
    running: checks.map((check) => {
      waiting.add(check.name);
      const finding = lookInTime(check, limitMs).finally(() => waiting.delete(check.name));
      return { name: check.name, finding };
    }),
  }));
  const teller = setInterval(() => {
    terminal.note(`… still looking at ${[...waiting].join(', ')}`, 'dim');
  }, TELL_AFTER_MS);
  const results: CheckResult[] = [];
  try {
    const width = Math.max(0, ...begun.flatMap(({ running }) => running.map(({ name }) => name.length)));
    for (const [index, { title, running }] of begun.entries()) {
      terminal.say(index === 0 ? title : ['', title], 'bold');
      for (const { name, finding } of running) {
        const { status, message, remedy } = await finding;
        const mark = terminal.hasSymbols ? SYMBOL[status] : WORD[status];
        terminal.say(`${mark} ${name.padEnd(width)}  ${message}`, STYLE[status]);
        if (remedy !== undefined) terminal.say(`${' '.repeat(mark.length + width + 3)}${remedy}`);
        results.push({ check: name, status, message, remedy: remedy ?? null });
      }
    }
  } finally {
    clearInterval(teller);
    for (const group of groups) await group.close?.();
  }
  return results;
}

/** Never rejects. */
async function lookInTime(check: Check, limitMs: number): Promise<Finding> {
  try {
    const found = await waitAtMost(check.look(), limitMs);
    if (found !== TIMED_OUT) return found;
    return fail(
      `Nothing was found out within ${limitMs / 1000} s.`,
      'See that this machine reaches what is looked at (egress, DNS, a proxy); --timeout gives it more time.',
    );
  } catch (error) {
    return findingOf(error);
  }
}

/** Of what nobody foresaw the name is told only: its words may hold anything. */
function findingOf(error: unknown): Finding {
  const isOurs = error instanceof TelephonyHookError || error instanceof CommandError;
  if (isOurs) return fail(error.message, error.remedy ?? `Its code is ${error.code}.`);
  const name = error instanceof Error ? error.name : typeof error;
  return fail(
    `The check itself has failed (${name}).`,
    'Please report this as a fault of okta-telephony-hook.',
  );
}
