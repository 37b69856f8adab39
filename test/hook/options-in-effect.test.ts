import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { decodeProtectedHeader } from 'jose';
import type sinon from 'sinon';
import type { Dispatcher } from 'undici';
import type { EmulatedMessage, HookCall } from '#lib/testing/index.js';
import { Closers } from '#harness/closers.js';
import {
  ANA,
  HOOK_SECRET,
  startScene,
  TO_BOB,
  usualCredentials,
  type HookOptions,
  type Scene,
  type SceneOptions,
} from '#harness/scene.js';
import { stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

/**
 * The visible effect of each option. The options that are missing here have tests of their own: `path` in
 * mounting, `deadlineMs` in exchange, `guard`, `rollout`, `texts`, `inbound`, `lateFailover`, `metrics` and `dispatcher` in
 * the files with those names or in faults.
 */
interface Effect {
  readonly option: string;
  readonly hook: (parts: Parts) => HookOptions;
  readonly play: (given: Given) => Promise<unknown>;
  readonly expected: unknown;
  /** The result without the option. Left out if the effect needs another option, too. */
  readonly byDefault?: unknown;
}

type Parts = Parameters<Extract<SceneOptions['hook'], (...args: never) => unknown>>[0];
interface Given {
  readonly scene: Scene;
  readonly clock: sinon.SinonFakeTimers;
  /** Moves the hook's clock on. */
  readonly wait: (ms: number) => void;
}

const lastMessage = ({ twilio }: Scene): EmulatedMessage | undefined => twilio.messages.at(-1);
const answers = (scene: Scene) => scene.of('request.answered');
const sources = (scene: Scene) => answers(scene).map(({ profileSource }) => profileSource);
const lookUps = ({ okta }: Scene): number =>
  okta.requests.filter(({ path }) => path.startsWith('/api/v1/users/')).length;
const channelOf = async (scene: Scene): Promise<string | undefined> => {
  await scene.call();
  return answers(scene).at(-1)?.channel;
};
const statusOf = async (calling: Promise<HookCall>): Promise<number | undefined> =>
  (await calling).httpStatus;

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The origins of requests to Twilio, by a dispatcher that does not send them. */
const twilioOrigins: string[] = [];
const withoutTwilio = {
  dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
    if (String(options.origin).includes('twilio')) twilioOrigins.push(String(options.origin));
    handler.onResponseError?.({} as Dispatcher.DispatchController, new Error('no network'));
    return true;
  },
} as unknown as Dispatcher;

