export interface SlowTime {
  /** Lets this much time pass at once. */
  tick(ms: number): void;
  restore(): void;
}

/**
 * From now on time passes slowly for all timers of this process, so that other processes seem fast to it even on a busy
 * machine, and no part of a deadline expires by chance.
 *
 * @param factor - the milliseconds of the machine, at least, for one of the process. Default: 10. With 1, time passes as
 *   usual, but at most 1 ms per turn of the event loop: enough if the process waits for no other process.
 */
export function slowTime(factor?: number): SlowTime;
