import type { Setup } from '../../okta/admin/setup-plan.js';
import { applySetup, type SetupChecks, type SetupReport } from './apply-setup.js';
import { printNextSteps, type CommandCall } from '../command.js';
import type { ExitCode } from '../failure.js';
import { withOrg, type Access, type Org } from '../org.js';

/** The parts in which setup commands differ. */
interface SetupCommand {
  /** What is set up, for the last line: `The attribute whatsAppOptIn`. */
  readonly subject: string;
  readonly access: Access;
  make(org: Org): SetupChecks & { readonly setup: Setup };
  readonly next: readonly string[];
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
    const { setup, ...checks } = command.make(org);
    await applySetup(setup, report, { terminal, time, isSure: options['yes'] === true, ...checks });
  });
  if (report.result === 'unchanged') {
    terminal.say(`✔ ${command.subject} is up to date. Nothing was changed.`, 'green');
  }
  if (report.result !== 'declined') report.next.push(...command.next);
  printNextSteps(report.next, terminal);
  terminal.json(report);
  return report.result === 'declined' ? 1 : 0;
}
