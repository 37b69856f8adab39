import { expect } from 'chai';
import express from 'express';
import type { StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { Channel, ConnectedChannel, HookEventOf, Outcome } from '#lib/index.js';
import { TelephonyHookError } from '#lib/index.js';
import { redisState } from '#lib/state/redis/index.js';
import type { EventDelivery, LogEvent } from '#lib/testing/index.js';
import { fakeClock } from '#harness/fake-clock.js';
import { startGatewayBeside, type GatewayBeside } from '#harness/gateway-beside.js';
import { Closers } from '#harness/closers.js';
import { watchRecords } from '#harness/records.js';
import { needRedis, startRedis, type RedisServer } from '#harness/redis-server.js';
import {
  ANA,
  BOB,
  HOOK_SECRET,
  sidOf,
  startScene,
  TO_BOB,
  type HookOptions,
  type Scene,
  type SceneOptions,
} from '#harness/scene.js';
import { defer, held, until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const NEWER = '771204';
const DAY_MS = 86_400_000;
const ADMIN = {
  id: '00uadministrator0001',
  type: 'User',
  alternateId: 'admin',
  displayName: 'Admin',
} as const;

describe('the event hook', () => {
  let scene: Scene;
  let now: number;
  const closers = new Closers();
  afterEach(() => closers.closeAll());

  const start = async (hook: HookOptions = {}, mount?: SceneOptions['mount']): Promise<void> => {
    now = Date.now();
    mustNotShow(NEWER);
    const mounted = mount === undefined ? {} : { mount };
    const opened = await startScene({ hasCallbacks: true, hook: { clock: () => now, ...hook }, ...mounted });
    scene = closers.add(opened, () => opened.close());
    // Status callbacks have tests of their own.
    scene.twilio.faultCallbacks({ copies: 0 });
  };
  const register = async (url?: string): Promise<void> => {
    const id = await scene.registerEventHook(url);
    expect(scene.okta.eventHooks.find((hook) => hook.id === id)?.verificationStatus).to.equal('VERIFIED');
  };
  const used = (): HookEventOf<'code.used'>[] => scene.of('code.used');
  /** The ids of the messages that the hook confirmed to Twilio. */
  const confirmed = (): readonly string[] => scene.twilio.feedback.map(({ messageSid }) => messageSid);
  const expectDelivered = (deliveries: readonly EventDelivery[]): void => {
    expect(deliveries.map(({ statuses }) => statuses)).to.deep.equal([[204]]);
  };
  /** Posts events to the hook, as Okta does. */
  const fire = async (...events: LogEvent[]): Promise<void> => {
    expect((await post(envelope(...events))).status).to.equal(204);
  };
  /** Waits until the hook has handled all events. */
  const settled = (): Promise<void> => scene.hook.close();
  const post = (body: string, headers: Record<string, string> = {}, method = 'POST'): Promise<Response> =>
    fetch(`${scene.url}/events`, {
      method,
      headers: { authorization: HOOK_SECRET, 'content-type': 'application/json', ...headers },
      ...(method === 'POST' ? { body } : {}),
    });
  const envelope = (...events: unknown[]): string => JSON.stringify({ data: { events } });

  /** Without this, the code has expired by the clock of a gateway that is fast. */
  const withoutEnd = (payload: Record<string, unknown>): void => {
    delete (payload as { data: { messageProfile: { otpExpires?: string } } }).data.messageProfile.otpExpires;
  };

  it('confirms to Twilio just the message of the user, and reports its country and channel', async () => {
    await start();
    await register();
    const whatsApp = await scene.call({ eventId: 'event-1' });
    const sms = await scene.call({ ...TO_BOB, eventId: 'event-2' });
    expectDelivered(await scene.okta.userSignedIn(ANA.id));
    await until(() => confirmed().length === 1);
    expect(confirmed()).to.deep.equal([sidOf(whatsApp)]);
    expectDelivered(await scene.okta.userSignedIn(BOB.id));
    await until(() => confirmed().length === 2);
    expect(confirmed()).to.deep.equal([sidOf(whatsApp), sidOf(sms)]);
    expect(scene.twilio.feedback.map(({ outcome }) => outcome)).to.deep.equal(['confirmed', 'confirmed']);
    const [ana, bob] = used();
    expect(ana).to.deep.include({
      eventId: 'event-1',
      requestType: 'com.okta.user.telephony.mfa-verification',
      deliveryChannel: 'sms',
      userId: ANA.id,
      channel: 'whatsapp',
      provider: 'TWILIO',
      country: 'GB',
      transactionId: sidOf(whatsApp),
    });
    expect(bob).to.include({ channel: 'sms', country: 'US', userId: BOB.id });
    expect(scene.of('request.answered').map(({ country, channel }) => [country, channel])).to.deep.equal([
      ['GB', 'whatsapp'],
      ['US', 'sms'],
    ]);
    expect(scene.log.at(-1)).to.deep.include({
      level: 'info',
      message: 'okta-telephony-hook: The user entered the code that was sent by SMS.',
    });
  });

  it('confirms the code of an enrollment, also if an administrator activates the factor', async () => {
    await start();
    const ana = await scene.call({ requestType: 'pre-enrollment' });
    const bob = await scene.call({ ...TO_BOB, requestType: 'pre-enrollment' });
    const eventType = 'user.mfa.factor.activate';
    await fire(
      scene.okta.logEvent(ANA.id, { eventType }),
      scene.okta.logEvent(BOB.id, { eventType, actor: ADMIN }),
    );
    await until(() => confirmed().length === 2);
    expect(confirmed()).to.have.members([sidOf(ana), sidOf(bob)]);
    expect(used().map(({ userId }) => userId)).to.have.members([ANA.id, BOB.id]);
  });

  it('finds a sign-in in a batch among events that are about no code of the hook', async () => {
    await start();
    await scene.call();
    const bob = await scene.call(TO_BOB);
    const logEvent = (...event: Parameters<Scene['okta']['logEvent']>): LogEvent =>
      scene.okta.logEvent(...event);
    const stranger = { ...logEvent(BOB.id), actor: ADMIN, target: [] };
    await fire(
      logEvent(ANA.id, { result: 'FAILURE' }),
      logEvent(ANA.id, { factor: 'EMAIL_FACTOR' }),
      logEvent(ANA.id, { factor: 'CALL_FACTOR' }),
      stranger,
      logEvent(BOB.id),
    );
    await until(() => confirmed().length > 0);
    await settled();
    expect(confirmed()).to.deep.equal([sidOf(bob)]);
    expect(used().map(({ userId }) => userId)).to.deep.equal([BOB.id]);
  });

  it('counts an event once when Okta repeats it in the same or another delivery', async () => {
    await start();
    await register();
    const first = await scene.call();
    const event = scene.okta.logEvent(ANA.id);
    const [delivery] = await scene.okta.fireEvents([event, event]);
    await scene.okta.fireEvents([event], { eventId: delivery?.eventId });
    await fire(event);
    await until(() => confirmed().length > 0);
    // Okta repeats the event after another code was sent, even with a later time.
    await scene.call({ otpCode: NEWER });
    await fire({ ...event, published: new Date(Date.now() + 60_000).toISOString() });
    await settled();
    expect(confirmed()).to.deep.equal([sidOf(first)]);
    expect(used()).to.have.length(1);
  });

  it('confirms no code that was requested after the sign-in', async () => {
    await start();
    await scene.call();
    const before = scene.okta.logEvent(ANA.id);
    // The second code must be at least 1 ms younger than the sign-in.
    await until(() => Date.now() > Date.parse(before.published));
    const last = await scene.call({ otpCode: NEWER });
    await fire(before);
    await fire(scene.okta.logEvent(ANA.id));
    await until(() => confirmed().length > 0);
    await settled();
    expect(confirmed()).to.deep.equal([sidOf(last)]);
  });

  /** Times in milliseconds from the arrival of the call by a correct clock. */
  for (const { title, oktaAheadMs = 0, usedMs, handledMs = usedMs, isConfirmed = true } of [
    {
      title: 'a minute after its end, because the life counts from the arrival of the call',
      usedMs: 360_000,
    },
    { title: 'no longer after that', usedMs: 360_001, isConfirmed: false },
    { title: 'though the event comes 50 minutes late', usedMs: 9_000, handledMs: 3_000_000 },
    { title: 'if the clock of the gateway is 150 s fast', oktaAheadMs: -150_000, usedMs: 9_000 },
    { title: 'if the clock of the gateway is 150 s slow', oktaAheadMs: 150_000, usedMs: 9_000 },
    { title: 'if the clock of the gateway is two days fast', oktaAheadMs: -2 * DAY_MS, usedMs: 9_000 },
    { title: 'if the clock of the gateway is two days slow', oktaAheadMs: 2 * DAY_MS, usedMs: 9_000 },
  ]) {
    it(`confirms the code with the time from request to use, ${title}`, async () => {
      await start();
      const atMs = now + oktaAheadMs;
      const call = await scene.call({ eventTime: new Date(atMs), change: withoutEnd });
      now += handledMs;
      await fire(scene.okta.logEvent(ANA.id, { published: new Date(atMs + usedMs) }));
      await settled();
      expect(confirmed()).to.deep.equal(isConfirmed ? [sidOf(call)] : []);
      const isFarOff = Math.abs(oktaAheadMs) > DAY_MS;
      // Then only the order of requests and uses is known.
      if (!isFarOff)
        expect(used().map(({ sinceSentMs }) => sinceSentMs)).to.deep.equal(isConfirmed ? [usedMs] : []);
    });
  }

  it('confirms the code if the event has an invalid time, or one of another year', async () => {
    await start();
    const calls = [await scene.call(), await scene.call(TO_BOB)];
    await fire(
      { ...scene.okta.logEvent(ANA.id), published: 'today' },
      scene.okta.logEvent(BOB.id, { published: new Date(0) }),
    );
    await until(() => confirmed().length === 2);
    expect(confirmed()).to.have.members(calls.map(sidOf));
  });

  it('confirms the code, too, if Okta repeats its request before the sign-in', async () => {
    await start();
    const call = await scene.call({ eventId: 'event-1' });
    await scene.call({ eventId: 'event-1' });
    await fire(scene.okta.logEvent(ANA.id));
    await settled();
    expect(confirmed()).to.deep.equal([sidOf(call)]);
  });

  it('counts a voice code on a CALL_FACTOR event, not on an SMS event, and confirms nothing to Twilio', async () => {
    await start();
    await scene.call({ deliveryChannel: 'VOICE' });
    await fire(scene.okta.logEvent(ANA.id), scene.okta.logEvent(ANA.id, { factor: 'CALL_FACTOR' }));
    await until(() => used().length > 0);
    await settled();
    expect(used().map(({ channel, deliveryChannel }) => [channel, deliveryChannel])).to.deep.equal([
      ['voice', 'voice'],
    ]);
    expect(confirmed()).to.be.empty;
  });

  describe('after two codes', () => {
    let confirmedIds: string[];
    let outcomes: (Outcome | Promise<Outcome> | 'broken')[];
    const accepted = (transactionId: string): Outcome => ({ status: 'accepted', transactionId });
    const refused: Outcome = { status: 'refused', code: 'NO', reason: 'no' };
    const startOwn = async (hook: HookOptions = {}): Promise<void> => {
      confirmedIds = [];
      const sms: Channel = {
        provider: 'OWN',
        get usesText() {
          return outcomes[0] === 'broken' ? expect.fail('a channel that is broken') : true;
        },
        send: () => {
          const outcome = outcomes.shift();
          return outcome === undefined || outcome === 'broken' ? expect.fail() : Promise.resolve(outcome);
        },
        confirm: (id) => {
          confirmedIds.push(id);
          return Promise.resolve();
        },
      };
      await start({ channels: { sms }, ...hook });
      now += 1;
    };
    const ask = (eventId: string, call: Parameters<Scene['call']>[0] = {}) =>
      scene.call({ ...TO_BOB, eventTime: new Date((now += 1)), eventId, otpCode: NEWER, ...call });
    const usedNow = async (): Promise<void> => {
      await fire(scene.okta.logEvent(BOB.id, { published: new Date((now += 1_000)) }));
    };
    const usedIds = (): readonly string[] => used().map(({ eventId }) => eventId);

    const unsent: Readonly<
      Record<string, { second: typeof outcomes; call?: Parameters<Scene['call']>[0]; hook?: HookOptions }>
    > = {
      'the provider refused the second one': { second: [refused] },
      'the guard blocked the second one': {
        second: [],
        hook: { guard: { perUser: { points: 1, seconds: 600 } } },
      },
      'the second one had a number that cannot be dialled': { second: [], call: { phoneNumber: '12' } },
      'the channel of the second one has a defect': { second: ['broken'] },
    };
    for (const [title, { second, call, hook }] of Object.entries(unsent)) {
      it(`counts and confirms no code if ${title}`, async () => {
        outcomes = [accepted('S1'), ...second];
        await startOwn(hook);
        await ask('event-1');
        expect((await ask('event-2', call)).okta.action).to.not.equal('sent');
        await usedNow();
        await settled();
        expect(used()).to.be.empty;
        expect(confirmedIds).to.be.empty;
      });
    }

    it('counts the second one without a confirmation if its outcome is unknown', async () => {
      outcomes = [accepted('S1'), { status: 'unknown', reason: 'hung' }];
      await startOwn();
      await ask('event-1');
      expect((await ask('event-2')).okta.action).to.equal('pending');
      await usedNow();
      await settled();
      expect(usedIds()).to.deep.equal(['event-2']);
      expect(used()[0]).to.include({ channel: 'sms', provider: 'OWN', transactionId: 'event-2' });
      expect(confirmedIds).to.be.empty;
    });

    it('counts the second one, without a confirmation, if the sign-in comes while its send is open', async () => {
      const late = defer<Outcome>();
      outcomes = [accepted('S1'), late.promise];
      await startOwn();
      await ask('event-1');
      const clock = fakeClock(['setTimeout', 'clearTimeout']);
      const second = ask('event-2');
      await until(() => outcomes.length === 0);
      // Nobody has typed a code sooner.
      clock.tick(1_000);
      clock.restore();
      await usedNow();
      await until(() => used().length === 1);
      late.resolve(accepted('S2'));
      expect((await second).okta.action).to.equal('sent');
      await settled();
      expect(usedIds()).to.deep.equal(['event-2']);
      expect(used()[0]).to.include({ channel: 'sms', provider: 'OWN', transactionId: 'event-2' });
      expect(confirmedIds).to.be.empty;
    });

    it('confirms the first one if the second one is a preview', async () => {
      outcomes = [accepted('S1'), refused, refused];
      await startOwn();
      await ask('event-1');
      await ask('event-2', { preview: true, otpCode: undefined });
      await usedNow();
      await until(() => confirmedIds.length === 1);
      expect(confirmedIds).to.deep.equal(['S1']);
      expect(usedIds()).to.deep.equal(['event-1']);
    });

    for (const isUsedBefore of [false, true]) {
      const title = isUsedBefore
        ? 'counts the second one once, without a confirmation, if the provider accepts it after the sign-in'
        : 'confirms the second one if the provider accepts it late, before the sign-in';
      it(title, async () => {
        const late = defer<Outcome>();
        outcomes = [accepted('S1'), late.promise];
        await startOwn({ deadlineMs: 500 });
        await ask('event-1');
        expect((await ask('event-2')).okta.action).to.equal('pending');
        if (isUsedBefore) {
          await usedNow();
          await until(() => used().length === 1);
        }
        late.resolve(accepted('S2'));
        await until(() => scene.of('attempt.settled').length > 0);
        await usedNow();
        await settled();
        expect(usedIds()).to.deep.equal(['event-2']);
        expect(confirmedIds).to.deep.equal(isUsedBefore ? [] : ['S2']);
      });
    }
  });

  describe('with a custom channel', () => {
    const confirmedIds: string[] = [];
    const own = (confirm: ConnectedChannel['confirm']): Channel => ({
      provider: 'OWN',
      send: () => Promise.resolve({ status: 'accepted', transactionId: `${BOB.phone}-1` }),
      ...(confirm === undefined ? {} : { confirm }),
    });
    beforeEach(() => {
      confirmedIds.length = 0;
    });

    it('gives the channel its own message id, and keeps an id with the number out of the events', async () => {
      const sms = own((id, { leaveSignal }) => {
        confirmedIds.push(`${id} ${leaveSignal.aborted}`);
        return Promise.resolve();
      });
      await start({ channels: { sms } });
      await scene.call({ ...TO_BOB, eventId: 'event-1' });
      await fire(scene.okta.logEvent(BOB.id));
      await until(() => confirmedIds.length === 1);
      expect(confirmedIds).to.deep.equal([`${BOB.phone}-1 false`]);
      expect(used()[0]).to.include({ provider: 'OWN', channel: 'sms', transactionId: 'event-1' });
    });

    it('is masked if it throws an error with a remedy', async () => {
      const remedy = `Call ${BOB.phone} or ${BOB.login}`;
      const error = new TelephonyHookError('NOT_READY', `no ${BOB.phone}`, { remedy });
      await start({ channels: { sms: own(() => Promise.reject(error)) } });
      await scene.call(TO_BOB);
      await fire(scene.okta.logEvent(BOB.id));
      await settled();
      expect(scene.of('feedback.failed')[0]).to.include({
        code: 'NOT_READY',
        reason: 'no …',
        remedy: 'Call … or …',
      });
    });
  });

  it('reports a confirmation that Twilio refuses once a minute for each channel, and does not retry it', async () => {
    await start();
    await register();
    scene.twilio.fault({
      fault: { kind: 'status', status: 404, body: { code: 20404, message: `no ${ANA.phone}` } },
      match: ({ path }) => path.includes('/Feedback'),
    });
    const call = await scene.call({ eventId: 'event-1' });
    await scene.call(TO_BOB);
    for (const user of [ANA, BOB]) await scene.okta.userSignedIn(user.id);
    await settled();
    const failures = scene.of('feedback.failed');
    expect(failures.map(({ channel }) => channel)).to.have.members(['whatsapp', 'sms']);
    expect(failures.find(({ channel }) => channel === 'whatsapp')).to.include({
      eventId: 'event-1',
      userId: ANA.id,
      provider: 'TWILIO',
      code: '20404',
      count: 1,
      transactionId: sidOf(call),
    });
    expect(scene.log.filter(({ level }) => level === 'warn').at(-1)?.message).to.equal(
      'okta-telephony-hook: TWILIO did not take the report that its code was used. The user is not affected.',
    );
    expect(scene.twilio.requests.filter(({ path }) => path.includes('/Feedback'))).to.have.length(2);
  });

  describe('drops a late send', () => {
    const fail = (sid: string): Promise<number> => scene.report(sid, 'undelivered', { code: '63024' });
    const ended = (): readonly (string | undefined)[] =>
      scene.of('failover.ended').map(({ outcome, code }) => code ?? outcome);
    const expectEnded = async (how: string): Promise<void> => {
      await until(() => ended().length === 1);
      expect(ended()).to.deep.equal([how]);
    };

    it('of the code that was used', async () => {
      await start();
      const call = await scene.call();
      await fire(scene.okta.logEvent(ANA.id));
      await until(() => used().length === 1);
      await fail(sidOf(call));
      await expectEnded('SUPERSEDED');
    });

    describe('that is composing its text', () => {
      const SID = `SM${'1'.repeat(32)}`;
      let text: ReturnType<typeof held<string>>;
      /** Calls for Ana by WhatsApp. The message fails, and the text of the SMS that follows is being composed. */
      const startComposing = async (before?: () => Promise<unknown>): Promise<void> => {
        text = held<string>();
        const whatsapp: Channel = {
          reports: 'failures',
          idNamespace: 'twilio',
          send: () => Promise.resolve({ status: 'accepted', transactionId: SID }),
        };
        await start({
          sandboxNumber: { number: '+14155238886', contentSid: `HX${'1'.repeat(32)}` },
          channels: { whatsapp },
          composeText: (_request, _profile, channel) => (channel === 'sms' ? text.run() : 'none'),
        });
        await before?.();
        await scene.call();
        await fail(SID);
        await text.called;
      };

      it('if its code is used', async () => {
        await startComposing();
        await fire(scene.okta.logEvent(ANA.id));
        await expectEnded('SUPERSEDED');
        text.resolve('too late');
        expect(scene.twilio.messages).to.be.empty;
      });

      it('but not if another code is used, before the request of this one', async () => {
        let usedAt = new Date();
        await startComposing(async () => {
          await scene.call({ deliveryChannel: 'VOICE', eventTime: new Date(now - 9_000) });
          usedAt = new Date(now - 5_000);
        });
        await fire(scene.okta.logEvent(ANA.id, { factor: 'CALL_FACTOR', published: usedAt }));
        await until(() => used().length === 1);
        text.resolve('in time');
        await expectEnded('accepted');
      });
    });

    describe('after a sign-in', () => {
      /** A state that counts the uses of codes. */
      const counting = (): { state: StatePort; uses: () => number } => {
        const state = openMemoryState();
        let uses = 0;
        const useCode: StatePort['useCode'] = (...use) => {
          uses += 1;
          state.useCode(...use);
        };
        return { state: { ...state, useCode }, uses: () => uses };
      };

      for (const [title, { days = 0, daysAtUse = days }] of [
        ['', {}],
        [', if the clock of Okta is 2 days ahead', { days: 2 }],
        [', if the clock of Okta is 2 days ahead at the call only', { days: 2, daysAtUse: 0 }],
      ] as const satisfies readonly (readonly [string, Readonly<Record<string, number>>])[]) {
        it(`for which the state has no code${title}`, async () => {
          const { state, uses } = counting();
          const update: StatePort['update'] = (names, transition) =>
            names.some(({ kind }) => kind === 'lastCode')
              ? Promise.resolve(undefined)
              : state.update(names, transition);
          await start({ state: { ...state, update } });
          const call = await scene.call({ eventTime: new Date(now + days * DAY_MS) });
          const published = new Date(now + daysAtUse * DAY_MS);
          await fire(scene.okta.logEvent(ANA.id, { published }));
          await until(() => uses() === 1);
          await fail(sidOf(call));
          await expectEnded('SUPERSEDED');
          expect(used()).to.be.empty;
        });
      }

      /** Okta's time and ours at the call, and Okta's time of the use, milliseconds from now. */
      for (const [title, { oktaMs = 0, gatewayMs = 0, usedMs }] of [
        ['', { usedMs: -5_000 }],
        [', if the clock of Okta is ahead', { oktaMs: 20_000, usedMs: 15_000 }],
        [', if the clock of the gateway is behind', { gatewayMs: -20_000, usedMs: -5_000 }],
      ] as const satisfies readonly (readonly [string, Readonly<Record<string, number>>])[]) {
        it(`but not that of a code requested after it${title}`, async () => {
          const { state, uses } = counting();
          await start({ state });
          const nowMs = now;
          await scene.call({ eventTime: new Date(nowMs - 9_000) });
          now += gatewayMs;
          const call = await scene.call({ otpCode: NEWER, eventTime: new Date(nowMs + oktaMs) });
          // The hook must not learn Okta's clock from these two.
          const long = { eventTime: new Date(0), otpExpires: new Date() };
          for (const odd of [{ preview: true, eventTime: new Date(now) }, long])
            await scene.call({ ...TO_BOB, ...odd });
          await fire(scene.okta.logEvent(ANA.id, { published: new Date(nowMs + usedMs) }));
          await until(() => uses() === 1);
          await fail(sidOf(call));
          await expectEnded('accepted');
        });
      }
    });
  });

  describe('has a route', () => {
    it('that answers the one-time verification in JSON without credentials, and 400 to an invalid one', async () => {
      await start();
      for (const challenge of ['a1', 'with "quotes" and \\', '<b>&</b>', 'ü']) {
        const answer = await fetch(`${scene.url}/events`, {
          headers: { 'x-okta-verification-challenge': challenge },
        });
        expect(answer.status).to.equal(200);
        expect(answer.headers.get('content-type')).to.match(/^application\/json/);
        expect(await answer.json()).to.deep.equal({ verification: challenge });
      }
      for (const headers of [{}, { 'x-okta-verification-challenge': 'x'.repeat(257) }]) {
        const answer = await fetch(`${scene.url}/events`, { headers });
        expect(answer.status).to.equal(400);
        expect(await answer.text()).to.not.include('xxx');
      }
    });

    it('that answers 401 to an unverified caller, and reports it once a minute apart from the inline hook', async () => {
      await start();
      await scene.call({ headers: { Authorization: 'wrong' } });
      for (const authorization of ['wrong', 'wrong too', '']) {
        const answer = await post(envelope(scene.okta.logEvent(ANA.id)), { authorization });
        expect(answer.status).to.equal(401);
        expect(answer.headers.get('www-authenticate')).to.match(/^SharedSecret/);
      }
      expect(scene.of('caller.rejected').map(({ hook, schemes }) => [hook, schemes])).to.deep.equal([
        ['inline', ['header']],
        ['event', ['header']],
      ]);
      expect(scene.log.at(-1)?.fields['remedy']).to.include('Compare with the event hook in Okta');
    });

    for (const [what, status, body, headers] of [
      ['more than 1 MiB', 413, 'x'.repeat(1024 * 1024 + 1), {}],
      ['a body that is not JSON', 400, '{', {}],
      ['JSON without events', 400, '{"data":{}}', {}],
    ] as const) {
      it(`that answers ${status} to ${what}`, async () => {
        await start();
        expect((await post(body, headers)).status).to.equal(status);
        expect(scene.events.at(-1)).to.include({ type: 'request.rejected', status });
      });
    }

    it('that accepts a body of 1 MiB', async () => {
      await start();
      const call = await scene.call();
      const event = scene.okta.logEvent(ANA.id);
      const empty = envelope(event, '').length;
      const answer = await post(envelope(event, 'x'.repeat(1024 * 1024 - empty)));
      expect(answer.status).to.equal(204);
      expect(await answer.text()).to.equal('');
      await until(() => confirmed().length === 1);
      expect(confirmed()).to.deep.equal([sidOf(call)]);
    });

    it('that answers 405 to every other method', async () => {
      await start();
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        const answer = await post('', {}, method);
        expect([answer.status, answer.headers.get('allow')], method).to.deep.equal([405, 'GET, POST']);
      }
    });

    it('that answers 503 while the hook closes', async () => {
      await start();
      await scene.hook.close();
      expect((await post(envelope())).status).to.equal(503);
      const challenge = { 'x-okta-verification-challenge': 'a' };
      expect((await fetch(`${scene.url}/events`, { headers: challenge })).status).to.equal(503);
    });

    it('that works behind express.json()', async () => {
      await start({}, (app, hook) => {
        app.use(express.json());
        app.use(hook);
      });
      const call = await scene.call();
      await fire(scene.okta.logEvent(ANA.id));
      await settled();
      expect(confirmed()).to.deep.equal([sidOf(call)]);
    });

    it('that takes a header and secret of its own, and then not those of the inline hook', async () => {
      mustNotShow('event-secret-91b2c3');
      const secrets = ['event-secret-91b2c3'];
      const credentials = { eventHook: { scheme: 'header', name: 'x-event-hook', secrets } } as const;
      await start({ credentials });
      expect((await post(envelope())).status).to.equal(401);
      expect((await post(envelope(), { 'x-event-hook': 'event-secret-91b2c3' })).status).to.equal(204);
      expect((await scene.call()).okta.action).to.equal('sent');
    });

    describe('that, by the options,', () => {
      let kept: string[];
      let numbers: string[];
      const startKeeping = async (
        credentials: NonNullable<HookOptions['credentials']>,
        hook: HookOptions = {},
      ): Promise<void> => {
        kept = [];
        numbers = [];
        const state = watchRecords(openMemoryState(), ({ kind, key, next }) => {
          if (kind !== 'lastCode' || next === undefined) return;
          kept.push(key);
          if (next.value.code.status !== 'refused') numbers.push(next.value.code.to);
        });
        await start({ credentials, state, ...hook });
      };

      it('answers 404 and stores no code if only OAuth tokens verify Okta', async () => {
        await startKeeping({
          hook: {
            scheme: 'oauth2',
            issuer: 'http://127.0.0.1:9/oauth2/default',
            audience: 'api://default',
            clientId: '0oahookclient0001d7',
            scope: 'telephony',
            jwksUri: 'http://127.0.0.1:9/keys',
          },
        });
        expect((await post(envelope())).status).to.equal(404);
        expect(kept).to.be.empty;
      });

      it('answers 404 if eventHook is false, and stores no code unless a resend takes the next route', async () => {
        await startKeeping({ eventHook: false }, { resend: { nextRoute: false } });
        expect((await scene.call()).okta.action).to.equal('sent');
        expect((await post(envelope())).status).to.equal(404);
        expect(kept).to.be.empty;
        await startKeeping({ eventHook: false });
        await scene.call();
        expect(kept).to.deep.equal([`sms ${ANA.id}`]);
      });

      it('answers 204 and stores the message with its number by default', async () => {
        await startKeeping({});
        await scene.call();
        expect((await post(envelope())).status).to.equal(204);
        expect(kept).to.deep.equal([`sms ${ANA.id}`]);
        expect(numbers).to.deep.equal([ANA.phone]);
      });
    });
  });

  describe('at gateways on one Redis', () => {
    let redis: RedisServer;
    const servers = new Closers();
    before(async function () {
      needRedis(this);
      redis = servers.add(await startRedis(), (server) => server.close());
    });
    after(() => servers.closeAll());
    beforeEach(() => redis.admin.flushall());
    const shared = () =>
      redisState({ connection: redis.url, encryptionKeys: [Buffer.alloc(32, 7).toString('base64')] });
    const isKept = async (): Promise<boolean> =>
      (await redis.dump()).some(({ name }) => name.includes(':lastCode:'));

    let other: GatewayBeside;
    const startBoth = async (): Promise<void> => {
      await start({ state: shared() });
      other = await startGatewayBeside(scene, { state: shared() });
      closers.add(other, () => other.close());
      await Promise.all([scene.hook.ready(), other.hook.ready()]);
    };

    it('confirms each code once if both get the events, and stores no id or secret in plain text', async () => {
      await startBoth();
      await register();
      await register(`${other.url}/events`);
      const calls = [await scene.call(), await scene.call({ ...TO_BOB, url: other.url })];
      await until(
        async () => (await redis.dump()).filter(({ name }) => name.includes(':lastCode:')).length === 2,
      );
      for (const { name, value, expiresInMs } of await redis.dump()) {
        if (name.includes(':lastCode:')) expect(expiresInMs).to.be.within(1, 60 * 60_000);
        witness(value.toString('latin1'));
        for (const word of [ANA.id, BOB.id, ...calls.map(sidOf)])
          expect(`${name} ${value.toString('latin1')}`).to.not.include(word);
      }
      // Okta calls both gateways with both events at once.
      await scene.okta.fireEvents([scene.okta.logEvent(ANA.id), scene.okta.logEvent(BOB.id)]);
      await until(() => confirmed().length === 2);
      await Promise.all([settled(), other.hook.close()]);
      expect(confirmed()).to.have.members(calls.map(sidOf));
      expect([...used(), ...other.events.filter(({ type }) => type === 'code.used')]).to.have.length(2);
    });

    it('drops the late send of another gateway', async () => {
      await startBoth();
      const call = await scene.call({ url: other.url });
      await until(isKept);
      await fire(scene.okta.logEvent(ANA.id));
      await until(() => used().length === 1);
      await scene.report(sidOf(call), 'failed', { code: '63024' });
      await until(() => scene.of('failover.ended').length > 0);
      expect(scene.events.at(-1)).to.include({ outcome: 'dropped', code: 'SUPERSEDED' });
    });

    it('confirms a code that was sent while Redis was lost', async () => {
      await start({ state: shared() });
      await scene.hook.ready();
      const before = await scene.call();
      await until(isKept);
      await redis.kill();
      await scene.call();
      await until(() => scene.hook.status().state === 'lost');
      const [ana, bob] = [await scene.call({ otpCode: NEWER }), await scene.call(TO_BOB)];
      await fire(scene.okta.logEvent(ANA.id));
      await until(() => confirmed().length === 1);
      expect(confirmed())
        .to.deep.equal([sidOf(ana)])
        .and.to.not.include(sidOf(before));
      await redis.restart();
      await until(() => scene.hook.status().state === 'ok');
      await until(isKept);
      await fire(scene.okta.logEvent(BOB.id));
      await until(() => confirmed().length === 2);
      expect(confirmed()[1]).to.equal(sidOf(bob));
    });
  });
});
