import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

/**
 * Sees all that a test logs, emits, answers or prints, and knows every secret that went in. After each test none
 * of them may be found in what came out.
 */
const seen: string[] = [];
const secrets = new Set<string>();

/** What went in and must not come out: codes, numbers, logins, names, secrets. */
export function mustNotShow(...values: readonly string[]): void {
  for (const value of values) if (value.length >= 4) secrets.add(value);
}

/** Something that came out. */
export function witness(value: unknown): void {
  if (typeof value === 'string') seen.push(value);
  else if (value instanceof Error) {
    seen.push(`${value.name} ${value.message} ${value.stack ?? ''} ${JSON.stringify(value)}`);
    witness(value.cause);
  } else if (value !== undefined) seen.push(JSON.stringify(value, withErrors));
}

/** Times are left out: their digits hold any code by chance. */
function withErrors(key: string, value: unknown): unknown {
  if (key === 'at') return undefined;
  return value instanceof Error ? { ...(value as object), name: value.name, message: value.message } : value;
}

/** The digits of all scripts that the platform can write, as those of ASCII. */
const DIGITS: ReadonlyMap<string, string> = new Map(
  Intl.supportedValuesOf('numberingSystem').flatMap((numberingSystem) => {
    const { format } = new Intl.NumberFormat('en', { numberingSystem });
    return Array.from({ length: 10 }, (_, digit) => [format(digit), String(digit)] as const);
  }),
);

/** The same text with ASCII digits. */
export function withPlainDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => DIGITS.get(digit) ?? digit);
}

/** A code or a number in base64, wherever in it it begins: what is left of it if its neighbours are not known. */
function inBase64(secret: string): readonly string[] {
  if (!/^\d{6,}$/.test(secret)) return [];
  return [0, 1, 2].map((before) => {
    const base64 = Buffer.from('-'.repeat(before) + secret).toString('base64');
    return base64.slice(before === 0 ? 0 : before + 1, Math.floor(((before + secret.length) * 4) / 3));
  });
}

/** The shared assertion; also run after every test: as it is, in digits of another script, and in base64. */
export function expectNoSecrets(): void {
  const hidden = [...secrets].flatMap((secret) => [secret, ...inBase64(secret)]);
  for (const told of seen) {
    const text = withPlainDigits(told);
    for (const secret of hidden) {
      // The message names neither: a failing test is read by people, too.
      if (text.includes(secret)) {
        const where = text.replaceAll(secret, '[SECRET]').slice(0, 2000);
        expect.fail(`a secret of ${secret.length} characters came out: ${where}`);
      }
    }
  }
}

/** Rejections that nobody waited for: mocha passes over them, a gateway would end by one. */
const unhandled: unknown[] = [];

function noteRejection(reason: unknown): void {
  unhandled.push(reason);
}

function expectNoneUnhandled(): void {
  const lost = unhandled.splice(0);
  if (lost.length > 0) throw new Error('a promise was rejected that nobody waited for', { cause: lost[0] });
}

/**
 * Coverage counts what mocha's own processes run, not the programs that tests start: tsx compiles differently there, and c8
 * cannot add that up. A worker takes seconds to write its part, and mocha sends SIGTERM after one: it must not end by it.
 */
function keepCoverage(): void {
  if (process.env['NODE_V8_COVERAGE'] === undefined) return;
  // V8 has read it when the process started.
  delete process.env['NODE_V8_COVERAGE'];
  process.on('SIGTERM', () => undefined);
}

/** Once, before all files: browsers load what is built. Takes a tenth of a second if that is newer than its sources. */
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
