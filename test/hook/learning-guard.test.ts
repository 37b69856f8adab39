import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { GuardOptions, HookEventOf } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#harness/learned.js';
import {
  BOB,
  channelOf,
  commandOf,
  isWhatsApp,
  scenes,
  SENDS_MANY,
  startScene,
  type HookOptions,
  type Scene,
} from '#harness/scene.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

type Learn = NonNullable<GuardOptions['learn']>;

describe('guard.learn', () => {
  let scene: Scene;
  let now: number;
  // Bob's number comes before theirs.
  let users = 200;
  const open = scenes();
  beforeEach(() => {
    now = Date.now();
  });
  const start = async (learn: Learn = {}, hook: HookOptions = {}, hasCallbacks = false): Promise<void> => {
    scene = await open({
      hasCallbacks,
      hook: {
        clock: () => now,
        ...hook,
        guard: { ...SENDS_MANY, learn: { mode: 'enforce', warmUpDays: 0, ...learn }, ...hook.guard },
      },
    });
  };
  /** Another number with the same beginning for each call. */
  const nextNumber = (prefix = '+1202555'): string => {
    const number = `${prefix}${String((users += 1)).padStart(4, '0')}`;
    mustNotShow(number.slice(1));
    return number;
  };
  const toStranger = (call: Parameters<Scene['call']>[0] = {}): Promise<HookCall> => {
    const userId = `00ustranger${(users += 1)}`;
    return scene.call({
      userId,
      login: BOB.login,
      phoneNumber: nextNumber(),
      ...call,
      change: withoutExpiry,
    });
  };
  /** Without this, the code has expired once the test moves the clock of the hook. */
  const withoutExpiry = (payload: Record<string, unknown>): unknown => {
    delete (payload as { data: { messageProfile: { otpExpires?: string } } }).data.messageProfile.otpExpires;
    return payload;
  };
  const times = async (count: number, make: () => Promise<HookCall>): Promise<readonly HookCall[]> => {
    const calls: HookCall[] = [];
    for (let made = 0; made < count; made += 1) calls.push(await make());
    return calls;
  };
  const isBlocked = (call: HookCall): boolean => commandOf(call)?.['provider'] === 'GUARD';
  const blocked = (): readonly HookEventOf<'guard.blocked'>[] => scene.of('guard.blocked');
  const sentBy = (): readonly string[] =>
    scene.twilio.messages.map(({ to }) => (to.startsWith('whatsapp') ? 'whatsapp' : 'sms'));

  it('blocks an attack on one prefix after five codes, with one event and one warning for each', async () => {
    await start();
    const calls = await times(8, () => toStranger());
    expect(calls.map(isBlocked).indexOf(true)).to.equal(5);
    expect(calls.slice(5).every(isBlocked)).to.equal(true);
    expect(scene.twilio.messages).to.have.length(5);
    expect(blocked()).to.have.length(3);
    const [event] = blocked();
    expect(event).to.deep.include({
      rule: 'learn.prefix',
      code: 'LEARN_PREFIX',
      country: 'US',
      level: 5,
      points: 5,
      seconds: 3600,
      blockedChannels: ['sms'],
      allowedChannels: [],
    });
    expect(event?.rules.map(({ rule }) => rule)).to.deep.equal(['learn.prefix']);
    const lines = scene.log.filter(({ fields }) => fields['event'] === 'guard.blocked');
    expect(lines).to.have.length(3);
    expect(lines[0]?.level).to.equal('warn');
    expect(lines[0]?.message).to.equal(
      'okta-telephony-hook: The guard blocked the code: too few codes to numbers with the same beginning are used. Nothing was sent.',
    );
    expect(scene.of('request.answered').at(-1)).to.deep.include({
      outcome: 'blocked',
      status: 'PENDING',
      code: 'LEARN_PREFIX',
      skipped: [{ channel: 'sms', reason: 'BLOCKED' }],
    });
    expect(scene.log.at(-1)).to.include({ level: 'info' });
  });

  it('lets many concurrent codes pass no further than the limit', async () => {
    await start();
    await Promise.all(Array.from({ length: 25 }, () => toStranger()));
    // On a busy machine, calls may end for want of time.
    expect(scene.twilio.messages.length).to.be.within(1, 5);
    expect(blocked()).not.to.deep.equal([]);
  });

  it('blocks voice calls, and answers with an error if guard.answer says so', async () => {
    await start({}, { guard: { answer: 'error' } });
    await times(5, () => toStranger());
    const call = await toStranger({ deliveryChannel: 'voice call' });
    expect(scene.twilio.calls).to.deep.equal([]);
    expect(call.okta.action).not.to.equal('sent');
    expect(blocked()[0]?.blockedChannels).to.deep.equal(['voice']);
  });

  it('lets users of WhatsApp have their codes during a block, and says so', async () => {
    await start();
    await times(6, () => toStranger({ phoneNumber: nextNumber('+44770090') }));
    expect(blocked()).to.have.length(1);
    const call = await scene.call({ change: withoutExpiry });
    expect(channelOf(call)).to.equal('whatsapp');
    expect(blocked().at(-1)).to.deep.include({ blockedChannels: ['sms'], allowedChannels: ['whatsapp'] });
    expect(scene.log.find(({ fields }) => fields['allowedChannels'] !== undefined)?.message).to.include(
      'The guard blocked SMS for the code: too few codes to numbers with the same beginning are used. The hook still tries WhatsApp.',
    );
    expect(scene.of('request.answered').at(-1)?.outcome).to.equal('accepted');
  });

  it('says why each channel is skipped if a user of WhatsApp has written STOP', async () => {
    await start({}, {}, true);
    await times(6, () => toStranger({ phoneNumber: nextNumber('+44770090') }));
    await scene.write('STOP');
    expect(isBlocked(await scene.call({ change: withoutExpiry }))).to.equal(true);
    expect(scene.of('request.answered').at(-1)?.skipped).to.deep.equal([
      { channel: 'whatsapp', reason: 'STOPPED' },
      { channel: 'sms', reason: 'BLOCKED' },
    ]);
  });

  it('sends no SMS if WhatsApp refuses during a block, and lets Okta send none', async () => {
    await start();
    await times(6, () => toStranger({ phoneNumber: nextNumber('+44770090') }));
    scene.twilio.fault({ fault: { kind: 'status', status: 400, body: { code: 63016 } }, match: isWhatsApp });
    const call = await scene.call({ change: withoutExpiry });
    expect(isBlocked(call)).to.equal(true);
    expect(sentBy().filter((channel) => channel === 'sms')).to.have.length(5);
    expect(scene.log.at(-1)?.message).to.include('The guard blocked the code (LEARN_PREFIX).');
  });

  describe('does not count', () => {
    const leftToPrefix = async (prefix = '+44770090'): Promise<number> => {
      const calls = await times(6, () => toStranger({ phoneNumber: nextNumber(prefix) }));
      return calls.filter((call) => !isBlocked(call)).length;
    };

    it('codes that WhatsApp delivers', async () => {
      // Else the next code goes by SMS.
      await start({}, { resend: { nextRoute: false } });
      for (let code = 0; code < 6; code += 1) {
        await scene.call({ change: withoutExpiry });
        now += 2 * MINUTE_MS;
      }
      expect(await leftToPrefix()).to.equal(5);
    });

    it('codes that the provider refuses', async () => {
      await start();
      scene.twilio.fault({ fault: { kind: 'status', status: 400, body: { code: 21610 } }, times: 8 });
      await times(8, () => toStranger());
      expect(await leftToPrefix('+1202555')).to.equal(5);
    });

    it('previews, recovery, repeats, and codes that other limits block', async () => {
      await start({}, { guard: { perIp: { points: 3, seconds: 60 } } });
      await times(8, () => toStranger({ preview: true }));
      await times(3, () => toStranger({ requestType: 'password-reset' }));
      await times(8, () => toStranger());
      expect(new Set(blocked().map(({ rule }) => rule))).to.deep.equal(new Set(['perIp']));
      now += MINUTE_MS;
      await times(3, () => toStranger());
      now += MINUTE_MS;
      const calls = await times(3, () => toStranger());
      expect(calls.map(isBlocked)).to.deep.equal([false, false, true]);
    });

    it('a repeat of the same event', async () => {
      await start();
      const first = await toStranger();
      for (let repeat = 0; repeat < 3; repeat += 1) {
        now += MINUTE_MS;
        await scene.okta.repeat(first);
      }
      expect(await leftToPrefix('+1202555')).to.equal(4);
    });
  });

  it('counts a code as used when the event hook reports it, and lets its number pass from then on', async () => {
    await start();
    await scene.registerEventHook();
    await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone });
    await scene.okta.fireEvents([scene.okta.logEvent(BOB.id)]);
    await until(() => scene.of('code.used').length === 1);
    const calls = await times(7, () => toStranger());
    expect(calls.filter(isBlocked)).to.have.length(2);
    now += MINUTE_MS;
    expect(
      isBlocked(await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone })),
    ).to.equal(false);
  });

  it('only says what it would have blocked in mode record, and during the warm-up', async () => {
    for (const learn of [{ mode: 'record' }, { warmUpDays: 1 }] as const) {
      await start(learn);
      await times(7, () => toStranger());
      expect(scene.twilio.messages).to.have.length(7);
      expect(blocked()).to.deep.equal([]);
      expect(scene.of('guard.noticed').map(({ code }) => code)).to.deep.equal([
        'LEARN_PREFIX',
        'LEARN_PREFIX',
      ]);
      expect(
        scene.log.some(({ message }) => message.includes('It is sent, because guard.learn records only')),
      ).to.equal(true);
    }
    now += DAY_MS;
    await times(7, () => toStranger());
    expect(blocked()).not.to.deep.equal([]);
  });

  it('blocks nothing while guard.mode is record', async () => {
    await start({}, { guard: { mode: 'record' } });
    await times(7, () => toStranger());
    expect(scene.twilio.messages).to.have.length(7);
  });

  it('lets allowed countries and addresses pass', async () => {
    await start({ allow: { countries: ['US'] } });
    await times(7, () => toStranger());
    expect(blocked()).to.deep.equal([]);
    const ips = ['198.51.100.0/24', '2001:db8::/32'];
    await start({ allow: { ips } });
    const from = (ipAddress: string) => (payload: Record<string, unknown>) => {
      (payload as { data: { context: { request: { ipAddress: string } } } }).data.context.request.ipAddress =
        ipAddress;
      return withoutExpiry(payload);
    };
    const requests: readonly string[] = ['198.51.100.9', '2001:db8::1'];
    for (const address of requests) {
      for (let made = 0; made < 4; made += 1)
        await scene.call({
          userId: `00uoffice${(users += 1)}`,
          login: BOB.login,
          phoneNumber: nextNumber(),
          change: from(address),
        });
    }
    expect(blocked()).to.deep.equal([]);
    await scene.call({
      userId: '00uelsewhere',
      login: BOB.login,
      phoneNumber: nextNumber(),
      change: from('203.0.113.9'),
    });
    expect(blocked()).to.have.length(1);
  });

  it('is blind after 50 codes without a use, says so once, and blocks nothing until a use is reported', async () => {
    const metrics = new Registry();
    await start({ allow: { countries: ['GB'] } }, { metrics });
    await scene.registerEventHook();
    await times(50, () => toStranger({ phoneNumber: nextNumber('+44770090') }));
    expect(scene.of('guard.blind')).to.have.length(1);
    expect(await metrics.metrics()).to.include('okta_telephony_hook_guard_blind 1');
    const line = scene.log.find(({ fields }) => fields['event'] === 'guard.blind');
    expect(line?.level).to.equal('warn');
    expect(line?.fields['remedy']).to.include('event hook');
    await times(6, () => toStranger());
    expect(blocked()).to.deep.equal([]);

    now += MINUTE_MS;
    await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone, change: withoutExpiry });
    await scene.okta.fireEvents([scene.okta.logEvent(BOB.id)]);
    await until(() => scene.of('guard.recovered').length === 1);
    expect(scene.of('guard.recovered')[0]?.blindMs).to.equal(MINUTE_MS);
    expect(await metrics.metrics()).to.include('okta_telephony_hook_guard_blind 0');
    now += 1;
    await times(6, () => toStranger());
    expect(blocked()).to.have.length(1);
    expect(scene.of('guard.blind')).to.have.length(1);
  });

  it('shows how full its levels are in the metrics', async () => {
    const metrics = new Registry();
    await start({}, { metrics });
    await times(5, () => toStranger());
    const page = await metrics.metrics();
    expect(page).to.include('okta_telephony_hook_guard_level{rule="learn.country",country="US"} 0.25');
    expect(page).to.include('okta_telephony_hook_guard_level{rule="learn.prefix",country="US"} 1');
    now += HOUR_MS;
    expect(await metrics.metrics()).to.match(/guard_level\{rule="learn.country",country="US"\} 0\.05/);
  });

  it('has no metric of levels if it is off', async () => {
    const metrics = new Registry();
    scene = await open({ hook: { metrics } });
    await scene.call();
    expect(await metrics.metrics()).not.to.match(/^okta_telephony_hook_guard_(level|blind)/m);
  });
});

