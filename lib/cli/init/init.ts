import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { nearestWord } from '../../core/nearest-word.js';
import { callbackPath } from '../../hook/ready-channels.js';
import { optionsFrom } from '../../options/environment.js';
import { hasWhatsAppSender } from '../../options/read-variables.js';
import { attempt } from '../../options/variable-reader.js';
import { OPTION_NAMES, VARIABLES } from '../../options/variables.js';
import { commandLine, flagOptions, printNextSteps, shellWord, textOption, textOptions } from '../command.js';
import type { Command, CommandCall } from '../command.js';
import { runCheckup } from '../doctor/checkup.js';
import type { CheckGroup } from '../doctor/finding.js';
import { badUse, CommandError, type ExitCode } from '../failure.js';
import type { Terminal } from '../terminal.js';
import { CHECK_MS, oktaChecks, providerChecks, variablesOf } from './checks.js';
import { ENV_FILE, makeEnvFile, makeGateway, requireAbsent, writeFiles } from './files.js';
import { PROVIDER_NAMES, PROVIDERS, type Provider, type ProviderName } from '../providers.js';
import { guardQuestion, OKTA_QUESTIONS, openQuestions, URL_QUESTION, type Question } from './questions.js';

export const init: Command = {
  name: 'init',
  summary: 'makes a gateway: asks for org, provider, URL and channels, checks them, and writes the files',
  help: `Asks for the Okta org, the public URL, the provider, the senders and your users' countries, and checks the answers with Okta
and the provider. Enter skips a question. Then it writes gateway.env, which only you can read, and gateway.mjs (gateway.ts
beside a tsconfig.json), and prints the next commands. It changes nothing at Okta or the provider, and sends nothing to a phone.
Without a terminal it asks nothing, and needs a provider. It leaves out other values that are not set by an option or a variable.

  --org <url>        the Okta org
  --url <url>        the public URL of the hook
  --provider <name>  ${PROVIDER_NAMES.join(', ')}
  --channels <list>  the channels with commas between them: sms, voice, whatsapp
  --out <folder>     where the files go (the current folder); it is made if it is missing
  --force            replace files that are there; the old gateway.env is kept as gateway.env.bak
  --skip-check       do not check the answers with Okta and the provider

Environment: the variables of gateway.env, such as OKTA_API_TOKEN or TWILIO_API_KEY_SECRET. HOOK_SECRET is generated if missing.

  okta-telephony-hook init
  okta-telephony-hook init --org acme.okta.com --url https://id.acme.com --provider twilio --channels sms,voice`,
  options: {
    ...textOptions('org', 'url', 'provider', 'channels', 'out'),
    ...flagOptions('force', 'skip-check'),
  },
  run: runInit,
};

/** The port of the gateway's own metrics, on loopback: the usual one of Prometheus exporters for applications. */
const METRICS_PORT = '9464';

