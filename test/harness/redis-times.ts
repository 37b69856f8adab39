import { DEFAULT_TIMES, type RedisTimes } from '#lib/state/redis/options.js';

/** Times that a test can change while a state uses them. */
type TestTimes = { -readonly [Name in keyof RedisTimes]: RedisTimes[Name] };

/** Longer than any test waits: a time that never passes, milliseconds. */
const NEVER_MS = 60_000;
/** The interval of checks for due alarms, milliseconds. */
const SOON_MS = 5;
/** The time-out for a Redis that a test has stopped, milliseconds. */
const SHORT_MS = 20;

/**
 * Times with which a slow machine does not lose Redis, but timers run soon. A lost Redis is probed only when a test
 * calls `check()`, unless `probeEveryMs` sets an interval.
 */
export function patientTimes(over: Partial<RedisTimes> = {}): TestTimes {
  return {
    ...DEFAULT_TIMES,
    connectMs: NEVER_MS,
    commandMs: NEVER_MS,
    probeEveryMs: NEVER_MS,
    answerMs: NEVER_MS,
    alarmEveryMs: SOON_MS,
    ...over,
  };
}

/** Lets the state soon count a silent Redis as lost. Only for a stopped Redis: a slow machine would lose it as well. */
export function loseSoon(times: TestTimes): void {
  times.connectMs = SHORT_MS;
  times.commandMs = SHORT_MS;
}

/** Undoes `loseSoon`. Call it before Redis answers again. */
export function bePatient(times: TestTimes): void {
  times.connectMs = NEVER_MS;
  times.commandMs = NEVER_MS;
}
