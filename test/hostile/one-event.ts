import { expect } from 'chai';
import fc from 'fast-check';
import type { TelephonyHook } from '#lib/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { HOOK_SECRET } from '#harness/scene.js';
import { commandIn, expectAnswer, type AnswerBody } from './expectations.js';
import { inject, settle, type InjectedCall } from './injected-call.js';
import type { ScheduledTime } from './scheduled-time.js';
import type { SentRecord } from './scheduled-vendors.js';

/** The callers of one event, and all that can fall between them, in an order that fast-check makes up. */

export const DEADLINE_MS = 500;
/** Longer than a send that outlives its call may take. */
const LONG_AFTER_MS = 11_000;

/** One caller of the event: it waits, goes away at some point, or sends what cannot be read. */
type Caller = 'waits' | 'hangs up' | 'is malformed';
export const callers: fc.Arbitrary<readonly Caller[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Caller>('waits', 'hangs up') },
    fc.constant<Caller>('is malformed'),
  ),
  { minLength: 1, maxLength: 6 },
);

/** Steps of time that may fall between everything else, milliseconds. */
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
  /** What has left, each with what became of it. */
  readonly sends: readonly SentRecord[];
  /** Time stands still while a state is asked: one that is slow is a state that is lost. */
  readonly mayTimePass: () => boolean;
  /** Each attempt of the hook is one of `sends`. */
  readonly isEverySendSeen: boolean;
}

/** The callers of one event, who come and go in the scheduler's turn. */
export class OneEvent {
  readonly #time: ScheduledTime;

  constructor(time: ScheduledTime) {
    this.#time = time;
  }

  /** Lets it all happen, then much time pass, then one more caller come; and holds it to the contract. */
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
    // What was told holds; where nobody was told anything, and nothing may have gone out, it is the first again.
    if (isDecided) expect(sends, 'sent again long after').to.have.length(before);
    // (What took time may have been unknown at its deadline, and is remembered as that.)
    else if (parts.isEverySendSeen && !sends.some(({ tookTime }) => tookTime)) {
      expect(sends.length, 'not tried again').to.be.greaterThan(before);
    }
    expect(
      sends.every(({ isAllowed }) => isAllowed),
      'sent twice, or for nobody',
    ).to.equal(true);
    expectSameForAll([...calls, last], sends);
    // Nobody is left to wait for.
    expect(last.answers()[0]?.body).to.not.include('"provider":"UNKNOWN"');
    expect(hook.status()).to.include({ inFlight: 0, detached: 0 });
  }

  /** Until every call has been answered, and every send has ended or been given up. */
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
      // A failure of the gateway's own, which is not remembered.
      if (answer.status !== 500) bodies.push(expectAnswer(answer));
    }
  }
  // All are told the same, but for those who would have had to wait too long.
  const told = bodies.filter((body) => commandIn(body)?.provider !== 'UNKNOWN');
  for (const body of told) expect(body, JSON.stringify(bodies)).to.deep.equal(told[0]);
  const decided = sends.find(({ outcome }) => outcome !== 'refused');
  for (const body of told) {
    const status = commandIn(body)?.status ?? 'ERROR';
    if (decided?.outcome === 'accepted') expect(status).to.not.equal('ERROR');
    // What was refused in the end may have been unknown at the deadline.
    if (decided === undefined && !sends.some(({ tookTime }) => tookTime)) expect(status).to.equal('ERROR');
    if (status === 'SUCCESSFUL') expect(decided?.outcome).to.equal('accepted');
  }
}