describe('the options of guard.learn', () => {
  const problemsOf = async (learn: unknown, credentials: object = {}): Promise<string> => {
    const failed = await startScene({
      hook: { guard: { ...SENDS_MANY, learn: learn as Learn }, credentials },
    }).catch((error: unknown) => String(error));
    if (typeof failed === 'string') return failed;
    await failed.close();
    return '';
  };

  it('need an event hook', async () => {
    expect(await problemsOf({}, { eventHook: false })).to.include('guard.learn needs credentials.eventHook');
    expect(await problemsOf({})).to.equal('');
  });

  it('are refused by their names', async () => {
    const wrong: readonly (readonly [unknown, string])[] = [
      [{ mode: 'block' }, "guard.learn.mode must be 'record' or 'enforce'"],
      [{ ratio: 0 }, 'guard.learn.ratio must be unused codes per used code: a number from 0.1 to 10'],
      [{ warmUpDays: 400 }, 'guard.learn.warmUpDays must be days: a whole number from 0 to 365'],
      [{ allow: { countries: ['uk'] } }, 'guard.learn.allow.countries[0]'],
      [{ allow: { ips: ['10.0.0.0/33'] } }, 'guard.learn.allow.ips[0] must be an IP address, or a range'],
      [{ allow: { ips: ['host'] } }, 'guard.learn.allow.ips[0]'],
      [{ learn: true }, 'guard.learn.learn is not an option'],
      [true, 'guard.learn must be an object with mode, ratio, allow and warmUpDays'],
    ];
    for (const [learn, problem] of wrong) expect(await problemsOf(learn)).to.include(problem);
  });
});
