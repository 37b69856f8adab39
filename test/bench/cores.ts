import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Gives each measured process a core of its own, so that neither the load nor the stand-ins take its time. By `taskset`, which
 * Linux has.
 */

/** Which cores there are for what, by their numbers. */
export interface Cores {
  /** One for each measured process. */
  readonly measured: readonly number[];
  /** For the load, the stand-ins and Redis. */
  readonly rest: readonly number[];
}

/** Leaves one core for the rest. `undefined` if there are too few for so many processes. */
export function coresFor(processes: number, count = availableParallelism()): Cores | undefined {
  if (processes >= count) return undefined;
  const all = Array.from({ length: count }, (_, core) => core);
  return { measured: all.slice(0, processes), rest: all.slice(processes) };
}

/** Keeps a process, all its threads and its later children to these cores. `false` if this machine cannot do that. */
export function keepTo(cores: readonly number[], pid: number): boolean {
  return spawnSync('taskset', ['-a', '-c', '-p', cores.join(','), String(pid)]).status === 0;
}
