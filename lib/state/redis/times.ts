/** Time-outs and intervals for Redis, in milliseconds. Read each time they are used. */
export interface RedisTimes {
  /** Time-out of a connection. */
  readonly connectMs: number;
  /** Time until the socket of a failed connection is destroyed. */
  readonly disconnectMs: number;
  /** Time-out of a command, and of the wait for a connection before it. */
  readonly commandMs: number;
  /**
   * Interval between attempts to reach a lost Redis. A connection that ends sooner after it was made was not
   * idle.
   */
  readonly probeEveryMs: number;
  /** How long a repeat waits for the answer of the first call. */
  readonly answerMs: number;
  /** How often a repeat polls for that answer: short at first, then longer. */
  readonly poll: { readonly firstMs: number; readonly factor: number; readonly longestMs: number };
  /** How often due alarms are taken. */
  readonly alarmEveryMs: number;
  /** Interval between sweeps for values without a copy for every key, while several keys are listed. */
  readonly rekeyEveryMs: number;
  /** Interval after a sweep that Redis did not complete. */
  readonly rekeyRetryMs: number;
}

/** The times that gateways use. */
export const DEFAULT_TIMES: RedisTimes = {
  connectMs: 1_000,
  disconnectMs: 200,
  // Far more than Redis needs, and less than a call allows for its state.
  commandMs: 150,
  probeEveryMs: 1_000,
  // No call waits longer than its own deadline, 2800 at most.
  answerMs: 3_000,
  poll: { firstMs: 10, factor: 1.5, longestMs: 100 },
  alarmEveryMs: 1_000,
  // Gateways with only the old key may still write with it.
  rekeyEveryMs: 600_000,
  rekeyRetryMs: 60_000,
};
