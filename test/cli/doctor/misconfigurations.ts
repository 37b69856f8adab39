import type { CampaignStatus } from '#lib/testing/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { ANA, type Scene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { callApi, telephonyHook } from '../../testing/okta/client.js';
import { startTestServer } from '../../testing/local.js';
import { grant, READ_SCOPES } from './scene.js';

/** Variables of an environment. */
export type Variables = Readonly<Record<string, string>>;

/** A part of a misconfiguration: variables, or a function that makes it and may return variables. */
type Part = Variables | ((scene: Scene, later: (end: () => void) => void) => unknown);

/** A misconfiguration, and what doctor reports about it. */
export interface Misconfiguration {
  readonly what: string;
  readonly plant: Part | readonly Part[];
  /** Whether the plant changes the org or the account, and not only their answers. Default: false. */
  readonly hasOwnWard?: boolean;
  /** The findings in order. Findings with status ok are compared only if they are listed here. */
  readonly finds: string | readonly string[];
}

const TEMPLATE_SENDER = { TWILIO_SANDBOX_NUMBER: '', TWILIO_WHATSAPP_FROM: '+14155550102' };
const NO_API_KEY = { TWILIO_API_KEY_SID: '', TWILIO_API_KEY_SECRET: '' };
const OF_OTHERS = '+12025550198';
const PROXY = 'http://proxy.acme.example:3128';
const encryptionKey = (byte: number): string => Buffer.alloc(32, byte).toString('base64');

/** A variable with a secret that nothing may show. */
function secret(name: string, value: string): Part {
  return () => {
    mustNotShow(value);
    return { [name]: value };
  };
}

/** A vendor gives this answer to requests with this part in their path. */
function answers(
  vendor: 'okta' | 'twilio',
  part: string,
  status: number,
  body: unknown = {},
  headers: Record<string, string> = {},
): (scene: Scene) => void {
  return (scene) => {
    scene[vendor].fault({
      fault: { kind: 'status', status, body, headers },
      match: ({ path }) => path.includes(part),
    });
  };
}

/** Okta's answer to a read of a user, with these headers. */
const rateLimit = (headers: Record<string, string>): Part =>
  answers('okta', '/users/00u00000000000000000', 200, {}, headers);

const withCampaign =
  (status: CampaignStatus | undefined): ((scene: Scene) => void) =>
  ({ twilio }) => {
    twilio.setCampaign(status);
  };

const authenticators = (...list: readonly object[]): Part =>
  answers('okta', '/api/v1/authenticators', 200, list);

/** An API token whose owner has these roles, as Okta lists them. */
export function byRoles(...types: readonly string[]): (scene: Scene) => Variables {
  return ({ okta }) => {
    const body = types.map((type) => ({ type }));
    okta.fault({
      fault: { kind: 'status', status: 200, body },
      match: ({ path, headers }) =>
        path.endsWith('/roles') && headers.authorization === `SSWS ${okta.apiToken}`,
    });
    return { OKTA_API_TOKEN: okta.apiToken };
  };
}

/** The names in all scopes that can change the org. */
const MANAGED = [
  ...['users', 'groups', 'apps', 'appGrants', 'roles', 'policies', 'authenticators', 'authorizationServers'],
  ...['idps', 'apiTokens', 'inlineHooks', 'eventHooks', 'schemas', 'profileMappings', 'sessions'],
  ...['networkZones', 'trustedOrigins', 'orgs', 'domains', 'brands', 'templates', 'devices', 'logStreams'],
  ...['identitySources', 'customTelephonyProvider', 'features', 'userTypes', 'realms'],
];

const withScopes =
  (...scopes: readonly string[]): Part =>
  (scene) =>
    grant(scene, scopes);

/** Another opt-in attribute with the same name. */
function optInAttribute(
  settings: Omit<Parameters<Scene['okta']['setAttribute']>[1] & object, 'title'>,
): Part {
  return ({ okta }) => {
    okta.setAttribute('whatsAppOptIn', null);
    okta.setAttribute('whatsAppOptIn', { title: 'Ours', ...settings });
  };
}

const optedIn =
  (value: unknown): Part =>
  ({ okta }) => {
    okta.addUser({ login: 'cleo@example.com', profile: { whatsAppOptIn: value } });
  };

const account =
  (settings: Parameters<Scene['twilio']['configureAccount']>[0]): Part =>
  ({ twilio }) => {
    twilio.configureAccount(settings);
  };

/** A voice number of another account, and the verified caller IDs that Twilio returns. */
const withCallerIds = (...numbers: readonly string[]): readonly Part[] => [
  answers('twilio', 'OutgoingCallerIds', 200, {
    outgoing_caller_ids: numbers.map((number) => ({ phone_number: number })),
  }),
  { TWILIO_VOICE_FROM: OF_OTHERS },
];

/** A gateway that sends by a Messaging Service of the account. */
const byService: Part = ({ twilio }) => ({ TWILIO_SMS_FROM: twilio.messagingServiceSid });

/** Twilio's answer to requests with the auth token. */
function answersOwner(status: number): Part {
  return ({ twilio }) => {
    const owner = `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`;
    twilio.fault({
      fault: { kind: 'status', status, body: {} },
      match: ({ headers }) => headers.authorization === owner,
    });
  };
}

/** The variables of a gateway with a template. */
function withTemplate(template: Parameters<Scene['twilio']['addTemplate']>[0] = {}): Part {
  return ({ twilio }) => ({ ...TEMPLATE_SENDER, TWILIO_WHATSAPP_TEMPLATE: twilio.addTemplate(template).sid });
}