async function runInit(call: CommandCall): Promise<ExitCode> {
  const { options, terminal, variables } = call;
  const folder = textOption(options, 'out') ?? '.';
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new CommandError(
      'BAD_USE',
      `init: ${folder} is not a folder, and nothing was written.`,
      'Name another one with --out.',
    );
  }
  const isForced = options['force'] === true;
  const gateway = existsSync(join(folder, 'tsconfig.json')) ? 'gateway.ts' : 'gateway.mjs';
  requireAbsent(folder, [ENV_FILE, gateway], isForced);
  variables.set('OKTA_ORG_URL', textOption(options, 'org') ?? variables.valueOf('OKTA_ORG_URL') ?? '');
  variables.set('PUBLIC_URL', textOption(options, 'url') ?? variables.valueOf('PUBLIC_URL') ?? '');

  await answer(call, OKTA_QUESTIONS, () => oktaChecks(call));
  await answer(call, [URL_QUESTION], () => undefined);
  const provider = await chooseProvider(call);
  const channels = provider === undefined ? [] : await chooseChannels(provider, call);
  const ofProvider = provider === undefined ? [] : providerQuestions(PROVIDERS[provider], channels);
  if (provider !== undefined) await answer(call, ofProvider, () => providerChecks(provider, variables));
  const guard = provider === undefined ? [] : [guardQuestion(variables)];
  await answer(call, guard, () => undefined);

  const isSecretNew = !variables.hasAny('HOOK_SECRET', 'HOOK_OAUTH_ISSUER');
  if (isSecretNew) {
    const secret = randomBytes(32).toString('hex');
    terminal.hide(secret);
    variables.set('HOOK_SECRET', secret);
  }
  const set = OPTION_NAMES.filter((name) => variables.hasAny(name));
  const values = Object.fromEntries(set.map((name) => [name, variables.valueOf(name) ?? '']));
  const missing = openQuestions([...OKTA_QUESTIONS, URL_QUESTION, ...ofProvider, ...guard], variables);
  const envFile = makeEnvFile({ ...values, METRICS_PORT }, missing);
  const files = [envFile, makeGateway(gateway, values['PUBLIC_URL'])];
  // The gateway goes first: if it cannot be written, there is no new gateway.env.
  const kept = writeFiles(folder, files.toReversed(), isForced);
  const { problems } = attempt(() => optionsFrom(values));
  for (const { name } of files) terminal.say(`✔ ${name} is written.`, 'green');
  if (kept !== undefined)
    terminal.note(`! The old gateway.env is kept as ${kept}: keep it out of version control.`, 'yellow');
  if (isSecretNew) {
    const line = envFile.text.split('\n').findIndex((text) => text.startsWith('HOOK_SECRET=')) + 1;
    const rotate = kept === undefined ? '' : ', with --rotate if Okta has the hooks already';
    terminal.note(
      `! HOOK_SECRET is new: line ${line} of ${ENV_FILE}. The setup commands below give it to Okta${rotate}.`,
      'yellow',
    );
  }
  const { webhook }: Partial<Provider> = provider === undefined ? {} : PROVIDERS[provider];
  if (webhook !== undefined && values['PUBLIC_URL'] !== undefined) {
    const url = values['PUBLIC_URL'] + callbackPath(webhook.channel, 0);
    terminal.note(`! ${webhook.place} ${url}.`, 'yellow');
  }
  for (const problem of problems) terminal.note(`! Before it starts: ${problem}.`, 'yellow');
  const hasOptIn = channels.includes('whatsapp') || hasWhatsAppSender(variables);
  const setups = [
    ...(hasOptIn ? ['setup attribute'] : []),
    'setup hook',
    // With OAuth alone, the gateway has no event hook.
    ...(variables.hasAny('HOOK_SECRET') ? ['setup event-hook'] : []),
  ];
  const next = nextCommands(gateway, folder, setups);
  printNextSteps(next, terminal);
  terminal.json({ command: 'init', files: files.map(({ name }) => name), kept, problems, next });
  return 0;
}

function nextCommands(gateway: string, folder: string, setups: readonly string[]): readonly string[] {
  const enter = folder === '.' ? '' : `cd ${shellWord(folder)} && `;
  const call = { options: { env: ENV_FILE } };
  // `npx tsx` would end at SIGTERM, before the gateway has drained.
  const [tsx, loader] = gateway.endsWith('.ts') ? [' tsx', '--import tsx '] : ['', ''];
  return [
    `${enter}npm install --prefix . okta-telephony-hook express prom-client${tsx} && node --env-file=${ENV_FILE} ${loader}${gateway}`,
    ...setups.map((setup) => `OKTA_API_TOKEN=<an administrator's> ${commandLine(call, setup)}`),
    commandLine(call, 'doctor'),
  ];
}

/**
 * Asks the questions that no variable answers, and checks the answers. At a terminal it asks again for those that may be wrong.
 * @throws CommandError for a wrong answer without a terminal, or if none of the questions is about it.
 */
