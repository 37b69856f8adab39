export interface SlowTime {
  /** Lets as much time pass at once. */
  tick(ms: number): void;
  restore(): void;
}

/**
 * From now on time passes slowly for all that waits in this process, so that other processes are quick for it on any
 * machine: a share of a deadline that would be over on a busy one is not.
 *
 * @param factor - so many milliseconds of the machine, at least, are one of the process. Default: 10. With 1, time passes as
 *   usual, but at most a millisecond at a turn of the event loop: enough where nobody else is waited for.
 */
export function slowTime(factor?: number): SlowTime;
