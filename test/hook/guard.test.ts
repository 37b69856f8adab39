import { expect } from 'chai';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { GuardOptions, HookEventOf } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import {
  ANA,
  BOB,
  commandOf,
  errorOf,
  scenes,
  SENDS_MANY,
  type Scene,
  type SceneOptions,
} from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { startRawCall } from '#harness/raw-call.js';
import { until } from '#harness/until.js';

/** A blocked code costs nothing: the hook reads no profile and sends no message. */
describe('the guard', () => {
  let scene: Scene;
  let now: number;
  const startScene = scenes();
  const start = async (hook: Exclude<SceneOptions['hook'], undefined> = {}): Promise<void> => {
    now = Date.now();
    scene = await startScene({
      hook: (vendors) => ({
        clock: () => now,
        guard: undefined,
        ...(typeof hook === 'function' ? hook(vendors) : hook),
      }),
    });
  };

  const sent = (): number => scene.twilio.messages.length + scene.twilio.calls.length;
  const blocked = (): HookEventOf<'guard.blocked'>[] => scene.of('guard.blocked');
  const outcomes = (): string[] => scene.of('request.answered').map(({ outcome }) => outcome);
  /** The events of the warnings in the log, without those of the start. */
  const warnings = (): unknown[] =>
    scene.log
      .filter(({ level, fields }) => level !== 'info' && fields['event'] !== 'configuration.warned')
      .map(({ fields }) => fields['event']);
  const answeredCodes = (): (string | undefined)[] => scene.of('request.answered').map(({ code }) => code);
  const callTo = (phoneNumber: string, call: object = {}): Promise<HookCall> => {
    mustNotShow(phoneNumber.slice(1));
    return scene.call({ userId: BOB.id, login: BOB.login, phoneNumber, ...call });
  };
  const isBlocked = (call: HookCall): boolean => commandOf(call)?.['provider'] === 'GUARD';
  const times = async (count: number, call: object = {}): Promise<HookCall[]> => {
    const calls: HookCall[] = [];
    for (let made = 0; made < count; made += 1) calls.push(await scene.call(call));
    return calls;
  };

  /** Without this, the code has expired once the test moves the clock of the hook. */
  const withoutExpiry = (payload: Record<string, unknown>): unknown => {
    delete (payload as { data: { messageProfile: { otpExpires?: string } } }).data.messageProfile.otpExpires;
    return payload;
  };

  it('allows ten codes to a user in ten minutes, and then blocks', async () => {
    await start();
    const calls = await times(11);
    expect(calls.map(isBlocked)).to.deep.equal([...Array.from({ length: 10 }, () => false), true]);
    expect(sent()).to.equal(10);
    now += 600_000;
    expect((await scene.call({ change: withoutExpiry })).okta.action).to.equal('sent');
    expect(sent()).to.equal(11);
  });

  it('allows ten codes to a number in ten minutes, for all users together, and then blocks', async () => {
    await start({ guard: { perUser: false } });
    for (let user = 0; user < 11; user += 1) await callTo(BOB.phone, { userId: `00ushared${user}` });
    expect(answeredCodes()).to.deep.equal([
      ...Array.from({ length: 10 }, () => undefined),
      'LIMIT_PER_NUMBER',
    ]);
    now += 600_000;
    await callTo(BOB.phone, { change: withoutExpiry, userId: '00ushared0' });
    expect(sent()).to.equal(11);
  });

  it('answers PENDING for a blocked code, reads no profile and sends nothing', async () => {
    await start({ guard: { perUser: { points: 1, seconds: 60 } } });
    await scene.call();
    const [profiles, messages] = [scene.okta.requests.length, scene.twilio.requests.length];
    const call = await scene.call({ eventId: 'event-2' });
    expect(call.okta.action).to.equal('pending');
    expect(commandOf(call)).to.include({
      status: 'PENDING',
      provider: 'GUARD',
      transactionId: 'event-2',
    });
    expect(commandOf(call)?.['transactionMetadata']).to.match(
      /^channel=none;requestType=com\.okta\.user\.telephony\.mfa-verification;Duration=\d+ms;id=event-2;blocked=LIMIT_PER_USER$/,
    );
    expect([scene.okta.requests.length, scene.twilio.requests.length]).to.deep.equal([profiles, messages]);
  });

  it('answers with the error object if guard.answer is error, so that Okta may send the code itself', async () => {
    await start({ guard: { perUser: { points: 1, seconds: 60 }, answer: 'error' } });
    await scene.call();
    const call = await scene.call();
    expect(call.httpStatus).to.equal(200);
    expect(errorOf(call)?.errorCauses?.[0]).to.include({
      reason: 'LIMIT_PER_USER: The user has used up the limit',
      location: ANA.id,
    });
    expect(sent()).to.equal(1);
  });

  it('reports a blocked code with its limit and its remedy', async () => {
    await start({ guard: { perUser: { points: 1, seconds: 60 } } });
    await scene.call();
    await scene.call({ eventId: 'event-2' });
    expect(blocked()).to.have.length(1);
    expect(blocked()[0]).to.include({
      eventId: 'event-2',
      rule: 'perUser',
      code: 'LIMIT_PER_USER',
      country: 'GB',
      points: 1,
      seconds: 60,
      userId: ANA.id,
      toEnding: '23',
      isPreview: false,
    });
    expect(blocked()[0]?.remedy).to.include('guard.perUser');
    const remedy = blocked()[0]?.remedy;
    expect(scene.of('request.answered')[1]).to.include({ outcome: 'blocked', status: 'PENDING', remedy });
    expect(answeredCodes()).to.deep.equal([undefined, 'LIMIT_PER_USER']);
  });

  it('counts by number and by IP address across users if perNumber and perIp are set', async () => {
    const once = { points: 1, seconds: 60 };
    await start({ guard: { perUser: false, perNumber: once, perIp: once } });
    await scene.call({ ipAddress: '198.51.100.1' });
    await callTo(ANA.phone, { ipAddress: '198.51.100.2' });
    await callTo(BOB.phone, { ipAddress: '198.51.100.1' });
    await callTo(BOB.phone, { ipAddress: '198.51.100.3' });
    expect(answeredCodes()).to.deep.equal([undefined, 'LIMIT_PER_NUMBER', 'LIMIT_PER_IP', undefined]);
  });

  it('blocks nothing if every limit is off', async () => {
    await start({ guard: SENDS_MANY });
    const calls = await times(12);
    expect(calls.filter(isBlocked)).to.be.empty;
  });

  it('does not count a repeat, and gives it the answer of the first call, also if that was blocked', async () => {
    await start({ guard: { perUser: { points: 2, seconds: 60 } } });
    await times(5, { eventId: 'event-1' });
    expect(isBlocked(await scene.call({ eventId: 'event-2' }))).to.equal(false);
    const first = await scene.call({ eventId: 'event-3' });
    const repeat = await scene.call({ eventId: 'event-3' });
    expect(isBlocked(first)).to.equal(true);
    expect(repeat.body).to.deep.equal(first.body);
    expect(blocked()).to.have.length(1);
    expect(sent()).to.equal(2);
  });

  it('gives a repeat of a blocked call the same answer after the limit allows a code again', async () => {
    await start({ guard: { perUser: { points: 1, seconds: 60 } } });
    await scene.call();
    await scene.call({ eventId: 'event-2' });
    now += 61_000;
    expect(isBlocked(await scene.call({ eventId: 'event-2' }))).to.equal(true);
    expect(sent()).to.equal(1);
  });

  it('counts calls without an event id', async () => {
    await start({ guard: { perUser: { points: 2, seconds: 60 } } });
    const change = (payload: Record<string, unknown>): unknown => ({ ...payload, eventId: undefined });
    expect((await times(3, { change })).map(isBlocked)).to.deep.equal([false, false, true]);
  });

  it('counts previews and sign-ins separately', async () => {
    await start({ guard: { perUser: { points: 1, seconds: 60 } } });
    expect(isBlocked(await scene.call({ preview: true }))).to.equal(false);
    expect(isBlocked(await scene.call({ preview: true, requestType: 'password-reset' }))).to.equal(true);
    expect(blocked()[0]).to.include({ isPreview: true });
    expect(isBlocked(await scene.call())).to.equal(false);
    expect(isBlocked(await scene.call())).to.equal(true);
    expect(blocked()[1]).to.include({ isPreview: false });
  });

  it('does not count a call if Okta hung up before anything was sent', async () => {
    await start({ guard: { perUser: { points: 1, seconds: 60 } } });
    scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
    const first = startRawCall(scene, { eventId: 'event-1' });
    await until(() => scene.okta.requests.length === 1);
    first.destroy();
    await until(() => answeredCodes().length === 1);
    expect(isBlocked(await scene.call())).to.equal(false);
    expect(sent()).to.equal(1);
  });

  it('does not count a code for a number that a country or number-type rule blocks', async () => {
    await start({
      guard: { perUser: { points: 2, seconds: 60 }, countries: { deny: ['CA'] } },
    });
    for (const number of ['+19005550123', '+14165550142', '+19005550123']) await callTo(number);
    for (const expected of [false, false, true]) {
      expect(isBlocked(await callTo(BOB.phone))).to.equal(expected);
    }
    expect(answeredCodes()).to.deep.equal([
      'NUMBER_TYPE_BLOCKED',
      'COUNTRY_NOT_ALLOWED',
      'NUMBER_TYPE_BLOCKED',
      undefined,
      undefined,
      'LIMIT_PER_USER',
    ]);
  });

  describe('makes', () => {
    let claims: (readonly [points: number, isForNumber: boolean])[];
    const startCounting = async (guard: GuardOptions): Promise<void> => {
      claims = [];
      const state = openMemoryState();
      const claim: typeof state.claim = (event) => {
        claims.push([event.limits.length, event.reads.length > 0]);
        return state.claim(event);
      };
      await start({ state: { ...state, claim }, guard });
    };

    it('one request to the state per call, for the event, its limits and, for a text message, STOP', async () => {
      await startCounting({ perNumber: { points: 5, seconds: 60 } });
      await callTo(BOB.phone);
      await callTo('+19005550123');
      await callTo(BOB.phone, { deliveryChannel: 'VOICE' });
      expect(claims).to.deep.equal([
        [2, true],
        [0, true],
        [2, false],
      ]);
    });

    it('one request to the state for its place, also without an event id and a limit', async () => {
      await startCounting(SENDS_MANY);
      await callTo(BOB.phone, { change: (payload: object) => ({ ...payload, eventId: undefined }) });
      expect([claims, sent()]).to.deep.equal([[[0, true]], 1]);
    });
  });

  it('counts a code that every channel refuses, and one for which there is no channel', async () => {
    let sms = 100;
    await start(({ twilio }) => ({
      guard: { perUser: { points: 3, seconds: 60 } },
      senders: { sms: twilio.smsNumber },
      rollout: () => ({ sms }),
    }));
    scene.twilio.refuseWith({ code: 21610, times: 1 });
    const calls = [await callTo(BOB.phone)];
    sms = 0;
    calls.push(await callTo(BOB.phone));
    calls.push(await callTo(BOB.phone, { deliveryChannel: 'VOICE' }));
    const reasons = calls.map((call) => String(errorOf(call)?.errorCauses?.[0]?.['reason']).split(':')[0]);
    expect(reasons).to.deep.equal(['21610', 'ROLLED_BACK', 'CHANNEL_NOT_CONFIGURED']);
    sms = 100;
    expect(isBlocked(await callTo(BOB.phone))).to.equal(true);
  });

  for (const [answer, provider] of [
    [undefined, 'GUARD'],
    ['pending', 'GUARD'],
    ['error', undefined],
  ] as const) {
    it(`answers a code that a fraud filter of the provider blocks by guard.answer: ${answer ?? 'the default'}`, async () => {
      await start({ guard: { answer } });
      scene.twilio.refuseWith({ code: 30450, times: 1 });
      const call = await callTo(BOB.phone);
      expect(commandOf(call)?.['provider']).to.equal(provider);
      expect(errorOf(call) === undefined).to.equal(provider !== undefined);
      if (answer === 'error') expect(errorOf(call)?.errorCauses?.[0]?.['reason']).to.match(/^30450: /);
      expect(outcomes()).to.deep.equal(['blocked']);
      expect(warnings()).to.deep.equal(['request.answered']);
    });
  }

  for (const answer of ['pending', 'error'] as const) {
    it(`logs one warning for a blocked code, and none for its repeat, which gets its answer, with guard.answer: ${answer}`, async () => {
      await start({ guard: { answer, perUser: { points: 1, seconds: 60 } } });
      const bodies: unknown[] = [];
      for (const eventId of ['event-1', 'event-2', 'event-2'])
        bodies.push((await scene.call({ eventId })).body);
      expect(bodies[2]).to.deep.equal(bodies[1]);
      expect(Object.keys(Object(bodies[2]) as object)).to.deep.equal([
        answer === 'error' ? 'error' : 'commands',
      ]);
      expect(outcomes()).to.deep.equal(['accepted', 'blocked', 'blocked']);
      expect(scene.of('request.answered').map(({ isRepeat }) => isRepeat)).to.deep.equal([
        false,
        false,
        true,
      ]);
      expect(warnings()).to.deep.equal(['guard.blocked']);
    });
  }

  it('sends everything in record mode, and reports what it would have blocked', async () => {
    await start({
      guard: { mode: 'record', perUser: { points: 1, seconds: 60 }, countries: { allow: ['US'] } },
    });
    expect((await scene.call()).okta.action).to.equal('sent');
    expect((await callTo(BOB.phone)).okta.action).to.equal('sent');
    expect((await callTo(BOB.phone)).okta.action).to.equal('sent');
    expect(sent()).to.equal(3);
    expect(blocked()).to.be.empty;
    const noticed = scene.of('guard.noticed');
    expect(noticed.map(({ rule }) => rule)).to.deep.equal(['country', 'perUser']);
    expect(noticed.map(({ rules }) => rules.map(({ code, points }) => [code, points]))).to.deep.equal([
      [['COUNTRY_NOT_ALLOWED', undefined]],
      [['LIMIT_PER_USER', 1]],
    ]);
    expect(answeredCodes()).to.deep.equal([undefined, undefined, undefined]);
    expect(scene.log.filter(({ message }) => message.includes('would have blocked the code'))).to.have.length(
      2,
    );
  });

  it('reports every rule that a code breaks in record mode, and the first one as its rule', async () => {
    const limit = { points: 1, seconds: 60 };
    await start({
      guard: { mode: 'record', perUser: limit, perNumber: limit, countries: { allow: ['US'] } },
    });
    await scene.call();
    await scene.call();
    expect(sent()).to.equal(2);
    const [, both] = scene.of('guard.noticed');
    expect(both).to.include({ rule: 'country', code: 'COUNTRY_NOT_ALLOWED', points: undefined });
    expect(both?.rules.map(({ rule, code, points, seconds }) => [rule, code, points, seconds])).to.deep.equal(
      [
        ['country', 'COUNTRY_NOT_ALLOWED', undefined, undefined],
        ['perUser', 'LIMIT_PER_USER', 1, 60],
        ['perNumber', 'LIMIT_PER_NUMBER', 1, 60],
      ],
    );
    expect(both?.rules.every(({ remedy }) => remedy.includes('guard.') || remedy.includes('raise'))).to.equal(
      true,
    );
  });

  it('blocks Canada, Guernsey and numbers without a country if only US and GB are allowed', async () => {
    await start({ guard: { countries: { allow: ['US', 'GB'] } } });
    for (const [number, country] of [
      ['+14165550142', 'CA'],
      ['+447781123456', 'GG'],
      ['+9991234567', undefined],
      ['+80012345678', undefined],
    ] as const) {
      expect(isBlocked(await callTo(number)), number).to.equal(true);
      expect(blocked().at(-1)).to.include({ rule: 'country', country });
    }
    expect(isBlocked(await callTo(BOB.phone))).to.equal(false);
    expect(isBlocked(await scene.call())).to.equal(false);
    expect(answeredCodes().filter((code) => code === 'COUNTRY_NOT_ALLOWED')).to.have.length(4);
  });

  for (const number of ['+449098790123', '+19005550123', '+491801234567']) {
    it(`blocks ${number.slice(0, 6)}…, a number that charges its callers, for SMS and voice`, async () => {
      await start();
      for (const deliveryChannel of ['SMS', 'VOICE']) {
        expect(isBlocked(await callTo(number, { deliveryChannel }))).to.equal(true);
      }
      expect(answeredCodes()).to.deep.equal(['NUMBER_TYPE_BLOCKED', 'NUMBER_TYPE_BLOCKED']);
      expect(scene.twilio.requests).to.be.empty;
    });
  }
});
