/** How long Redis may take, and how often it is asked again. All in milliseconds; read anew each time they are used. */
export interface RedisTimes {
  /** A connection, until it can be used. */
  readonly connectMs: number;
  /** A socket of a failed connection, until it is destroyed. */
  readonly disconnectMs: number;
  /** A command, or the connection that it waits for. */
  readonly commandMs: number;
  /** Between attempts to reach a lost Redis. A connection that ends sooner than this after it was made was not idle. */
  readonly probeEveryMs: number;
  /** A delivery report, for a lost Redis to come back. */
  readonly backMs: number;
  /** Between looks of a report that waits for it. */
  readonly lookEveryMs: number;
  /** A repeat, for the answer of the first call. */
  readonly answerMs: number;
  /** Between looks of a repeat for that answer: short at first, then longer. */
  readonly poll: { readonly firstMs: number; readonly factor: number; readonly longestMs: number };
  /** Between looks for alarms that are due. */
  readonly alarmEveryMs: number;
  /** An alarm, until it is due again if it was taken and is not done. */
  readonly alarmRetryMs: number;
  /** Between two times that what has no copy of every key is looked for, while several are listed. */
  readonly rekeyEveryMs: number;
  /** The same where Redis did not do it. */
  readonly rekeyRetryMs: number;
}

/** What gateways use. */
export const USUAL_TIMES: RedisTimes = {
  connectMs: 1_000,
  disconnectMs: 200,
  // Far more than Redis needs, and less than a call gives its state.
  commandMs: 150,
  probeEveryMs: 1_000,
  // Longer than the time between two attempts to reach it.
  backMs: 1_500,
  lookEveryMs: 100,
  // No call waits longer than its own deadline, 2800 at most.
  answerMs: 3_000,
  poll: { firstMs: 10, factor: 1.5, longestMs: 100 },
  alarmEveryMs: 1_000,
  alarmRetryMs: 1_000,
  // Gateways that have the old key alone may still write by it.
  rekeyEveryMs: 600_000,
  rekeyRetryMs: 60_000,
};
