import { expect } from 'chai';
import express from 'express';
import type { Channel, HookEventOf, Message, TelephonyRequest, UserProfile } from '#lib/index.js';
import { fixedDate } from '#lib/core/freeze.js';
import { ANA, CODE, commandOf, startScene, type HookOptions, type Scene } from '#harness/scene.js';
import { until } from '#harness/until.js';

/** What functions of the user get is read-only: what they wrote would reach other steps, or other calls. */
describe('a function of the options', () => {
  let scene: Scene;
  afterEach(() => scene.close());
  const start = async (hook: HookOptions): Promise<void> => {
    scene = await startScene({ hook });
    scene.okta.updateUser(ANA.id, { whatsAppOptIn: ['whatsapp'], prefs: ['whatsapp', 'sms'] });
  };
  const failures = (): HookEventOf<'extension.failed'>[] => scene.of('extension.failed');
  const sentTo = (): string[] => scene.twilio.messages.map(({ channel, to }) => `${channel} ${to}`);

  it('cannot reverse a list in the cached profile: each code goes by the same channel', async () => {
    const chooseChannels = (_request: TelephonyRequest, profile: UserProfile | undefined): string[] =>
      (profile?.['prefs'] as string[]).reverse();
    await start({ chooseChannels, resend: { nextRoute: false } });
    for (let count = 1; count <= 4; count += 1) await scene.call();
    // After a failure, the opt-in attribute decides.
    expect(sentTo()).to.deep.equal(Array(4).fill(`whatsapp ${ANA.phone}`));
    expect(scene.of('profile.read').at(-1)).to.include({
      source: 'cache',
    });
    expect(failures()[0]).to.include({ extension: 'chooseChannels', count: 1 });
    expect(failures()[0]?.reason).to.match(/read only/);
  });

  it('can reverse a copy of it', async () => {
    await start({ chooseChannels: (_request, profile) => [...(profile?.['prefs'] as string[])].reverse() });
    for (let count = 1; count <= 2; count += 1) await scene.call();
    expect(sentTo()).to.deep.equal(Array(2).fill(`sms ${ANA.phone}`));
    expect(failures()).to.be.empty;
  });

  for (const [extension, what, write] of [
    [
      'chooseChannels',
      'the number',
      (request: TelephonyRequest) => Object.assign(request, { phoneNumber: '+19005550123' }),
    ],
    [
      'composeText',
      'the number',
      (request: TelephonyRequest) => Object.assign(request, { phoneNumber: '+19005550123' }),
    ],
    ['composeText', 'the code', (request: TelephonyRequest) => Object.assign(request, { otpCode: '000000' })],
    ['composeText', 'the expiry', ({ expiresAt }: TelephonyRequest) => expiresAt.setTime(0)],
    [
      'composeText',
      "Okta's body",
      ({ raw }: TelephonyRequest) =>
        Object.assign((raw as { data: { messageProfile: object } }).data.messageProfile, { otpCode: '1' }),
    ],
  ] as const) {
    it(`cannot change ${what} of a request by ${extension}`, async () => {
      await start({
        [extension]: (request: TelephonyRequest) => {
          write(request);
          return extension === 'chooseChannels' ? ['sms'] : `Code ${request.otpCode}`;
        },
      });
      expect(commandOf(await scene.call())?.['status']).to.equal('SUCCESSFUL');
      expect(sentTo()).to.deep.equal([`whatsapp ${ANA.phone}`]);
      expect(scene.twilio.messages[0]?.body).to.equal(`Your code is ${CODE}`);
      expect(failures()).to.have.length(1);
      expect(failures()[0]).to.include({ extension });
    });
  }

  it("gets a copy of a body parser's object: other middleware may still write to that, and changes nothing", async () => {
    const bodies: Record<string, unknown>[] = [];
    const overwrite = (): void => {
      for (const body of bodies) Object.assign(body, { data: undefined, seenBy: 'audit' });
    };
    let raw: unknown;
    scene = await startScene({
      hook: {
        chooseChannels: () => {
          overwrite();
          return ['sms'];
        },
        composeText: (request) => {
          ({ raw } = request);
          return `Code ${request.otpCode}`;
        },
      },
      mount: (app, hook) => {
        app.use(express.json());
        app.use((req, _res, next) => {
          bodies.push(req.body as Record<string, unknown>);
          next();
        });
        app.use(hook);
      },
    });
    expect((await scene.call()).okta.action).to.equal('sent');
    overwrite();
    expect(bodies).to.have.length(1);
    expect(failures()).to.be.empty;
    expect(raw).to.have.nested.property('data.messageProfile.otpCode', CODE);
    expect(raw).to.not.have.property('seenBy');
  });

  it('gets a request and a profile that are read-only again in late failover', async () => {
    const seen: boolean[] = [];
    scene = await startScene({
      hook: ({ origin }) => ({
        publicUrl: `${origin}/okta/telephony`,
        composeText: (request, profile) => {
          seen.push(
            [request, request.raw, (request.raw as { data: object }).data, profile, profile?.['prefs']].every(
              Object.isFrozen,
            ),
          );
          return `Code ${request.otpCode}`;
        },
      }),
    });
    scene.okta.updateUser(ANA.id, { prefs: ['whatsapp'] });
    scene.twilio.failLater({
      code: 63024,
      match: ({ form }) => String(form?.['To']).startsWith('whatsapp:'),
    });
    await scene.call();
    await until(() => scene.of('failover.ended').length > 0);
    expect(sentTo()).to.deep.equal([`whatsapp ${ANA.phone}`, `sms ${ANA.phone}`]);
    expect(seen).to.deep.equal([true, true]);
  });
});

describe('the send of an own channel', () => {
  for (const [what, write] of [
    ['its message', (message) => Object.assign(message, { to: '+19005550123' })],
    ['its request', ({ request }) => Object.assign(request, { phoneNumber: '+19005550123' })],
    ['its profile', ({ profile }) => Object.assign(Object(profile) as object, { whatsAppOptIn: false })],
    ['its expiry', ({ expiresAt }) => expiresAt.setTime(0)],
  ] as const satisfies readonly (readonly [string, (message: Message) => unknown])[]) {
    it(`cannot change ${what}: it throws, so that the outcome is unknown`, async () => {
      const sms: Channel = {
        send: (message) => {
          write(message);
          return Promise.resolve({ status: 'accepted', transactionId: '1' });
        },
      };
      const scene = await startScene({ hook: { sandboxNumber: undefined, channels: { sms } } });
      try {
        expect(commandOf(await scene.call())?.['status']).to.equal('PENDING');
        const attempt = scene.of('attempt.ended')[0];
        expect(attempt).to.include({ outcome: 'unknown', reason: 'The channel threw TypeError' });
      } finally {
        await scene.close();
      }
    });
  }
});

describe('a date that cannot be changed', () => {
  it('has the time of a date, and refuses each setter', () => {
    const date = fixedDate(1_700_000_000_000);
    expect(date).to.be.instanceOf(Date);
    expect(date.toISOString()).to.equal('2023-11-14T22:13:20.000Z');
    const setters = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'));
    expect(setters).to.have.length.above(10);
    for (const name of setters) {
      expect(() => (date as unknown as Record<string, (ms: number) => unknown>)[name]?.(0)).to.throw(
        TypeError,
        name,
      );
    }
    expect(date.getTime()).to.equal(1_700_000_000_000);
    expect(structuredClone(date).getTime()).to.equal(1_700_000_000_000);
    expect(JSON.stringify(date)).to.equal('"2023-11-14T22:13:20.000Z"');
  });
});
