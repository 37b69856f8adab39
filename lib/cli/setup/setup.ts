import type { Setup, SetupPlan } from '../../okta/admin/setup-plan.js';
import { applySetup, type SetupReport } from './apply-setup.js';
import { printNextSteps, type CommandCall } from '../command.js';
import { reportFailure, type ExitCode } from '../failure.js';
import { withOrg, type Access, type Org } from '../org.js';

/** The option that all setup commands share. */
export const SETUP_OPTIONS = { yes: { type: 'boolean', short: 'y' } } as const;

/** The parts in which setup commands differ. */
interface SetupCommand {
  /** What is set up, for the last line: `The attribute whatsAppOptIn`. */
  readonly subject: string;
  readonly access: Access;
  make(org: Org): {
    readonly setup: Setup;
    /** A check before the first change; see `applySetup`. */
    readonly check?: (plan: SetupPlan) => Promise<readonly string[]>;
  };
  /** Reads warnings about the org that do not concern the changes. */
  readWarnings?(org: Org): Promise<readonly string[]>;
  /** The next steps for the user. */
  next(result: SetupReport['result']): readonly string[];
}

/**
 * Runs a setup command: shows the changes, asks, makes them, and reports them.
 *
 * @param read - reads the variables, and returns what to set up.
 */
export async function runSetup(
  { options, terminal, variables, time }: CommandCall,
  name: string,
  read: () => Promise<SetupCommand>,
): Promise<ExitCode> {
  let report: SetupReport = { command: name, org: '', result: 'unchanged', done: [], warnings: [], next: [] };
  try {
    const credential = await variables.okta();
    const command = await read();
    variables.require();
    await withOrg({ credential, access: command.access, terminal, time }, async (org) => {
      report = { ...report, org: org.host };
      terminal.say(`Okta org ${org.host}`);
      const { setup, check } = command.make(org);
      const readWarnings = () => command.readWarnings?.(org) ?? Promise.resolve([]);
      await applySetup(setup, report, {
        terminal,
        time,
        isSure: options['yes'] === true,
        check,
        readWarnings,
      });
    });
    if (report.result === 'unchanged') {
      terminal.say(`✔ ${command.subject} is up to date. Nothing was changed.`, 'green');
    }
    if (report.result !== 'declined') report.next.push(...command.next(report.result));
    printNextSteps(report.next, terminal);
    terminal.json(report);
    return report.result === 'declined' ? 1 : 0;
  } catch (error) {
    const { exitCode, ...failure } = reportFailure(error, terminal);
    terminal.json({ ...report, result: 'failed', error: failure });
    return exitCode;
  }
}