async function answer(
  call: CommandCall,
  questions: readonly Question[],
  makeChecks: () => CheckGroup | undefined,
): Promise<void> {
  const { options, terminal, variables } = call;
  let asked = questions;
  let before: Readonly<Partial<Record<string, string>>> = {};
  for (;;) {
    for (const question of asked) await ask(call, question, before[question.name]);
    const checks = makeChecks();
    // A question may be skipped, so a missing variable is no problem here.
    const problems = variables.takeProblems().filter((problem) => !/ (?:is|are) missing\b/.test(problem));
    // If every answer is kept, the person knows better.
    const isKept =
      asked !== questions &&
      asked.every(({ name }) => before[name] !== undefined && variables.valueOf(name) === before[name]);
    const isChecked =
      problems.length === 0 && !isKept && checks !== undefined && options['skip-check'] !== true;
    const results = isChecked ? (await runCheckup([checks], { terminal, limitMs: CHECK_MS })).results : [];
    const failed = results.filter(({ status }) => status === 'fail').map(({ check }) => check);
    if (problems.length === 0 && failed.length === 0) return;
    const wrong = failed.flatMap((check) => variablesOf(check, variables));
    const doubtful = questions.filter(
      ({ name }) => wrong.includes(name) || problems.some((problem) => problem.split(/\W/).includes(name)),
    );
    // Those that are set: a question that another variable answers is not asked, and changes nothing.
    if (!terminal.isInteractive || !doubtful.some(({ name }) => variables.hasAny(name)))
      throw wrongAnswer(problems, failed);
    // A check may fail although the answer is right. It cannot be kept if its form is wrong, or if a check failed that is about none
    // of the answers.
    const mayBeKept =
      problems.length === 0 && failed.every((check) => variablesOf(check, variables).length > 0);
    before = mayBeKept ? Object.fromEntries(doubtful.map(({ name }) => [name, variables.valueOf(name)])) : {};
    for (const { name } of doubtful) variables.set(name, '');
    asked = openQuestions(doubtful, variables);
    if (asked.length === 0) throw wrongAnswer(problems, failed);
    const again = `Answer again: ${asked.map(({ name }) => name).join(', ')}.`;
    terminal.note([...problems.map((problem) => `✘ ${problem}`), again], 'red');
  }
}

/**
 * Asks a question if no variable answers it, and at a terminal again until the answer has the right form. Without a terminal
 * the problems stay with the variables.
 *
 * @param before - the answer that failed a check. Enter keeps it, because the check may be wrong.
 */
async function ask({ terminal, variables }: CommandCall, question: Question, before?: string): Promise<void> {
  const { name, what, preset, form, hint, complete } = question;
  const isSecret = VARIABLES[name].secretsIn !== undefined;
  const takes = preset === undefined ? 'skips it' : `takes ${preset}`;
  const keeps = `keeps ${isSecret ? 'the answer' : String(before)}, - skips it`;
  const text = `${name} (${what}; Enter ${before === undefined ? takes : keeps})`;
  let isOpen = openQuestions([question], variables).length > 0;
  for (;;) {
    if (isOpen && terminal.isInteractive) {
      const typed = isSecret ? terminal.askSecret(text) : terminal.askText(text);
      const answered = requireAnswer(await typed) || (before ?? preset ?? '');
      variables.set(name, answered === '-' && before !== undefined ? '' : answered);
    }
    const value = variables.valueOf(name);
    if (value !== undefined && form?.test(value) === false) {
      variables.complain(`${name} must be ${what}${hint === undefined ? '' : `. ${hint}`}`);
    } else {
      if (value !== undefined && complete !== undefined) variables.set(name, complete(value));
      variables.read(name);
    }
    if (!terminal.isInteractive || !variables.hasProblems()) return;
    terminal.note(
      variables.takeProblems().map((problem) => `✘ ${problem}`),
      'red',
    );
    variables.set(name, '');
    isOpen = true;
  }
}

