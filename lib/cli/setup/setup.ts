import type { Setup, SetupPlan } from '../../okta/admin/setup-plan.js';
import { applySetup, type SetupReport } from './apply-setup.js';
import { sayNext, type CommandCall } from '../command.js';
import { CommandError, tellFailure, type ExitCode } from '../failure.js';
import { withOrg, type Access, type Org } from '../org.js';

/** The options that every setup has, beside those that every command has. */
export const SETUP_OPTIONS = { yes: { type: 'boolean', short: 'y' } } as const;

/** What one of the setups is, beside what all do alike. */
interface SetupCommand {
  /** What it is about, for the last line: `The attribute whatsAppOptIn`. */
  readonly subject: string;
  readonly access: Access;
  make(org: Org): {
    readonly setup: Setup;
    /** What is to be known before anything is changed; see `applySetup`. */
    readonly check?: (plan: SetupPlan) => Promise<readonly string[]>;
  };
  /** Warnings that have nothing to do with what is changed. */
  lookAround?(org: Org): Promise<readonly string[]>;
  next(result: SetupReport['result']): readonly string[];
}

/**
 * Runs one of the setups: what is to be done is shown, asked for, done and told.
 *
 * @param read - reads the variables, and says what is to be set up by them.
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
      for (const warning of (await command.lookAround?.(org)) ?? []) {
        report.warnings.push(warning);
        terminal.note(`! ${warning}`, 'yellow');
      }
      await applySetup(setup, report, { terminal, time, isSure: options['yes'] === true, check });
    });
    if (report.result === 'unchanged') {
      terminal.say(`✔ ${command.subject} is as it should be; nothing was changed.`, 'green');
    }
    if (report.result !== 'declined') report.next.push(...command.next(report.result));
    sayNext(report.next, terminal);
    terminal.json(report);
    return report.result === 'declined' ? 1 : 0;
  } catch (error) {
    const { exitCode, ...told } = tellFailure(error, terminal);
    terminal.json({ ...report, result: 'failed', error: told });
    return exitCode;
  }
}

/** An option that has a text, where it was given. */
export function textOption(options: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @throws CommandError for what is no name of a header. */
export function headerOption(options: Readonly<Record<string, unknown>>): string | undefined {
  const name = textOption(options, 'header');
  if (name === undefined || /^[\w-]+$/.test(name)) return name;
  throw new CommandError(2, 'BAD_USE', '--header takes the name of an HTTP header, and nothing else.');
}
