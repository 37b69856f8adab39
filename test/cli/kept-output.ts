import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { withStylesNamed } from './captured-terminal.js';
import type { Run } from './runs.js';

/** If set, this run writes the files in `outputs/` anew. Git then shows what changed. */
const REWRITES_OUTPUTS = process.env['KEEP_OUTPUTS'] === '1';

/** The parts that differ in each run, with their replacement. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\b(?:127\.0\.0\.1|localhost):\d{2,5}\b/g, 'HOST'],
  [/\b(cal|who|HKY)[A-Za-z0-9]{17}\b/g, '$1-ID'],
  [/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g, 'UUID'],
  [/\b(SM|CA|VE)[\da-f]{32}\b/g, '$1-ID'],
  [/\b20\d\d-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/\bDuration=\d+ms\b/g, 'Duration=TIME'],
  [/…:\d{4,5}\b/g, '…:PORT'],
  [/\breq[\w-]{20,}/g, 'req-ID'],
  [/\b(?:ENOTFOUND|EAI_AGAIN)\b/g, 'NO_NAME'],
  [/\bNode is \d+\.\d+\.\d+/g, 'Node is VERSION'],
  // Only a slow machine prints these lines; other tests check them with stopped time.
  [/^(?:<dim>)?… [Ss]till (?:looking|waiting).*\n/gm, ''],
  [/^--- standard error\n(?=--- exit code)/gm, ''],
  // Cursor moves of a question.
  // eslint-disable-next-line no-control-regex -- The terminal gets these escapes.
  [/\u001b\[\d+[GJ]/g, ''],
];

/** The text without the parts that differ in each run. */
function steady(text: string): string {
  return CHANGING.reduce((changed, [pattern, name]) => changed.replace(pattern, name), text);
}

/** The output and the exit code of one run as text. */
export function shownRun(args: string, { code, stdout, stderr }: Run): string {
  const shown = [
    `$ okta-telephony-hook ${args}\n`,
    stdout === '' ? '' : `--- standard output\n${stdout}`,
    stderr === '' ? '' : `--- standard error\n${stderr}`,
    `--- exit code ${code}\n`,
  ].join('');
  return steady(withStylesNamed(shown));
}

const fileOf = (name: string): string => join(ROOT, 'test/cli/outputs', `${name}.txt`);
const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Compares the complete output with the file in `outputs/`. `KEEP_OUTPUTS=1 npx mocha test/cli` writes the files anew. */
export function expectKept(name: string, ...runs: readonly string[]): void {
  const text = runs.join('\n');
  if (REWRITES_OUTPUTS) writeFileSync(fileOf(name), text);
  expect(text).to.equal(read(fileOf(name)));
}

/** Ends each part of a file. */
const PART_END = '\n\n';

/** Compares texts with the parts of one file in `outputs/`, each under its title. Each test may run alone. */
export function keptParts(name: string): (title: string, text: string) => void {
  const parts = read(fileOf(name)).split(/^# /m);
  const kept = new Map(
    parts.map((part) => {
      const start = part.indexOf('\n') + 1;
      return [part.slice(0, start - 1), part.slice(start, -PART_END.length)];
    }),
  );
  const seen: string[] = [];
  after(() => {
    if (REWRITES_OUTPUTS) writeFileSync(fileOf(name), seen.join(''));
  });
  return (title, text) => {
    const shown = steady(text);
    seen.push(`# ${title}\n${shown}${PART_END}`);
    if (!REWRITES_OUTPUTS) expect(shown).to.equal(kept.get(title));
  };
}
