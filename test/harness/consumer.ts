import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { REFUSING_ORIGIN } from './free-port.js';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The compiler of TypeScript 7, which needs a fraction of the CPU of TypeScript 6, but has no API. */
export const TYPESCRIPT_7 = join(ROOT, 'node_modules/typescript7/bin/tsc');

/** The fields of package.json that the tests read. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly sideEffects: boolean;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<{ types: string; default: string }>>>;
}
export const manifest = createRequire(import.meta.url)('../../package.json') as Manifest;

/** Every file under a folder, with `/` between its parts. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

let isBuilt = false;

/** Builds `dist/` if it is missing or older than its sources. Checks once per process. */
export function buildIfStale(): void {
  if (!isBuilt) run(process.execPath, ['.ci/build.js']);
  isBuilt = true;
}

/** The files of the npm package, as npm says. */
export function packedFiles(): string[] {
  const [pack] = JSON.parse(run('npm', ['pack', '--json', '--dry-run', '--ignore-scripts'])) as [
    { readonly files: readonly { readonly path: string }[] },
  ];
  return pack.files.map(({ path }) => path).sort();
}

/** What a program needs of the package. Asking npm takes a second of CPU time. */
export function builtFiles(): string[] {
  return ['package.json', ...filesUnder(join(ROOT, 'dist')).map((file) => `dist/${file}`)];
}

function run(command: string, args: readonly string[]): string {
  // On Windows, npm is a script.
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', shell: process.platform === 'win32' });
}

/** A folder with the package as published, and with the scripts of test/consumers. */
export interface Consumer {
  readonly folder: string;
  /** Runs a script with Node, and returns its output. Rejects if it does not exit with 0. */
  node(script: string, ...args: readonly string[]): Promise<string>;
  remove(): void;
}

/** Makes a consumer with an Express: `express` is Express 5, `express4` is Express 4. */
export function makeConsumer(express: 'express' | 'express4', files: readonly string[]): Consumer {
  const folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
  const installed = join(folder, 'node_modules', manifest.name);
  const folders = new Set(files.map((file) => dirname(join(installed, file))));
  for (const each of folders) mkdirSync(each, { recursive: true });
  for (const file of files) copyFileSync(join(ROOT, file), join(installed, file));
  const link = (name: string, target = name): void => {
    const path = join(folder, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', target), path, 'junction');
  };
  for (const name of Object.keys(manifest.dependencies)) link(name);
  link('express', express);
  // An optional peer.
  link('ioredis');
  // A logger of consumers.
  link('pino');
  link('@types/node');
  // The declarations of other versions of Node, each in its own `typeRoots`.
  for (const version of [22, 24, 25, 26]) {
    mkdirSync(join(folder, `types-node${version}`));
    const target = join(ROOT, `node_modules/types-node${version}`);
    symlinkSync(target, join(folder, `types-node${version}/node`), 'junction');
  }
  // The next major version: compiled only, because it does not run on Node 20.
  link('undici8');
  cpSync(join(ROOT, 'test/consumers'), folder, { recursive: true });
  return {
    folder,
    node: async (script, ...args) => {
      const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], {
        cwd: folder,
        env: HOSTILE_ENVIRONMENT,
        timeout: 30_000,
      });
      return stdout;
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Variables that the vendors' SDKs read. If our code read one of them, no call would arrive. */
const HOSTILE_ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HTTP_PROXY: REFUSING_ORIGIN,
  HTTPS_PROXY: REFUSING_ORIGIN,
  http_proxy: REFUSING_ORIGIN,
  https_proxy: REFUSING_ORIGIN,
  TWILIO_ACCOUNT_SID: `AC${'f'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'of-another-account',
  TWILIO_API_KEY: `SK${'f'.repeat(32)}`,
  TWILIO_BASE_URL: REFUSING_ORIGIN,
  TWILIO_EDGE: 'nowhere',
  TWILIO_REGION: 'nowhere',
  TWILIO_LOG_LEVEL: 'debug',
  OKTA_ORG_URL: REFUSING_ORIGIN,
  OKTA_API_TOKEN: 'of-another-org',
  OKTA_CLIENT_ORGURL: REFUSING_ORIGIN,
  OKTA_CLIENT_TOKEN: 'of-another-org',
  HOOK_SECRET: 'of-another-hook',
  OPT_IN_ATTRIBUTE: 'nothing',
  PUBLIC_URL: REFUSING_ORIGIN,
  REDIS_URL: 'redis://127.0.0.1:9',
  PORT: '9',
};