/** An approval as Twilio never returns it. */
const oddApproval = (whatsapp: object): Part => answers('twilio', 'ApprovalRequests', 200, { whatsapp });

const HOOK_ERROR = '{"error":{"errorSummary":"No"}}';

/** A server instead of the gateway. */
function answering(status: number, headers: Record<string, string> = {}, body = ''): Part {
  return async (_scene, later) => {
    const other = await startTestServer((response) => response.writeHead(status, headers).end(body));
    later(() => {
      other.close();
    });
    return { PUBLIC_URL: `${other.url}/okta/telephony` };
  };
}

/** A gateway that is well except for these answers; `0` resets the connection. */
function gateway(
  otherwise: Readonly<
    Partial<Record<'proven' | 'events' | 'events-proven' | 'unsigned' | 'signed', readonly [number, string?]>>
  > = {},
): Part {
  return async (_scene, later) => {
    const other = await startTestServer((response, { url, headers }) => {
      const challenge = headers['x-okta-verification-challenge'];
      const isProven = headers.authorization !== undefined;
      const [status, body = ''] = url.includes('/twilio/status?')
        ? headers['x-twilio-signature'] === undefined
          ? (otherwise.unsigned ?? [403])
          : (otherwise.signed ?? [204])
        : challenge !== undefined
          ? (otherwise.events ?? [200, '{"verification":"CHALLENGE"}'])
          : !isProven
            ? [401, HOOK_ERROR]
            : ((url.endsWith('/events') ? otherwise['events-proven'] : otherwise.proven) ?? [
                400,
                HOOK_ERROR,
              ]);
      if (status === 0) response.destroy();
      else response.writeHead(status).end(body.replace('CHALLENGE', String(challenge)));
    });
    later(() => {
      other.close();
    });
    return { PUBLIC_URL: `${other.url}/okta/telephony` };
  };
}

/** The findings if Okta's hooks have another URL than PUBLIC_URL. */
const ELSEWHERE = ['fail okta.hook', 'warn okta.event-hook'];
/** The findings of checks that a credential with only okta.users.read cannot make. */
const HIDDEN = [
  ...['warn okta.attribute', 'warn okta.phone-authenticator', 'warn okta.hook'],
  ...['warn okta.native-telephony', 'warn okta.event-hook'],
];

const OKTA: readonly Misconfiguration[] = [
  {
    what: 'an org, a gateway and a Twilio that are not reachable',
    plant: {
      OKTA_ORG_URL: REFUSING_ORIGIN,
      PUBLIC_URL: `${REFUSING_ORIGIN}/okta/telephony`,
      TWILIO_BASE_URL: REFUSING_ORIGIN,
    },
    finds: [
      ...['fail okta.org', 'fail hook.answers', 'warn way.redirect', 'fail twilio.credential'],
      'warn machine.clock',
    ],
  },
  {
    what: 'the address of the Admin Console instead of that of the org',
    plant: { OKTA_ORG_URL: 'https://acme-admin.okta.com' },
    finds: ['fail okta.variables', 'fail way.url', 'warn machine.clock'],
  },
  {
    what: 'a key id without the other variables of a service app',
    plant: { OKTA_API_TOKEN: '', OKTA_KEY_ID: 'key-1' },
    finds: ['fail okta.variables', 'fail way.url', 'warn machine.clock'],
  },
  {
    what: 'that the org and the account are not set',
    plant: { OKTA_ORG_URL: '', TWILIO_ACCOUNT_SID: '' },
    finds: [
      ...['warn okta.variables', 'warn hook.callbacks', 'fail way.url', 'warn twilio.variables'],
      'warn machine.clock',
    ],
  },
  {
    what: 'a server that is not an Okta org',
    plant: async (_scene, later) => {
      const other = await startTestServer();
      later(() => {
        other.close();
      });
      return { OKTA_ORG_URL: other.url };
    },
    finds: 'fail okta.org',
  },
  {
    what: 'a URL on this machine for an org on the internet',
    plant: { OKTA_ORG_URL: 'https://acme.okta.invalid' },
    finds: ['fail okta.org', 'fail way.url', 'warn machine.clock'],
  },
  {
    what: 'an org with the Classic Engine',
    plant: answers('okta', '/.well-known', 200, { id: '00o1', pipeline: 'v1' }),
    finds: 'fail okta.engine',
  },
  {
    what: 'an API token that does not exist any more',
    plant: secret('OKTA_API_TOKEN', '00token-that-is-no-more'),
    finds: 'fail okta.credential',
  },
  {
    what: 'a service app that may not read users',
    plant: withScopes('okta.schemas.read'),
    finds: 'fail okta.credential',
  },
  {
    what: 'a service app that may change users',
    plant: withScopes('okta.users.read', 'okta.users.manage'),
    finds: ['warn okta.privileges', ...HIDDEN],
  },
  {
    what: 'a service app that may change policies',
    plant: withScopes('okta.users.read', 'okta.policies.manage'),
    finds: ['warn okta.privileges', ...HIDDEN],
  },
  {
    what: 'a service app with every scope that can change the org',
    plant: withScopes(...READ_SCOPES, ...MANAGED.map((what) => `okta.${what}.manage`)),
    finds: 'warn okta.privileges',
  },
  {
    what: 'a token request for a scope that fails',
    plant: (scene) => {
      scene.okta.fault({
        fault: { kind: 'status', status: 500, body: {} },
        match: ({ body }) => body.includes('okta.idps.manage'),
      });
      return grant(scene, READ_SCOPES);
    },
    finds: 'fail okta.privileges',
  },
  { what: 'an API token of a custom role', plant: byRoles('CUSTOM'), finds: 'warn okta.privileges' },
  { what: 'an API token without a role that can be seen', plant: byRoles(), finds: 'warn okta.privileges' },
  {
    what: 'an API token of a super administrator',
    plant: byRoles('SUPER_ADMIN', 'READ_ONLY_ADMIN'),
    finds: 'warn okta.privileges',
  },
  {
    what: 'nothing wrong with an API token of READ_ONLY_ADMIN',
    plant: byRoles('READ_ONLY_ADMIN'),
    finds: 'ok okta.privileges',
  },
  {
    what: 'nothing wrong with an API token of REPORT_ADMIN and READ_ONLY_ADMIN',
    plant: byRoles('REPORT_ADMIN', 'READ_ONLY_ADMIN'),
    finds: 'ok okta.privileges',
  },
  {
    what: 'an API token with strong roles among others',
    plant: byRoles('CUSTOM', 'ORG_ADMIN', 'READ_ONLY_ADMIN', 'APP_ADMIN'),
    finds: 'warn okta.privileges',
  },
  {
    what: 'an API token that may not read its own roles',
    plant: ({ okta }) => {
      const apiToken = okta.addApiToken(['READ_ONLY_ADMIN']);
      mustNotShow(apiToken);
      return { OKTA_API_TOKEN: apiToken };
    },
    finds: ['warn okta.privileges', 'warn okta.attribute', 'warn okta.hook', 'warn okta.event-hook'],
  },
  {
    what: 'a rate limit that is nearly used up',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setRateLimit({ limit: 100, remaining: 6, resetInSeconds: 30 });
    },
    finds: 'warn okta.rate-limit',
  },
  {
    what: 'nothing wrong with a rate limit that is not used',
    plant: ({ okta }) => {
      okta.setRateLimit(undefined);
    },
    finds: 'ok okta.rate-limit',
  },
  ...[{}, { 'x-rate-limit-limit': '0', 'x-rate-limit-remaining': '0' }, { 'x-rate-limit-limit': '100' }].map(
    (headers): Misconfiguration => ({
      what: `that Okta reports no rate limit in ${JSON.stringify(headers)}`,
      plant: rateLimit(headers),
      finds: 'ok okta.rate-limit',
    }),
  ),
  {
    what: 'a rate limit of which 9 % are left',
    plant: rateLimit({ 'x-rate-limit-limit': '100', 'x-rate-limit-remaining': '9' }),
    finds: 'warn okta.rate-limit',
  },
  {
    what: 'a rate limit of which 10 % are left',
    plant: rateLimit({ 'x-rate-limit-limit': '100', 'x-rate-limit-remaining': '10' }),
    finds: 'ok okta.rate-limit',
  },
];

