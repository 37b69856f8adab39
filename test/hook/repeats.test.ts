import { expect } from 'chai';
import type sinon from 'sinon';
import type { StatePort } from '#lib/delivery/state.js';
import type { RememberedAnswer } from '#lib/delivery/local-claims.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { HookCall } from '#lib/testing/index.js';
import { ANA, BOB, CODE, HOOK_SECRET, commandOf, scenes, type Scene } from '#harness/scene.js';
import { startRawCall } from '#harness/raw-call.js';
import { mustNotShow } from '#harness/witness.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

describe('a repeat of an event', () => {
  let scene: Scene;
  let now: number;
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(() => clock?.restore());
  const startScene = scenes();
  beforeEach(async () => {
    now = Date.now();
    scene = await startScene({ hook: { clock: () => now } });
  });
  const sent = (): number => scene.twilio.messages.length + scene.twilio.calls.length;

  it('gets the answer of the first call while that still runs: twelve at once send one message', async () => {
    scene.twilio.fault({ kind: 'slow', delayMs: 150 });
    const calls = await Promise.all(Array.from({ length: 12 }, () => scene.call({ eventId: 'event-1' })));
    expect(sent()).to.equal(1);
    for (const call of calls) {
      expect(call.okta.action).to.equal('sent');
      expect(call.body).to.deep.equal(calls[0]?.body);
    }
    expect(scene.okta.requests).to.have.length(1);
    // The first call gets its answer before its repeats.
    expect(scene.of('request.answered').map(({ isRepeat }) => isRepeat)).to.deep.equal([
      false,
      ...Array<boolean>(11).fill(true),
    ]);
  });

  it('gets the answer of the first call until the code expires, and then sends the code again', async () => {
    clock = stopTime();
    const first = await scene.call({ eventId: 'event-1' });
    clock.tick(4 * 60_000 + 50_000);
    const repeat = await scene.call({ eventId: 'event-1' });
    expect(repeat.body).to.deep.equal(first.body);
    expect(sent()).to.equal(1);
    clock.tick(30_000);
    await scene.call({ eventId: 'event-1' });
    expect(sent()).to.equal(2);
  });

  it('is recognized while the first call may run, even if the code expires earlier', async () => {
    const shortLived = (): Promise<HookCall> =>
      scene.call({
        eventId: 'event-1',
        change: (payload) => {
          const { data } = payload as { data: { messageProfile: { otpExpires: string } } };
          const expires = new Date(Date.parse(String(payload['eventTime'])) + 1).toISOString();
          data.messageProfile.otpExpires = expires;
          return payload;
        },
      });
    await Promise.all([shortLived(), shortLived(), shortLived()]);
    now += 10_000;
    await shortLived();
    expect(sent()).to.equal(1);
  });

  for (const [what, spoil, action] of [
    ['the error of the first call', () => scene.twilio.refuseWith({ code: 21211 }), 'error'],
    [
      'PENDING if the outcome of the first call is unknown',
      () => scene.twilio.fault({ kind: 'reset' }),
      'pending',
    ],
  ] as const) {
    it(`gets ${what}, and makes no attempt`, async () => {
      spoil();
      const first = await scene.call({ eventId: 'event-1' });
      scene.twilio.clearFaults();
      const second = await scene.call({ eventId: 'event-1' });
      expect(second.okta.action).to.equal(action);
      expect(second.body).to.deep.equal(first.body);
      expect(scene.twilio.requests).to.have.length(1);
      expect(scene.of('attempt.ended')).to.have.length(1);
    });
  }

  it('is recognized, too, if the claim of the state is replaced after the hook is made', async () => {
    const state = openMemoryState();
    const theirs = await startScene({ hook: { state } });
    let asked = 0;
    await theirs.call({ eventId: 'event-1' });
    const claim = state.claim.bind(state);
    Object.assign(state, {
      claim: (...args: Parameters<StatePort['claim']>) => {
        asked += 1;
        return claim(...args);
      },
    });
    for (const eventId of ['event-1', 'event-2', 'event-2'])
      expect((await theirs.call({ eventId })).okta.action).to.equal('sent');
    expect(theirs.twilio.messages).to.have.length(2);
    expect(asked).to.equal(1);
  });

  it('has lists of its own in its event, even if a listener changes those of another event', async () => {
    await scene.call({ eventId: 'event-1' });
    const reported: unknown[] = [];
    for (let count = 0; count < 2; count += 1) {
      await scene.call({ eventId: 'event-1' });
      const { skipped } = scene.of('request.answered').at(-1) ?? {};
      reported.push(...(skipped ?? [undefined]));
      (skipped as unknown[] | undefined)?.push('perUser');
    }
    expect(reported).to.be.empty;
  });

  for (const [title, change] of [
    ['event id', { eventId: 'event-2' }],
    ['request type', { requestType: 'password-reset' }],
    ['user', { userId: BOB.id }],
    ['login, and no user id', { userId: undefined, login: BOB.login }],
    ['number', { phoneNumber: '+447700900999' }],
    ['code', { otpCode: '777111' }],
    ['channel', { deliveryChannel: 'voice call' }],
  ] as const) {
    it(`is not a call with another ${title}`, async () => {
      mustNotShow('447700900999', '777111');
      await scene.call({ eventId: 'event-1', ...('login' in change ? { userId: undefined } : {}) });
      const other = await scene.call({ eventId: 'event-1', ...change });
      expect(other.okta.action).to.equal('sent');
      expect(sent()).to.equal(2);
      expect(scene.of('request.answered').map(({ isRepeat }) => isRepeat)).to.deep.equal([false, false]);
    });
  }

  it('is also a call with another locale, IP address or spelling of the number', async () => {
    await scene.call({ eventId: 'event-1' });
    await scene.call({
      eventId: 'event-1',
      locale: 'pt-BR',
      phoneNumber: '+44 7700 900123',
      ipAddress: '198.51.100.1',
    });
    expect(sent()).to.equal(1);
  });

  it('is not a call without an event id', async () => {
    const change = (payload: Record<string, unknown>): unknown => ({ ...payload, eventId: undefined });
    await scene.call({ change });
    await scene.call({ change });
    expect(sent()).to.equal(2);
  });

  for (const [title, spoiled, httpStatus] of [
    ['400', { change: (payload: Record<string, unknown>) => ({ ...payload, data: {} }) }, 400],
    ['401', { headers: { Authorization: `${HOOK_SECRET}x` } }, 401],
    ['415', { headers: { Authorization: HOOK_SECRET, 'Content-Type': 'text/plain' } }, 415],
  ] as const) {
    it(`is not a call after one that got ${title}`, async () => {
      expect((await scene.call({ eventId: 'event-1', ...spoiled })).httpStatus).to.equal(httpStatus);
      expect((await scene.call({ eventId: 'event-1' })).okta.action).to.equal('sent');
      expect(sent()).to.equal(1);
    });
  }

  it('is not a call after one whose number cannot be dialled', async () => {
    await scene.call({ eventId: 'event-1', phoneNumber: '12' });
    expect((await scene.call({ eventId: 'event-1' })).okta.action).to.equal('sent');
  });

  describe("of Okta's preview", () => {
    const preview = { preview: true, eventId: 'event-1' };

    it('is recognized for 10 s', async () => {
      clock = stopTime();
      await scene.call(preview);
      clock.tick(9_999);
      await scene.call(preview);
      expect(sent()).to.equal(1);
      clock.tick(1);
      await scene.call(preview);
      expect(sent()).to.equal(2);
    });

    it('is not a preview with another code', async () => {
      await scene.call(preview);
      await scene.call({ ...preview, otpCode: '98765' });
      expect(sent()).to.equal(2);
    });
  });

  it('sends the code if the first call hung up before anything was sent', async () => {
    scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
    const first = startRawCall(scene, { eventId: 'event-1' });
    await until(() => scene.okta.requests.length === 1);
    const second = scene.call({ eventId: 'event-1' });
    await until(() => scene.of('request.received').length === 2);
    first.destroy();
    expect((await second).okta.action).to.equal('sent');
    expect(sent()).to.equal(1);
    expect(
      scene.of('request.answered').map(({ hasHungUp, isRepeat }) => [hasHungUp, isRepeat]),
    ).to.deep.equal([
      [true, false],
      [false, false],
    ]);
  });

  it('gets the result of the first call if that hung up after the request to the provider', async () => {
    scene.twilio.fault({ kind: 'slow', delayMs: 100 });
    const first = startRawCall(scene, { eventId: 'event-1' });
    await until(() => scene.twilio.requests.length === 1);
    first.destroy();
    const second = await scene.call({ eventId: 'event-1' });
    expect(commandOf(second)).to.include({
      status: 'SUCCESSFUL',
      transactionId: scene.twilio.messages[0]?.sid,
    });
    expect(sent()).to.equal(1);
  });
});

