import fc from 'fast-check';
import type sinon from 'sinon';
import type { StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { oktaTelephonyHook, type Channel, type Outcome } from '#lib/index.js';
import { fakeClock } from '#harness/fake-clock.js';
import { callers, DEADLINE_MS, NOWHERE, OneEvent, QUIET, times } from './one-event.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';
import { ScheduledTime } from './scheduled-time.js';
import {
  endSend,
  openSend,
  ScheduledVendors,
  type SentRecord,
  type VendorStep,
} from './scheduled-vendors.js';

/** The result of one attempt at a custom channel. `breaks` fails before the message leaves. */
type Ending = 'accepted' | 'refused' | 'stopping' | 'unknown' | 'throws' | 'garbage' | 'hangs' | 'breaks';
const endings = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Ending>('refused', 'accepted') },
    fc.constantFrom<Ending>('stopping', 'unknown', 'throws', 'garbage', 'hangs', 'breaks'),
  ),
  { minLength: 1, maxLength: 6 },
);

const REFUSED = { status: 'refused', code: 'NO', reason: 'no' } as const;
const OUTCOMES: Readonly<
  Record<Exclude<Ending, 'hangs' | 'breaks'>, { is: SentRecord['outcome']; says: Outcome | undefined }>
> = {
  accepted: { is: 'accepted', says: { status: 'accepted', transactionId: 'T1' } },
  refused: { is: 'refused', says: REFUSED },
  stopping: { is: 'refused', says: { ...REFUSED, moveOn: false } },
  unknown: { is: 'unknown', says: { status: 'unknown', reason: 'who knows' } },
  // Channels in JavaScript can return anything.
  garbage: { is: 'unknown', says: { status: 'Accepted' } as unknown as Outcome },
  throws: { is: 'unknown', says: undefined },
};

describe(withSeed('interleavings of the callers of one event'), function () {
  this.timeout(PATIENCE_MS);
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance', 'Date'], 1_800_000_000_000);
  });
  afterEach(() => {
    clock.restore();
  });
  const time = new ScheduledTime(() => clock);
  const event = new OneEvent(time);

  it('send the code once, and give every caller the same answer, through custom channels', async () => {
    await check(
      'interleavings of callers',
      fc.asyncProperty(time.schedulers, callers, times, endings, async (s, callersOf, timesOf, endingsOf) => {
        const sends: SentRecord[] = [];
        let claiming = 0;
        const memory = openMemoryState();
        const state: StatePort = {
          ...memory,
          claim: async (claimed) => {
            const claim = memory.claim(claimed);
            claiming += 1;
            await s.schedule(Promise.resolve(), 'the state answers');
            claiming -= 1;
            return claim;
          },
        };
        let attempts = 0;
        const channel: Channel = {
          get usesText() {
            if (endingsOf[attempts % endingsOf.length] !== 'breaks') return true;
            attempts += 1;
            throw new Error('broken');
          },
          send: async (_message, { leaveSignal }) => {
            const ending = endingsOf[attempts % endingsOf.length];
            attempts += 1;
            const record = openSend(sends, leaveSignal.aborted);
            sends.push(record);
            if (ending === undefined || ending === 'hangs' || ending === 'breaks') {
              return new Promise<never>(() => undefined);
            }
            await s.schedule(Promise.resolve(), `attempt ${attempts}: ${ending}`);
            const { is, says } = OUTCOMES[ending];
            endSend(record, is);
            if (says === undefined) throw new Error('the channel failed');
            return says;
          },
        };
        const hook = oktaTelephonyHook({
          credentials: NOWHERE,
          channels: { sms: [channel, channel], whatsapp: channel },
          chooseChannels: () => ['whatsapp', 'sms'],
          profile: { cache: false },
          dispatcher: new ScheduledVendors(s, { okta: () => 'not found', twilio: () => 'silent' }, []),
          state,
          deadlineMs: DEADLINE_MS,
          logger: QUIET,
        });
        await event.play(s, {
          hook,
          callers: callersOf,
          times: timesOf,
          sends,
          mayTimePass: () => claiming === 0,
          isEverySendSeen: !endingsOf.includes('breaks'),
        });
      }),
      120,
    );
  });

  it('send the code once, and give every caller the same answer, over connections that fail', async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom<VendorStep>('400', '201') },
        fc.constantFrom<VendorStep>('429', '503', '500', '302', 'reset', 'cut', 'silent'),
        fc.constantFrom<VendorStep>('never connected', 'refused connection'),
      ),
      { minLength: 1, maxLength: 6 },
    );
    const users = fc.oneof(
      { weight: 3, arbitrary: fc.constant<VendorStep>('200') },
      fc.constantFrom<VendorStep>('not found', '429', '500', 'reset', 'silent', 'never connected'),
    );
    await check(
      'interleavings of connections',
      fc.asyncProperty(
        time.schedulers,
        callers,
        times,
        steps,
        users,
        async (s, callersOf, timesOf, stepsOf, user) => {
          const sends: SentRecord[] = [];
          const vendors = new ScheduledVendors(
            s,
            { okta: () => user, twilio: (count) => stepsOf[count % stepsOf.length] ?? 'silent' },
            sends,
          );
          const hook = oktaTelephonyHook({
            credentials: NOWHERE,
            sandboxNumber: '+14155238886',
            senders: { sms: '+14155550100' },
            dispatcher: vendors,
            deadlineMs: DEADLINE_MS,
            logger: QUIET,
          });
          await event.play(s, {
            hook,
            callers: callersOf,
            times: timesOf,
            sends,
            mayTimePass: () => true,
            isEverySendSeen: false,
          });
        },
      ),
      120,
    );
  });
});
