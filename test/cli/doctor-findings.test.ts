import { expect } from 'chai';
import { ANA, type Scene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { callApi } from '../testing/okta-client.js';
import { startTestServer } from '../testing/local.js';
import { grant, lineOf, openWard, type Ward } from './doctor-scene.js';

type Variables = Readonly<Record<string, string>>;

/** Something that is wrong, and the line that has to tell it. */
interface Misconfiguration {
  readonly what: string;
  /** Makes it so; an object that it returns are the variables of a gateway that has it. */
  readonly plant: (scene: Scene, later: (end: () => void) => void) => unknown;
  readonly check: string;
  readonly status: 'warn' | 'fail';
  /** What the message and the remedy must name. */
  readonly names: RegExp;
  readonly remedy: RegExp;
}

const TEMPLATE_SENDER = { TWILIO_SANDBOX_NUMBER: '', TWILIO_WHATSAPP_FROM: '+14155550102' };

/** As the gateway has it with a template of its own. */
function withTemplate(template: Parameters<Scene['twilio']['addTemplate']>[0]): (scene: Scene) => Variables {
  return ({ twilio }) => ({ ...TEMPLATE_SENDER, TWILIO_WHATSAPP_TEMPLATE: twilio.addTemplate(template).sid });
}

/** An API token whose owner has these roles, as Okta lists them. */
function byRoles(okta: Scene['okta'], body: readonly object[]): Variables {
  okta.fault({ fault: { kind: 'status', status: 200, body }, match: ({ path }) => path.endsWith('/roles') });
  return { OKTA_API_TOKEN: okta.apiToken, OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '' };
}

const OF_OTHERS = '+12025550198';

/** A voice number that is none of the account's, beside what Twilio has as its verified caller IDs. */
function withCallerIds(twilio: Scene['twilio'], numbers: readonly string[]): Variables {
  const body = { outgoing_caller_ids: numbers.map((number) => ({ phone_number: number })) };
  twilio.fault({
    fault: { kind: 'status', status: 200, body },
    match: ({ path }) => path.includes('OutgoingCallerIds'),
  });
  return { TWILIO_VOICE_FROM: OF_OTHERS };
}

/** A server in the place of the gateway. */
function answering(
  status: number,
  headers: Record<string, string> = {},
  body = '',
): Misconfiguration['plant'] {
  return async (_scene, later) => {
    const other = await startTestServer((response) => response.writeHead(status, headers).end(body));
    later(() => {
      other.close();
    });
    return { PUBLIC_URL: `${other.url}/okta/telephony` };
  };
}

const MISCONFIGURATIONS: readonly Misconfiguration[] = [
  {
    what: 'the address of the Admin Console as that of the org',
    plant: () => ({ OKTA_ORG_URL: 'https://acme-admin.okta.com' }),
    check: 'okta.variables',
    status: 'fail',
    names: /OKTA_ORG_URL/,
    remedy: /environment/,
  },
  {
    what: 'a server that is no org',
    plant: async (_scene, later) => {
      const other = await startTestServer();
      later(() => {
        other.close();
      });
      return { OKTA_ORG_URL: other.url };
    },
    check: 'okta.org',
    status: 'fail',
    names: /answered 204/,
    remedy: /OKTA_ORG_URL/,
  },
  {
    what: 'an org with the Classic Engine',
    plant: ({ okta }) => {
      const body = { id: '00o1', pipeline: 'v1' };
      okta.fault({
        fault: { kind: 'status', status: 200, body },
        match: ({ path }) => path.startsWith('/.well-known'),
      });
    },
    check: 'okta.engine',
    status: 'fail',
    names: /Classic/,
    remedy: /upgraded/,
  },
  {
    what: 'an API token that is no more',
    plant: () => {
      mustNotShow('00token-that-is-no-more');
      return { OKTA_API_TOKEN: '00token-that-is-no-more', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '' };
    },
    check: 'okta.credential',
    status: 'fail',
    names: /401/,
    remedy: /OKTA_API_TOKEN/,
  },
  {
    what: 'a service app that may not read users',
    plant: async (scene) => {
      await grant(scene, ['okta.schemas.read']);
    },
    check: 'okta.credential',
    status: 'fail',
    names: /cannot be seen/,
    remedy: /okta\.users\.read/,
  },
  {
    what: 'a service app that may change users',
    plant: async (scene) => {
      await grant(scene, ['okta.users.read', 'okta.users.manage']);
    },
    check: 'okta.privileges',
    status: 'warn',
    names: /okta\.users\.manage/,
    remedy: /Read-Only/,
  },
  {
    what: 'a service app that may change policies',
    plant: async (scene) => {
      await grant(scene, ['okta.users.read', 'okta.policies.manage']);
    },
    check: 'okta.privileges',
    status: 'warn',
    names: /okta\.policies\.manage/,
    remedy: /Read-Only/,
  },
  {
    what: 'an API token of a custom role',
    plant: ({ okta }) => byRoles(okta, [{ type: 'CUSTOM' }]),
    check: 'okta.privileges',
    status: 'warn',
    names: /custom role/,
    remedy: /Administrators/,
  },
  {
    what: 'an API token without a role that can be seen',
    plant: ({ okta }) => byRoles(okta, []),
    check: 'okta.privileges',
    status: 'warn',
    names: /No role/,
    remedy: /Administrators/,
  },
  {
    what: 'a rate limit that is nearly used up',
    plant: ({ okta }) => {
      okta.setRateLimit({ limit: 100, remaining: 6, resetInSeconds: 30 });
    },
    check: 'okta.rate-limit',
    status: 'warn',
    names: /5 % of 100/,
    remedy: /Rate Limits/,
  },
  {
    what: 'no attribute to opt in by',
    plant: () => ({ OPT_IN_ATTRIBUTE: 'codesByWhatsApp' }),
    check: 'okta.attribute',
    status: 'fail',
    names: /codesByWhatsApp/,
    remedy: /setup attribute/,
  },
  {
    what: 'an attribute of another type',
    plant: ({ okta }) => {
      okta.setAttribute('whatsAppOptIn', null);
      okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'number' });
    },
    check: 'okta.attribute',
    status: 'fail',
    names: /type number/,
    remedy: /OPT_IN_ATTRIBUTE/,
  },
  {
    what: 'an attribute of names of channels, whose values it does not see',
    plant: ({ okta }) => {
      okta.setAttribute('whatsAppOptIn', null);
      okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'string' });
    },
    check: 'okta.attribute',
    status: 'warn',
    names: /type string, that users may/,
    remedy: /optInChannels/,
  },
  {
    what: 'an attribute that users may not change, and a directory does',
    plant: ({ okta }) => {
      okta.setAttribute('whatsAppOptIn', {
        title: 'Ours',
        type: 'boolean',
        permissions: [{ principal: 'SELF', action: 'READ_ONLY' }],
        master: { type: 'PROFILE_MASTER' },
      });
    },
    check: 'okta.attribute',
    status: 'warn',
    names: /user permission is READ_ONLY.*source is PROFILE_MASTER/,
    remedy: /setup attribute/,
  },
  {
    what: 'nobody who has opted in',
    plant: ({ okta }) => {
      okta.updateUser(ANA.id, { whatsAppOptIn: false });
    },
    check: 'okta.opted-in',
    status: 'warn',
    names: /No active user/,
    remedy: /whatsAppOptIn/,
  },
  {
    what: 'codes to an attribute that users write themselves',
    plant: () => ({ UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone' }),
    check: 'okta.unverified-phone',
    status: 'fail',
    names: /mobilePhone/,
    remedy: /Read-Only/,
  },
  {
    what: 'a phone authenticator that is off',
    plant: ({ okta }) => {
      okta.setPhoneAuthenticator('INACTIVE');
    },
    check: 'okta.phone-authenticator',
    status: 'fail',
    names: /not active/,
    remedy: /Authenticators/,
  },
  {
    what: 'a phone authenticator that is allowed for nothing',
    plant: ({ okta }) => {
      const body = [{ key: 'phone_number', status: 'ACTIVE', settings: { allowedFor: 'none' } }];
      okta.fault({
        fault: { kind: 'status', status: 200, body },
        match: ({ path }) => path.startsWith('/api/v1/authenticators'),
      });
    },
    check: 'okta.phone-authenticator',
    status: 'warn',
    names: /allowed for nothing/,
    remedy: /Authenticators/,
  },
  {
    what: 'a hook of another URL',
    plant: ({ url }) => ({ PUBLIC_URL: `${url}s` }),
    check: 'okta.hook',
    status: 'fail',
    names: /Another telephony inline hook is active/,
    remedy: /--replace/,
  },
  {
    what: 'a hook that is not active',
    plant: async ({ okta }) => {
      await callApi(
        okta,
        'POST',
        `/api/v1/inlineHooks/${okta.inlineHooks[0]?.id ?? ''}/lifecycle/deactivate`,
      );
    },
    check: 'okta.hook',
    status: 'fail',
    names: /INACTIVE/,
    remedy: /setup hook/,
  },
  {
    what: 'a hook that proves itself in another way',
    plant: ({ okta }) => ({
      HOOK_OAUTH_CLIENT_ID: '0oahookclient0001d7',
      HOOK_OAUTH_TOKEN_URL: `${okta.issuer}/v1/token`,
      HOOK_OAUTH_SCOPE: 'telephony',
      HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001',
    }),
    check: 'okta.hook',
    status: 'fail',
    names: /authentication is header Authorization in place of OAuth/,
    remedy: /setup hook/,
  },
  {
    what: "Okta's own telephony provider beside the hook",
    plant: ({ okta }) => {
      okta.setTelephonyProviders([{ providerName: 'TWILIO' }]);
    },
    check: 'okta.native-telephony',
    status: 'warn',
    names: /TWILIO/,
    remedy: /[Tt]urn it off/,
  },
  {
    what: 'an event hook that was never verified',
    plant: async ({ okta, url }) => {
      const id = okta.eventHooks[0]?.id ?? '';
      const authScheme = { type: 'HEADER', key: 'Authorization', value: 'planted-secret' };
      const channel = { type: 'HTTP', version: '1.0.0', config: { uri: `${url}/events`, authScheme } };
      const items = ['user.authentication.auth_via_mfa', 'user.mfa.factor.activate'];
      await callApi(okta, 'PUT', `/api/v1/eventHooks/${id}`, {
        name: okta.eventHooks[0]?.name,
        events: { type: 'EVENT_TYPE', items },
        channel,
      });
    },
    check: 'okta.event-hook',
    status: 'fail',
    names: /UNVERIFIED/,
    remedy: /setup event-hook/,
  },
  {
    what: 'a secret that is not that of the gateway',
    plant: () => {
      mustNotShow('another-hook-secret-1');
      return { HOOK_SECRET: 'another-hook-secret-1' };
    },
    check: 'hook.secret',
    status: 'fail',
    names: /does not take/,
    remedy: /--rotate/,
  },
  {
    what: 'the same, as the event hook has it',
    plant: () => ({ HOOK_SECRET: 'another-hook-secret-1' }),
    check: 'hook.event-secret',
    status: 'fail',
    names: /does not take/,
    remedy: /credentials\.eventHook/,
  },
  {
    what: 'a path under which there is no hook',
    plant: ({ url }) => ({ PUBLIC_URL: url.replace('telephony', 'telefony') }),
    check: 'hook.answers',
    status: 'fail',
    names: /answered 404/,
    remedy: /path/,
  },
  {
    what: 'a page of somebody else at the URL',
    plant: answering(200, { 'content-type': 'text/html' }, '<h1>Welcome</h1>'),
    check: 'hook.answers',
    status: 'fail',
    names: /answered 200/,
    remedy: /PUBLIC_URL/,
  },
  {
    what: 'a hook that asks nobody for a proof',
    plant: answering(400, {}, '{"error":{"errorSummary":"No"}}'),
    check: 'hook.answers',
    status: 'fail',
    names: /anybody/,
    remedy: /proxy/,
  },
  {
    what: 'a redirect at the URL',
    plant: answering(301, { location: 'https://id.example.com/okta/telephony/' }),
    check: 'way.redirect',
    status: 'fail',
    names: /redirects \(301\)/,
    remedy: /slash/,
  },
  {
    what: 'a proxy that passes on nothing below the path',
    plant: answering(401, {}, '{"error":{"errorSummary":"Unauthorized"}}'),
    check: 'hook.events',
    status: 'fail',
    names: /answered 401/,
    remedy: /X-Okta-Verification-Challenge/,
  },
  {
    what: 'a gateway with another auth token, or another idea of its URL',
    plant: ({ url }) => ({ PUBLIC_URL: url.replace('127.0.0.1', 'localhost') }),
    check: 'hook.callbacks',
    status: 'fail',
    names: /answered 403/,
    remedy: /to the letter/,
  },
  {
    what: 'a real org, and a URL on this machine',
    plant: () => ({ OKTA_ORG_URL: 'https://acme.okta.invalid' }),
    check: 'way.url',
    status: 'fail',
    names: /this machine/,
    remedy: /https/,
  },
  {
    what: 'a URL that is not https',
    plant: () => ({ PUBLIC_URL: 'http://id.acme.example/okta/telephony' }),
    check: 'hook.variables',
    status: 'fail',
    names: /PUBLIC_URL must be .*https/,
    remedy: /environment/,
  },
  {
    what: 'a name that does not resolve',
    plant: () => ({ PUBLIC_URL: 'https://id.acme.invalid/okta/telephony' }),
    check: 'way.name',
    status: 'fail',
    names: /does not resolve/,
    remedy: /public DNS/,
  },
  {
    what: "an API key of nobody's",
    plant: () => {
      mustNotShow('planted-api-key-secret');
      return { TWILIO_API_KEY_SECRET: 'planted-api-key-secret' };
    },
    check: 'twilio.credential',
    status: 'fail',
    names: /API key/,
    remedy: /TWILIO_API_KEY_SID/,
  },
  {
    what: 'half an API key',
    plant: () => ({ TWILIO_API_KEY_SECRET: '' }),
    check: 'twilio.variables',
    status: 'fail',
    names: /TWILIO_API_KEY_SECRET is missing/,
    remedy: /environment/,
  },
  {
    what: 'no sender at all',
    plant: () => ({ TWILIO_SMS_FROM: '', TWILIO_VOICE_FROM: '', TWILIO_SANDBOX_NUMBER: '' }),
    check: 'twilio.variables',
    status: 'fail',
    names: /sender is missing/,
    remedy: /environment/,
  },
  {
    what: 'the auth token in the place of a key',
    plant: () => ({ TWILIO_API_KEY_SID: '', TWILIO_API_KEY_SECRET: '' }),
    check: 'twilio.credential',
    status: 'warn',
    names: /whole account/,
    remedy: /API key/,
  },
  {
    what: 'an auth token of another account',
    plant: () => {
      mustNotShow('planted-auth-token-000000');
      return { TWILIO_AUTH_TOKEN: 'planted-auth-token-000000' };
    },
    check: 'twilio.auth-token',
    status: 'fail',
    names: /TWILIO_AUTH_TOKEN/,
    remedy: /primary/,
  },
  {
    what: 'no auth token where callbacks come',
    plant: () => ({ TWILIO_AUTH_TOKEN: '' }),
    check: 'twilio.auth-token',
    status: 'fail',
    names: /callback/,
    remedy: /TWILIO_AUTH_TOKEN|auth token/,
  },
  {
    what: 'an account that is suspended',
    plant: ({ twilio }) => {
      twilio.configureAccount({ status: 'suspended' });
    },
    check: 'twilio.account',
    status: 'fail',
    names: /suspended/,
    remedy: /Console/,
  },
  {
    what: 'a trial account',
    plant: ({ twilio }) => {
      twilio.configureAccount({ type: 'Trial' });
    },
    check: 'twilio.account',
    status: 'warn',
    names: /trial/,
    remedy: /Upgrade/,
  },
  {
    what: 'a balance that is nearly used up',
    plant: ({ twilio }) => {
      twilio.configureAccount({ balance: '3.10', currency: 'EUR' });
    },
    check: 'twilio.balance',
    status: 'warn',
    names: /3\.10 EUR/,
    remedy: /recharge/,
  },
  {
    what: 'a balance that is used up',
    plant: ({ twilio }) => {
      twilio.configureAccount({ balance: '-0.40' });
    },
    check: 'twilio.balance',
    status: 'fail',
    names: /nothing is sent/,
    remedy: /recharge/,
  },
  ...['', 'n/a'].map((balance): Misconfiguration => ({
    what: `a balance of "${balance}"`,
    plant: ({ twilio }) => {
      twilio.configureAccount({ balance });
    },
    check: 'twilio.balance',
    status: 'warn',
    names: /cannot be read/,
    remedy: /Billing/,
  })),
  {
    what: "an SMS number that is not the account's",
    plant: () => ({ TWILIO_SMS_FROM: '+12025550198' }),
    check: 'twilio.sms',
    status: 'fail',
    names: /TWILIO_SMS_FROM/,
    remedy: /Active numbers/,
  },
  {
    what: 'a number that sends no SMS',
    plant: ({ twilio }) => {
      twilio.setCapabilities(twilio.smsNumber, { sms: false });
    },
    check: 'twilio.sms',
    status: 'fail',
    names: /cannot send SMS/,
    remedy: /capability/,
  },
  {
    what: "a voice number that is neither the account's nor verified",
    plant: ({ twilio }) => withCallerIds(twilio, []),
    check: 'twilio.voice',
    status: 'fail',
    names: /neither/,
    remedy: /Verified Caller IDs/,
  },
  {
    what: 'a voice number whose verification it may not see',
    plant: () => ({ TWILIO_VOICE_FROM: OF_OTHERS }),
    check: 'twilio.voice',
    status: 'warn',
    names: /caller IDs cannot be read/,
    remedy: /Verified Caller IDs/,
  },
  {
    what: 'a number that does not call',
    plant: ({ twilio }) => {
      twilio.setCapabilities(twilio.voiceNumber, { voice: false });
    },
    check: 'twilio.voice',
    status: 'fail',
    names: /cannot call/,
    remedy: /capability/,
  },
  {
    what: "a Messaging Service that is not the account's",
    plant: () => ({ TWILIO_SMS_FROM: `MG${'0'.repeat(32)}` }),
    check: 'twilio.sms',
    status: 'fail',
    names: /Messaging Service/,
    remedy: /SID/,
  },
  {
    what: 'another number as that of the sandbox',
    plant: () => ({ TWILIO_SANDBOX_NUMBER: '+14155550102' }),
    check: 'twilio.whatsapp',
    status: 'warn',
    names: /TWILIO_SANDBOX_NUMBER/,
    remedy: /TWILIO_WHATSAPP_FROM/,
  },
  {
    what: 'the sandbox beside an approved sender',
    plant: ({ twilio }) => ({
      ...withTemplate({})({ twilio } as Scene),
      TWILIO_SANDBOX_NUMBER: twilio.sandboxNumber,
    }),
    check: 'twilio.variables',
    status: 'fail',
    names: /TWILIO_SANDBOX_NUMBER does not go with/,
    remedy: /environment/,
  },
  {
    what: "that nobody has looked at a WhatsApp sender of one's own",
    plant: withTemplate({}),
    check: 'twilio.whatsapp',
    status: 'warn',
    names: /was not looked at/,
    remedy: /WhatsApp senders/,
  },
  {
    what: 'a template that is not there',
    plant: () => ({ ...TEMPLATE_SENDER, TWILIO_WHATSAPP_TEMPLATE: `HX${'0'.repeat(32)}` }),
    check: 'twilio.template',
    status: 'fail',
    names: /no template/,
    remedy: /Content SID/,
  },
  {
    what: 'a template that was never submitted',
    plant: withTemplate({ status: 'unsubmitted' }),
    check: 'twilio.template',
    status: 'fail',
    names: /unsubmitted/,
    remedy: /Submit/,
  },
  {
    what: 'a template that WhatsApp has paused',
    plant: withTemplate({ status: 'paused' }),
    check: 'twilio.template',
    status: 'fail',
    names: /paused/,
    remedy: /WhatsApp Manager/,
  },
  {
    what: 'a template for marketing',
    plant: withTemplate({ category: 'MARKETING' }),
    check: 'twilio.template',
    status: 'fail',
    names: /MARKETING/,
    remedy: /Authentication/,
  },
  {
    what: 'a template with two variables',
    plant: withTemplate({ variables: { '1': '123456', '2': 'Ana' } }),
    check: 'twilio.template',
    status: 'fail',
    names: /1, 2/,
    remedy: /one variable/,
  },
  {
    what: 'a Verify service that takes no custom codes',
    plant: ({ twilio }) => {
      twilio.configureVerify({ customCodeEnabled: false });
    },
    check: 'twilio.verify',
    status: 'fail',
    names: /60204/,
    remedy: /Custom Verification Code/,
  },
  {
    what: 'an encryption key without its Redis',
    plant: () => ({ STATE_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64') }),
    check: 'redis.variables',
    status: 'fail',
    names: /REDIS_URL is missing/,
    remedy: /environment/,
  },
  {
    what: 'a Redis password with a % in it',
    plant: () => ({
      REDIS_URL: 'redis://:pass%word-5e@127.0.0.1:1',
      STATE_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    }),
    check: 'redis.variables',
    status: 'fail',
    names: /REDIS_URL has a % in its user or its password/,
    remedy: /environment/,
  },
  {
    what: 'a key that is too short',
    plant: () => ({ REDIS_URL: 'redis://127.0.0.1:1', STATE_ENCRYPTION_KEY: 'c2hvcnQ=' }),
    check: 'redis.variables',
    status: 'fail',
    names: /STATE_ENCRYPTION_KEY must be 32 bytes/,
    remedy: /environment/,
  },
  {
    what: 'a proxy that nobody goes by',
    plant: () => ({ https_proxy: 'http://proxy.acme.example:3128' }),
    check: 'machine.proxy',
    status: 'warn',
    names: /HTTPS_PROXY/,
    remedy: /dispatcher/,
  },
  {
    what: 'certificates that nobody checks',
    plant: () => ({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }),
    check: 'machine.tls',
    status: 'fail',
    names: /NODE_TLS_REJECT_UNAUTHORIZED/,
    remedy: /NODE_EXTRA_CA_CERTS/,
  },
];

function asVariables(planted: unknown): Variables {
  return typeof planted === 'object' && planted !== null ? (planted as Variables) : {};
}

describe('doctor finds', () => {
  let ward: Ward;
  let ends: (() => void)[];
  beforeEach(async () => {
    ends = [];
    ward = await openWard();
  });
  afterEach(async () => {
    for (const end of ends) end();
    await ward.close();
  });

  for (const { what, plant, check, status, names, remedy } of MISCONFIGURATIONS) {
    it(what, async () => {
      const planted = await plant(ward.scene, (end) => ends.push(end));
      const line = lineOf(await ward.lines(asVariables(planted)), check);
      expect(line.message).to.match(names);
      expect(line.remedy).to.match(remedy);
      expect(line.status).to.equal(status);
    });
  }

  it('nothing wrong with calls from a number that the account has verified', async () => {
    const line = lineOf(await ward.lines(withCallerIds(ward.scene.twilio, [OF_OTHERS])), 'twilio.voice');
    expect(line).to.include({ status: 'ok' });
    expect(line.message).to.include('verified caller ID');
  });

  for (const [what, shiftMs, status, names] of [
    ['a clock that is somewhat slow', -12_000, 'warn', /1[123] s behind/],
    ['a clock that is far ahead', 300_000, 'fail', /(29\d|300) s ahead/],
  ] as const) {
    it(what, async () => {
      const time = { now: () => Date.now() + shiftMs, sleep: () => Promise.resolve() };
      const made = await ward.doctor('--json', { time });
      const line = lineOf(JSON.parse(made.stdout) as never, 'machine.clock');
      expect(line).to.include({ status });
      expect(line.message).to.match(names);
      expect(line.remedy).to.include('NTP');
    });
  }
});
