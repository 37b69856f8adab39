import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { describeEvent } from '#lib/events/describe-event.js';
import type { GuardOptions, HookEvent } from '#lib/index.js';
import type { Fault, HookRequestType } from '#lib/testing/index.js';
import { ANA, BOB, commandOf, scenes, TO_BOB, usualCredentials, type Scene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';
import { rsaKeys } from '#harness/rsa-keys.js';

/** Okta's answer to a path that it does not have. */
const NO_SUCH_PATH: Fault = {
  kind: 'status',
  status: 404,
  body: { errorCode: 'E0000022', errorSummary: 'The endpoint does not support the provided HTTP method' },
};

describe('the profile in a hook call', () => {
  let scene: Scene;
  let now: number;
  beforeEach(() => {
    now = Date.now();
  });
  const startScene = scenes();
  const channels = (): string[] => scene.twilio.messages.map(({ channel }) => channel);
  const sources = (): string[] => scene.of('profile.read').map(({ source }) => source);
  const reasons = (): (string | undefined)[] => scene.of('profile.read').map(({ reason }) => reason);

  describe('that is cached', () => {
    beforeEach(async () => {
      // The user's second code must not go another way than the first.
      const resend = { nextRoute: false };
      scene = await startScene({ hook: { clock: () => now, deadlineMs: 800, resend } });
    });

    for (const [title, fault] of [
      ['hangs', { kind: 'hang' }],
      ['resets', { kind: 'reset' }],
      ['answers 500', { kind: 'status', status: 500 }],
      ["is hidden by a proxy's 404", { kind: 'html', status: 404 }],
      ["answers 404 without its code for 'no such user'", NO_SUCH_PATH],
      ['answers with more than 256 KiB', { kind: 'status', status: 200, body: 'x'.repeat(256 * 1024) }],
    ] as const satisfies readonly (readonly [string, Fault])[]) {
      it(`serves if it is stale and Okta ${title}`, async () => {
        await scene.call();
        now += 61_000;
        scene.okta.fault(fault);
        const call = await scene.call();
        expect(call.okta.action).to.equal('sent');
        expect(channels()).to.deep.equal(['whatsapp', 'whatsapp']);
        expect(sources()).to.deep.equal(['okta', 'stale']);
      });
    }

    it('is too old after an hour and a minute: the code goes by SMS, the log says why', async () => {
      await scene.call();
      now += 3_661_000;
      scene.okta.fault({ kind: 'status', status: 500 });
      await scene.call({ eventTime: new Date(now) });
      expect(channels()).to.deep.equal(['whatsapp', 'sms']);
      expect(sources()).to.deep.equal(['okta', 'none']);
      const last = scene.of('profile.read').at(-1);
      expect(last).to.include({ reason: 'OKTA_HTTP_ERROR', httpStatus: 500 });
      expect(describeEvent(last as HookEvent).text).to.include('Okta answered 500.');
      const line = scene.log.findLast(({ fields }) => fields['event'] === 'request.answered');
      expect(line?.fields).to.include({ profileReason: 'OKTA_HTTP_ERROR', profileStatus: 500 });
    });

    it('does not serve if Okta no longer knows the user: the code goes by SMS', async () => {
      await scene.call();
      now += 61_000;
      scene.okta.fault({ kind: 'status', status: 404, body: { errorCode: 'E0000007' } });
      await scene.call();
      expect(channels()).to.deep.equal(['whatsapp', 'sms']);
      expect(reasons()).to.deep.equal([undefined, 'OKTA_NOT_FOUND']);
    });

    it('is read again after a minute, so that an opt-out takes effect', async () => {
      await scene.call();
      scene.okta.updateUser(ANA.id, { whatsAppOptIn: false });
      now += 60_000;
      await scene.call();
      expect(channels()).to.deep.equal(['whatsapp', 'sms']);
    });
  });

  it('gets at most half of the time that is left, then the code goes by SMS', async () => {
    await warmUp();
    scene = await startScene({ hook: { deadlineMs: 800 } });
    scene.okta.fault({ kind: 'hang' });
    const clock = stopTime();
    try {
      const calling = scene.call();
      await until(() => scene.okta.requests.length > 0);
      // Half of the time that is left.
      clock.tick(400);
      expect((await calling).okta.action).to.equal('sent');
    } finally {
      clock.restore();
    }
    expect(channels()).to.deep.equal(['sms']);
    expect(reasons()).to.deep.equal(['TIMEOUT']);
  });

  it('is found by the login if the call has no user id', async () => {
    scene = await startScene();
    const change = (payload: Record<string, unknown>): unknown => {
      const { data, ...rest } = payload as { data: { userProfile: object } };
      return { ...rest, data: { ...data, userProfile: { login: ANA.login } } };
    };
    await scene.call({ change });
    expect(channels()).to.deep.equal(['whatsapp']);
  });

  describe('with unverifiedPhoneAttribute', () => {
    const OTHER = '+447700900555';
    beforeEach(async () => {
      scene = await startScene({
        hook: { profile: { unverifiedPhoneAttribute: 'mobilePhone' }, defaultCountry: 'GB' },
      });
      scene.twilio.joinSandbox(OTHER);
      scene.okta.updateUser(ANA.id, { mobilePhone: OTHER });
      scene.okta.updateUser(BOB.id, { mobilePhone: OTHER });
      mustNotShow(OTHER.slice(1));
    });
    const numbers = (): string[] => scene.twilio.messages.map(({ channel, to }) => `${channel} ${to}`);

    it('gives its number to the WhatsApp message of a sign-in', async () => {
      await scene.call();
      expect(numbers()).to.deep.equal([`whatsapp ${OTHER}`]);
    });

    for (const requestType of [
      'pre-enrollment',
      'account-unlock',
      'password-reset',
    ] as const satisfies readonly HookRequestType[]) {
      it(`gives no number to the WhatsApp message of ${requestType}`, async () => {
        await scene.call({ requestType });
        expect(numbers()).to.deep.equal([`whatsapp ${ANA.phone}`]);
      });
    }

    it('gives no number to an SMS or a voice call', async () => {
      await scene.call(TO_BOB);
      await scene.call({ deliveryChannel: 'CALL' });
      expect(numbers()).to.deep.equal([`sms ${BOB.phone}`]);
      expect(scene.twilio.calls.map(({ to }) => to)).to.deep.equal([ANA.phone]);
    });

    it('gives no number to the SMS after a refusal of WhatsApp', async () => {
      scene.twilio.refuseWith({ code: 63007, times: 1 });
      await scene.call();
      expect(numbers()).to.deep.equal([`sms ${ANA.phone}`]);
    });

    it('gives its number, read with the default country', async () => {
      scene.okta.updateUser(ANA.id, { mobilePhone: '07700 900555' });
      await scene.call();
      expect(numbers()).to.deep.equal([`whatsapp ${OTHER}`]);
    });

    for (const mobilePhone of ['call me', '', 7, null]) {
      it(`lets WhatsApp go to the enrolled number if it has ${JSON.stringify(mobilePhone)}`, async () => {
        scene.okta.updateUser(ANA.id, { mobilePhone });
        await scene.call();
        expect(numbers()).to.deep.equal([`whatsapp ${ANA.phone}`]);
      });
    }
  });

  describe('with a number that the guard blocks', () => {
    const start = async (mobilePhone: string, guard: GuardOptions): Promise<void> => {
      scene = await startScene({ hook: { profile: { unverifiedPhoneAttribute: 'mobilePhone' }, guard } });
      scene.twilio.joinSandbox(mobilePhone);
      scene.okta.updateUser(ANA.id, { mobilePhone });
      mustNotShow(mobilePhone.slice(1));
    };
    const guardEvents = (): unknown[] =>
      scene.events.flatMap((event) =>
        event.type === 'guard.blocked' || event.type === 'guard.noticed'
          ? [[event.type, event.code, event.isOtherNumber]]
          : [],
      );

    for (const [mobilePhone, guard, code] of [
      ['+19005550123', {}, 'NUMBER_TYPE_BLOCKED'],
      ['+14165550142', { countries: { allow: ['GB'] } }, 'COUNTRY_NOT_ALLOWED'],
      ['+14165550142', { countries: { deny: ['CA'] } }, 'COUNTRY_NOT_ALLOWED'],
    ] as const) {
      it(`lets WhatsApp go to the enrolled one: ${code} by ${JSON.stringify(guard)}`, async () => {
        await start(mobilePhone, { perUser: { points: 1, seconds: 60 }, ...guard });
        expect((await scene.call()).okta.action).to.equal('sent');
        expect(scene.twilio.messages.map(({ channel, to }) => [channel, to])).to.deep.equal([
          ['whatsapp', ANA.phone],
        ]);
        expect(guardEvents()).to.deep.equal([['guard.blocked', code, true]]);
        expect(scene.log.map(({ message }) => message).join()).to.not.contain('blocked the code');
      });
    }

    it('reports the country and the ending of that number', async () => {
      await start('+14165550142', { countries: { deny: ['CA'] } });
      await scene.call();
      expect(scene.of('guard.blocked')[0]).to.include({
        country: 'CA',
        toEnding: '42',
      });
    });

    it('lets WhatsApp go to it in record mode, with guard.noticed', async () => {
      await start('+14165550142', { mode: 'record', countries: { allow: ['GB'] } });
      await scene.call();
      expect(scene.twilio.messages.map(({ to }) => to)).to.deep.equal(['+14165550142']);
      expect(guardEvents()).to.deep.equal([['guard.noticed', 'COUNTRY_NOT_ALLOWED', true]]);
    });

    it('causes no guard event without a WhatsApp message', async () => {
      await start('+19005550123', {});
      scene.okta.updateUser(ANA.id, { whatsAppOptIn: false });
      await scene.call();
      await scene.call({ deliveryChannel: 'CALL' });
      expect(scene.twilio.messages.map(({ channel, to }) => [channel, to])).to.deep.equal([
        ['sms', ANA.phone],
      ]);
      expect(guardEvents()).to.deep.equal([]);
    });
  });

  it('provides no number without unverifiedPhoneAttribute: WhatsApp goes to the enrolled one', async () => {
    scene = await startScene();
    scene.okta.updateUser(ANA.id, { mobilePhone: '+447700900555' });
    await scene.call();
    expect(scene.twilio.messages.map(({ to }) => to)).to.deep.equal([ANA.phone]);
  });

  describe('read as a service app', () => {
    const { privateKey, publicKey } = rsaKeys();
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const jwk = privateKey.export({ format: 'jwk' });
    for (const [title, scheme, keyForm, publicHalf = publicKey] of [
      ['with a PEM', 'Bearer', pemOf(privateKey)],
      ['with an EC key', 'Bearer', pemOf(ec.privateKey), ec.publicKey],
      ['with a JWK', 'Bearer', { ...jwk }],
      ["with a JWK's text", 'Bearer', JSON.stringify(jwk)],
      ['in an org that requires DPoP', 'DPoP', pemOf(privateKey)],
    ] as const) {
      const requireDpop = scheme === 'DPoP';
      it(`serves ${title}, also after its token is revoked`, async () => {
        scene = await startScene({
          hook: ({ okta, twilio }) => ({
            credentials: {
              ...usualCredentials(okta, twilio),
              okta: { orgUrl: okta.orgUrl, clientId: '0oaServiceApp', privateKey: keyForm },
            },
          }),
        });
        scene.okta.registerServiceApp({
          clientId: '0oaServiceApp',
          publicJwk: publicHalf.export({ format: 'jwk' }),
          requireDpop,
        });
        expect(await scene.hook.ready()).to.include({ okta: 'ok' });
        await scene.call();
        await scene.call(TO_BOB);
        expect(channels()).to.deep.equal(['whatsapp', 'sms']);
        expect(sources()).to.deep.equal(['okta', 'okta']);
        const asked = scene.okta.requests.filter(({ path }) => path.startsWith('/api/v1/users/'));
        for (const { headers } of asked) {
          expect(headers.authorization).to.match(new RegExp(`^${scheme} `));
          expect(headers['dpop'] !== undefined).to.equal(requireDpop);
        }
        // The call replaces a revoked token.
        scene.okta.revokeTokens();
        scene.okta.addUser({
          id: '00u1caralima0000001',
          login: 'cara.lima@example.com',
          profile: { whatsAppOptIn: true },
        });
        await scene.call({ userId: '00u1caralima0000001', login: 'cara.lima@example.com' });
        expect(sources().at(-1)).to.equal('okta');
      });
    }

    it('is missing if Okta does not know the app: the code goes by SMS', async () => {
      scene = await startScene({
        hook: ({ okta, twilio }) => ({
          credentials: {
            ...usualCredentials(okta, twilio),
            okta: {
              orgUrl: okta.orgUrl,
              clientId: '0oaUnknown',
              privateKey: pemOf(privateKey),
            },
          },
        }),
      });
      const call = await scene.call();
      expect(commandOf(call)).to.include({ status: 'SUCCESSFUL' });
      expect(channels()).to.deep.equal(['sms']);
    });
  });

  describe("under Okta's rate limit", () => {
    const users = [ANA, BOB];
    const pauses = (): number => scene.of('okta.paused').length;
    beforeEach(async () => {
      scene = await startScene({ hook: { profile: { cache: false } } });
    });

    for (const remaining of [10, 0]) {
      it(`is not requested with ${remaining} % left: one event, one log line, codes still go out`, async () => {
        scene.okta.setRateLimit({ limit: 100, remaining, resetInSeconds: 30 });
        for (let count = 0; count < 3; count += 1) {
          for (const { id, login } of users) {
            expect((await scene.call({ userId: id, login })).okta.action).to.equal('sent');
          }
        }
        expect(scene.okta.requests).to.have.length(1);
        expect(pauses()).to.equal(1);
        expect(scene.log.filter(({ message }) => message.includes('rate limit'))).to.have.length(1);
        expect(reasons().slice(1)).to.deep.equal(Array(5).fill('PAUSED'));
      });
    }
  });

  it('is requested again when the pause is over, with an event and a log line', async () => {
    scene = await startScene({ hook: { clock: () => now, profile: { cache: false } } });
    scene.okta.setRateLimit({ limit: 100, remaining: 5, resetInSeconds: 30 });
    await scene.call();
    scene.okta.setRateLimit(undefined);
    now += 25_000;
    await scene.call();
    expect(reasons()).to.deep.equal([undefined, 'PAUSED']);
    now += 10_000;
    await scene.call();
    expect(sources()).to.deep.equal(['okta', 'none', 'okta']);
    const resumed = scene.of('okta.resumed')[0];
    expect(resumed).to.deep.include({ reason: 'LOW', pausedMs: 35_000 });
    const line = scene.log.find(({ fields }) => fields['event'] === 'okta.resumed');
    expect(line).to.include({
      level: 'info',
      message: "okta-telephony-hook: The pause for Okta's rate limit is over: users are looked up again.",
    });
  });
});
