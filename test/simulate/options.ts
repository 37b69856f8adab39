import { parseArgs } from 'node:util';
import type { LearnOptions } from './guard.js';
import { readPrices, type PriceTable } from './prices.js';

export const USAGE = `npm run simulate -- [options]

  --size <n,n>      codes on an average day of the week (15,1000,100000)
  --days <n>        honest days after the days of warm-up (30)
  --learn <json>    ratio and warmUpDays of guard.learn ({"ratio":1,"warmUpDays":30})
  --prices <file>   a price table; see test/simulate/prices.ts (round figures that are invented)
  --seed <n>        of an earlier run: the same traffic (1)
  --only <a,b>      of: ${['guard', 'resend'].join(', ')} (both)
  --help

Exit 1: the guard blocks honest users, or an attack for too long; 2: wrong arguments.
`;

export type Part = 'guard' | 'resend';

const PARTS: readonly Part[] = ['guard', 'resend'];

/** The options of a run. */
export interface SimulateOptions {
  /** Codes on an average day, one run for each. */
  readonly sizes: readonly number[];
  readonly days: number;
  readonly learn: LearnOptions;
  readonly prices: PriceTable;
  readonly seed: number;
  readonly parts: readonly Part[];
  readonly isHelp: boolean;
}

/** @throws Error that says what is wrong with the arguments. */
export function readSimulateOptions(args: readonly string[]): SimulateOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      size: { type: 'string', default: '15,1000,100000' },
      days: { type: 'string', default: '30' },
      learn: { type: 'string', default: '{}' },
      prices: { type: 'string' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: PARTS.join(',') },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    sizes: values.size.split(',').map((text) => readCount('size', text, 1)),
    days: readCount('days', values.days, 1),
    learn: readLearn(values.learn),
    prices: readPrices(values.prices),
    seed: readCount('seed', values.seed, 0),
    parts: values.only.split(',').map(readPart),
    isHelp: values.help,
  };
}

function readPart(text: string): Part {
  const part = PARTS.find((name) => name === text);
  if (part === undefined) throw new Error(`--only takes ${PARTS.join(', ')}, not ${text}`);
  return part;
}

function readCount(name: string, text: string, atLeast: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < atLeast) {
    throw new Error(`--${name} takes a whole number from ${atLeast} up, not ${text}`);
  }
  return count;
}

const DEFAULTS: LearnOptions = { ratio: 1, warmUpDays: 30 };

function readLearn(text: string): LearnOptions {
  const given = readJson(text);
  const learn = { ...DEFAULTS, ...(isObject(given) ? given : {}) };
  const { ratio, warmUpDays, ...unknown } = learn;
  const isGood = ratio > 0 && Number.isSafeInteger(warmUpDays) && warmUpDays >= 0;
  if (!isObject(given) || !isGood || Object.keys(unknown).length > 0) {
    throw new Error(`--learn takes JSON such as ${JSON.stringify(DEFAULTS)}, not ${text}`);
  }
  return learn;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
