import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '#harness/consumer.js';
import type { Measured } from './budgets.js';
import { sumOf, weighFile, type Weight } from './weight.js';

/** Weighs each room. */
export async function weighRooms(rooms: readonly string[]): Promise<Record<string, Weight>> {
  const files = filesToWeigh().map((file) => ({ file, room: roomOf(file, rooms) }));
  const weighed = files.map(async ({ file, room }) => ({
    room,
    weight: await weighFile(file, readFileSync(join(ROOT, file), 'utf8')),
  }));
  const all = await Promise.all(weighed);
  return Object.fromEntries(
    rooms.map((name) => [name, sumOf(all.filter(({ room }) => room === name).map(({ weight }) => weight))]),
  );
}

/** What has a budget in each room. A room may have any number of files and lines. */
export function budgetedOf(weights: Readonly<Record<string, Weight>>): Measured {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { nodes, luaLines, jsonBytes }]) => [
      name,
      { nodes, luaLines, jsonBytes },
    ]),
  );
}

/** The room of a file: `texts, numbers` is one room of two folders, `index` has one file. Throws if the file is in no room. */
export function roomOf(file: string, rooms: readonly string[]): string {
  const [top = '', below = ''] = file.split('/');
  const folder = top === 'test' ? top : below.replace('.ts', '');
  const room = rooms.find((name) => name.split(', ').includes(folder));
  if (room === undefined) throw new Error(`${file}: budgets.json has no room for ${folder}`);
  return room;
}

/** Also new files that git does not know yet, but none that it ignores. npm writes the lock files. */
function filesToWeigh(): string[] {
  const command = ['ls-files', '--cached', '--others', '--exclude-standard', 'lib', 'test'];
  const files = execFileSync('git', ['-c', 'safe.directory=*', ...command], { cwd: ROOT, encoding: 'utf8' });
  return files
    .split('\n')
    .filter((file) => file !== '' && basename(file) !== 'package-lock.json' && existsSync(join(ROOT, file)));
}
