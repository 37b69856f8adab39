import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

/**
 * Collects everything that a test logs, emits, answers or prints, and all secrets of its input. After each test, no
 * output may contain a secret.
 */
const seen: string[] = [];
const secrets = new Set<string>();

/** Registers values that no output may contain: codes, numbers, logins, names, secrets. */
export function mustNotShow(...values: readonly string[]): void {
  for (const value of values) if (value.length >= 4) secrets.add(value);
}

/** Registers output. */
export function witness(value: unknown): void {
  if (typeof value === 'string') seen.push(value);
  else if (value instanceof Error) {
    seen.push(`${value.name} ${value.message} ${value.stack ?? ''} ${JSON.stringify(value)}`);
    witness(value.cause);
  } else if (value !== undefined) seen.push(JSON.stringify(value, withErrors));
}

/** Without times: their digits can contain any code by chance. */
function withErrors(key: string, value: unknown): unknown {
  if (key === 'at') return undefined;
  return value instanceof Error ? { ...(value as object), name: value.name, message: value.message } : value;
}

/** The ASCII digits for the digits of all scripts that the platform knows. */
const DIGITS: ReadonlyMap<string, string> = new Map(
  Intl.supportedValuesOf('numberingSystem').flatMap((numberingSystem) => {
    const numbers = new Intl.NumberFormat('en', { numberingSystem });
    return Array.from({ length: 10 }, (_, digit) => [numbers.format(digit), String(digit)] as const);
  }),
);

/** The same text with ASCII digits. */
export function withPlainDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => DIGITS.get(digit) ?? digit);
}

/** A code or a number in base64 at each of the three offsets: the characters that do not depend on its neighbours. */
function inBase64(secret: string): readonly string[] {
  if (!/^\d{6,}$/.test(secret)) return [];
  return [0, 1, 2].map((before) => {
    const base64 = Buffer.from('-'.repeat(before) + secret).toString('base64');
    return base64.slice(before === 0 ? 0 : before + 1, Math.floor(((before + secret.length) * 4) / 3));
  });
}

/** The shared assertion, which also runs after every test: checks each secret as it is, in other digits, and in base64. */
export function expectNoSecrets(): void {
  const hidden = [...secrets].flatMap((secret) => [secret, ...inBase64(secret)]);
  for (const output of seen) {
    const text = withPlainDigits(output);
    for (const secret of hidden) {
      // The message contains neither secret nor output, because people read failed tests.
      if (text.includes(secret)) {
        const where = text.replaceAll(secret, '[SECRET]').slice(0, 2000);
        expect.fail(`a secret of ${secret.length} characters came out: ${where}`);
      }
    }
  }
}

/** Unhandled rejections: mocha ignores them, but a gateway would exit. */
const unhandled: unknown[] = [];

function noteRejection(reason: unknown): void {
  unhandled.push(reason);
}

function expectNoneUnhandled(): void {
  const lost = unhandled.splice(0);
  if (lost.length > 0) throw new Error('a promise was rejected without a handler', { cause: lost[0] });
}

/**
 * Coverage counts mocha's own processes, not the programs that tests start: tsx compiles differently there, and c8
 * cannot merge that. A worker needs seconds to write its coverage, so it must survive mocha's SIGTERM after one second.
 */
function keepCoverage(): void {
  if (process.env['NODE_V8_COVERAGE'] === undefined) return;
  // V8 reads it at the start of the process.
  delete process.env['NODE_V8_COVERAGE'];
  process.on('SIGTERM', () => undefined);
}

/** Runs once before all files, because browsers load the build. Takes 0.1 s if the build is newer than its sources. */
export function mochaGlobalSetup(): void {
  execFileSync(process.execPath, ['.ci/build.js', 'pages']);
}

type Write = typeof process.stdout.write;
const restore: (() => void)[] = [];

export const mochaHooks = {
  beforeAll(): void {
    keepCoverage();
    process.on('unhandledRejection', noteRejection);
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write.bind(stream) as (...args: Parameters<Write>) => boolean;
      stream.write = ((...args: Parameters<Write>) => {
        if (typeof args[0] === 'string') seen.push(args[0]);
        return write(...args);
      }) as Write;
      restore.push(() => {
        stream.write = write as Write;
      });
    }
  },
  beforeEach(): void {
    seen.length = 0;
    secrets.clear();
  },
  afterEach(): void {
    expectNoSecrets();
    expectNoneUnhandled();
  },
  afterAll(): void {
    process.off('unhandledRejection', noteRejection);
    for (const undo of restore.splice(0)) undo();
  },
};
