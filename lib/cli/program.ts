import { createRequire } from 'node:module';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Time } from '../okta/admin/administration.js';
import type { Command, Signals } from './command.js';
import { CommandError, tellFailure, type ExitCode } from './failure.js';
import { demo } from './demo/demo.js';
import { doctor } from './doctor/doctor.js';
import { Variables, withFile } from './environment.js';
import { preview } from './preview/preview.js';
import { setupAttribute } from './setup/attribute.js';
import { setupEventHook } from './setup/event-hook.js';
import { setupHook } from './setup/hook.js';
import { Terminal, type Streams } from './terminal.js';

/** What the program runs in. */
export interface ProgramContext {
  /** The words after the program's own. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly streams: Streams;
  readonly time: Time;
  readonly signals: Signals;
}

const PROGRAM = 'okta-telephony-hook';
const COMMANDS: readonly Command[] = [setupAttribute, setupHook, setupEventHook, doctor, preview, demo];

const COMMON_OPTIONS = {
  json: { type: 'boolean' },
  // Not --env-file: Node takes that for itself, wherever it stands, and ends where there is no such file.
  env: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const COMMON_HELP = `Every command:
  --json             one JSON text on standard output, everything else on standard error
  --env <file>       variables that the environment does not have, as lines of NAME=value
  -h, --help         this; with a command, the command's own

Environment: OKTA_ORG_URL, and OKTA_API_TOKEN or OKTA_CLIENT_ID, OKTA_PRIVATE_KEY and OKTA_KEY_ID of a service app.
Secrets come by the environment, by the file, or are asked for at a terminal; never as arguments.

Exit codes: 0 done, 1 it could not be done or was not wanted, 2 bad use.`;

/** Runs the program once. Never rejects. */
export async function runProgram({ args, env, streams, time, signals }: ProgramContext): Promise<ExitCode> {
  const terminal = new Terminal(streams, {
    isJson: args.includes('--json'),
    mayColour: (env['NO_COLOR'] ?? '') === '',
  });
  try {
    const command = COMMANDS.find(({ name }) => args.slice(0, name.split(' ').length).join(' ') === name);
    if (command === undefined) return answerWithout(args, terminal);
    const options = readOptions(command, args.slice(command.name.split(' ').length));
    if (options['help'] === true) {
      terminal.say(helpOf(command).split('\n'));
      return 0;
    }
    const file = options['env'];
    const { values, changed } = withFile(env, typeof file === 'string' ? file : undefined);
    const variables = new Variables(values, terminal, changed);
    return await command.run({ options, terminal, variables, time, signals });
  } catch (error) {
    const { exitCode, ...told } = tellFailure(error, terminal);
    terminal.json({ result: 'failed', error: told });
    return exitCode;
  }
}

/** Where no command is named that there is. */
function answerWithout(args: readonly string[], terminal: Terminal): ExitCode {
  const [first, ...others] = args;
  if (first === '--version' && others.length === 0) {
    terminal.say(versionOf());
    return 0;
  }
  const inner = COMMANDS.filter(({ name }) => name.startsWith(`${first ?? ''} `));
  const isHelp = args.some((word) => word === '--help' || word === '-h');
  if (isHelp) {
    terminal.say(overview(inner.length > 0 ? inner : COMMANDS).split('\n'));
    return 0;
  }
  const names = COMMANDS.map(({ name }) => name).join(', ');
  throw new CommandError(2, 'BAD_USE', `Name a command: ${names}.`, `${PROGRAM} --help says what each does.`);
}

/** What was given may be a secret that was meant for the environment: only the names of options are told. */
function readOptions(command: Command, words: readonly string[]): Readonly<Record<string, unknown>> {
  const options: NonNullable<ParseArgsConfig['options']> = { ...command.options, ...COMMON_OPTIONS };
  try {
    return parseArgs({ args: [...words], options, strict: true }).values;
  } catch (error) {
    const { tokens } = parseArgs({ args: [...words], options, strict: false, tokens: true });
    const unknown = tokens.flatMap((token) =>
      token.kind === 'option' && !Object.hasOwn(options, token.name) ? [token.rawName] : [],
    );
    const isOption =
      error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
    const isValue =
      error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
    const what = isOption
      ? `There is no option ${unknown.join(', ')}.`
      : isValue
        ? 'An option has no value, or one that it does not take.'
        : 'It takes no words beside its options.';
    throw new CommandError(
      2,
      'BAD_USE',
      `${command.name}: ${what}`,
      `${PROGRAM} ${command.name} --help says what there is.`,
    );
  }
}

function helpOf(command: Command): string {
  return `${PROGRAM} ${command.name}: ${command.summary}\n\n${command.help}\n\n${COMMON_HELP}`;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  // Of the examples in each command's own help the first one.
  const examples = commands.flatMap(
    ({ help, name }) => help.split('\n').find((line) => line.startsWith(`  ${PROGRAM} ${name}`)) ?? [],
  );
  const example = `Examples:\n${examples.join('\n')}\n  ${PROGRAM} ${commands[0]?.name ?? ''} --help`;
  return `${PROGRAM} <command> [options]\n\n${lines.join('\n')}\n\n${example}\n\n${COMMON_HELP}`;
}

function versionOf(): string {
  const { version } = createRequire(import.meta.url)('okta-telephony-hook/package.json') as {
    version: string;
  };
  return version;
}
