import { isPassing, type Time } from '../admin/administration.js';
import type { SetupPlan, SetupStep } from '../admin/setup-plan.js';
import { OktaApiError } from '../../core/errors.js';
import { confirm, printNextSteps, type CommandCall } from '../command.js';
import { CommandError, type ExitCode } from '../failure.js';
import { withOrg, type Access, type Org } from '../org.js';
import type { Terminal } from '../terminal.js';

/** The parts in which setup commands differ. */
interface SetupCommand {
  /** What is set up, for the last line: `The attribute whatsAppOptIn`. */
  readonly subject: string;
  readonly access: Access;
  make(org: Org): Setup;
  readonly next: readonly string[];
  /** A sentence about what Okta does not show, if nothing was changed. */
  readonly unseen?: string | undefined;
}

/**
 * Runs a setup command: shows the changes, asks, makes them, and reports them.
 *
 * @param read - reads the variables, and returns what to set up.
 */
export async function runSetup(
  call: CommandCall,
  name: string,
  read: () => Promise<SetupCommand>,
): Promise<ExitCode> {
  const { options, terminal, variables, time } = call;
  const empty: SetupReport = {
    command: name,
    org: '',
    result: 'unchanged',
    done: [],
    warnings: [],
    next: [],
  };
  const report = Object.assign(call.report, empty);
  const credential = await variables.okta();
  const command = await read();
  variables.require();
  await withOrg({ credential, access: command.access, terminal, time }, async (org) => {
    report.org = org.host;
    terminal.say(`Okta org ${org.host}`);
    await applySetup(command.make(org), report, { terminal, time, isSure: options['yes'] === true });
  });
  if (report.result === 'unchanged') {
    terminal.say(`✔ ${command.subject} is up to date. Nothing was changed.`, 'green');
    if (command.unseen !== undefined) terminal.say(`  ${command.unseen}`);
  }
  if (report.result !== 'declined') report.next.push(...command.next);
  printNextSteps(report.next, terminal);
  terminal.json(report);
  return report.result === 'declined' ? 1 : 0;
}

/** The result of a setup, for programs. It is filled step by step, so that a failure also reports what was done before. */
export interface SetupReport {
  readonly command: string;
  org: string;
  result: 'unchanged' | 'changed' | 'declined' | 'failed';
  /** The changes that were made, in order. */
  readonly done: Pick<SetupStep, 'does' | 'changes'>[];
  /** The id at Okta of what was set up; `undefined` if it has none. */
  id?: string | undefined;
  readonly warnings: string[];
  readonly next: string[];
}

/** A resource of the org that can be brought up to date. */
interface Setup {
  /** Reads the org's current state each time. @throws OktaApiError */
  readonly plan: () => Promise<SetupPlan>;
  /** Returns warnings. Runs before the first plan with steps is shown. An error ends the setup. */
  readonly check?: ((plan: SetupPlan) => Promise<readonly string[]>) | undefined;
  /** Returns warnings. Runs after the first plan: a credential that Okta refuses is reported before anything else. */
  readonly readWarnings?: () => Promise<readonly string[]>;
}

/** Schema changes usually take seconds. terraform-provider-okta waits up to two minutes. */
const MAX_WAIT_MS = 60_000;
const CHECK_AGAIN_MS = 2_000;
/** A setup has at most three steps. The limit ends a contest with another program that undoes each change. */
const MAX_STEPS = 12;

/**
 * Shows the plan, asks, makes the changes step by step, and reads the plan again after each step. If somebody else changes
 * the org meanwhile, it shows the new plan and asks again.
 * @throws CommandError, OktaApiError
 */
