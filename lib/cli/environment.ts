import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { variableProblems, type VariableName } from '../options/environment.js';
import type { OktaCredential } from '../options/options.js';
import { decodeUrlPart } from '../state/redis/options.js';
import { CommandError } from './command.js';
import type { Terminal } from './terminal.js';

/**
 * The variables of the command line. `example/environment.ts` is its twin, with the same names and the same words: the
 * example uses the published package only, and the package cannot use the example.
 */
export class Variables {
  readonly #values: Readonly<Record<string, string | undefined>>;
  readonly #terminal: Terminal;
  /** See `withFile`; `undefined` without a file. */
  readonly changed: readonly string[] | undefined;
  #used: Partial<Record<VariableName, string>> = {};
  #problems: string[] = [];

  /** @param values - of the environment, and of a file. */
  constructor(
    values: Readonly<Record<string, string | undefined>>,
    terminal: Terminal,
    changed?: readonly string[],
  ) {
    this.changed = changed;
    this.#values = values;
    this.#terminal = terminal;
    for (const name of SECRETS) terminal.hide(values[name] ?? '');
    for (const key of (values['STATE_ENCRYPTION_KEY'] ?? '').split(',')) terminal.hide(key.trim());
    const redis = values['REDIS_URL'] ?? '';
    if (URL.canParse(redis)) {
      const { password } = new URL(redis);
      for (const text of [password, decodeUrlPart(password) ?? '']) terminal.hide(text);
    }
  }

  read(name: VariableName): string | undefined {
    // Compose files and CI systems hand over unset variables as empty ones.
    const value = this.#values[name] || undefined;
    if (value !== undefined) this.#used[name] = value;
    return value;
  }

  /** The empty text where it is missing: `require` tells it with all other problems. */
  required(name: VariableName, what: string): string {
    const value = this.read(name);
    if (value === undefined) this.#problems.push(`${name} is missing: ${what}`);
    return value ?? '';
  }

  /** As `required`, but somebody at a terminal is asked. */
  async secret(name: VariableName, what: string): Promise<string> {
    if (this.read(name) !== undefined || !this.#terminal.isInteractive) return this.required(name, what);
    const value = await this.#terminal.askSecret(`${name} (${what})`);
    if (value === '') this.#problems.push(`${name} is missing: ${what}`);
    else this.#used[name] = value;
    return value;
  }

  /** A variable that is not ours, such as one of Node's own. */
  foreign(name: string): string | undefined {
    return this.#values[name] || undefined;
  }

  /** Something that is wrong between variables, which none of them is by itself. */
  complain(problem: string): void {
    this.#problems.push(problem);
  }

  /** What is wrong with the variables that were read since the last time, each in a sentence. */
  takeProblems(): readonly string[] {
    const problems = [...this.#problems, ...variableProblems(this.#used)];
    this.#problems = [];
    this.#used = {};
    return problems;
  }

  /** @throws CommandError that names every variable which is missing or wrong. */
  require(): void {
    const problems = this.takeProblems();
    if (problems.length === 0) return;
    throw new CommandError(
      2,
      'BAD_ENVIRONMENT',
      problems.length === 1
        ? problems
        : ['The environment cannot work:', ...problems.map((problem) => `- ${problem}`)],
      'Set it in the environment, or in a file that --env names.',
    );
  }

  /** An administrator's, by an API token or as a service app. */
  async okta(): Promise<OktaCredential> {
    const orgUrl = this.required('OKTA_ORG_URL', "the org's origin, such as https://acme.okta.com");
    const hasServiceApp = SERVICE_APP.some((name) => this.read(name) !== undefined);
    if (!hasServiceApp) {
      const what =
        'an API token of an administrator; in its place OKTA_CLIENT_ID and OKTA_PRIVATE_KEY of a service app will do';
      return { orgUrl, apiToken: await this.secret('OKTA_API_TOKEN', what) };
    }
    if (this.read('OKTA_API_TOKEN') !== undefined) {
      this.#problems.push(
        'OKTA_API_TOKEN does not go with OKTA_CLIENT_ID, OKTA_PRIVATE_KEY and OKTA_KEY_ID: unset it, or them',
      );
    }
    return {
      orgUrl,
      clientId: this.required('OKTA_CLIENT_ID', 'the client id of the service app'),
      privateKey: this.required('OKTA_PRIVATE_KEY', 'the private key of the service app, a PEM or a JWK'),
      keyId: this.read('OKTA_KEY_ID'),
    };
  }
}

const SERVICE_APP = ['OKTA_CLIENT_ID', 'OKTA_PRIVATE_KEY', 'OKTA_KEY_ID'] as const;
const SECRETS = [
  'OKTA_API_TOKEN',
  'OKTA_PRIVATE_KEY',
  'HOOK_SECRET',
  'HOOK_OAUTH_CLIENT_SECRET',
  'TWILIO_API_KEY_SECRET',
  'TWILIO_AUTH_TOKEN',
  'REDIS_URL',
] as const;

/**
 * The environment, over what a file has: lines of `NAME=value`. `changed` names what does not stand in the file as it is read:
 * quotes, spaces, carriage returns and comments are left out here, and kept by docker's --env-file.
 *
 * @throws CommandError where the file cannot be read.
 */
export function withFile(
  env: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly changed?: readonly string[];
} {
  if (file === undefined) return { values: env };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CommandError(2, 'BAD_USE', 'The file that --env names cannot be read.');
  }
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const read = parseEnv(text);
  const lines = text.split('\n');
  const changed = Object.entries(read).flatMap(([name, value]) => {
    const line = lines.findLast((one) => one.startsWith(`${name}=`));
    // A line of a key that has several is no name.
    return line === `${name}=${value}` || !/^[A-Z][A-Z\d]*(_[A-Z\d]+)*$/.test(name) ? [] : [name];
  });
  return { values: { ...read, ...given }, changed };
}