const ATTRIBUTES: readonly Misconfiguration[] = [
  {
    what: 'a missing opt-in attribute',
    plant: { OPT_IN_ATTRIBUTE: 'codesByWhatsApp' },
    finds: ['fail okta.attribute', 'warn okta.opted-in'],
  },
  {
    what: 'an opt-in attribute of a wrong type',
    hasOwnWard: true,
    plant: optInAttribute({ type: 'number' }),
    finds: ['fail okta.attribute', 'warn okta.opted-in'],
  },
  {
    what: 'an attribute of channel names that has no value for any user',
    hasOwnWard: true,
    plant: optInAttribute({ type: 'string' }),
    finds: ['warn okta.attribute', 'warn okta.opted-in'],
  },
  {
    what: 'an attribute of channel names that users may change, and the number of users with a value',
    hasOwnWard: true,
    plant: [
      optInAttribute({ type: 'string', permissions: [{ principal: 'SELF', action: 'READ_WRITE' }] }),
      optedIn('whatsapp'),
    ],
    finds: ['warn okta.attribute', 'ok okta.opted-in'],
  },
  {
    what: 'an opt-in attribute that a directory changes and users may not',
    hasOwnWard: true,
    plant: ({ okta }) => {
      const permissions = [{ principal: 'SELF', action: 'READ_ONLY' }];
      const master = { type: 'PROFILE_MASTER' } as const;
      okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'boolean', permissions, master });
    },
    finds: 'warn okta.attribute',
  },
  {
    what: 'that no user has opted in',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.updateUser(ANA.id, { whatsAppOptIn: false });
    },
    finds: 'warn okta.opted-in',
  },
  {
    what: 'how many users have opted in',
    hasOwnWard: true,
    plant: optedIn(true),
    finds: 'ok okta.opted-in',
  },
  {
    what: 'more opted-in users than it counts',
    plant: (scene) => {
      const link = `<${scene.okta.orgUrl}/api/v1/users?after=1>; rel="next"`;
      answers('okta', '/api/v1/users?', 200, [{}], { link })(scene);
    },
    finds: 'ok okta.opted-in',
  },
  {
    what: 'that it may not count the users who have opted in',
    plant: answers('okta', '/api/v1/users?search', 403),
    finds: 'warn okta.opted-in',
  },
  {
    what: 'that no user has opted in, if it may not read whether the attribute exists',
    plant: [answers('okta', '/meta/schemas', 403), { OPT_IN_ATTRIBUTE: 'whatsAppOptin' }],
    finds: ['warn okta.attribute', 'warn okta.opted-in'],
  },
  {
    what: 'a user schema that Okta fails to return',
    plant: [answers('okta', '/meta/schemas', 500), { UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone' }],
    finds: ['fail okta.attribute', 'fail okta.unverified-phone'],
  },
  {
    what: 'a user schema that it may not read',
    plant: [answers('okta', '/meta/schemas', 403), { UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone' }],
    finds: ['warn okta.attribute', 'warn okta.unverified-phone'],
  },
  {
    what: 'codes to a phone attribute that users may change',
    plant: { UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone' },
    finds: 'fail okta.unverified-phone',
  },
  {
    what: 'codes to an attribute that is not a string',
    plant: { UNVERIFIED_PHONE_ATTRIBUTE: 'whatsAppOptIn' },
    finds: 'fail okta.unverified-phone',
  },
  {
    what: 'codes to an attribute that does not exist',
    plant: { UNVERIFIED_PHONE_ATTRIBUTE: 'noPhone' },
    finds: 'fail okta.unverified-phone',
  },
  {
    what: 'nothing wrong with codes to an attribute that users may only read',
    hasOwnWard: true,
    plant: ({ okta }) => {
      const permissions = [{ principal: 'SELF', action: 'READ_ONLY' }];
      okta.setAttribute('ownPhone', { title: 'Ours', type: 'string', permissions });
      return { UNVERIFIED_PHONE_ATTRIBUTE: 'ownPhone' };
    },
    finds: 'ok okta.unverified-phone',
  },
  {
    what: 'a missing phone authenticator',
    plant: authenticators({ key: 'okta_email', status: 'ACTIVE' }),
    finds: 'fail okta.phone-authenticator',
  },
  {
    what: 'an inactive phone authenticator',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setPhoneAuthenticator('INACTIVE');
    },
    finds: 'fail okta.phone-authenticator',
  },
  ...(
    [
      ['a phone authenticator that is allowed for no use', 'none', 'warn'],
      ['nothing wrong with a phone authenticator that is allowed for recovery', 'recovery', 'ok'],
      ['nothing wrong with a phone authenticator that is allowed for any', 'any', 'ok'],
    ] as const
  ).map(([what, allowedFor, status]): Misconfiguration => ({
    what,
    plant: authenticators({ key: 'phone_number', status: 'ACTIVE', settings: { allowedFor } }),
    finds: `${status} okta.phone-authenticator`,
  })),
];

const HOOKS_IN_OKTA: readonly Misconfiguration[] = [
  {
    what: 'that the org has no hook',
    hasOwnWard: true,
    plant: async ({ okta }) => {
      const path = `/api/v1/inlineHooks/${okta.inlineHooks[0]?.id ?? ''}`;
      await callApi(okta, 'POST', `${path}/lifecycle/deactivate`);
      await callApi(okta, 'DELETE', path);
    },
    finds: 'fail okta.hook',
  },
  {
    what: 'a hook with another URL',
    plant: ({ url }) => ({ PUBLIC_URL: `${url}s` }),
    finds: [...ELSEWHERE, 'fail hook.answers'],
  },
  {
    what: 'an inactive hook',
    hasOwnWard: true,
    plant: async ({ okta }) => {
      const path = `/api/v1/inlineHooks/${okta.inlineHooks[0]?.id ?? ''}`;
      await callApi(okta, 'POST', `${path}/lifecycle/deactivate`);
    },
    finds: 'fail okta.hook',
  },
  {
    what: 'a hook with another authentication',
    plant: ({ okta }) => ({
      HOOK_OAUTH_CLIENT_ID: '0oahookclient0001d7',
      HOOK_OAUTH_TOKEN_URL: `${okta.issuer}/v1/token`,
      HOOK_OAUTH_SCOPE: 'telephony',
      HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001',
    }),
    finds: ['fail okta.hook', 'warn hook.secret'],
  },
  {
    what: "another vendor's inactive hook beside the active hook",
    plant: async (scene) => {
      const path = '/api/v1/inlineHooks?type=com.okta.telephony.provider';
      const { list } = await callApi(scene.okta, 'GET', path);
      const theirs = { ...telephonyHook('https://otp.vendor.example/hook'), status: 'INACTIVE' };
      const both = [...list, { ...list[0], ...theirs, id: 'calothers00000000001' }];
      answers('okta', '/api/v1/inlineHooks?', 200, both)(scene);
    },
    finds: 'ok okta.hook',
  },
  {
    what: "Okta's own telephony provider beside the hook",
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setTelephonyProviders([{ providerName: 'TWILIO' }]);
    },
    finds: 'warn okta.native-telephony',
  },
  {
    what: 'an event hook that was never verified',
    hasOwnWard: true,
    plant: async ({ okta, url }) => {
      const { id = '', name } = okta.eventHooks[0] ?? {};
      const authScheme = { type: 'HEADER', key: 'Authorization', value: 'planted-secret' };
      const channel = { type: 'HTTP', version: '1.0.0', config: { uri: `${url}/events`, authScheme } };
      const items = ['user.authentication.auth_via_mfa', 'user.mfa.factor.activate'];
      const events = { type: 'EVENT_TYPE', items };
      await callApi(okta, 'PUT', `/api/v1/eventHooks/${id}`, { name, events, channel });
    },
    finds: 'fail okta.event-hook',
  },
  {
    what: 'an event hook that does not get the calls on which Okta gave up',
    plant: async (scene) => {
      const { list } = await callApi(scene.okta, 'GET', '/api/v1/eventHooks');
      const items = ['user.authentication.auth_via_mfa', 'user.mfa.factor.activate'];
      const hook = { ...list[0], events: { type: 'EVENT_TYPE', items, filter: null } };
      answers('okta', '/api/v1/eventHooks', 200, [hook])(scene);
    },
    finds: 'fail okta.event-hook',
  },
  {
    what: 'a guard that learns without an event hook',
    plant: (scene) => {
      answers('okta', '/api/v1/eventHooks', 200, [])(scene);
      return { GUARD_LEARN: 'record' };
    },
    finds: 'fail okta.event-hook',
  },
  {
    what: 'two event hooks with the same URL',
    plant: async (scene) => {
      const { list } = await callApi(scene.okta, 'GET', '/api/v1/eventHooks');
      const both = [...list, { ...list[0], id: 'whosecond00000000001' }];
      answers('okta', '/api/v1/eventHooks', 200, both)(scene);
    },
    finds: 'warn okta.event-hook',
  },
];

const GATEWAY: readonly Misconfiguration[] = [
  {
    what: 'that the URL of the hook is not set',
    plant: { PUBLIC_URL: '', TWILIO_AUTH_TOKEN: '' },
    finds: [
      ...['warn okta.hook', 'warn okta.event-hook', 'warn hook.variables'],
      ...['warn twilio.auth-token', 'warn twilio.account'],
    ],
  },
  {
    what: 'a URL that is not https',
    plant: { PUBLIC_URL: 'http://id.acme.example/okta/telephony' },
    finds: ['warn okta.hook', 'warn okta.event-hook', 'fail hook.variables'],
  },
  {
    what: 'a name that does not resolve',
    plant: { PUBLIC_URL: 'https://id.acme.invalid/okta/telephony' },
    finds: [...ELSEWHERE, 'fail hook.answers', 'fail way.name'],
  },
  {
    what: 'a path without a hook',
    plant: ({ url }) => ({ PUBLIC_URL: url.replace('telephony', 'telefony') }),
    finds: [...ELSEWHERE, 'fail hook.answers'],
  },
  ...(
    [
      ['a page of another server at the URL', 200, '<h1>Welcome</h1>'],
      ['a hook that accepts calls without credentials', 400, HOOK_ERROR],
      ['a gateway that is closing', 503, HOOK_ERROR],
      ['a hook whose answer is not JSON', 401, 'Unauthorized'],
    ] as const
  ).map(([what, status, body]): Misconfiguration => ({
    what,
    plant: answering(status, {}, body),
    finds: [...ELSEWHERE, 'fail hook.answers'],
  })),
  {
    what: 'a redirect at the URL',
    plant: answering(301, { location: 'https://id.example.com/okta/telephony/' }),
    finds: [...ELSEWHERE, 'fail hook.answers', 'fail way.redirect'],
  },
  {
    what: 'a proxy that does not forward requests below the path of the hook',
    plant: answering(401, {}, '{"error":{"errorSummary":"Unauthorized"}}'),
    finds: [
      ...[...ELSEWHERE, 'warn hook.secret', 'fail hook.events', 'warn hook.event-secret'],
      'fail hook.callbacks',
    ],
  },
  {
    what: 'that the secret of the hook is not set',
    plant: { HOOK_SECRET: '' },
    finds: ['warn hook.secret', 'warn hook.event-secret'],
  },
  {
    what: 'a secret that the gateway does not accept, neither from the hook nor from the event hook',
    plant: secret('HOOK_SECRET', 'another-hook-secret-1'),
    finds: ['fail hook.secret', 'fail hook.event-secret'],
  },
  {
    what: 'a secret of less than 16 characters',
    plant: [gateway(), { HOOK_SECRET: 'fifteen-letters' }],
    finds: [...ELSEWHERE, 'warn hook.secret'],
  },
  {
    what: 'nothing wrong with a secret of sixteen characters',
    plant: [gateway(), { HOOK_SECRET: 'sixteen-letters-' }],
    finds: [...ELSEWHERE, 'ok hook.secret'],
  },
  {
    what: 'a hook that fails on calls with the secret',
    plant: gateway({ proven: [500, ''], 'events-proven': [0] }),
    finds: [...ELSEWHERE, 'fail hook.secret', 'fail hook.event-secret'],
  },
  {
    what: 'an answer with a wrong challenge',
    plant: gateway({ events: [200, '{"verification":"another"}'] }),
    finds: [...ELSEWHERE, 'fail hook.events'],
  },
  {
    what: 'an answer with the challenge and a status other than 200',
    plant: gateway({ events: [201, '{"verification":"CHALLENGE"}'] }),
    finds: [...ELSEWHERE, 'fail hook.events'],
  },
  {
    what: 'a reset connection instead of the challenge',
    plant: gateway({ events: [0] }),
    finds: [...ELSEWHERE, 'fail hook.events'],
  },
  {
    what: 'a gateway with another URL, or with another auth token',
    plant: ({ url }) => ({ PUBLIC_URL: url.replace('127.0.0.1', 'localhost') }),
    finds: [...ELSEWHERE, 'fail hook.callbacks'],
  },
  {
    what: 'a gateway without a route for callbacks',
    plant: gateway({ unsigned: [404] }),
    finds: [...ELSEWHERE, 'fail hook.callbacks'],
  },
  {
    what: 'a gateway that accepts callbacks without a signature',
    plant: gateway({ unsigned: [204] }),
    finds: [...ELSEWHERE, 'fail hook.callbacks'],
  },
  {
    what: 'a gateway that resets the connection of callbacks',
    plant: gateway({ unsigned: [0] }),
    finds: [...ELSEWHERE, 'fail hook.callbacks'],
  },
  {
    what: 'a gateway that fails on signed callbacks',
    plant: gateway({ signed: [500] }),
    finds: [
      ...[...ELSEWHERE, 'ok hook.secret', 'ok hook.events', 'ok hook.event-secret'],
      'fail hook.callbacks',
    ],
  },
];

/** The findings if the variables of Twilio are wrong, so that doctor signs no callback. */
const WRONG_VARIABLES = ['warn hook.callbacks', 'fail twilio.variables'];

const TWILIO: readonly Misconfiguration[] = [
  {
    what: 'that no sender is set',
    plant: {
      TWILIO_SMS_FROM: '',
      TWILIO_VOICE_FROM: '',
      TWILIO_SANDBOX_NUMBER: '',
      TWILIO_VERIFY_SERVICE_SID: '',
    },
    finds: WRONG_VARIABLES,
  },
  {
    what: 'the sandbox together with an approved sender',
    plant: [withTemplate(), ({ twilio }) => ({ TWILIO_SANDBOX_NUMBER: twilio.sandboxNumber })],
    finds: WRONG_VARIABLES,
  },
  { what: 'a WhatsApp sender without its template', plant: TEMPLATE_SENDER, finds: WRONG_VARIABLES },
  {
    what: 'a template without a sender',
    plant: { TWILIO_SANDBOX_NUMBER: '', TWILIO_WHATSAPP_TEMPLATE: `HX${'0'.repeat(32)}` },
    finds: WRONG_VARIABLES,
  },
  {
    what: 'an API key SID without the secret',
    plant: { TWILIO_API_KEY_SECRET: '' },
    finds: WRONG_VARIABLES,
  },
  { what: 'an API key secret without the SID', plant: { TWILIO_API_KEY_SID: '' }, finds: WRONG_VARIABLES },
  {
    what: 'that neither an API key nor an auth token is set',
    plant: { ...NO_API_KEY, TWILIO_AUTH_TOKEN: '' },
    finds: WRONG_VARIABLES,
  },
  {
    what: 'an API key that does not exist',
    plant: secret('TWILIO_API_KEY_SECRET', 'planted-api-key-secret'),
    finds: 'fail twilio.credential',
  },
  {
    what: 'the auth token instead of an API key',
    plant: NO_API_KEY,
    finds: 'warn twilio.credential',
  },
  {
    what: 'a wrong auth token instead of an API key',
    plant: [NO_API_KEY, secret('TWILIO_AUTH_TOKEN', 'planted-auth-token-000000')],
    finds: ['fail hook.callbacks', 'fail twilio.credential'],
  },
  {
    what: 'an auth token of another account',
    plant: secret('TWILIO_AUTH_TOKEN', 'planted-auth-token-000000'),
    finds: ['fail hook.callbacks', 'fail twilio.auth-token', 'warn twilio.account'],
  },
  {
    what: 'a missing auth token if the gateway gets callbacks',
    plant: { TWILIO_AUTH_TOKEN: '' },
    finds: ['warn hook.callbacks', 'fail twilio.auth-token', 'warn twilio.account'],
  },
  {
    what: 'an account that Twilio fails to return',
    plant: answersOwner(500),
    finds: ['fail twilio.auth-token', 'warn twilio.account'],
  },
  {
    what: 'an auth token that Twilio refuses',
    plant: answersOwner(403),
    finds: ['fail twilio.auth-token', 'warn twilio.account'],
  },
  { what: 'an account in an unknown state', plant: answersOwner(200), finds: 'fail twilio.account' },
  ...(
    [
      ['a suspended account', { status: 'suspended' }, 'fail twilio.account'],
      ['a trial account', { type: 'Trial' }, 'warn twilio.account'],
      ['a balance that is nearly used up', { balance: '3.10', currency: 'EUR' }, 'warn twilio.balance'],
      ['a balance at the limit', { balance: '10', currency: 'EUR' }, 'warn twilio.balance'],
      ['a balance that is used up', { balance: '-0.40' }, 'fail twilio.balance'],
      ['a balance of zero in an unknown currency', { balance: '0', currency: 'x' }, 'fail twilio.balance'],
      ['a balance of ""', { balance: '' }, 'warn twilio.balance'],
      ['a balance of "n/a"', { balance: 'n/a' }, 'warn twilio.balance'],
    ] as const
  ).map(([what, settings, finds]) => ({ what, hasOwnWard: true, plant: account(settings), finds })),
  {
    what: 'a balance that it may not read',
    plant: answers('twilio', 'Balance', 403),
    finds: 'warn twilio.balance',
  },
  {
    what: 'a balance that Twilio fails to return',
    plant: answers('twilio', 'Balance', 500),
    finds: 'fail twilio.balance',
  },
  {
    what: 'a Twilio that resets the connection',
    plant: ({ twilio }) => {
      twilio.fault({ fault: { kind: 'reset' }, match: ({ path }) => path.includes('Balance') });
    },
    finds: 'fail twilio.balance',
  },
  {
    what: "a Verify service that is not the account's",
    plant: { TWILIO_VERIFY_SERVICE_SID: `VA${'0'.repeat(32)}` },
    finds: 'fail twilio.verify',
  },
  {
    what: 'a Verify service that it may not read',
    plant: answers('twilio', '/v2/Services/', 403),
    finds: 'fail twilio.verify',
  },
  {
    what: 'a Verify service that Twilio fails to return',
    plant: answers('twilio', '/v2/Services/', 500),
    finds: 'fail twilio.verify',
  },
  {
    what: 'a Verify service that does not accept custom codes',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureVerify({ customCodeEnabled: false });
    },
    finds: 'fail twilio.verify',
  },
];

const SENDERS: readonly Misconfiguration[] = [
  {
    what: 'that no SMS sender is set',
    plant: { TWILIO_SMS_FROM: '', TWILIO_VERIFY_SERVICE_SID: '' },
    finds: 'warn twilio.sms',
  },
  {
    what: 'a sender of letters for a country where none works',
    plant: { TWILIO_SMS_FROM: 'ACME', GUARD_COUNTRIES: 'US,GB' },
    finds: 'fail twilio.registration',
  },
  {
    what: 'a sender of letters for countries that require its registration',
    plant: { TWILIO_SMS_FROM: 'ACME', GUARD_COUNTRIES: 'SG,GB,AU' },
    finds: 'warn twilio.registration',
  },
  {
    what: 'nothing wrong with a sender of letters for countries without a rule',
    plant: { TWILIO_SMS_FROM: 'ACME', GUARD_COUNTRIES: 'GB,DE' },
    finds: 'ok twilio.registration',
  },
  {
    what: 'nothing wrong with a US number whose campaign is approved',
    plant: { GUARD_COUNTRIES: 'US' },
    finds: 'ok twilio.registration',
  },
  {
    what: 'nothing wrong with a US number without a campaign for other countries',
    hasOwnWard: true,
    plant: [withCampaign(undefined), { GUARD_COUNTRIES: 'CA,GB' }],
    finds: 'ok twilio.registration',
  },
  {
    what: 'a US number whose campaign is not approved yet',
    hasOwnWard: true,
    plant: [withCampaign('IN_PROGRESS'), { GUARD_COUNTRIES: 'US' }],
    finds: 'fail twilio.registration',
  },
  {
    what: 'a US number that is in no Messaging Service',
    plant: ({ twilio }) => ({ TWILIO_SMS_FROM: twilio.voiceNumber, GUARD_COUNTRIES: 'US' }),
    finds: 'fail twilio.registration',
  },
  {
    what: 'a Messaging Service with US numbers and without a campaign',
    hasOwnWard: true,
    plant: [withCampaign(undefined), byService, { GUARD_COUNTRIES: 'US' }],
    finds: 'warn twilio.registration',
  },
  {
    what: 'campaigns that it may not read',
    plant: [answers('twilio', '/Usa2p', 403), { GUARD_COUNTRIES: 'US' }],
    finds: 'warn twilio.registration',
  },
  {
    what: 'more Messaging Services than it looks through',
    plant: [
      answers('twilio', '/v1/Services?', 200, {
        services: [],
        meta: { next_page_url: 'https://more.example' },
      }),
      { GUARD_COUNTRIES: 'US' },
    ],
    finds: 'warn twilio.registration',
  },
  { what: 'an alphanumeric SMS sender', plant: { TWILIO_SMS_FROM: 'ACME' }, finds: 'ok twilio.sms' },
  {
    what: "an SMS number that is not the account's",
    plant: { TWILIO_SMS_FROM: OF_OTHERS },
    finds: 'fail twilio.sms',
  },
  {
    what: 'numbers of the account that it may not read',
    plant: answers('twilio', 'IncomingPhoneNumbers', 401),
    finds: ['fail twilio.sms', 'fail twilio.voice'],
  },
  {
    what: 'a number that cannot send SMS',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.setCapabilities(twilio.smsNumber, { sms: false });
    },
    finds: 'fail twilio.sms',
  },
  {
    what: "a Messaging Service that is not the account's",
    plant: { TWILIO_SMS_FROM: `MG${'0'.repeat(32)}` },
    finds: 'fail twilio.sms',
  },
  {
    what: 'a fallback for RCS that is a number of somebody else',
    plant: [byService, { TWILIO_SMS_FALLBACK_FROM: OF_OTHERS }],
    finds: 'fail twilio.sms-fallback',
  },
  {
    what: 'a fallback for RCS that is a name',
    plant: [byService, { TWILIO_SMS_FALLBACK_FROM: 'ACME' }],
    finds: 'ok twilio.sms-fallback',
  },
  {
    what: 'a fallback for RCS that is a number of the account',
    plant: [byService, ({ twilio }) => ({ TWILIO_SMS_FALLBACK_FROM: twilio.smsNumber })],
    finds: 'ok twilio.sms-fallback',
  },
  {
    what: 'that Twilio must discard texts',
    plant: { TWILIO_CONTENT_RETENTION: 'discard' },
    finds: 'warn twilio.redaction',
  },
  {
    what: 'that Twilio must obfuscate numbers',
    plant: { TWILIO_ADDRESS_RETENTION: 'obfuscate' },
    finds: 'warn twilio.redaction',
  },
  ...['warn', 'ok', 'ok'].map((status, count): Misconfiguration => ({
    what: `a Messaging Service with ${count} numbers`,
    plant: [
      answers('twilio', '/PhoneNumbers', 200, { phone_numbers: Array.from({ length: count }, () => ({})) }),
      byService,
    ],
    finds: `${status} twilio.sms`,
  })),
  {
    what: 'a Messaging Service whose numbers it may not read',
    plant: [answers('twilio', '/PhoneNumbers', 403), byService],
    finds: 'fail twilio.sms',
  },
  {
    what: 'a Messaging Service that it may not read',
    plant: [answers('twilio', '/v1/Services/', 403), byService],
    finds: 'fail twilio.sms',
  },
  {
    what: 'that no voice sender is set',
    plant: { TWILIO_VOICE_FROM: '', TWILIO_VERIFY_SERVICE_SID: '' },
    finds: 'warn twilio.voice',
  },
  {
    what: 'a number that cannot make calls',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.setCapabilities(twilio.voiceNumber, { voice: false });
    },
    finds: 'fail twilio.voice',
  },
  {
    what: "a voice number that is neither the account's nor verified",
    plant: withCallerIds(),
    finds: 'fail twilio.voice',
  },
  {
    what: 'nothing wrong with calls from a number that the account has verified',
    plant: withCallerIds(OF_OTHERS),
    finds: 'ok twilio.voice',
  },
  {
    what: 'a voice number whose verification it may not read',
    plant: { TWILIO_VOICE_FROM: OF_OTHERS },
    finds: 'warn twilio.voice',
  },
  {
    what: 'that no WhatsApp sender is set',
    plant: { TWILIO_SANDBOX_NUMBER: '' },
    finds: 'warn twilio.whatsapp',
  },
  {
    what: 'a sandbox number that is not the number of the sandbox',
    plant: { TWILIO_SANDBOX_NUMBER: '+14155550102' },
    finds: 'warn twilio.whatsapp',
  },
  {
    what: 'that it cannot check a WhatsApp sender other than the sandbox',
    plant: withTemplate(),
    finds: 'warn twilio.whatsapp',
  },
  ...(
    [
      [
        'a template that does not exist',
        'fail',
        { ...TEMPLATE_SENDER, TWILIO_WHATSAPP_TEMPLATE: `HX${'0'.repeat(32)}` },
      ],
      ['a template that was never submitted', 'fail', withTemplate({ status: 'unsubmitted' })],
      ['a template that WhatsApp has paused', 'fail', withTemplate({ status: 'paused' })],
      ['a template for marketing', 'fail', withTemplate({ category: 'MARKETING' })],
      ['a template with two variables', 'fail', withTemplate({ variables: { '1': '123456', '2': 'Ana' } })],
      [
        'a template whose only variable has another name',
        'fail',
        withTemplate({ variables: { code: '123456' } }),
      ],
      ['a template of another type', 'fail', withTemplate({ types: { 'twilio/text': { body: '{{1}}' } } })],
      [
        'a template whose approval it may not read',
        'fail',
        [answers('twilio', 'ApprovalRequests', 403), withTemplate()],
      ],
      [
        'a template that Twilio fails to return',
        'fail',
        [answers('twilio', '/v1/Content/', 500), withTemplate()],
      ],
      ['a template in an unknown state', 'fail', [oddApproval({ status: 'very odd!' }), withTemplate()]],
      [
        'a template of an unknown category and type',
        'fail',
        [oddApproval({ status: 'approved', category: 'a b' }), withTemplate({ types: {} })],
      ],
      ['nothing wrong with an approved authentication template', 'ok', withTemplate({ language: 'pt_BR' })],
      ['nothing wrong with a template without a variable', 'ok', withTemplate({ variables: {} })],
      [
        'nothing wrong with a template of two types in an unknown language',
        'ok',
        withTemplate({
          language: 'x'.repeat(41),
          types: { 'twilio/text': {}, 'whatsapp/authentication': {} },
        }),
      ],
    ] as const
  ).map(([what, status, plant]): Misconfiguration => ({
    what,
    plant,
    finds: ['warn twilio.whatsapp', `${status} twilio.template`],
  })),
];