describe('an internal failure', () => {
  const startScene = scenes();

  it('gets 500, and the next call of the same event sends the code', async () => {
    let isBroken = true;
    const scene = await startScene({
      hook: {
        channels: {
          sms: {
            // A custom channel that throws when the hook reads a property.
            get usesText(): boolean {
              if (isBroken) throw new Error(`broken at ${ANA.phone} with ${CODE}`);
              return true;
            },
            send: () => Promise.resolve({ status: 'accepted', transactionId: 'T1' }),
          },
        },
      },
    });
    const first = await scene.call({ eventId: 'event-1', userId: BOB.id });
    expect(first.httpStatus).to.equal(500);
    isBroken = false;
    const second = await scene.call({ eventId: 'event-1', userId: BOB.id });
    expect(commandOf(second)).to.include({ status: 'SUCCESSFUL' });
  });
});

describe('a state that is slow, or has lost an answer', () => {
  let clock: sinon.SinonFakeTimers | undefined;
  afterEach(() => clock?.restore());
  const startScene = scenes();

  const stateOf = (claim: StatePort['claim']): StatePort => ({ ...openMemoryState(), claim });
  it('lets the next of twelve calls send the code if it answers late and the first call hung up before a send', async () => {
    let asked = 0;
    const waiting: (() => void)[] = [];
    const claimLate: StatePort['claim'] = async (...args) => {
      asked += 1;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return openMemoryState().claim(...args);
    };
    const answer = (): void => waiting.shift()?.();
    const scene = await startScene({ hook: { state: stateOf(claimLate) } });
    scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
    clock = stopTime();
    const first = startRawCall(scene, { eventId: 'event-1' });
    await until(() => asked === 1);
    answer();
    await until(() => scene.okta.requests.length === 1);
    const others = Array.from({ length: 11 }, () => scene.call({ eventId: 'event-1' }));
    await until(() => scene.of('request.received').length === 12);
    await first.hangUp();
    // The time-out of the profile request. Then the next call claims the event.
    clock.tick(800);
    await until(() => asked === 2);
    answer();
    const calls = await Promise.all(others);
    expect(asked).to.equal(2);
    expect(scene.twilio.messages).to.have.length(1);
    for (const call of calls) expect(commandOf(call)).to.deep.equal(commandOf(calls[0]!));
    expect(commandOf(calls[0]!)).to.include({ status: 'SUCCESSFUL' });
  });

  it('gives a repeat PENDING if it loses the answer of the first call', async () => {
    const scene = await startScene({
      hook: {
        state: stateOf(() => ({ isFirst: false, answer: Promise.resolve('lost') })),
      },
    });
    const call = await scene.call({ eventId: 'event-1' });
    expect(commandOf(call)).to.include({ status: 'PENDING', transactionId: 'event-1' });
    expect(scene.twilio.requests).to.be.empty;
    expect(scene.events.at(-1)).to.include({ type: 'request.answered', isRepeat: true, outcome: 'unknown' });
    expect(scene.events.at(-1))
      .to.have.property('reason')
      .that.matches(/has not answered in time$/);
  });

  for (const [title, kept] of [
    ['null', null],
    ['a string', 'sent'],
    ['an answer as text', { commands: [{ value: [{ status: 'SUCCESSFUL' }] }] }],
    ['a decision of another form', { form: 2, outcome: 'accepted', status: 'SUCCESSFUL' }],
  ] as const) {
    it(`gives a repeat PENDING if another version stored ${title} as the first answer`, async () => {
      const answer = Promise.resolve(kept as unknown as RememberedAnswer);
      const scene = await startScene({ hook: { state: stateOf(() => ({ isFirst: false, answer })) } });
      const call = await scene.call({ eventId: 'event-1' });
      expect(commandOf(call)).to.include({ status: 'PENDING', transactionId: 'event-1' });
      expect(scene.events.at(-1))
        .to.have.property('reason')
        .that.matches(/^A gateway of another version/);
      expect(scene.twilio.requests).to.be.empty;
    });
  }

  it('gives a repeat PENDING at the deadline if the first call never ends', async () => {
    let isClaimed = false;
    const scene = await startScene({
      hook: {
        deadlineMs: 500,
        state: stateOf(() => {
          isClaimed = true;
          return Promise.resolve({ isFirst: false, answer: new Promise(() => undefined) });
        }),
      },
    });
    clock = stopTime();
    const calling = scene.call({ eventId: 'event-1' });
    await until(() => isClaimed);
    clock.tick(500);
    expect(commandOf(await calling)).to.include({ status: 'PENDING', transactionId: 'event-1' });
  });
});
