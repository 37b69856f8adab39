import { parseArgs } from 'node:util';
import { nearestWord } from '../core/nearest-word.js';
import { VERSION } from '../core/version.js';
import type { Command, CommandCall, CommandOptions } from './command.js';
import { badUse, CommandError, reportFailure, type ExitCode } from './failure.js';
import { demo } from './demo/demo.js';
import { doctor } from './doctor/doctor.js';
import { Variables, withFile } from './environment.js';
import { init } from './init/init.js';
import { preview } from './preview/preview.js';
import { setupAttribute, setupEventHook, setupHook } from './setup/commands.js';
import { setupWhatsAppTemplate } from './setup/whatsapp-template.js';
import { Terminal, type Streams } from './terminal.js';

/** The parts of the process that the program uses, so that a test can replace them. */
export interface ProgramContext extends Pick<CommandCall, 'time' | 'signals'> {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly streams: Streams;
}

const PROGRAM = 'okta-telephony-hook';
/** Every command, in the order of `--help`. */
export const COMMANDS: readonly Command[] = [
  init,
  setupAttribute,
  setupHook,
  setupEventHook,
  setupWhatsAppTemplate,
  doctor,
  preview,
  demo,
];

const COMMON_OPTIONS = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
// Not --env-file: Node reads that option itself, wherever it stands, and exits if there is no such file.
const ENV_OPTION = { env: { type: 'string' } } as const;

function optionsOf({ options, hasVariables = true }: Command): CommandOptions {
  return { ...options, ...COMMON_OPTIONS, ...(hasVariables ? ENV_OPTION : {}) };
}

const commonHelp = (hasVariables: boolean, exitCodes = '0 done, 1 failed or declined, 2 bad use'): string =>
  [
    '  --json             print one JSON text on standard output, everything else on standard error',
    ...(hasVariables
      ? ['  --env <file>       read variables that the environment does not have from lines of NAME=value']
      : []),
    '  -h, --help         print this help, or with a command the help of that command; with --json as JSON',
    ...(hasVariables
      ? [
          '',
          'Environment: OKTA_ORG_URL, and OKTA_API_TOKEN or OKTA_CLIENT_ID, OKTA_PRIVATE_KEY and OKTA_KEY_ID of a service app.',
          'Secrets come from the environment or the file, or the program asks for them at a terminal. They are never arguments.',
        ]
      : []),
    '',
    `Exit codes: ${exitCodes}.`,
  ].join('\n');

/** Runs one command by the arguments. Never rejects: it prints a failure and returns its exit code. */
export async function runProgram({ args, env, streams, time, signals }: ProgramContext): Promise<ExitCode> {
  const terminal = new Terminal(streams, {
    isJson: args.includes('--json'),
    mayColour: (env['NO_COLOR'] ?? '') === '',
  });
  const report = {};
  try {
    const command = COMMANDS.find(({ name }) => args.slice(0, name.split(' ').length).join(' ') === name);
    if (command === undefined) return runWithoutCommand(args, terminal);
    const options = readOptions(command, args.slice(command.name.split(' ').length));
    if (options['help'] === true) {
      show(terminal, helpOf(command), { ...describeCommand(command), help: command.help });
      return 0;
    }
    const file = options['env'];
    const { values, changed } = withFile(env, typeof file === 'string' ? file : undefined);
    const variables = new Variables(values, terminal, changed);
    return await command.run({ options, terminal, variables, time, signals, report });
  } catch (error) {
    const { exitCode, ...failure } = reportFailure(error, terminal);
    terminal.json({ ...report, result: 'failed', error: failure });
    return exitCode;
  }
}

/** Prints a text, or with `--json` the same for programs. */
function show(terminal: Terminal, text: string, json: object): void {
  if (terminal.isJson) terminal.json(json);
  else terminal.say(text.split('\n'));
}

/** `--version`, `--help`, or arguments that begin with no command. */
function runWithoutCommand(args: readonly string[], terminal: Terminal): ExitCode {
  const words = args.filter((word) => word !== '--json');
  const [first] = words;
  if (first === '--version' && words.length === 1) {
    show(terminal, VERSION, { version: VERSION });
    return 0;
  }
  const inner = COMMANDS.filter(({ name }) => name.startsWith(`${first ?? ''} `));
  const isHelp = args.some((word) => word === '--help' || word === '-h');
  if (isHelp) {
    const shown = inner.length > 0 ? inner : COMMANDS;
    show(terminal, overview(shown), { version: VERSION, commands: shown.map(describeCommand) });
    return 0;
  }
  const names = COMMANDS.map(({ name }) => name).join(', ');
  const unknown = unknownCommand(args, inner.length > 0);
  throw new CommandError(
    'BAD_USE',
    unknown === undefined ? `Name a command: ${names}.` : `${unknown} The commands are ${names}.`,
    `${PROGRAM} --help describes each.`,
  );
}