const REDIS_AND_MACHINE: readonly Misconfiguration[] = [
  {
    what: 'an encryption key without a Redis',
    plant: { STATE_ENCRYPTION_KEY: encryptionKey(1) },
    finds: 'fail redis.variables',
  },
  {
    what: 'a Redis without an encryption key',
    plant: { REDIS_URL: 'redis://127.0.0.1:1' },
    finds: 'fail redis.variables',
  },
  {
    what: 'a Redis password with a % in it',
    plant: { REDIS_URL: 'redis://:pass%word-5e@127.0.0.1:1', STATE_ENCRYPTION_KEY: encryptionKey(1) },
    finds: 'fail redis.variables',
  },
  {
    what: 'an encryption key that is too short',
    plant: { REDIS_URL: 'redis://127.0.0.1:1', STATE_ENCRYPTION_KEY: 'c2hvcnQ=' },
    finds: 'fail redis.variables',
  },
  {
    what: 'a Redis that is not reachable, with two encryption keys',
    plant: {
      REDIS_URL: 'redis://127.0.0.1:9',
      STATE_ENCRYPTION_KEY: `${encryptionKey(1)} , ${encryptionKey(2)}`,
    },
    finds: ['ok redis.variables', 'ok redis.libraries', 'fail redis.reached'],
  },
  {
    what: 'a proxy that neither the gateway nor doctor uses',
    plant: { https_proxy: PROXY },
    finds: 'warn machine.proxy',
  },
  {
    what: 'two proxies in the environment',
    plant: { HTTP_PROXY: PROXY, all_proxy: PROXY },
    finds: 'warn machine.proxy',
  },
  {
    what: 'that Node does not check certificates',
    plant: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    finds: 'fail machine.tls',
  },
  {
    what: 'nothing wrong if Node checks certificates',
    plant: { NODE_TLS_REJECT_UNAUTHORIZED: '1' },
    finds: 'ok machine.tls',
  },
];

export const MISCONFIGURATIONS: readonly Misconfiguration[] = [
  ...[...OKTA, ...ATTRIBUTES, ...HOOKS_IN_OKTA, ...GATEWAY, ...TWILIO, ...SENDERS, ...REDIS_AND_MACHINE],
];