/** @throws CommandError if the input has ended, or after Ctrl-C: half of the answers make no gateway. */
function requireAnswer(typed: string | undefined): string {
  if (typed !== undefined) return typed;
  throw new CommandError(
    'NOBODY_TO_ASK',
    'Nothing was written, because the input ended or was interrupted before the last question.',
    'Start again, or give the answers as options and variables.',
  );
}

function wrongAnswer(problems: readonly string[], failed: readonly string[]): CommandError {
  if (problems.length > 0) {
    const lines = problems.map((problem) => `- ${problem}`);
    return new CommandError('BAD_ENVIRONMENT', ['Nothing was written:', ...lines]);
  }
  return new CommandError(
    'CHECK_FAILED',
    `Nothing was written, because ${failed.join(' and ')} failed.`,
    'Correct the variable. If you are sure that it is right, use --skip-check.',
  );
}

/** The provider of `--provider`, of the variables, or of the answer. `undefined`: skipped. */
async function chooseProvider(call: CommandCall): Promise<ProviderName | undefined> {
  const { options, terminal, variables } = call;
  const list = PROVIDER_NAMES.join(', ');
  const used = PROVIDER_NAMES.find((provider) =>
    variables.hasAny(...PROVIDERS[provider].credential.map(({ name }) => name)),
  );
  const given = textOption(options, 'provider') ?? used;
  if (given === undefined && !terminal.isInteractive) {
    throw new CommandError(
      'NOBODY_TO_ASK',
      'Nothing was written: this is not a terminal, so the command cannot ask for the provider.',
      `Name it with --provider: ${list}.`,
    );
  }
  const chosen = await choose(terminal, given, {
    question: `Provider (${list}; Enter skips it)`,
    problem: `The provider is one of ${list}.`,
    known: PROVIDER_NAMES,
    most: 1,
  });
  return PROVIDER_NAMES.find((name) => name === chosen?.[0]);
}

/** The questions about the provider's credential, and about the senders of these channels. */
function providerQuestions(provider: Provider, names: readonly string[]): readonly Question[] {
  return [...provider.credential, ...names.flatMap((name) => provider.channels[name] ?? [])];
}

/** The channels of `--channels`, or of the answer. Default: the provider's first one. */
async function chooseChannels(
  provider: ProviderName,
  { options, terminal }: CommandCall,
): Promise<readonly string[]> {
  const names = Object.keys(PROVIDERS[provider].channels);
  const [first = ''] = names;
  const given = textOption(options, 'channels') ?? (names.length === 1 ? first : undefined);
  const chosen = await choose(terminal, given, {
    question: `Channels (${names.join(',')}; Enter takes ${first})`,
    problem: `The channels of ${provider} are ${names.join(', ')}, with commas between them.`,
    known: names,
  });
  return chosen ?? [first];
}

/**
 * Reads the names that are given, or asks until the answer can be read. `undefined`: nothing is given, or the question is
 * skipped.
 * @throws CommandError without a terminal, if what is given cannot be read.
 */
async function choose(
  terminal: Terminal,
  given: string | undefined,
  by: {
    readonly question: string;
    readonly problem: string;
    readonly known: readonly string[];
    /** Default: several, with commas between them. */
    readonly most?: number;
  },
): Promise<readonly string[] | undefined> {
  let text = given;
  while (text !== undefined || terminal.isInteractive) {
    text ??= requireAnswer(await terminal.askText(by.question));
    if (text === '') return undefined;
    const names = text.split(',').map((name) => name.trim().toLowerCase());
    const unknown = names.filter((name) => !by.known.includes(name));
    if (unknown.length === 0 && names.length <= (by.most ?? Infinity)) return names;
    const [meant] = unknown.flatMap((name) => nearestWord(name, by.known) ?? []);
    const problem = meant === undefined ? by.problem : `${by.problem} Did you mean ${meant}?`;
    if (!terminal.isInteractive) throw badUse('init', problem);
    terminal.note(`✘ ${problem}`, 'red');
    text = undefined;
  }
  return undefined;
}
