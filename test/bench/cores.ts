import { spawnSync } from 'node:child_process';

/**
 * Gives each measured process its own core, so that neither the load nor the stand-ins take its time. Uses `taskset` of
 * Linux.
 */

/** The cores of a run, by their numbers. */
export interface Cores {
  /** One for each measured process. */
  readonly measured: readonly number[];
  /** For the load, the stand-ins and Redis. */
  readonly rest: readonly number[];
}

/** Leaves one core for the rest. `undefined` if there are too few for so many processes. */
export function coresFor(processes: number, all: readonly number[] = ALLOWED): Cores | undefined {
  if (processes >= all.length) return undefined;
  return { measured: all.slice(0, processes), rest: all.slice(processes) };
}

/** The cores that this process may use at the start of the bench; none without `taskset`. */
const ALLOWED = readCores(
  spawnSync('taskset', ['-c', '-p', String(process.pid)], { encoding: 'utf8' }).stdout,
);

/** @param printed - by `taskset -c -p`: `pid 1's current affinity list: 0-3,8`. */
export function readCores(printed: string | null | undefined): readonly number[] {
  const list = /: ([\d,-]+)\s*$/.exec(printed ?? '')?.[1] ?? '';
  return list.split(',').flatMap((part) => {
    const [first = NaN, last = first] = part === '' ? [] : part.split('-').map(Number);
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

/** Keeps a process, all its threads and its later children to these cores. `false` if this machine cannot do that. */
export function keepTo(cores: readonly number[], pid: number): boolean {
  return spawnSync('taskset', ['-a', '-c', '-p', cores.join(','), String(pid)]).status === 0;
}
