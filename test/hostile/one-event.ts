import { expect } from 'chai';
import fc from 'fast-check';
import type { TelephonyHook } from '#lib/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { HOOK_SECRET } from '#harness/scene.js';
import { commandIn, expectAnswer, type AnswerBody } from './expectations.js';
import { inject, settle, type InjectedCall } from './injected-call.js';
import type { ScheduledTime } from './scheduled-time.js';
import type { SentRecord } from './scheduled-vendors.js';

/** The callers of one event, and everything that can happen between them, in an order that fast-check generates. */

export const DEADLINE_MS = 500;
/** Longer than a detached send may take. */
const LONG_AFTER_MS = 11_000;

/** One caller of the event: it waits, hangs up at some point, or sends an invalid body. */
type Caller = 'waits' | 'hangs up' | 'is malformed';
export const callers: fc.Arbitrary<readonly Caller[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Caller>('waits', 'hangs up') },
    fc.constant<Caller>('is malformed'),
  ),
  { minLength: 1, maxLength: 6 },
);

/** Steps of time between everything else, milliseconds. */
export const times = fc.array(fc.constantFrom(30, 120, 250, 440, 470), { maxLength: 4 });

export const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };
export const NOWHERE = {
  hook: { scheme: 'header', secrets: [HOOK_SECRET] },
  okta: { orgUrl: REFUSING_ORIGIN, apiToken: 'token' },
  twilio: { accountSid: `AC${'a'.repeat(32)}`, authToken: 'token', baseUrl: REFUSING_ORIGIN },
} as const;

interface Play {
  readonly hook: TelephonyHook;
  readonly callers: readonly Caller[];
  readonly times: readonly number[];
  /** The messages that left, with their outcomes. */
  readonly sends: readonly SentRecord[];
  /** Time stops during a request to the state: the hook gives up a slow state. */
  readonly mayTimePass: () => boolean;
  /** Whether `sends` has each attempt of the hook. */
  readonly isEverySendSeen: boolean;
}

/** Plays the callers of one event, in the order of the scheduler. */
export class OneEvent {
  readonly #time: ScheduledTime;

  constructor(time: ScheduledTime) {
    this.#time = time;
  }

  /** Plays everything, then lets much time pass and one more caller come, and checks the result against the contract. */
  async play(s: fc.Scheduler, parts: Play): Promise<void> {
    const { hook, sends } = parts;
    const calls: InjectedCall[] = [];
    for (const [index, caller] of parts.callers.entries()) {
      void s.schedule(Promise.resolve(), `caller ${index} comes`).then(() => {
        if (caller === 'is malformed') {
          inject(hook, { eventId: 'event-1', otpCode: 'no code' });
          return;
        }
        const call = inject(hook, { eventId: 'event-1' });
        calls.push(call);
        if (caller === 'waits') return;
        void s.schedule(Promise.resolve(), `caller ${index} hangs up`).then(() => {
          if (call.answers().length === 0) call.hangUp();
        });
      });
    }
    this.#time.schedule(s, parts.times, parts.mayTimePass);
    await this.#finish(s, parts);

    const before = sends.length;
    const isDecided =
      calls.some((call) => call.answers()[0]?.status === 200) ||
      sends.some(({ outcome }) => outcome !== 'refused');
    const last = inject(hook, { eventId: 'event-1' });
    await settle();
    await this.#finish(s, parts);
    // An answered event keeps its answer. Without an answer, and if no message may have left, the last call counts as
    // the first.
    if (isDecided) expect(sends, 'sent again long after').to.have.length(before);
    // (A send that took time may have been unknown at its deadline. The hook remembers it as unknown.)
    else if (parts.isEverySendSeen && !sends.some(({ tookTime }) => tookTime)) {
      expect(sends.length, 'not tried again').to.be.greaterThan(before);
    }
    expect(
      sends.every(({ isAllowed }) => isAllowed),
      'sent twice, or too late',
    ).to.equal(true);
    expectSameForAll([...calls, last], sends);
    // The last call waits for no other call.
    expect(last.answers()[0]?.body).to.not.include('"provider":"UNKNOWN"');
    expect(hook.status()).to.include({ inFlight: 0, detached: 0 });
  }

  /** Runs until each call has its answer, and each send has ended or timed out. */
  async #finish(s: fc.Scheduler, { mayTimePass }: Play): Promise<void> {
    for (const ms of [2 * DEADLINE_MS, LONG_AFTER_MS]) await this.#time.finish(s, ms, mayTimePass);
  }
}

function expectSameForAll(calls: readonly InjectedCall[], sends: readonly SentRecord[]): void {
  const bodies: AnswerBody[] = [];
  for (const call of calls) {
    const answers = call.answers();
    expect(answers).to.have.length(call.hasHungUp ? 0 : 1);
    for (const answer of answers) {
      // The hook does not remember an internal error.
      if (answer.status !== 500) bodies.push(expectAnswer(answer));
    }
  }
  // All callers get the same answer, except those that would have waited too long.
  const answered = bodies.filter((body) => commandIn(body)?.provider !== 'UNKNOWN');
  for (const body of answered) expect(body, JSON.stringify(bodies)).to.deep.equal(answered[0]);
  const decided = sends.find(({ outcome }) => outcome !== 'refused');
  for (const body of answered) {
    const status = commandIn(body)?.status ?? 'ERROR';
    if (decided?.outcome === 'accepted') expect(status).to.not.equal('ERROR');
    // A send that ended refused may have been unknown at the deadline.
    if (decided === undefined && !sends.some(({ tookTime }) => tookTime)) expect(status).to.equal('ERROR');
    if (status === 'SUCCESSFUL') expect(decided?.outcome).to.equal('accepted');
  }
}
