import { expect } from 'chai';
import sinon from 'sinon';
import type { HookCall } from '../lib/testing/index.js';
import { BOB, commandOf, errorOf, startScene, type Scene } from './harness/scene.js';

describe('under load', () => {
  let scene: Scene;
  afterEach(() => scene.close());

  it('answers 200 at once in time, while half of the answers of Twilio never come', async () => {
    scene = await startScene({ hook: { deadlineMs: 1500 } });
    // What is compiled for the first time is not what is measured here.
    await scene.call();
    const isHanging = (phoneNumber: unknown): boolean => Number(String(phoneNumber).at(-1)) % 2 === 1;
    scene.twilio.fault({ fault: { kind: 'hang' }, match: ({ form }) => isHanging(form?.['To']) });
    const calls = await Promise.all(
      Array.from({ length: 200 }, async (_value, index) => {
        const phoneNumber = `+1202555${String(index).padStart(4, '0')}`;
        const call = await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber });
        return { call, isHung: isHanging(phoneNumber) };
      }),
    );
    const wanted = { hung: 'PENDING', answered: 'SUCCESSFUL' };
    for (const { call, isHung } of calls) {
      expect(call.httpStatus).to.equal(200);
      expect(commandOf(call)?.['status']).to.equal(isHung ? wanted.hung : wanted.answered);
    }
    expect(scene.twilio.messages.filter(({ channel }) => channel === 'sms')).to.have.length(100);
    expect(scene.hook.status()).to.deep.include({ inFlight: 0, detached: 100 });
  });

  describe('while Twilio is down', () => {
    let clock: sinon.SinonFakeTimers | undefined;
    beforeEach(async () => {
      scene = await startScene({ hook: { deadlineMs: 500 } });
      // After the start: the emulators and the hook keep the real time, the breaker's pauses go by this one.
      clock = sinon.useFakeTimers({ toFake: ['performance'], now: Date.now() });
    });
    afterEach(() => {
      clock?.restore();
    });
    const call = (): Promise<HookCall> => scene.call({ userId: BOB.id, login: BOB.login });
    const breakerState = (): string | undefined => Object.values(scene.hook.status().breakers)[0];
    const takeDown = async (): Promise<void> => {
      scene.twilio.fault({ kind: 'hang' });
      const calls = await Promise.all(Array.from({ length: 5 }, call));
      expect(calls.map((made) => commandOf(made)?.['status'])).to.deep.equal(Array(5).fill('PENDING'));
    };

    it('refuses after five unknowns, so that Okta sends the code itself', async () => {
      await takeDown();
      expect(breakerState()).to.equal('open');
      const asked = scene.twilio.requests.length;
      const refused = await Promise.all(Array.from({ length: 20 }, call));
      for (const made of refused) {
        expect(errorOf(made)?.errorCauses?.map(({ reason }) => reason?.split(':')[0])).to.deep.equal([
          'BREAKER_OPEN',
        ]);
      }
      expect(scene.twilio.requests).to.have.length(asked);
      const durations = scene.events.flatMap((event) =>
        event.type === 'attempt.ended' && event.code === 'BREAKER_OPEN' ? [event.durationMs] : [],
      );
      expect(durations).to.have.length(20);
    });

    it('names both channels that were refused for a user who opted in', async () => {
      await takeDown();
      const made = await scene.call();
      expect(errorOf(made)?.errorCauses?.map(({ errorSummary }) => errorSummary)).to.deep.equal([
        'Refused by whatsapp',
        'Refused by sms',
      ]);
    });

    it('comes back by itself: after 2 s one call is the probe, and its answer lets all others pass', async () => {
      await takeDown();
      scene.twilio.clearFaults();
      clock?.tick(1_999);
      expect(errorOf(await call())).to.not.equal(undefined);
      clock?.tick(1);
      expect(commandOf(await call())).to.include({ status: 'SUCCESSFUL' });
      expect(breakerState()).to.equal('closed');
      const all = await Promise.all(Array.from({ length: 10 }, call));
      expect(all.map((made) => commandOf(made)?.['status'])).to.deep.equal(Array(10).fill('SUCCESSFUL'));
      const changes = scene.events.flatMap((event) =>
        event.type === 'breaker.changed' ? [event.state] : [],
      );
      expect(changes).to.deep.equal(['open', 'half-open', 'closed']);
    });

    it('lets one of many calls be the probe, and pauses for longer when it hangs, too', async () => {
      await takeDown();
      clock?.tick(2_000);
      const asked = scene.twilio.requests.length;
      const made = await Promise.all(Array.from({ length: 10 }, call));
      expect(made.filter((one) => commandOf(one)?.['status'] === 'PENDING')).to.have.length(1);
      expect(made.filter((one) => errorOf(one) !== undefined)).to.have.length(9);
      expect(scene.twilio.requests).to.have.length(asked + 1);
      scene.twilio.clearFaults();
      clock?.tick(3_999);
      expect(errorOf(await call())).to.not.equal(undefined);
      clock?.tick(1);
      expect(commandOf(await call())).to.include({ status: 'SUCCESSFUL' });
    });
  });
});
