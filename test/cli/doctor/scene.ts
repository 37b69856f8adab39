import { generateKeyPairSync } from 'node:crypto';
import { exportJWK } from 'jose';
import type { Time } from '#lib/cli/admin/administration.js';
import { ANA, BOB, CODE, HOOK_SECRET, startScene, type Scene, type SceneOptions } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { run, type Run, type RunOptions } from '../runs.js';

/** One line of the output of doctor. */
export interface Line {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly remedy: string | null;
}

/** Emulators of Okta and Twilio with a gateway, and functions that run doctor on them. */
export interface Ward {
  readonly scene: Scene;
  /** The environment of the gateway, with an API token: as a service app doctor requests a token for each of 28 scopes. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs doctor with these arguments and variables. */
  readonly doctor: (words?: string, options?: RunOptions) => Promise<Run>;
  /** Runs doctor with --json, and returns its lines. */
  readonly lines: (env?: RunOptions['env'], words?: string) => Promise<readonly Line[]>;
  close(): Promise<void>;
}

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PRIVATE_KEY = KEYS.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const CLIENT_ID = '0oadoctor00000000001';
export const READ_SCOPES = [
  'okta.users.read',
  'okta.schemas.read',
  'okta.authenticators.read',
  'okta.inlineHooks.read',
  'okta.eventHooks.read',
  'okta.customTelephonyProvider.read',
];

/** A stopped clock, so that a slow machine makes no check slow. */
function stillTime(): Time {
  const atMs = Date.now();
  return { now: () => atMs, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };
}

export interface WardOptions {
  /** The setup commands that have run. Default: all. */
  readonly setups?: readonly ('attribute' | 'hook' | 'event-hook')[] | undefined;
  /** Options of the gateway's hook, in addition to the defaults. */
  readonly hook?: Extract<SceneOptions['hook'], (...parts: never) => unknown>;
  readonly twilio?: SceneOptions['twilio'];
}

export async function openWard({
  setups = ['attribute', 'hook', 'event-hook'],
  hook,
  twilio: account = {},
}: WardOptions = {}): Promise<Ward> {
  const scene = await startScene({
    hook: (parts) => ({ publicUrl: `${parts.origin}/okta/telephony`, ...hook?.(parts) }),
    twilio: account,
  });
  const { okta, twilio } = scene;
  const env = {
    PUBLIC_URL: scene.url,
    HOOK_SECRET,
    TWILIO_ACCOUNT_SID: twilio.accountSid,
    TWILIO_API_KEY_SID: twilio.apiKeySid,
    TWILIO_API_KEY_SECRET: twilio.apiKeySecret,
    TWILIO_AUTH_TOKEN: twilio.authToken,
    TWILIO_BASE_URL: twilio.baseUrl,
    TWILIO_SANDBOX_NUMBER: twilio.sandboxNumber,
    TWILIO_SMS_FROM: twilio.smsNumber,
    TWILIO_VOICE_FROM: twilio.voiceNumber,
    TWILIO_VERIFY_SERVICE_SID: twilio.verifyServiceSid,
  };
  const secrets = [
    ...[PRIVATE_KEY, CODE],
    ...[ANA, BOB].flatMap(({ login, firstName, lastName, phone }) => [
      ...[login, firstName, lastName],
      phone.slice(1),
    ]),
    ...[twilio.apiKeySecret, twilio.authToken],
    ...[twilio.sandboxNumber, twilio.smsNumber, twilio.voiceNumber].map((number) => number.slice(1)),
  ];
  for (const what of setups) {
    const made = await run(okta, `setup ${what} --yes`, { env: { PUBLIC_URL: scene.url, HOOK_SECRET } });
    if (made.code !== 0) throw new Error(`setup ${what} came to ${made.code}`);
  }
  okta.requests.length = 0;
  const doctor = (words = '', options: RunOptions = {}): Promise<Run> => {
    // At each run: several tests may share a ward.
    mustNotShow(...secrets);
    const given = { time: stillTime(), ...options, env: { ...env, ...options.env } };
    // For slow machines.
    const patience = words.includes('--timeout') ? '' : '--timeout 120 ';
    return run(okta, `doctor ${patience}${words}`.trim(), given);
  };
  return {
    scene,
    env,
    doctor,
    lines: async (others, words = '') =>
      linesOf(await doctor(`--json ${words}`.trim(), { env: others ?? {} })),
    close: () => scene.close(),
  };
}

/** Gives doctor's service app exactly these scopes. Returns the variables with which doctor uses that app. */
export async function grant(
  { okta }: Scene,
  scopes: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  okta.registerServiceApp({ clientId: CLIENT_ID, publicJwk: await exportJWK(KEYS.publicKey), scopes });
  return { OKTA_API_TOKEN: '', OKTA_CLIENT_ID: CLIENT_ID, OKTA_PRIVATE_KEY: PRIVATE_KEY };
}

export function linesOf({ stdout }: Run): readonly Line[] {
  return JSON.parse(stdout) as Line[];
}

/** The variables of Okta, of the gateway and of Twilio left out: doctor does not check these sides. */
export const WITHOUT = {
  okta: { OKTA_ORG_URL: '' },
  hook: { PUBLIC_URL: '' },
  twilio: { TWILIO_ACCOUNT_SID: '' },
};

/** One line by the name of its check. */
export function lineOf(lines: readonly Line[], check: string): Line {
  const line = lines.find((one) => one.check === check);
  if (line === undefined) throw new Error(`there is no check ${check}`);
  return line;
}

/** Whether a check was left out, because the check in its message has failed. */
export const isSkipped = ({ status, message }: Line): boolean =>
  status === 'warn' && message.startsWith('Not checked, because ') && message.endsWith(' failed.');

/** The findings with their texts. The checks that were left out share a line for each cause. */
export function textOf(lines: readonly Line[]): string {
  const skipped = lines.filter(isSkipped);
  return [
    ...lines
      .filter((line) => !isSkipped(line))
      .flatMap(({ check, status, message, remedy }) => [
        `${status} ${check}: ${message}`,
        ...(remedy === null ? [] : [`     ${remedy}`]),
      ]),
    ...new Set(skipped.map(({ message, remedy }) => `${message} ${String(remedy)}`)),
    ...(skipped.length === 0 ? [] : [`     ${skipped.map(({ check }) => check).join(', ')}`]),
  ].join('\n');
}
