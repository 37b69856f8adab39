import { expect } from 'chai';
import fc from 'fast-check';
import type sinon from 'sinon';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { oktaTelephonyHook, type TelephonyHook } from '#lib/index.js';
import { fakeClock } from '#harness/fake-clock.js';
import { SENDS_MANY } from '#harness/scene.js';
import { settle } from './injected-call.js';
import { clockScripts, eventScripts, LatePlay, lateTimes, SIGNED } from './late-play.js';
import { DEADLINE_MS, NOWHERE, QUIET } from './one-event.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';
import { ScheduledTime } from './scheduled-time.js';
import { ScheduledVendors } from './scheduled-vendors.js';

describe(withSeed('interleavings of delivery reports'), function () {
  this.timeout(PATIENCE_MS);
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance', 'Date'], 1_800_000_000_000);
  });
  afterEach(() => {
    clock.restore();
  });
  const time = new ScheduledTime(() => clock);

  it('send a code once per channel, and never late after a delivery, a newer code or its end, on any clock', async () => {
    await check(
      'interleavings of late failover',
      fc.asyncProperty(
        time.schedulers,
        eventScripts,
        lateTimes,
        clockScripts,
        fc.boolean(),
        fc.boolean(),
        async (s, scripts, times, clocks, isTimed, isShared) => {
          const play = new LatePlay(s, scripts, { isTimed, isShared, clocks });
          const state = openMemoryState();
          const vendors: ConstructorParameters<typeof ScheduledVendors>[1] = {
            okta: () => 'not found',
            twilio: () => 'silent',
          };
          const makeHook = (at: number): TelephonyHook =>
            oktaTelephonyHook({
              credentials: NOWHERE,
              publicUrl: SIGNED.publicUrl,
              channels: play.channels(at),
              chooseChannels: () => ['whatsapp', 'line'],
              lateFailover: isTimed ? { afterSeconds: { whatsapp: 20 } } : undefined,
              guard: SENDS_MANY,
              profile: { cache: false },
              dispatcher: new ScheduledVendors(s, vendors, []),
              state: play.state(state, at),
              deadlineMs: DEADLINE_MS,
              logger: QUIET,
              clock: play.clockOf(at),
              onEvent: play.onEvent,
            });
          const hooks = isShared ? [makeHook(0), makeHook(1)] : [makeHook(0)];
          play.begin(hooks);
          time.schedule(s, times, play.mayTimePass);
          for (const ms of [1_000, 11_000, 25_000, 25_000]) await time.finish(s, ms, play.mayTimePass);
          play.expectDone();
          expect(play.wrong, play.wrong.join('; ')).to.deep.equal([]);
          for (const hook of hooks) expect(hook.status()).to.include({ inFlight: 0, detached: 0 });
          const closing = Promise.all(hooks.map((hook) => hook.close()));
          await settle();
          await closing;
          expect(clock.countTimers(), 'timers left').to.equal(0);
        },
      ),
      120,
    );
  });
});
