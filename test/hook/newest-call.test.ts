import { expect } from 'chai';
import type { StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { Channel, Outcome } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import { gatewayState } from '#harness/gateway-state.js';
import { startGatewayBeside } from '#harness/gateway-beside.js';
import { ANA, CODE, commandOf, scenes, type HookOptions, type Scene } from '#harness/scene.js';
import { startRawCall } from '#harness/raw-call.js';
import { stopTime } from '#harness/stopped-time.js';
import { defer, held, until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

const NEWER = '771204';

describe('two calls of one user at once', () => {
  let scene: Scene;
  /** What the channels sent, in order. */
  let left: string[];
  let first: ReturnType<typeof defer<Outcome>>;
  let lines: number;

  /** A channel that notes its code and accepts it, or has the outcome of the test. */
  const noting = (name: string, outcome?: () => Promise<Outcome> | undefined): Channel => ({
    send: ({ request }) => {
      left.push(`${name} ${request.otpCode}`);
      return outcome?.() ?? Promise.resolve({ status: 'accepted', transactionId: `${name}-${left.length}` });
    },
  });
  const startScene = scenes();
  beforeEach(() => {
    left = [];
    lines = 0;
    first = defer<Outcome>();
    mustNotShow(NEWER);
  });
  /** The first code waits at the channel `line` for its outcome. */
  const start = async (options: HookOptions = {}): Promise<void> => {
    const line: Channel = {
      send: ({ request }) => {
        lines += 1;
        if (lines === 1) return first.promise;
        left.push(`line ${request.otpCode}`);
        return Promise.resolve({ status: 'accepted', transactionId: `L${lines}` });
      },
    };
    const channels = { line, sms: noting('sms') };
    scene = await startScene({
      hook: { chooseChannels: () => ['line'], channels, lateFailover: false, ...options },
    });
  };
  const refuse = (refusal: object = {}): void => {
    first.resolve({ status: 'refused', code: 'GONE', reason: 'gone', ...refusal });
  };
  /** Requests the older code, and the newer one while the first channel has the older one. */
  const askBoth = async (newer: Parameters<Scene['call']>[0] = {}): Promise<{ older: Promise<HookCall> }> => {
    const older = scene.call({ eventId: 'older' });
    await until(() => lines === 1);
    await scene.call({ eventId: 'newer', otpCode: NEWER, ...newer });
    return { older };
  };
  const expectSuperseded = (call: HookCall): void => {
    expect(commandOf(call)).to.include({ status: 'PENDING', provider: 'GUARD' });
    expect(commandOf(call)?.['transactionMetadata']).to.include('blocked=SUPERSEDED');
  };

  it('send the older code by no further channel, and answer PENDING so that Okta does not either', async () => {
    await start();
    const { older } = await askBoth();
    refuse();
    expectSuperseded(await older);
    expect(left).to.deep.equal([`line ${NEWER}`]);
    expect(scene.of('request.answered').at(-1)).to.include({
      outcome: 'blocked',
      status: 'PENDING',
      code: 'SUPERSEDED',
    });
    const warned = scene.log.filter(({ level }) => level !== 'info');
    expect(warned.map(({ message }) => message)).to.include(
      'okta-telephony-hook: The code is superseded: the user has a newer one. Nothing was sent. Okta got PENDING, so it sends no code itself.',
    );
  });

  it('answer SUPERSEDED for the older code, too, if no channel is left for it', async () => {
    await start();
    const { older } = await askBoth();
    refuse({ moveOn: false });
    expectSuperseded(await older);
  });

  it('send the older code by no further channel if it is refused in the turn that reads the newer call', async () => {
    await start({
      onEvent: (event) => {
        // After all that this turn of the event loop does with the newer call.
        if (event.type === 'request.received' && event.eventId === 'newer') process.nextTick(refuse);
      },
    });
    const { older } = await askBoth();
    expectSuperseded(await older);
    expect(left).to.deep.equal([`line ${NEWER}`]);
  });

  it('leave the later one the newest, even if it waits longer for the guard', async () => {
    const memory = openMemoryState();
    const claims: (() => void)[] = [];
    const state: StatePort = {
      ...memory,
      claim: async (...args) => {
        await new Promise<void>((resolve) => claims.push(resolve));
        return memory.claim(...args);
      },
    };
    scene = await startScene({ hasCallbacks: true, hook: { state } });
    scene.twilio.faultCallbacks({ copies: 0 });
    const clock = stopTime();
    try {
      const older = scene.call({ eventId: 'older' });
      await until(() => claims.length === 1);
      clock.tick(8);
      const newer = scene.call({ eventId: 'newer', otpCode: NEWER });
      await until(() => claims.length === 2);
      for (const [at, call] of [older, newer].entries()) {
        clock.tick(10 * (at + 1));
        claims[at]?.();
        expect((await call).okta.action).to.equal('sent');
      }
    } finally {
      clock.restore();
    }
    for (const { sid } of scene.twilio.messages.slice(0, 2)) await scene.report(sid, 'undelivered');
    const ended = (): unknown[] =>
      scene.of('failover.ended').map(({ eventId, code, outcome }) => [eventId, code ?? outcome]);
    await until(() => ended().length === 2);
    expect(ended()).to.have.deep.members([
      ['older', 'SUPERSEDED'],
      ['newer', 'accepted'],
    ]);
  });

  for (const where of ['the same gateway', 'another gateway']) {
    it(`stop the older code while a slow provider has the newer one of ${where}`, async () => {
      const second = defer<Outcome>();
      const whatsapp = noting('whatsapp', () => {
        lines += 1;
        return lines === 1 ? first.promise : second.promise;
      });
      const sms = noting('sms');
      const memory = openMemoryState();
      const optionsOf = () => {
        const state = where === 'another gateway' ? gatewayState(memory) : memory;
        return { state, lateFailover: false, channels: { whatsapp, sms } } as const;
      };
      scene = await startScene({ hook: optionsOf() });
      const other = await startGatewayBeside(scene, optionsOf());
      try {
        const older = scene.call({ eventId: 'older' });
        await until(() => lines === 1);
        const url = where === 'another gateway' ? { url: other.url } : {};
        const newer = scene.call({ eventId: 'newer', otpCode: NEWER, ...url });
        await until(() => lines === 2);
        first.resolve({ status: 'refused', code: '63007', reason: 'no sender' });
        expectSuperseded(await older);
        second.resolve({ status: 'unknown', reason: 'the connection was reset' });
        expect(commandOf(await newer)).to.include({ status: 'PENDING' });
        expect(left).to.deep.equal([`whatsapp ${CODE}`, `whatsapp ${NEWER}`]);
      } finally {
        await other.close();
      }
    });
  }

  it('send only the newer code if both wait for the same profile', async () => {
    scene = await startScene({ hook: { chooseChannels: () => ['sms'], channels: { sms: noting('sms') } } });
    const clock = stopTime();
    try {
      scene.okta.fault({ fault: { kind: 'slow', delayMs: 400 }, times: 1 });
      const older = scene.call({ eventId: 'older' });
      await until(() => scene.okta.requests.length === 1);
      const newer = scene.call({ eventId: 'newer', otpCode: NEWER });
      await until(() => scene.of('request.received').length === 2);
      clock.tick(400);
      expect((await newer).okta.action).to.equal('sent');
      expectSuperseded(await older);
    } finally {
      clock.restore();
    }
    expect(scene.okta.requests).to.have.lengthOf(1);
    expect(left).to.deep.equal([`sms ${NEWER}`]);
  });

  describe('while the text of the older code is composed', () => {
    let text: ReturnType<typeof held<string>>;
    let answer: ReturnType<typeof defer<Outcome>> | undefined;
    const startComposing = async (): Promise<void> => {
      answer = undefined;
      text = held<string>();
      const line = noting('line', () => answer?.promise);
      scene = await startScene({
        hook: {
          chooseChannels: () => ['line'],
          channels: { line },
          composeText: ({ otpCode }) => (otpCode === NEWER ? `Your code is ${NEWER}` : text.run()),
        },
      });
    };

    it('do not send it after the newer one', async () => {
      await startComposing();
      const older = scene.call({ eventId: 'older' });
      await text.called;
      expect((await scene.call({ eventId: 'newer', otpCode: NEWER })).okta.action).to.equal('sent');
      text.resolve(`Your code is ${CODE}`);
      expectSuperseded(await older);
      expect(left).to.deep.equal([`line ${NEWER}`]);
    });

    it('do not send it while the newer one is at its provider', async () => {
      const clock = stopTime();
      try {
        await startComposing();
        answer = defer<Outcome>();
        const older = scene.call({ eventId: 'older' });
        await text.called;
        const newer = scene.call({ eventId: 'newer', otpCode: NEWER });
        await until(() => left.length === 1);
        text.resolve(`Your code is ${CODE}`);
        expectSuperseded(await older);
        answer.resolve({ status: 'accepted', transactionId: 'L1' });
        expect((await newer).okta.action).to.equal('sent');
      } finally {
        clock.restore();
      }
      expect(left).to.deep.equal([`line ${NEWER}`]);
    });

    it('do not send a repeat of it if its first call hung up after the newer one', async () => {
      await startComposing();
      const first = startRawCall(scene, { eventId: 'older' });
      await text.called;
      const repeat = scene.call({ eventId: 'older' });
      await until(() => scene.hook.status().inFlight === 2);
      await scene.call({ eventId: 'newer', otpCode: NEWER });
      first.destroy();
      expect(commandOf(await repeat)).to.include({ status: 'PENDING' });
      text.resolve(`Your code is ${CODE}`);
      await scene.hook.close();
      expect(left).to.deep.equal([`line ${NEWER}`]);
    });
  });

  describe('if the older one hung up before it was sent', () => {
    const hangUp = async (): Promise<void> => {
      scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
      const asked = scene.okta.requests.length;
      const clock = stopTime();
      try {
        const call = startRawCall(scene, { eventId: 'older' });
        await until(() => scene.okta.requests.length > asked);
        await call.hangUp();
        // The time-out of the profile request.
        clock.tick(1_000);
        await until(() => scene.hook.status().inFlight === 0);
      } finally {
        clock.restore();
      }
    };

    it('do not send its retry after the newer one, though no call runs any more', async () => {
      await start();
      first.resolve({ status: 'accepted', transactionId: 'L1' });
      await hangUp();
      expect((await scene.call({ eventId: 'newer', otpCode: NEWER })).okta.action).to.equal('sent');
      const retry = await scene.call({ eventId: 'older' });
      expectSuperseded(retry);
      expect((await scene.call({ eventId: 'older' })).body).to.deep.equal(retry.body);
      expect(lines).to.equal(1);
    });

    it('send its retry if there is no newer one, and the newer one that comes after it', async () => {
      await start();
      first.resolve({ status: 'accepted', transactionId: 'L1' });
      await hangUp();
      expect((await scene.call({ eventId: 'older' })).okta.action).to.equal('sent');
      expect((await scene.call({ eventId: 'newer', otpCode: NEWER })).okta.action).to.equal('sent');
      expect(lines).to.equal(2);
    });
  });

  for (const [what, other] of [
    ['for another user', { userId: '00uother0000000001d7', login: undefined }],
    ['a preview', { preview: true }],
  ] as const) {
    it(`send both codes if the newer one is ${what}`, async () => {
      await start();
      const { older } = await askBoth(other);
      refuse();
      expect((await older).okta.action).to.equal('sent');
      expect(left).to.deep.equal([`line ${NEWER}`, `sms ${CODE}`]);
    });
  }

  it('send the older code by no further channel if the newer one comes while the state is asked', async () => {
    const memory = openMemoryState();
    const gate = defer<undefined>();
    let isAsked = false;
    const isCurrent: StatePort['isCurrent'] = async (...event) => {
      const answer = memory.isCurrent(...event);
      if (isAsked) return answer;
      isAsked = true;
      await gate.promise;
      return answer;
    };
    await start({ state: { ...memory, isCurrent } });
    // The call does not wait longer than its share for the state.
    const clock = stopTime();
    try {
      const older = scene.call({ eventId: 'older' });
      await until(() => lines === 1);
      refuse();
      await until(() => isAsked);
      await scene.call({ eventId: 'newer', otpCode: NEWER });
      gate.resolve(undefined);
      expectSuperseded(await older);
      expect(left).to.deep.equal([`line ${NEWER}`]);
    } finally {
      clock.restore();
    }
  });

  it('send the older code by another channel if the newer one came after close()', async () => {
    await start();
    const older = scene.call({ eventId: 'older' });
    await until(() => lines === 1);
    const closing = scene.hook.close();
    const newer = await scene.call({ eventId: 'newer', otpCode: NEWER });
    expect(newer.httpStatus).to.equal(503);
    refuse();
    expect((await older).okta.action).to.equal('sent');
    expect(left).to.deep.equal([`sms ${CODE}`]);
    await closing;
  });

  it('send a preview by no further channel after a newer code', async () => {
    await start();
    const preview = scene.call({ eventId: 'preview', preview: true });
    await until(() => lines === 1);
    await scene.call({ eventId: 'newer', otpCode: NEWER });
    refuse();
    expectSuperseded(await preview);
    expect(left).to.deep.equal([`line ${NEWER}`]);
  });

  it('do not send the older code if another gateway sent the newer one during the profile request', async () => {
    const memory = openMemoryState();
    scene = await startScene({ hook: { state: gatewayState(memory) } });
    const other = await startGatewayBeside(scene, { state: gatewayState(memory) });
    const clock = stopTime();
    try {
      scene.okta.fault({ fault: { kind: 'slow', delayMs: 251 }, times: 1 });
      const older = scene.call({ eventId: 'older' });
      await until(() => scene.okta.requests.length === 1);
      const newer = await scene.call({ eventId: 'newer', otpCode: NEWER, url: other.url });
      expect(newer.okta.action).to.equal('sent');
      clock.tick(251);
      expectSuperseded(await older);
      expect(scene.twilio.messages.map(({ body }) => body)).to.deep.equal([`Your code is ${NEWER}`]);
    } finally {
      clock.restore();
      await other.close();
    }
  });

  it('send the later code if the earlier call has ended', async () => {
    await start();
    first.resolve({ status: 'accepted', transactionId: 'L1' });
    await scene.call({ eventId: 'before', otpCode: NEWER });
    const refusing = await scene.call({ eventId: 'after', userId: ANA.id });
    expect(refusing.okta.action).to.equal('sent');
  });
});
