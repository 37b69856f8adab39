import { isPassing, type Time } from '../../okta/admin/administration.js';
import type { Setup, SetupPlan, SetupStep } from '../../okta/admin/setup-plan.js';
import { OktaApiError } from '../../core/errors.js';
import { CommandError } from '../failure.js';
import type { Terminal } from '../terminal.js';

/** What a setup came to, for programs: filled as it goes on, so that what was done before a failure is told. */
export interface SetupReport {
  readonly command: string;
  /** The org's host. */
  readonly org: string;
  result: 'unchanged' | 'changed' | 'declined' | 'failed';
  /** What was done, in order. */
  readonly done: Pick<SetupStep, 'does' | 'changes'>[];
  /** The id that the thing has at Okta, where it has one. */
  id?: string | undefined;
  readonly warnings: string[];
  /** What comes next. */
  readonly next: string[];
}

/** Schema changes, and the end of another one, take seconds as a rule; terraform-provider-okta waits for two minutes. */
const PATIENCE_MS = 60_000;
const LOOK_AGAIN_MS = 2_000;
/** A setup has three steps at most; somebody who changes it back each time is not fought. */
const MAX_STEPS = 12;

/**
 * Shows what has to be done, asks, does it step by step, and looks after each step whether it shows. Whatever
 * somebody else changed meanwhile is looked at, and asked about, anew.
 *
 * @param parts.check - before anything is shown that has steps: what it finds is warned of, and what it throws ends it.
 * @throws CommandError, OktaApiError
 */
export async function applySetup(
  setup: Setup,
  report: SetupReport,
  parts: {
    readonly terminal: Terminal;
    readonly time: Time;
    readonly isSure: boolean;
    readonly check?: ((plan: SetupPlan) => Promise<readonly string[]>) | undefined;
  },
): Promise<void> {
  const { terminal, time, isSure } = parts;
  const approved = new Set<string>();
  const patience = new RetryWindow(time, terminal);
  const warn = (warnings: readonly string[]): void => {
    for (const warning of warnings.filter((one) => !report.warnings.includes(one))) {
      report.warnings.push(warning);
      terminal.note(`! ${warning}`, 'yellow');
    }
  };
  let last: string | undefined;
  // Of which nobody knows whether Okta did it.
  let unsure: SetupStep | undefined;
  const noteDone = (step: SetupStep): void => {
    report.done.push({ does: step.does, changes: step.changes });
    terminal.say(`✔ ${step.does}: done`, 'green');
  };

  for (let count = 0; count < MAX_STEPS;) {
    const plan = await setup.plan();
    report.id = plan.id;
    if (plan.obstacle !== undefined) {
      throw new CommandError(1, 'IN_THE_WAY', plan.obstacle.message, plan.obstacle.remedy);
    }
    const [step] = plan.steps;
    warn(plan.warnings);
    const keys = plan.steps.map(keyOf);
    if (unsure !== undefined && !keys.includes(keyOf(unsure))) noteDone(unsure);
    unsure = undefined;
    if (step === undefined) {
      if (report.done.length > 0) report.result = 'changed';
      return;
    }
    if (keyOf(step) === last) {
      await patience.wait('Okta does not show the change yet');
      continue;
    }
    if (!keys.every((key) => approved.has(key))) {
      if (approved.size === 0) warn((await parts.check?.(plan)) ?? []);
      else terminal.say('Somebody else has changed it meanwhile.', 'yellow');
      showPlan(plan, terminal);
      for (const key of keys) approved.add(key);
      if (!isSure) {
        if (!(await isAgreed(terminal))) {
          report.result = 'declined';
          terminal.say('Nothing was changed.');
          return;
        }
        // While the question stood, somebody may have changed it.
        continue;
      }
    }
    try {
      await step.run();
      noteDone(step);
      last = keyOf(step);
      patience.renew();
    } catch (error) {
      if (isPassing(error)) {
        unsure = step;
        // Bounded by its minute, not by the number of steps.
        await patience.wait('Okta cannot do it at this moment', error);
        continue;
      }
      if (!(await hasChanged(error, plan, setup))) throw error;
    }
    count += 1;
  }
  throw new CommandError(
    1,
    'CHANGED_MEANWHILE',
    'Somebody else changes it at the same time.',
    'Find out who or what does (Okta: Reports > System Log), and run this again.',
  );
}

/** Whether Okta refused for what somebody else has just done: then the way leads on from there. */
async function hasChanged(error: unknown, before: SetupPlan, setup: Setup): Promise<boolean> {
  const isRefusal =
    error instanceof OktaApiError && error.code !== 'OKTA_UNAUTHORIZED' && error.status !== 429;
  if (!isRefusal || error.status === undefined) return false;
  const now = await setup.plan();
  return now.obstacle !== undefined || now.steps.map(keyOf).join('\n') !== before.steps.map(keyOf).join('\n');
}

/** Waits now and then, for a minute in all, until something was done. */
class RetryWindow {
  readonly #time: Time;
  readonly #terminal: Terminal;
  #since: number | undefined;

  constructor(time: Time, terminal: Terminal) {
    this.#time = time;
    this.#terminal = terminal;
  }

  renew(): void {
    this.#since = undefined;
  }

  /** @throws Error: the one given, or that the change does not show, once the minute is over. */
  async wait(reason: string, error?: unknown): Promise<void> {
    const now = this.#time.now();
    this.#since ??= now;
    const waitedMs = now - this.#since;
    if (waitedMs >= PATIENCE_MS) {
      if (error instanceof Error) throw error;
      throw new CommandError(
        1,
        'NOT_SHOWN',
        `Okta took the change, and does not show it after ${PATIENCE_MS / 1000} s.`,
        'Run this again in a few minutes: it changes nothing that is as it should be.',
      );
    }
    this.#terminal.note(`… ${reason}: looking again for ${(PATIENCE_MS - waitedMs) / 1000} s`, 'dim');
    await this.#time.sleep(LOOK_AGAIN_MS);
  }
}

function showPlan({ steps }: SetupPlan, terminal: Terminal): void {
  for (const { does, changes } of steps) {
    terminal.say(does, 'bold');
    const width = Math.max(...changes.map(({ field }) => field.length));
    for (const { field, from, to } of changes) {
      terminal.say(`  ${field.padEnd(width)}  ${from === undefined ? to : `${from} -> ${to}`}`);
    }
  }
}

/** @throws CommandError where nobody is there to be asked. */
async function isAgreed(terminal: Terminal): Promise<boolean> {
  if (!terminal.isInteractive) {
    throw new CommandError(
      2,
      'NOBODY_TO_ASK',
      'Nothing was changed: this is no terminal, and nobody can be asked.',
      'Say yes to what is shown with --yes.',
    );
  }
  return terminal.confirm('Go on?');
}

function keyOf({ does, changes }: SetupStep): string {
  return JSON.stringify([does, changes]);
}
