import { DEFAULT_TIMES, type RedisTimes } from '#lib/state/redis/times.js';

/** Times that a test may change while a state uses them. */
type TestTimes = { -readonly [Name in keyof RedisTimes]: RedisTimes[Name] };

/** No test waits so long for anything: what takes as long does not end, milliseconds. */
const NEVER_MS = 60_000;
/** Between looks for what a test has made due, milliseconds. */
const SOON_MS = 5;
/** What a Redis that does not answer may take, once a test has stopped it, milliseconds. */
const SHORT_MS = 20;

/**
 * Times by which a slow machine is no loss of Redis, and what happens by itself happens soon. Redis that is lost is looked
 * for when a test asks for it with `check()`, unless `probeEveryMs` says how often.
 */
export function patientTimes(over: Partial<RedisTimes> = {}): TestTimes {
  return {
    ...DEFAULT_TIMES,
    connectMs: NEVER_MS,
    commandMs: NEVER_MS,
    probeEveryMs: NEVER_MS,
    backMs: NEVER_MS,
    lookEveryMs: 2,
    answerMs: NEVER_MS,
    alarmEveryMs: SOON_MS,
    alarmRetryMs: NEVER_MS,
    ...over,
  };
}

/** From now on what Redis does not answer soon is lost. Only while it answers nothing: a slow machine would be a loss as well. */
export function loseSoon(times: TestTimes): void {
  times.connectMs = SHORT_MS;
  times.commandMs = SHORT_MS;
}

/** The opposite of `loseSoon`, before Redis answers again. */
export function bePatient(times: TestTimes): void {
  times.connectMs = NEVER_MS;
  times.commandMs = NEVER_MS;
}