const EFFECTS: readonly Effect[] = [
  {
    option: 'optInAttribute',
    hook: () => ({ optInAttribute: 'codesByWhatsApp' }),
    play: ({ scene }) => {
      scene.okta.updateUser(ANA.id, { whatsAppOptIn: false, codesByWhatsApp: true });
      return channelOf(scene);
    },
    expected: 'whatsapp',
    byDefault: 'sms',
  },
  {
    option: 'optInChannels',
    hook: () => ({
      optInChannels: ['line'],
      channels: { line: { send: () => Promise.resolve({ status: 'accepted', transactionId: 'L1' }) } },
    }),
    play: ({ scene }) => {
      scene.okta.updateUser(ANA.id, { whatsAppOptIn: ['line', 'whatsapp'] });
      return channelOf(scene);
    },
    expected: 'line',
    byDefault: 'whatsapp',
  },
  {
    option: 'optInChannels with sms',
    hook: () => ({ optInChannels: ['sms', 'whatsapp'] }),
    play: ({ scene }) => {
      scene.okta.updateUser(ANA.id, { whatsAppOptIn: ['sms', 'whatsapp'] });
      return channelOf(scene);
    },
    expected: 'sms',
    byDefault: 'whatsapp',
  },
  {
    option: 'profile.timeoutMs',
    hook: () => ({ profile: { timeoutMs: 300 } }),
    play: async ({ scene, clock }) => {
      scene.okta.fault({ kind: 'slow', delayMs: 400 });
      const calling = scene.call();
      await until(() => scene.okta.requests.length === 1);
      clock.tick(300);
      clock.tick(100);
      await calling;
      return answers(scene).map(({ profileReason, profileSource }) => profileReason ?? profileSource);
    },
    expected: ['TIMEOUT'],
    byDefault: ['okta'],
  },
  {
    option: 'profile.cache: false',
    hook: () => ({ profile: { cache: false } }),
    play: async ({ scene }) => {
      await scene.call();
      await scene.call();
      return sources(scene);
    },
    expected: ['okta', 'okta'],
    byDefault: ['okta', 'cache'],
  },
  {
    option: 'profile.cache.ttlSeconds',
    hook: () => ({ profile: { cache: { ttlSeconds: 5 } } }),
    play: async ({ scene, wait }) => {
      await scene.call();
      wait(6000);
      await scene.call();
      return sources(scene);
    },
    expected: ['okta', 'okta'],
    byDefault: ['okta', 'cache'],
  },
  {
    option: 'profile.cache.staleSeconds',
    hook: () => ({ profile: { cache: { staleSeconds: 5 } } }),
    play: async ({ scene, wait }) => {
      await scene.call();
      wait(66_000);
      scene.okta.fault({ kind: 'status', status: 500 });
      await scene.call();
      return sources(scene);
    },
    expected: ['okta', 'none'],
    byDefault: ['okta', 'stale'],
  },
  {
    option: 'profile.cache.max',
    hook: () => ({ profile: { cache: { max: 1 } } }),
    play: async ({ scene }) => {
      for (const call of [{}, TO_BOB, {}]) await scene.call(call);
      return lookUps(scene);
    },
    expected: 3,
    byDefault: 2,
  },
  {
    option: 'defaultCountry',
    hook: () => ({ defaultCountry: 'GB' }),
    play: async ({ scene }) => {
      await scene.call({ phoneNumber: ANA.phone.replace('+44', '0') });
      return lastMessage(scene)?.to;
    },
    expected: ANA.phone,
    byDefault: undefined,
  },
  {
    option: 'senders.sms by country',
    hook: ({ twilio }) => ({ senders: { sms: { default: twilio.smsNumber, US: 'ACME' } } }),
    play: async ({ scene }) => {
      await scene.call(TO_BOB);
      return scene.twilio.requests.at(-1)?.form?.['From'] === 'ACME';
    },
    expected: true,
    byDefault: false,
  },
  {
    option: 'sandboxNumber.contentSid',
    hook: ({ twilio }) => ({
      sandboxNumber: { number: twilio.sandboxNumber, contentSid: `HX${'0a'.repeat(16)}` },
    }),
    play: async ({ scene }) => {
      await scene.call();
      return lastMessage(scene)?.contentSid;
    },
    expected: `HX${'0a'.repeat(16)}`,
    byDefault: undefined,
  },
  {
    option: 'publicUrl with a slash at its end',
    hook: ({ origin }) => ({ publicUrl: `${origin}/okta/telephony/` }),
    play: async ({ scene }) => {
      await scene.call();
      return lastMessage(scene)?.statusCallback?.replace(scene.url, '').split('?')[0];
    },
    expected: '/twilio/status',
  },
  {
    option: 'credentials.twilio.authToken with the next one',
    hook: ({ okta, twilio, origin }) => ({
      publicUrl: `${origin}/okta/telephony`,
      credentials: {
        twilio: { ...usualCredentials(okta, twilio).twilio, authToken: ['0'.repeat(32), twilio.authToken] },
      },
    }),
    play: ({ scene }) => scene.report(`SM${'1'.repeat(32)}`, 'delivered'),
    expected: 204,
  },
  {
    option: 'credentials.twilio.authToken alone',
    hook: ({ twilio }) => ({
      credentials: {
        twilio: { accountSid: twilio.accountSid, authToken: twilio.authToken, baseUrl: twilio.baseUrl },
      },
    }),
    play: async ({ scene }) => {
      await scene.call();
      const basic = scene.twilio.requests.at(-1)?.headers.authorization?.split(' ')[1] ?? '';
      return Buffer.from(basic, 'base64').toString().split(':')[0] === scene.twilio.accountSid;
    },
    expected: true,
    byDefault: false,
  },
  {
    option: 'credentials.twilio.region and edge',
    hook: ({ okta, twilio }) => ({
      dispatcher: withoutTwilio,
      credentials: {
        twilio: {
          ...usualCredentials(okta, twilio).twilio,
          baseUrl: undefined,
          region: 'ie1',
          edge: 'dublin',
        },
      },
    }),
    play: async ({ scene }) => {
      twilioOrigins.length = 0;
      await scene.call(TO_BOB);
      return twilioOrigins;
    },
    expected: ['https://api.dublin.ie1.twilio.com'],
  },
  {
    option: 'credentials.hook.name',
    hook: () => ({
      credentials: { hook: { scheme: 'header', name: 'X-Hook-Secret', secrets: [HOOK_SECRET] } },
    }),
    play: async ({ scene }) => [
      await statusOf(scene.call({ headers: { 'X-Hook-Secret': HOOK_SECRET } })),
      await statusOf(scene.call()),
    ],
    expected: [200, 401],
    byDefault: [401, 200],
  },
  {
    option: 'credentials.hook.jwksUri',
    hook: ({ okta }) => ({
      credentials: {
        hook: {
          scheme: 'oauth2',
          issuer: 'https://id.acme.example/oauth2/hooks',
          audience: 'api://default',
          clientId: '0oahookclient0001d7',
          scope: 'telephony',
          jwksUri: `${okta.issuer}/v1/keys`,
        },
      },
    }),
    play: async ({ scene }) => {
      const token = await scene.okta.issueHookToken({ iss: 'https://id.acme.example/oauth2/hooks' });
      return statusOf(scene.call({ headers: { Authorization: `Bearer ${token}` } }));
    },
    expected: 200,
    byDefault: 401,
  },
  {
    option: 'credentials.okta.keyId',
    hook: ({ okta }) => ({
      credentials: {
        okta: {
          orgUrl: okta.orgUrl,
          clientId: '0oaServiceApp',
          privateKey: { ...privateKey.export({ format: 'jwk' }), kid: 'of-the-key' },
          keyId: 'of-the-option',
        },
      },
    }),
    play: async ({ scene }) => {
      scene.okta.registerServiceApp({
        clientId: '0oaServiceApp',
        publicJwk: publicKey.export({ format: 'jwk' }),
      });
      await scene.call();
      const asked = scene.okta.requests.find(({ path }) => path.endsWith('/token'));
      const assertion = asked?.form?.['client_assertion'];
      return typeof assertion === 'string' ? decodeProtectedHeader(assertion).kid : assertion;
    },
    expected: 'of-the-option',
    byDefault: undefined,
  },
];

describe('an option changes what the hook does:', () => {
  const closers = new Closers();
  afterEach(() => closers.closeAll());

  for (const effect of EFFECTS) {
    const { option, hook, play, expected, byDefault } = effect;
    for (const isSet of 'byDefault' in effect ? [true, false] : [true]) {
      it(`${option}, ${isSet ? 'set' : 'by default'}`, async () => {
        let now = Date.now();
        const scene = closers.add(
          await startScene({ hook: (parts) => ({ clock: () => now, ...(isSet ? hook(parts) : {}) }) }),
          (opened) => opened.close(),
        );
        const clock = stopTime();
        closers.add(clock, () => {
          clock.restore();
        });
        const wait = (ms: number): void => {
          now += ms;
        };
        expect(await play({ scene, clock, wait })).to.deep.equal(isSet ? expected : byDefault);
      });
    }
  }
});
