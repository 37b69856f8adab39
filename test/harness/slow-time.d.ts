export interface SlowTime {
  /** Lets as much time pass at once. */
  tick(ms: number): void;
  restore(): void;
}

/**
 * From now on time passes slowly for all that waits in this process, so that other processes are quick for it on any
 * machine: a share of a deadline that would be over on a busy one is not.
 */
export function slowTime(): SlowTime;