export async function applySetup(
  setup: Setup,
  report: SetupReport,
  { terminal, time, isSure }: Pick<CommandCall, 'terminal' | 'time'> & { readonly isSure: boolean },
): Promise<void> {
  const approved = new Set<string>();
  const patience = createRetryWindow(time, terminal);
  const warn = (warnings: readonly string[]): void => {
    for (const warning of warnings.filter((one) => !report.warnings.includes(one))) {
      report.warnings.push(warning);
      terminal.note(`! ${warning}`, 'yellow');
    }
  };
  let last: string | undefined;
  let isFirst = true;
  // A step without an answer: Okta may have made the change. The next plan shows it.
  let uncertain: SetupStep | undefined;
  const noteDone = (step: SetupStep): void => {
    report.done.push({ does: step.does, changes: step.changes });
    terminal.say(`✔ ${step.does}: done`, 'green');
  };

  for (let count = 0; count < MAX_STEPS;) {
    const plan = await setup.plan();
    report.id = plan.id;
    if (isFirst) warn((await setup.readWarnings?.()) ?? []);
    isFirst = false;
    if (plan.obstacle !== undefined) {
      throw new CommandError('IN_THE_WAY', plan.obstacle.message, plan.obstacle.remedy);
    }
    const [step] = plan.steps;
    warn(plan.warnings);
    const keys = plan.steps.map(keyOf);
    if (uncertain !== undefined && !keys.includes(keyOf(uncertain))) noteDone(uncertain);
    uncertain = undefined;
    if (step === undefined) {
      if (report.done.length > 0) report.result = 'changed';
      return;
    }
    if (keyOf(step) === last) {
      await patience.wait('Okta does not show the change yet');
      continue;
    }
    if (!keys.every((key) => approved.has(key))) {
      if (approved.size === 0) warn((await setup.check?.(plan)) ?? []);
      else terminal.say('Somebody else has changed it in the meantime.', 'yellow');
      showPlan(plan, terminal);
      for (const key of keys) approved.add(key);
      if (!isSure) {
        if (!(await confirm(terminal, 'Go on?', 'Nothing was changed'))) {
          report.result = 'declined';
          terminal.say('Nothing was changed.');
          return;
        }
        // Somebody may have changed the org before the user answered.
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
        uncertain = step;
        // The time limits this wait, not the number of steps.
        await patience.wait('Okta cannot make the change at the moment', error);
        continue;
      }
      if (!(await hasChanged(error, plan, setup))) throw error;
    }
    count += 1;
  }
  throw new CommandError(
    'CHANGED_MEANWHILE',
    'Somebody else changes it at the same time.',
    'Find out who or what changes it (Okta: Reports > System Log), and run this again.',
  );
}

/** Whether Okta refused because somebody else has just changed the org. Then the setup continues with the new plan. */
async function hasChanged(error: unknown, before: SetupPlan, setup: Setup): Promise<boolean> {
  const isRefusal =
    error instanceof OktaApiError && error.code !== 'OKTA_UNAUTHORIZED' && error.status !== 429;
  if (!isRefusal || error.status === undefined) return false;
  const now = await setup.plan();
  return now.obstacle !== undefined || now.steps.map(keyOf).join('\n') !== before.steps.map(keyOf).join('\n');
}

/** Waits between retries, for a minute in total since the last success. */
function createRetryWindow(time: Time, terminal: Terminal) {
  let since: number | undefined;
  return {
    renew: (): void => {
      since = undefined;
    },
    /** @throws Error after the minute: `error` if given, else that the change is not visible. */
    wait: async (reason: string, error?: unknown): Promise<void> => {
      const now = time.now();
      since ??= now;
      const waitedMs = now - since;
      if (waitedMs >= MAX_WAIT_MS) {
        if (error instanceof Error) throw error;
        throw new CommandError(
          'NOT_SHOWN',
          `Okta accepted the change, but does not show it after ${MAX_WAIT_MS / 1000} s.`,
          'Run this again in a few minutes: it changes only what is not up to date.',
        );
      }
      terminal.note(`… ${reason}: trying again for ${(MAX_WAIT_MS - waitedMs) / 1000} s`, 'dim');
      await time.sleep(CHECK_AGAIN_MS);
    },
  };
}

function showPlan({ steps }: SetupPlan, terminal: Terminal): void {
  for (const { does, changes } of steps) {
    terminal.say(does, 'bold');
    terminal.sayTable(
      changes.map(({ field, from, to }) => [field, from === undefined ? to : `${from} -> ${to}`]),
    );
  }
}

function keyOf({ does, changes }: SetupStep): string {
  return JSON.stringify([does, changes]);
}