/** What a word of a command looks like. Another word may be a secret, and is not repeated. */
const COMMAND_WORD = /^[a-z][a-z-]{0,19}$/i;

/**
 * The sentence about an unknown command, with the one that is meant; `undefined` if the arguments have none, as `setup` alone.
 * @param isGroup - whether the first word is that of several commands, such as `setup`.
 */
function unknownCommand(args: readonly string[], isGroup: boolean): string | undefined {
  const words = args.slice(0, isGroup ? 2 : 1);
  const word = words.at(-1) ?? '-';
  if (word.startsWith('-') || (isGroup && words.length === 1)) return undefined;
  if (!COMMAND_WORD.test(word)) return 'The first word is not a command.';
  const names = COMMANDS.map(({ name }) => name);
  const meant = nearestWord(args.slice(0, 2).join(' '), names) ?? nearestWord(word, names);
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  return `There is no command "${words.join(' ')}".${hint}`;
}

/** An error names unknown options, but repeats no value: it may be a secret that belongs into the environment. */
function readOptions(command: Command, words: readonly string[]): Readonly<Record<string, unknown>> {
  const options = optionsOf(command);
  let values: Readonly<Record<string, unknown>>;
  try {
    ({ values } = parseArgs({ args: [...words], options, strict: true }));
  } catch (error) {
    throw badUse(command.name, problemOf(error, words, options));
  }
  // An unset variable of a script, as in --phone "$PHONE". Without the option, the command may do something else.
  const empty = Object.keys(values).find((name) => values[name] === '');
  if (empty === undefined) return values;
  throw badUse(
    command.name,
    `The value of --${empty} is empty. If it is that of a variable, set the variable.`,
  );
}

function problemOf(error: unknown, words: readonly string[], options: CommandOptions): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const { tokens } = parseArgs({ args: [...words], options, strict: false, tokens: true });
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token] : []));
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const lacks = given.find(({ name, value }) => options[name]?.type === 'string' && value === undefined);
    if (lacks !== undefined) return `The option ${lacks.rawName} lacks its value.`;
    return 'An option lacks its value, or has a value that it does not take.';
  }
  if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return 'The command takes options only, and no other words.';
  const unknown = given.flatMap(({ name, rawName }) => (Object.hasOwn(options, name) ? [] : [rawName]));
  return `There is no option ${unknown.join(', ')}.${meantOption(unknown[0], options)}`;
}

/** A hint for a misspelt option; empty without one. */
function meantOption(rawName: string | undefined, options: object): string {
  const meant = nearestWord(rawName?.replace(/^-+/, '') ?? '', Object.keys(options));
  return meant === undefined ? '' : ` Did you mean --${meant}?`;
}

function helpOf(command: Command): string {
  const { name, summary, help, hasVariables = true, exitCodes } = command;
  return `${PROGRAM} ${name}: ${summary}\n\n${help}\n\nEvery command:\n${commonHelp(hasVariables, exitCodes)}`;
}

function describeCommand(command: Command): object {
  const { name, summary } = command;
  const options = Object.entries(optionsOf(command)).map(([option, { type, short }]) => ({
    option: `--${option}`,
    ...(short === undefined ? {} : { short: `-${short}` }),
    takesValue: type === 'string',
  }));
  return { command: name, summary, options };
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  // The first example in the help of each command.
  const examples = commands.flatMap(
    ({ help, name }) => help.split('\n').find((line) => line.startsWith(`  ${PROGRAM} ${name}`)) ?? [],
  );
  const example = `Examples:\n${examples.join('\n')}\n  ${PROGRAM} ${commands[0]?.name ?? ''} --help`;
  const version = '  --version          print the version';
  return `${PROGRAM} <command> [options]\n\n${lines.join('\n')}\n\n${example}\n\nOptions:\n${version}\n${commonHelp(true)}`;
}
