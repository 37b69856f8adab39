import { NAME_OR_CREATE } from '#lib/events/describe-opt-in.js';
import { ANA, type Scene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { callApi, telephonyHook } from '../../testing/okta/client.js';
import { startTestServer } from '../../testing/local.js';
import { grant, READ_SCOPES, type Line } from './scene.js';

/** Variables of an environment. */
export type Variables = Readonly<Record<string, string>>;

type Plant = (scene: Scene, later: (end: () => void) => void) => unknown;

/** A misconfiguration, and the lines that must report it. */
export interface Misconfiguration {
  readonly what: string;
  /** The wrong variables; or a function that makes the misconfiguration, and may return variables. */
  readonly plant: Variables | Plant;
  /** Whether the plant changes the org or the account, and not only their answers. Default: false. */
  readonly hasOwnWard?: boolean;
  /** All expected findings, in order. HOST, HOOK_ID and NO_NAME replace hosts, ids and codes of failed look-ups. */
  readonly finds: Line | readonly Line[];
  /** The number of checks that are skipped because a check before them has failed. Default: 0. */
  readonly unseen?: number;
}

const found =
  (status: Line['status']) =>
  (check: string, message: string, remedy: string): Line => ({ check, status, message, remedy });
const warn = found('warn');
const fail = found('fail');
/** The test compares a line with status ok only if a row names its check. */
const ok = (check: string, message: string): Line => ({ check, status: 'ok', message, remedy: '' });

const TEMPLATE_SENDER = { TWILIO_SANDBOX_NUMBER: '', TWILIO_WHATSAPP_FROM: '+14155550102' };

/** The variables of a gateway with a template. */
function withTemplate(template: Parameters<Scene['twilio']['addTemplate']>[0]): (scene: Scene) => Variables {
  return ({ twilio }) => ({ ...TEMPLATE_SENDER, TWILIO_WHATSAPP_TEMPLATE: twilio.addTemplate(template).sid });
}

/** An API token whose owner has these roles, as Okta lists them. */
export function byRoles(okta: Scene['okta'], body: readonly object[]): Variables {
  okta.fault({
    fault: { kind: 'status', status: 200, body },
    match: ({ path, headers }) =>
      path.endsWith('/roles') && headers.authorization === `SSWS ${okta.apiToken}`,
  });
  return { OKTA_API_TOKEN: okta.apiToken, OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '' };
}

/** The names in all scopes that can change the org. */
const MANAGED = [
  ...['users', 'groups', 'apps', 'appGrants', 'roles', 'policies', 'authenticators', 'authorizationServers'],
  ...['idps', 'apiTokens', 'inlineHooks', 'eventHooks', 'schemas', 'profileMappings', 'sessions'],
  ...['networkZones', 'trustedOrigins', 'orgs', 'domains', 'brands', 'templates', 'devices', 'logStreams'],
  ...['identitySources', 'customTelephonyProvider', 'features', 'userTypes', 'realms'],
];
const LEAST =
  "Give the gateway its own credential: an API token of a Read-Only Administrator, or a service app with only okta.users.read. Use an administrator's for setup and doctor.";

const OF_OTHERS = '+12025550198';

/** A voice number of another account, and the verified caller IDs that Twilio returns. */
function withCallerIds(twilio: Scene['twilio'], numbers: readonly string[]): Variables {
  const body = { outgoing_caller_ids: numbers.map((number) => ({ phone_number: number })) };
  twilio.fault({
    fault: { kind: 'status', status: 200, body },
    match: ({ path }) => path.includes('OutgoingCallerIds'),
  });
  return { TWILIO_VOICE_FROM: OF_OTHERS };
}

/** Okta returns these authenticators. */
function withAuthenticators(okta: Scene['okta'], body: readonly object[]): void {
  okta.fault({
    fault: { kind: 'status', status: 200, body },
    match: ({ path }) => path.startsWith('/api/v1/authenticators'),
  });
}

/** Twilio refuses requests with this part in their path. */
function refuse(twilio: Scene['twilio'], part: string, status: number): void {
  twilio.fault({
    fault: { kind: 'status', status, body: {} },
    match: ({ path }) => path.includes(part),
  });
}

/** A server instead of the gateway. */
function answering(status: number, headers: Record<string, string> = {}, body = ''): Plant {
  return async (_scene, later) => {
    const other = await startTestServer((response) => response.writeHead(status, headers).end(body));
    later(() => {
      other.close();
    });
    return { PUBLIC_URL: `${other.url}/okta/telephony` };
  };
}

/** Okta gives this answer to requests with this part in their path. */
function answerOf(
  okta: Scene['okta'],
  part: string,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  okta.fault({
    fault: { kind: 'status', status: 200, body, headers },
    match: ({ path }) => path.includes(part),
  });
}

/** Okta fails on requests with this part in their path. */
function failOf(okta: Scene['okta'], part: string, status: number): void {
  okta.fault({ fault: { kind: 'status', status, body: {} }, match: ({ path }) => path.includes(part) });
}

/** Twilio's answer to requests with the auth token. */
function answerOwner(twilio: Scene['twilio'], status: number, body: object): void {
  const owner = `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`;
  twilio.fault({
    fault: { kind: 'status', status, body },
    match: ({ headers }) => headers.authorization === owner,
  });
}

/** A template with an approval as Twilio never returns it. */
function oddTemplate(
  approval: object,
  template: Parameters<Scene['twilio']['addTemplate']>[0] = {},
): (scene: Scene) => Variables {
  return (scene) => {
    scene.twilio.fault({
      fault: { kind: 'status', status: 200, body: { whatsapp: approval } },
      match: ({ path }) => path.includes('ApprovalRequests'),
    });
    return withTemplate(template)(scene);
  };
}

const HOOK_ERROR = '{"error":{"errorSummary":"No"}}';

/** A gateway that is well except for these answers; `0` resets the connection. */
function gateway(
  otherwise: Readonly<
    Partial<Record<'proven' | 'events' | 'events-proven' | 'unsigned' | 'signed', readonly [number, string?]>>
  >,
  variables: Variables = {},
): Plant {
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
    return { PUBLIC_URL: `${other.url}/okta/telephony`, ...variables };
  };
}

// Findings of several misconfigurations.
const ACCOUNT_UNSEEN = warn(
  'twilio.account',
  'An API key cannot read whether the account is active, and whether it is a trial account.',
  'Set TWILIO_AUTH_TOKEN to check that.',
);
const ANOTHER_HOOK = fail(
  'okta.hook',
  'Another telephony inline hook is active, and was not changed: "Telephony gateway" (HOOK_ID, active, HOST). An org has one at most.',
  'okta-telephony-hook setup hook. To make it ours in place, without a moment in which codes have no hook: --replace HOOK_ID. Its URL and its secret are then gone from Okta: write down what you may need again.',
);
const CALLBACKS_REFUSED = fail(
  'hook.callbacks',
  'The gateway answered 403 to a callback signed with TWILIO_AUTH_TOKEN for PUBLIC_URL, instead of 204: it has another URL or token, or a proxy changes the path or the query.',
  "Give the gateway exactly the same PUBLIC_URL, and the account's primary auth token. Check that a proxy in between passes on path and query unchanged.",
);
const CALLBACKS_UNTRIED = warn(
  'hook.callbacks',
  'The gateway refuses callbacks without a signature. Doctor could not test whether it accepts those of Twilio.',
  'Set TWILIO_AUTH_TOKEN, with which Twilio signs.',
);
const EVENT_SECRET_REFUSED = fail(
  'hook.event-secret',
  'The gateway at HOST does not accept HOOK_SECRET in the header Authorization at PUBLIC_URL + /events.',
  "Compare HOOK_SECRET here with the gateway's HOOK_SECRET or credentials.eventHook (default: as credentials.hook). If the gateway's log has code.used, it agrees with Okta, and only the one here is wrong. If not, give both the same one, first the gateway, then Okta: okta-telephony-hook setup event-hook --rotate.",
);
const HERE = fail(
  'way.url',
  'PUBLIC_URL is an address of this machine, which Okta and Twilio cannot reach.',
  'Set it to the https URL by which the gateway is reachable from the internet, and give Okta the same URL.',
);
const NOBODY_OPTED_IN = warn(
  'okta.opted-in',
  'No active user has opted in: every code goes by SMS or as a call.',
  'Set whatsAppOptIn to true for yourself: Okta, Directory > People > you > Profile.',
);
const NO_EVENT_HOOK = warn(
  'okta.event-hook',
  'The org has no event hook whose URL is PUBLIC_URL + /events: the gateway does not learn which codes were used.',
  'okta-telephony-hook setup event-hook creates it, while the gateway runs.',
);
const SECRET_REFUSED = fail(
  'hook.secret',
  'The gateway at HOST does not accept HOOK_SECRET in the header Authorization.',
  "Compare HOOK_SECRET here with the gateway's HOOK_SECRET or credentials.hook.secrets. If the gateway sends codes, it agrees with Okta, and only the one here is wrong. If not, give both the same one, first the gateway, then Okta: okta-telephony-hook setup hook --rotate.",
);
const SENDER_UNSEEN = warn(
  'twilio.whatsapp',
  'Doctor does not check the sender TWILIO_WHATSAPP_FROM itself, only its templates.',
  'Check that it belongs to the account and is online: Twilio Console, Messaging > Senders > WhatsApp senders.',
);
/** The message and the remedy of an attribute that the credential cannot read. */
const UNREADABLE_ATTRIBUTE = [
  'The attribute cannot be read with this credential.',
  'Run this with the credential of an administrator who has the role Organization Administrator; a service app also needs okta.schemas.read.',
] as const;
const ATTRIBUTE_HIDDEN = warn('okta.attribute', ...UNREADABLE_ATTRIBUTE);
/** The findings of checks that a credential with only okta.users.read cannot make. */
const HIDDEN = [
  ATTRIBUTE_HIDDEN,
  warn(
    'okta.phone-authenticator',
    'The phone authenticator cannot be read with this credential.',
    'Run this with the credential of an administrator who has the role Read-Only Administrator; a service app also needs okta.authenticators.read.',
  ),
  warn(
    'okta.hook',
    'The telephony hook cannot be read with this credential.',
    'Run this with the credential of an administrator who has a custom administrator role with okta.inlinehooks.read (or Super Administrator); a service app also needs okta.inlineHooks.read.',
  ),
  warn(
    'okta.native-telephony',
    'Whether the org also has its own telephony provider could not be read (scope okta.customTelephonyProvider.read).',
    'Look at Customizations > Telephony Providers in the Admin Console. A provider and a telephony hook exclude each other.',
  ),
  warn(
    'okta.event-hook',
    'The event hook cannot be read with this credential.',
    'Run this with the credential of an administrator who has a custom administrator role with okta.eventhooks.read (or Super Administrator); a service app also needs okta.eventHooks.read.',
  ),
];

export const MISCONFIGURATIONS: readonly Misconfiguration[] = [
  {
    what: 'the address of the Admin Console instead of that of the org',
    plant: { OKTA_ORG_URL: 'https://acme-admin.okta.com' },
    finds: [
      fail(
        'okta.variables',
        "OKTA_ORG_URL must be the org's origin, such as https://acme.okta.com, without -admin and without a path; https, or http on loopback.",
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
      HERE,
      warn(
        'machine.clock',
        'The clock was not compared, because Okta did not answer.',
        'See okta.variables.',
      ),
    ],
    unseen: 10,
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
    finds: fail(
      'okta.org',
      'HOST answered 204, and not as an Okta org.',
      "Set OKTA_ORG_URL to the org's own address or its custom domain, as the browser shows it at sign-in, and check proxies in between.",
    ),
    unseen: 10,
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
    finds: fail(
      'okta.engine',
      'The org has the Classic Engine, which calls no telephony hook.',
      'Have the org upgraded to Okta Identity Engine: Okta, Dashboard > OIE Upgrade, or by Okta Support.',
    ),
  },
  {
    what: 'an API token that does not exist any more',
    plant: () => {
      mustNotShow('00token-that-is-no-more');
      return { OKTA_API_TOKEN: '00token-that-is-no-more', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '' };
    },
    finds: fail(
      'okta.credential',
      "Okta's API answered 401 (E0000011). Okta says: Invalid token provided",
      'Compare OKTA_API_TOKEN, or OKTA_CLIENT_ID with OKTA_PRIVATE_KEY and OKTA_KEY_ID, with the org of OKTA_ORG_URL. An API token ends with its owner, and after 30 days without use: then create a new one.',
    ),
    unseen: 8,
  },
  {
    what: 'a service app that may not read users',
    plant: (scene) => grant(scene, ['okta.schemas.read']),
    finds: fail(
      'okta.credential',
      'A user cannot be read with this credential.',
      "Give the API token's owner, or the service app, the role Read-Only Administrator, and a service app the scope okta.users.read. Until then every code goes by the channel that Okta requests, and never by WhatsApp.",
    ),
    unseen: 8,
  },
  {
    what: 'a service app that may change users',
    plant: (scene) => grant(scene, ['okta.users.read', 'okta.users.manage']),
    finds: [
      warn(
        'okta.privileges',
        'The service app has okta.users.manage, which no gateway needs.',
        "Give the gateway its own credential: an API token of a Read-Only Administrator, or a service app with only okta.users.read. Use an administrator's for setup and doctor.",
      ),
      ...HIDDEN,
    ],
  },
  {
    what: 'a service app that may change policies',
    plant: (scene) => grant(scene, ['okta.users.read', 'okta.policies.manage']),
    finds: [
      warn(
        'okta.privileges',
        'The service app has okta.policies.manage, which no gateway needs.',
        "Give the gateway its own credential: an API token of a Read-Only Administrator, or a service app with only okta.users.read. Use an administrator's for setup and doctor.",
      ),
      ...HIDDEN,
    ],
  },
  {
    what: 'an API token of a custom role',
    plant: ({ okta }) => byRoles(okta, [{ type: 'CUSTOM' }]),
    finds: warn(
      'okta.privileges',
      'The API token has a custom role, whose rights doctor cannot read.',
      'Check its roles in Okta: Security > Administrators. A gateway only needs to read users.',
    ),
  },
  {
    what: 'an API token without a role that can be seen',
    plant: ({ okta }) => byRoles(okta, []),
    finds: warn(
      'okta.privileges',
      'The API token reads users, but Okta shows no role of it.',
      'Check its roles in Okta: Security > Administrators. A gateway only needs to read users.',
    ),
  },
  {
    what: 'a rate limit that is nearly used up',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setRateLimit({ limit: 100, remaining: 6, resetInSeconds: 30 });
    },
    finds: warn(
      'okta.rate-limit',
      '5 % of 100 reads of users are left in this minute: below 10 % the gateway reads no profiles, and sends no WhatsApp messages.',
      'Find out what uses the limit (Okta: Reports > Rate Limits), and raise the share of the token or the app (Security > API).',
    ),
  },
  {
    what: 'a missing opt-in attribute',
    plant: { OPT_IN_ATTRIBUTE: 'codesByWhatsApp' },
    finds: [
      fail(
        'okta.attribute',
        'The user profile has no attribute codesByWhatsApp: no user can opt in.',
        NAME_OR_CREATE,
      ),
      warn(
        'okta.opted-in',
        'No user has opted in, because there is no attribute codesByWhatsApp.',
        'See okta.attribute.',
      ),
    ],
  },
  {
    what: 'an opt-in attribute of a wrong type',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setAttribute('whatsAppOptIn', null);
      okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'number' });
    },
    finds: [
      fail(
        'okta.attribute',
        'The attribute whatsAppOptIn is there, of the type number, and Okta changes no type.',
        'Name another attribute by OPT_IN_ATTRIBUTE; or remove this one, with all its values, in Okta: Directory > Profile Editor > User (default), and run this again.',
      ),
      NOBODY_OPTED_IN,
    ],
  },
  {
    what: 'an attribute of channel names that has no value for any user',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setAttribute('whatsAppOptIn', null);
      okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'string' });
    },
    finds: [
      warn(
        'okta.attribute',
        'whatsAppOptIn is of the type string, and users may not change it themselves: a user has opted in only if it has the name of a channel.',
        'Check that its values are names in optInChannels, such as whatsapp, or set OPT_IN_ATTRIBUTE to a boolean (okta-telephony-hook setup attribute).',
      ),
      warn(
        'okta.opted-in',
        'No active user has opted in: every code goes by SMS or as a call.',
        'Set whatsAppOptIn to whatsapp for yourself: Okta, Directory > People > you > Profile.',
      ),
    ],
  },
  {
    what: 'an opt-in attribute that a directory changes and users may not',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setAttribute('whatsAppOptIn', {
        title: 'Ours',
        type: 'boolean',
        permissions: [{ principal: 'SELF', action: 'READ_ONLY' }],
        master: { type: 'PROFILE_MASTER' },
      });
    },
    finds: warn(
      'okta.attribute',
      'whatsAppOptIn: user permission is READ_ONLY instead of READ_WRITE, source is PROFILE_MASTER instead of OKTA. whatsAppOptIn is Read Only for users. If they may change it, they turn WhatsApp on without any proof. If a page of your own changes it for them, use setup attribute --read-only.',
      'okta-telephony-hook setup attribute changes that.',
    ),
  },
  {
    what: 'that no user has opted in',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.updateUser(ANA.id, { whatsAppOptIn: false });
    },
    finds: NOBODY_OPTED_IN,
  },
  {
    what: 'codes to a phone attribute that users may change',
    plant: { UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone' },
    finds: fail(
      'okta.unverified-phone',
      'Users may change mobilePhone, the unverified number to which codes go: somebody with a stolen password can redirect the code to another phone.',
      'Set its user permission to Read-Only in Okta: Directory > Profile Editor > User (default), or remove unverifiedPhoneAttribute, so that codes go to the enrolled phone.',
    ),
  },
  {
    what: 'codes to an attribute that is not a string',
    plant: { UNVERIFIED_PHONE_ATTRIBUTE: 'whatsAppOptIn' },
    finds: fail(
      'okta.unverified-phone',
      'whatsAppOptIn is of the type boolean, but the unverified number is a string.',
      'Name another.',
    ),
  },
  {
    what: 'an inactive phone authenticator',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setPhoneAuthenticator('INACTIVE');
    },
    finds: fail(
      'okta.phone-authenticator',
      'The phone authenticator is not active: Okta sends no codes.',
      'Okta: Security > Authenticators > Add or activate Phone, and allow it for authentication, recovery or both.',
    ),
  },
  {
    what: 'a phone authenticator that is allowed for no use',
    plant: ({ okta }) => {
      const body = [{ key: 'phone_number', status: 'ACTIVE', settings: { allowedFor: 'none' } }];
      okta.fault({
        fault: { kind: 'status', status: 200, body },
        match: ({ path }) => path.startsWith('/api/v1/authenticators'),
      });
    },
    finds: warn(
      'okta.phone-authenticator',
      'The phone authenticator is active but not allowed for any use: Okta requests no codes by phone.',
      'Okta: Security > Authenticators > Phone > Edit: allow it for authentication, recovery or both.',
    ),
  },
  {
    what: 'a hook with another URL',
    plant: ({ url }) => ({ PUBLIC_URL: `${url}s` }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.answers',
        'HOST answered 404: that is no telephony hook of this package.',
        "Compare the path of PUBLIC_URL with the hook's option path. Mount the hook by app.use(hook), or at the value of path: any other mount path, also of a router, comes before path in the URL. A proxy in between may remove or add a prefix. A body parser does not cause a 404.",
      ),
    ],
    unseen: 5,
  },
  {
    what: 'an inactive hook',
    hasOwnWard: true,
    plant: async ({ okta }) => {
      await callApi(
        okta,
        'POST',
        `/api/v1/inlineHooks/${okta.inlineHooks[0]?.id ?? ''}/lifecycle/deactivate`,
      );
    },
    finds: fail(
      'okta.hook',
      'The telephony hook is set up differently: status is INACTIVE instead of ACTIVE.',
      'okta-telephony-hook setup hook updates it in place.',
    ),
  },
  {
    what: 'a hook with another authentication',
    plant: ({ okta }) => ({
      HOOK_OAUTH_CLIENT_ID: '0oahookclient0001d7',
      HOOK_OAUTH_TOKEN_URL: `${okta.issuer}/v1/token`,
      HOOK_OAUTH_SCOPE: 'telephony',
      HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001',
    }),
    finds: [
      fail(
        'okta.hook',
        'The telephony hook is set up differently: authentication is header Authorization instead of OAuth 2.0: client 0oahookclient0001d7 by the key HKYdoctor000000001, scope telephony, tokens from http://HOST/oauth2/default/v1/token.',
        'okta-telephony-hook setup hook updates it in place.',
      ),
      warn(
        'hook.secret',
        'Okta signs with a hook key, and only Okta has its private key: doctor could not test whether the gateway accepts the tokens.',
        'Test it with Okta itself: okta-telephony-hook preview --user <your login>. It sends a real message.',
      ),
    ],
  },
  {
    what: "Okta's own telephony provider beside the hook",
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setTelephonyProviders([{ providerName: 'TWILIO' }]);
    },
    finds: warn(
      'okta.native-telephony',
      'The org also has its own telephony provider, TWILIO. A provider and a telephony hook exclude each other.',
      'Deactivate the provider in Customizations > Telephony Providers in the Admin Console. To return to it later, deactivate the hook before you activate the provider.',
    ),
  },
  {
    what: 'an event hook that was never verified',
    hasOwnWard: true,
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
    finds: fail(
      'okta.event-hook',
      'The event hook is set up differently: verification is UNVERIFIED instead of VERIFIED.',
      'okta-telephony-hook setup event-hook updates it and has Okta verify it.',
    ),
  },
  {
    what: 'a secret that the gateway does not accept, neither from the hook nor from the event hook',
    plant: () => {
      mustNotShow('another-hook-secret-1');
      return { HOOK_SECRET: 'another-hook-secret-1' };
    },
    finds: [SECRET_REFUSED, EVENT_SECRET_REFUSED],
  },
  {
    what: 'a path without a hook',
    plant: ({ url }) => ({ PUBLIC_URL: url.replace('telephony', 'telefony') }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.answers',
        'HOST answered 404: that is no telephony hook of this package.',
        "Compare the path of PUBLIC_URL with the hook's option path. Mount the hook by app.use(hook), or at the value of path: any other mount path, also of a router, comes before path in the URL. A proxy in between may remove or add a prefix. A body parser does not cause a 404.",
      ),
    ],
    unseen: 5,
  },
  {
    what: 'a page of another server at the URL',
    plant: answering(200, { 'content-type': 'text/html' }, '<h1>Welcome</h1>'),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.answers',
        'HOST answered 200: that is no telephony hook of this package.',
        "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.",
      ),
    ],
    unseen: 5,
  },
  {
    what: 'a hook that accepts calls without credentials',
    plant: answering(400, {}, '{"error":{"errorSummary":"No"}}'),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.answers',
        'The hook accepts calls without credentials, and would send codes for anybody.',
        'Check that no proxy in between adds the secret to the calls that it passes on.',
      ),
    ],
    unseen: 5,
  },
  {
    what: 'a redirect at the URL',
    plant: answering(301, { location: 'https://id.example.com/okta/telephony/' }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.answers',
        'HOST answered 301: that is no telephony hook of this package.',
        "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.",
      ),
      fail(
        'way.redirect',
        'PUBLIC_URL redirects (301), and Okta follows no redirect.',
        'Set PUBLIC_URL and the URL in Okta to the target of the redirect, or remove the redirect (http to https, a slash at the end, www).',
      ),
    ],
    unseen: 5,
  },
  {
    what: 'a proxy that does not forward requests below the path of the hook',
    plant: answering(401, {}, '{"error":{"errorSummary":"Unauthorized"}}'),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      warn(
        'hook.secret',
        "The gateway at HOST does not accept HOOK_SECRET in the header Authorization. Doctor could not read whether Okta's hook uses another header.",
        "Name the header with --header, or run this with a credential that may read hooks. If it is Authorization: Compare HOOK_SECRET here with the gateway's HOOK_SECRET or credentials.hook.secrets. If the gateway sends codes, it agrees with Okta, and only the one here is wrong. If not, give both the same one, first the gateway, then Okta: okta-telephony-hook setup hook --rotate.",
      ),
      fail(
        'hook.events',
        'PUBLIC_URL + /events answered 401, and not with the challenge: Okta could not verify the event hook.',
        'Check that a proxy in between passes on every request below the path, also GET, with the header X-Okta-Verification-Challenge.',
      ),
      warn(
        'hook.event-secret',
        "The gateway at HOST does not accept HOOK_SECRET in the header Authorization at PUBLIC_URL + /events. Doctor could not read whether Okta's hook uses another header.",
        "Name the header with --header, or run this with a credential that may read hooks. If it is Authorization: Compare HOOK_SECRET here with the gateway's HOOK_SECRET or credentials.eventHook (default: as credentials.hook). If the gateway's log has code.used, it agrees with Okta, and only the one here is wrong. If not, give both the same one, first the gateway, then Okta: okta-telephony-hook setup event-hook --rotate.",
      ),
      fail(
        'hook.callbacks',
        'PUBLIC_URL + /twilio/status answered 401 to a callback without a signature, instead of 403.',
        "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.",
      ),
    ],
  },
  {
    what: 'a gateway with another URL, or with another auth token',
    plant: ({ url }) => ({ PUBLIC_URL: url.replace('127.0.0.1', 'localhost') }),
    finds: [ANOTHER_HOOK, NO_EVENT_HOOK, CALLBACKS_REFUSED],
  },
  {
    what: 'a URL on this machine for an org on the internet',
    plant: { OKTA_ORG_URL: 'https://acme.okta.invalid' },
    finds: [
      fail(
        'okta.org',
        'acme.okta.invalid could not be reached: its name does not resolve (NO_NAME).',
        'Look for a misspelling, and check the DNS of this machine.',
      ),
      HERE,
      warn('machine.clock', 'The clock was not compared, because Okta did not answer.', 'See okta.org.'),
    ],
    unseen: 10,
  },
  {
    what: 'a URL that is not https',
    plant: { PUBLIC_URL: 'http://id.acme.example/okta/telephony' },
    finds: [
      warn('okta.hook', 'Skipped: PUBLIC_URL is not set.', "Set it to the hook's URL in Okta."),
      warn('okta.event-hook', 'Skipped: PUBLIC_URL is not set.', "Set it to the hook's URL in Okta."),
      fail(
        'hook.variables',
        "PUBLIC_URL must be the hook's own public URL as entered in Okta, without a query; https, or http on loopback.",
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
    ],
    unseen: 5,
  },
  {
    what: 'a name that does not resolve',
    plant: { PUBLIC_URL: 'https://id.acme.invalid/okta/telephony' },
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.answers',
        'The gateway at id.acme.invalid could not be reached: its name does not resolve (NO_NAME).',
        'Look for a misspelling, and check the DNS of this machine.',
      ),
      fail(
        'way.name',
        'id.acme.invalid does not resolve.',
        'Look for a misspelling in PUBLIC_URL, and give the name a record in the public DNS.',
      ),
    ],
    unseen: 7,
  },
  {
    what: 'an API key that does not exist',
    plant: () => {
      mustNotShow('planted-api-key-secret');
      return { TWILIO_API_KEY_SECRET: 'planted-api-key-secret' };
    },
    finds: fail(
      'twilio.credential',
      'Twilio does not accept the API key.',
      'Compare TWILIO_ACCOUNT_SID with TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET, or TWILIO_AUTH_TOKEN: all belong to one account and one region. Test credentials do not work.',
    ),
    unseen: 7,
  },
  {
    what: 'an API key SID without the secret',
    plant: { TWILIO_API_KEY_SECRET: '' },
    finds: [
      CALLBACKS_UNTRIED,
      fail(
        'twilio.variables',
        "TWILIO_API_KEY_SECRET is missing: the API key's; in place of a key TWILIO_AUTH_TOKEN will do.",
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
    ],
    unseen: 7,
  },
  {
    what: 'that no sender is set',
    plant: {
      TWILIO_SMS_FROM: '',
      TWILIO_VOICE_FROM: '',
      TWILIO_SANDBOX_NUMBER: '',
      TWILIO_VERIFY_SERVICE_SID: '',
    },
    finds: [
      CALLBACKS_UNTRIED,
      fail(
        'twilio.variables',
        'TWILIO_SMS_FROM or another sender is missing: set one or more of TWILIO_SMS_FROM, TWILIO_VOICE_FROM, and TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM with TWILIO_WHATSAPP_TEMPLATE, each with TWILIO_ACCOUNT_SID; TWILIO_VERIFY_SERVICE_SID; VONAGE_SMS_FROM, VONAGE_WHATSAPP_FROM; LINE_CHANNEL_ACCESS_TOKEN.',
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
    ],
    unseen: 7,
  },
  {
    what: 'the auth token instead of an API key',
    plant: { TWILIO_API_KEY_SID: '', TWILIO_API_KEY_SECRET: '' },
    finds: warn(
      'twilio.credential',
      'Twilio accepts the auth token, which gives full access to the account.',
      'Make an API key (Twilio Console: Account > API keys & tokens), and set TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET.',
    ),
  },
  {
    what: 'an auth token of another account',
    plant: () => {
      mustNotShow('planted-auth-token-000000');
      return { TWILIO_AUTH_TOKEN: 'planted-auth-token-000000' };
    },
    finds: [
      CALLBACKS_REFUSED,
      fail(
        'twilio.auth-token',
        'TWILIO_AUTH_TOKEN does not belong to the account: Twilio does not accept the credentials (20003). The gateway would refuse every callback.',
        'Copy the primary auth token again: Twilio Console, Account > API keys & tokens.',
      ),
      ACCOUNT_UNSEEN,
    ],
  },
  {
    what: 'a missing auth token if the gateway gets callbacks',
    plant: { TWILIO_AUTH_TOKEN: '' },
    finds: [
      CALLBACKS_UNTRIED,
      fail(
        'twilio.auth-token',
        'TWILIO_AUTH_TOKEN is not set. The gateway does not start, because it could not verify callbacks to PUBLIC_URL.',
        "Set it to the account's primary auth token: Twilio signs callbacks with it, even if the gateway sends with an API key.",
      ),
      ACCOUNT_UNSEEN,
    ],
  },
  {
    what: 'a suspended account',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureAccount({ status: 'suspended' });
    },
    finds: fail(
      'twilio.account',
      'The account is suspended: it sends nothing.',
      'Read the notices in the Twilio Console, and contact its support.',
    ),
  },
  {
    what: 'a trial account',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureAccount({ type: 'Trial' });
    },
    finds: warn(
      'twilio.account',
      'The account is a trial account: it sends only to verified numbers, with low limits.',
      'Upgrade it in the Twilio Console. Until then verify your test numbers there.',
    ),
  },
  {
    what: 'a balance that is nearly used up',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureAccount({ balance: '3.10', currency: 'EUR' });
    },
    finds: warn(
      'twilio.balance',
      'The balance is 3.10 EUR. It will soon be used up.',
      'Add funds, and turn on auto-recharge: Twilio Console, Billing.',
    ),
  },
  {
    what: 'a balance that is used up',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureAccount({ balance: '-0.40' });
    },
    finds: fail(
      'twilio.balance',
      'The balance is -0.40 USD: Twilio sends nothing.',
      'Add funds, and turn on auto-recharge: Twilio Console, Billing.',
    ),
  },
  ...['', 'n/a'].map((balance): Misconfiguration => ({
    what: `a balance of "${balance}"`,
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureAccount({ balance });
    },
    finds: warn(
      'twilio.balance',
      "The balance cannot be read from Twilio's answer.",
      'Check it in the Twilio Console, under Billing.',
    ),
  })),
  {
    what: "an SMS number that is not the account's",
    plant: { TWILIO_SMS_FROM: '+12025550198' },
    finds: fail(
      'twilio.sms',
      'The number in TWILIO_SMS_FROM does not belong to the account.',
      'Use one of its numbers (Twilio Console: Phone Numbers > Active numbers), or buy one.',
    ),
  },
  {
    what: 'a number that cannot send SMS',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.setCapabilities(twilio.smsNumber, { sms: false });
    },
    finds: fail(
      'twilio.sms',
      'The number in TWILIO_SMS_FROM cannot send SMS.',
      'Set TWILIO_SMS_FROM to a number of the account with that capability.',
    ),
  },
  {
    what: "a voice number that is neither the account's nor verified",
    plant: ({ twilio }) => withCallerIds(twilio, []),
    finds: fail(
      'twilio.voice',
      "The number in TWILIO_VOICE_FROM is neither one of the account's numbers nor one of its verified caller IDs.",
      'Use one of its numbers (Twilio Console: Phone Numbers > Active numbers), or verify this one there: Verified Caller IDs.',
    ),
  },
  {
    what: 'nothing wrong with calls from a number that the account has verified',
    plant: ({ twilio }) => withCallerIds(twilio, [OF_OTHERS]),
    finds: ok('twilio.voice', 'The number in TWILIO_VOICE_FROM is a verified caller ID of the account.'),
  },
  {
    what: 'a voice number whose verification it may not read',
    plant: { TWILIO_VOICE_FROM: OF_OTHERS },
    finds: warn(
      'twilio.voice',
      'The number in TWILIO_VOICE_FROM does not belong to the account, whose verified caller IDs cannot be read.',
      'Use one of its numbers (Twilio Console: Phone Numbers > Active numbers), or verify this one there: Verified Caller IDs.',
    ),
  },
  {
    what: 'a number that cannot make calls',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.setCapabilities(twilio.voiceNumber, { voice: false });
    },
    finds: fail(
      'twilio.voice',
      'The number in TWILIO_VOICE_FROM cannot make calls.',
      'Set TWILIO_VOICE_FROM to a number of the account with that capability.',
    ),
  },
  {
    what: "a Messaging Service that is not the account's",
    plant: () => ({ TWILIO_SMS_FROM: `MG${'0'.repeat(32)}` }),
    finds: fail(
      'twilio.sms',
      'The Messaging Service in TWILIO_SMS_FROM does not belong to the account.',
      'Copy its SID again: Twilio Console, Messaging > Services.',
    ),
  },
  {
    what: 'a sandbox number that is not the number of the sandbox',
    plant: { TWILIO_SANDBOX_NUMBER: '+14155550102' },
    finds: warn(
      'twilio.whatsapp',
      "TWILIO_SANDBOX_NUMBER is not the number of Twilio's sandbox.",
      'For your own number set TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE. The sandbox is in the Twilio Console under Messaging > Try it out.',
    ),
  },
  {
    what: 'the sandbox together with an approved sender',
    plant: ({ twilio }) => ({
      ...withTemplate({})({ twilio } as Scene),
      TWILIO_SANDBOX_NUMBER: twilio.sandboxNumber,
    }),
    finds: [
      CALLBACKS_UNTRIED,
      fail(
        'twilio.variables',
        'TWILIO_SANDBOX_NUMBER does not go with TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE: unset it, or them.',
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
    ],
    unseen: 7,
  },
  {
    what: 'that it cannot check a WhatsApp sender other than the sandbox',
    plant: withTemplate({}),
    finds: SENDER_UNSEEN,
  },
  {
    what: 'a template that does not exist',
    plant: () => ({ ...TEMPLATE_SENDER, TWILIO_WHATSAPP_TEMPLATE: `HX${'0'.repeat(32)}` }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        'The account has no template HX00000000000000000000000000000000.',
        'Copy the Content SID again: Twilio Console, Messaging > Content Template Builder.',
      ),
    ],
  },
  {
    what: 'a template that was never submitted',
    plant: withTemplate({ status: 'unsubmitted' }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        "The template's status at WhatsApp is unsubmitted: codes that use it do not arrive.",
        'Submit it for WhatsApp approval, in the category Authentication: Twilio Console, Content Template Builder.',
      ),
    ],
  },
  {
    what: 'a template that WhatsApp has paused',
    plant: withTemplate({ status: 'paused' }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        "The template's status at WhatsApp is paused: codes that use it do not arrive.",
        'Look up the reason in Content Template Builder and in WhatsApp Manager at Meta. If it was rejected, make another one.',
      ),
    ],
  },
  {
    what: 'a template for marketing',
    plant: withTemplate({ category: 'MARKETING' }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        'The template has the category MARKETING and the type whatsapp/authentication: WhatsApp allows codes in authentication templates only.',
        'Make one of the type whatsapp/authentication in the category Authentication, and submit it for approval.',
      ),
    ],
  },
  {
    what: 'a template with two variables',
    plant: withTemplate({ variables: { '1': '123456', '2': 'Ana' } }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        'The template has the variables 1, 2: the gateway sets only {{1}}, the code.',
        'Make one of the type whatsapp/authentication: it has that one variable.',
      ),
    ],
  },
  {
    what: 'a Verify service that does not accept custom codes',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureVerify({ customCodeEnabled: false });
    },
    finds: fail(
      'twilio.verify',
      'The Verify service does not accept custom codes: it refuses every code of Okta (60204).',
      'Turn on Enable Custom Verification Code: Twilio Console, Verify > Services > the service > General.',
    ),
  },
  {
    what: 'an encryption key without a Redis',
    plant: () => ({ STATE_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64') }),
    finds: fail(
      'redis.variables',
      'REDIS_URL is missing: the Redis that goes with STATE_ENCRYPTION_KEY.',
      'Set it in the environment, or in a file that --env names, as the gateway has it.',
    ),
    unseen: 8,
  },
  {
    what: 'a Redis password with a % in it',
    plant: () => ({
      REDIS_URL: 'redis://:pass%word-5e@127.0.0.1:1',
      STATE_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    }),
    finds: fail(
      'redis.variables',
      'REDIS_URL has a % in its user or its password that begins no code of a character: percent-encode both (a % is %25).',
      'Set it in the environment, or in a file that --env names, as the gateway has it.',
    ),
    unseen: 8,
  },
  {
    what: 'an encryption key that is too short',
    plant: { REDIS_URL: 'redis://127.0.0.1:1', STATE_ENCRYPTION_KEY: 'c2hvcnQ=' },
    finds: fail(
      'redis.variables',
      'STATE_ENCRYPTION_KEY must be 32 bytes in base64: openssl rand -base64 32.',
      'Set it in the environment, or in a file that --env names, as the gateway has it.',
    ),
    unseen: 8,
  },
  {
    what: 'a proxy that neither the gateway nor doctor uses',
    plant: { https_proxy: 'http://proxy.acme.example:3128' },
    finds: warn(
      'machine.proxy',
      'HTTPS_PROXY is set, but neither the gateway nor this command uses it.',
      "If calls must go through a proxy, set the hook's option dispatcher (undici's ProxyAgent). Otherwise ignore this.",
    ),
  },
  {
    what: 'that Node does not check certificates',
    plant: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    finds: fail(
      'machine.tls',
      'NODE_TLS_REJECT_UNAUTHORIZED is 0: any server can pose as Okta or Twilio, and gets codes and secrets.',
      'Unset it, at the gateway too. Name your own certificate authority in NODE_EXTRA_CA_CERTS.',
    ),
  },
  {
    what: 'that the org and the account are not set',
    plant: { OKTA_ORG_URL: '', TWILIO_ACCOUNT_SID: '' },
    finds: [
      warn(
        'okta.variables',
        'Skipped: OKTA_ORG_URL is not set.',
        "Set it to the org's origin, such as https://acme.okta.com, to check Okta's side.",
      ),
      CALLBACKS_UNTRIED,
      HERE,
      warn(
        'twilio.variables',
        'Skipped: TWILIO_ACCOUNT_SID is not set.',
        "Set it to the account's SID, to check Twilio's side.",
      ),
      warn(
        'machine.clock',
        'The clock was not compared, because Okta did not answer.',
        'See okta.variables.',
      ),
    ],
  },
  {
    what: 'that the URL of the hook is not set',
    plant: { PUBLIC_URL: '', TWILIO_AUTH_TOKEN: '' },
    finds: [
      warn('okta.hook', 'Skipped: PUBLIC_URL is not set.', "Set it to the hook's URL in Okta."),
      warn('okta.event-hook', 'Skipped: PUBLIC_URL is not set.', "Set it to the hook's URL in Okta."),
      warn(
        'hook.variables',
        'Skipped: PUBLIC_URL is not set.',
        "Set it to the hook's URL in Okta, to check the hook and its reachability.",
      ),
      warn(
        'twilio.auth-token',
        'Skipped: TWILIO_AUTH_TOKEN is not set.',
        "Set it to the account's primary auth token: Twilio signs callbacks with it, even if the gateway sends with an API key.",
      ),
      ACCOUNT_UNSEEN,
    ],
  },
  {
    what: 'that the secret of the hook is not set',
    plant: { HOOK_SECRET: '' },
    finds: [
      warn(
        'hook.secret',
        'Skipped: HOOK_SECRET is not set.',
        "Set it to the whole header value that Okta's inline hook sends.",
      ),
      warn(
        'hook.event-secret',
        'Skipped: HOOK_SECRET is not set.',
        "Set it to the whole header value that Okta's event hook sends.",
      ),
    ],
  },
  {
    what: 'an API token of a super administrator',
    plant: ({ okta }) => byRoles(okta, [{ type: 'SUPER_ADMIN' }, { type: 'READ_ONLY_ADMIN' }]),
    finds: warn(
      'okta.privileges',
      'The API token has the role SUPER_ADMIN: more than a gateway needs.',
      "Give the gateway its own credential: an API token of a Read-Only Administrator, or a service app with only okta.users.read. Use an administrator's for setup and doctor.",
    ),
  },
  {
    what: 'nothing wrong with a rate limit that is not used',
    plant: ({ okta }) => {
      okta.setRateLimit(undefined);
    },
    finds: ok('okta.rate-limit', '100 % of 10000000 reads of users are left in this minute.'),
  },
  {
    what: 'codes to an attribute that does not exist',
    plant: { UNVERIFIED_PHONE_ATTRIBUTE: 'noPhone' },
    finds: fail(
      'okta.unverified-phone',
      'The user profile has no attribute noPhone.',
      'Name another, or add it in Okta: Directory > Profile Editor > User (default), as a string that users may not change.',
    ),
  },
  {
    what: 'nothing wrong with codes to an attribute that users may only read',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setAttribute('ownPhone', {
        title: 'Ours',
        type: 'string',
        permissions: [{ principal: 'SELF', action: 'READ_ONLY' }],
      });
      return { UNVERIFIED_PHONE_ATTRIBUTE: 'ownPhone' };
    },
    finds: ok(
      'okta.unverified-phone',
      'Users may not change ownPhone, the unverified number to which codes go.',
    ),
  },
  ...(
    [
      ['recovery', 'The phone authenticator is active, for recovery only.'],
      ['any', 'The phone authenticator is active.'],
    ] as const
  ).map(([allowedFor, message]): Misconfiguration => ({
    what: `nothing wrong with a phone authenticator that is allowed for ${allowedFor}`,
    plant: ({ okta }) => {
      withAuthenticators(okta, [{ key: 'phone_number', status: 'ACTIVE', settings: { allowedFor } }]);
    },
    finds: ok('okta.phone-authenticator', message),
  })),
  {
    what: 'a missing phone authenticator',
    plant: ({ okta }) => {
      withAuthenticators(okta, [{ key: 'okta_email', status: 'ACTIVE' }]);
    },
    finds: fail(
      'okta.phone-authenticator',
      'The phone authenticator is not set up: Okta sends no codes.',
      'Okta: Security > Authenticators > Add or activate Phone, and allow it for authentication, recovery or both.',
    ),
  },
  {
    what: 'that the org has no hook',
    hasOwnWard: true,
    plant: async ({ okta }) => {
      const id = okta.inlineHooks[0]?.id ?? '';
      await callApi(okta, 'POST', `/api/v1/inlineHooks/${id}/lifecycle/deactivate`);
      await callApi(okta, 'DELETE', `/api/v1/inlineHooks/${id}`);
    },
    finds: fail(
      'okta.hook',
      'The org has no telephony hook whose URL is PUBLIC_URL.',
      'okta-telephony-hook setup hook creates it. If Okta has another spelling of the URL, use that in PUBLIC_URL.',
    ),
  },
  {
    what: 'a gateway that is closing',
    plant: answering(503, {}, '{"error":{"errorSummary":"No"}}'),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.answers',
        'The gateway is closing, or cannot check who calls it (503).',
        'Look at its log, and at whether it starts again.',
      ),
    ],
    unseen: 5,
  },
  {
    what: 'a hook whose answer is not JSON',
    plant: answering(401, {}, 'Unauthorized'),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.answers',
        'HOST answered 401: that is no telephony hook of this package.',
        "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.",
      ),
    ],
    unseen: 5,
  },
  {
    what: 'a wrong auth token instead of an API key',
    plant: () => {
      mustNotShow('planted-auth-token-000000');
      return {
        TWILIO_API_KEY_SID: '',
        TWILIO_API_KEY_SECRET: '',
        TWILIO_AUTH_TOKEN: 'planted-auth-token-000000',
      };
    },
    finds: [
      CALLBACKS_REFUSED,
      fail(
        'twilio.credential',
        'Twilio does not accept the auth token.',
        'Compare TWILIO_ACCOUNT_SID with TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET, or TWILIO_AUTH_TOKEN: all belong to one account and one region. Test credentials do not work.',
      ),
    ],
    unseen: 7,
  },
  {
    what: 'a balance that it may not read',
    plant: ({ twilio }) => {
      refuse(twilio, 'Balance', 403);
    },
    finds: warn(
      'twilio.balance',
      'This key may not read the balance.',
      'Check it in the Twilio Console, under Billing.',
    ),
  },
  {
    what: 'a balance that Twilio fails to return',
    plant: ({ twilio }) => {
      refuse(twilio, 'Balance', 500);
    },
    finds: fail(
      'twilio.balance',
      'The balance cannot be read: The provider is not available (HTTP_500).',
      'Check status.twilio.com. It may be temporary.',
    ),
  },
  {
    what: 'a balance at the limit',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureAccount({ balance: '10', currency: 'EUR' });
    },
    finds: warn(
      'twilio.balance',
      'The balance is 10.00 EUR. It will soon be used up.',
      'Add funds, and turn on auto-recharge: Twilio Console, Billing.',
    ),
  },
  {
    what: 'a balance of zero in an unknown currency',
    hasOwnWard: true,
    plant: ({ twilio }) => {
      twilio.configureAccount({ balance: '0', currency: 'x' });
    },
    finds: fail(
      'twilio.balance',
      'The balance is 0.00: Twilio sends nothing.',
      'Add funds, and turn on auto-recharge: Twilio Console, Billing.',
    ),
  },
  {
    what: 'that no SMS sender is set',
    plant: { TWILIO_SMS_FROM: '', TWILIO_VERIFY_SERVICE_SID: '' },
    finds: warn(
      'twilio.sms',
      'Skipped: TWILIO_SMS_FROM is not set.',
      'Set it. Without it, users who did not opt in get no code by Twilio.',
    ),
  },
  {
    what: 'that no voice sender is set',
    plant: { TWILIO_VOICE_FROM: '', TWILIO_VERIFY_SERVICE_SID: '' },
    finds: warn(
      'twilio.voice',
      'Skipped: TWILIO_VOICE_FROM is not set.',
      'Set it if codes should also go out as voice calls.',
    ),
  },
  {
    what: 'that no WhatsApp sender is set',
    plant: { TWILIO_SANDBOX_NUMBER: '' },
    finds: warn(
      'twilio.whatsapp',
      'Skipped: no WhatsApp sender is set. Users who opted in get an SMS.',
      'Set TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE, or for a trial TWILIO_SANDBOX_NUMBER.',
    ),
  },
  {
    what: 'an alphanumeric SMS sender',
    plant: { TWILIO_SMS_FROM: 'ACME' },
    finds: ok(
      'twilio.sms',
      'TWILIO_SMS_FROM is an alphanumeric sender: many countries require its registration, and the US and Canada allow none.',
    ),
  },
  {
    what: 'numbers of the account that it may not read',
    plant: ({ twilio }) => {
      refuse(twilio, 'IncomingPhoneNumbers', 401);
    },
    finds: [
      fail(
        'twilio.sms',
        'The numbers of the account cannot be read: Twilio does not accept the credentials (HTTP_401).',
        'Check it in the Twilio Console, and check whether the API key is a restricted one that may not read it.',
      ),
      fail(
        'twilio.voice',
        'The numbers of the account cannot be read: Twilio does not accept the credentials (HTTP_401).',
        'Check it in the Twilio Console, and check whether the API key is a restricted one that may not read it.',
      ),
    ],
  },
  ...[
    warn(
      'twilio.sms',
      'The Messaging Service in TWILIO_SMS_FROM has no number: it can send only by a short code or an alphanumeric sender.',
      'Add senders to its pool: Twilio Console, Messaging > Services.',
    ),
    ok('twilio.sms', 'The Messaging Service in TWILIO_SMS_FROM has 1 number.'),
    ok('twilio.sms', 'The Messaging Service in TWILIO_SMS_FROM has 2 numbers.'),
  ].map((finds, count): Misconfiguration => ({
    what: `a Messaging Service with ${count} numbers`,
    plant: ({ twilio }) => {
      const body = { phone_numbers: Array.from({ length: count }, () => ({})) };
      twilio.fault({
        fault: { kind: 'status', status: 200, body },
        match: ({ path }) => path.includes('/PhoneNumbers'),
      });
      return { TWILIO_SMS_FROM: twilio.messagingServiceSid };
    },
    finds,
  })),
  {
    what: 'a Messaging Service whose numbers it may not read',
    plant: ({ twilio }) => {
      refuse(twilio, '/PhoneNumbers', 403);
      return { TWILIO_SMS_FROM: twilio.messagingServiceSid };
    },
    finds: fail(
      'twilio.sms',
      'The senders of the Messaging Service cannot be read: Refused by the provider (HTTP_403).',
      'Check it in the Twilio Console, and check whether the API key is a restricted one that may not read it.',
    ),
  },
  {
    what: 'a Messaging Service that it may not read',
    plant: ({ twilio }) => {
      refuse(twilio, '/v1/Services/', 403);
      return { TWILIO_SMS_FROM: twilio.messagingServiceSid };
    },
    finds: fail(
      'twilio.sms',
      'The Messaging Service cannot be read: Refused by the provider (HTTP_403).',
      'Check it in the Twilio Console, and check whether the API key is a restricted one that may not read it.',
    ),
  },
  {
    what: 'nothing wrong with an approved authentication template',
    plant: withTemplate({ language: 'pt_BR' }),
    finds: [
      SENDER_UNSEEN,
      ok(
        'twilio.template',
        'The template is an approved authentication template with one variable, in pt_BR.',
      ),
    ],
  },
  {
    what: 'a template whose only variable has another name',
    plant: withTemplate({ variables: { code: '123456' } }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        'The template has the variables code: the gateway sets only {{1}}, the code.',
        'Make one of the type whatsapp/authentication: it has that one variable.',
      ),
    ],
  },
  {
    what: 'nothing wrong with a template without a variable',
    plant: withTemplate({ variables: {} }),
    finds: [
      SENDER_UNSEEN,
      ok('twilio.template', 'The template is an approved authentication template with one variable, in en.'),
    ],
  },
  {
    what: 'a template of another type',
    plant: withTemplate({ types: { 'twilio/text': { body: '{{1}}' } } }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        'The template has the category AUTHENTICATION and the type twilio/text: WhatsApp allows codes in authentication templates only.',
        'Make one of the type whatsapp/authentication in the category Authentication, and submit it for approval.',
      ),
    ],
  },
  {
    what: 'a template whose approval it may not read',
    plant: (scene) => {
      refuse(scene.twilio, 'ApprovalRequests', 403);
      return withTemplate({})(scene);
    },
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        'The approval of the template cannot be read: Refused by the provider (HTTP_403).',
        'Check it in the Twilio Console, and check whether the API key is a restricted one that may not read it.',
      ),
    ],
  },
  {
    what: 'a template that Twilio fails to return',
    plant: (scene) => {
      refuse(scene.twilio, '/v1/Content/', 500);
      return withTemplate({})(scene);
    },
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        'The template cannot be read: The provider is not available (HTTP_500).',
        'Check status.twilio.com. It may be temporary.',
      ),
    ],
  },
  {
    what: 'a template without a sender',
    plant: () => ({ TWILIO_SANDBOX_NUMBER: '', TWILIO_WHATSAPP_TEMPLATE: `HX${'0'.repeat(32)}` }),
    finds: [
      CALLBACKS_UNTRIED,
      fail(
        'twilio.variables',
        'TWILIO_WHATSAPP_FROM is missing: the approved sender of TWILIO_WHATSAPP_TEMPLATE.',
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
    ],
    unseen: 7,
  },
  {
    what: "a Verify service that is not the account's",
    plant: () => ({ TWILIO_VERIFY_SERVICE_SID: `VA${'0'.repeat(32)}` }),
    finds: fail(
      'twilio.verify',
      'The Verify service in TWILIO_VERIFY_SERVICE_SID does not belong to the account.',
      'Copy its SID again: Twilio Console, Verify > Services.',
    ),
  },
  {
    what: 'a Verify service that it may not read',
    plant: ({ twilio }) => {
      refuse(twilio, '/v2/Services/', 403);
    },
    finds: fail(
      'twilio.verify',
      'The Verify service cannot be read: Refused by the provider (HTTP_403).',
      'Check it in the Twilio Console, and check whether the API key is a restricted one that may not read it.',
    ),
  },
  {
    what: 'a Redis without an encryption key',
    plant: { REDIS_URL: 'redis://127.0.0.1:1' },
    finds: fail(
      'redis.variables',
      'STATE_ENCRYPTION_KEY is missing: what REDIS_URL keeps is sealed with it: openssl rand -base64 32.',
      'Set it in the environment, or in a file that --env names, as the gateway has it.',
    ),
    unseen: 8,
  },
  {
    what: 'two proxies in the environment',
    plant: {
      HTTP_PROXY: 'http://proxy.acme.example:3128',
      all_proxy: 'http://proxy.acme.example:3128',
    },
    finds: warn(
      'machine.proxy',
      'HTTP_PROXY, ALL_PROXY is set, but neither the gateway nor this command uses it.',
      "If calls must go through a proxy, set the hook's option dispatcher (undici's ProxyAgent). Otherwise ignore this.",
    ),
  },
  {
    what: 'nothing wrong if Node checks certificates',
    plant: { NODE_TLS_REJECT_UNAUTHORIZED: '1' },
    finds: ok('machine.tls', "Node checks servers' certificates."),
  },
  {
    what: 'a service app with every scope that can change the org',
    plant: (scene) => grant(scene, [...READ_SCOPES, ...MANAGED.map((what) => `okta.${what}.manage`)]),
    finds: warn(
      'okta.privileges',
      `The service app has ${MANAGED.map((what) => `okta.${what}.manage`).join(', ')}, which no gateway needs.`,
      LEAST,
    ),
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
    finds: fail(
      'okta.privileges',
      "Okta's token endpoint answered 500",
      'Check status.okta.com, and proxies on the way. It may end by itself, and codes go out meanwhile.',
    ),
  },
  ...[['READ_ONLY_ADMIN'], ['REPORT_ADMIN', 'READ_ONLY_ADMIN']].map((roles): Misconfiguration => ({
    what: `nothing wrong with an API token of ${roles.join(' and ')}`,
    plant: ({ okta }) =>
      byRoles(
        okta,
        roles.map((type) => ({ type })),
      ),
    finds: ok('okta.privileges', `The API token has the role ${roles.join(', ')}.`),
  })),
  {
    what: 'an API token with strong roles among others',
    plant: ({ okta }) =>
      byRoles(
        okta,
        ['CUSTOM', 'ORG_ADMIN', 'READ_ONLY_ADMIN', 'APP_ADMIN'].map((type) => ({ type })),
      ),
    finds: warn(
      'okta.privileges',
      'The API token has the role ORG_ADMIN, APP_ADMIN: more than a gateway needs.',
      LEAST,
    ),
  },
  {
    what: 'an API token that may not read its own roles',
    plant: ({ okta }) => {
      const apiToken = okta.addApiToken(['READ_ONLY_ADMIN']);
      mustNotShow(apiToken);
      return { OKTA_API_TOKEN: apiToken, OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '' };
    },
    finds: [
      warn(
        'okta.privileges',
        "The API token may not read its own roles, so it is not a super administrator's. Its other rights are unknown.",
        'Check its roles in Okta: Security > Administrators. A gateway only needs to read users.',
      ),
      ATTRIBUTE_HIDDEN,
      warn(
        'okta.hook',
        'The telephony hook cannot be read with this credential.',
        'Run this with the credential of an administrator who has a custom administrator role with okta.inlinehooks.read (or Super Administrator); a service app also needs okta.inlineHooks.read.',
      ),
      warn(
        'okta.event-hook',
        'The event hook cannot be read with this credential.',
        'Run this with the credential of an administrator who has a custom administrator role with okta.eventhooks.read (or Super Administrator); a service app also needs okta.eventHooks.read.',
      ),
    ],
  },
  ...[{}, { 'x-rate-limit-limit': '0', 'x-rate-limit-remaining': '0' }, { 'x-rate-limit-limit': '100' }].map(
    (headers): Misconfiguration => ({
      what: `that Okta reports no rate limit in ${JSON.stringify(headers)}`,
      plant: ({ okta }) => {
        answerOf(okta, '/users/00u00000000000000000', {}, headers);
      },
      finds: ok('okta.rate-limit', 'Okta reports no rate limit.'),
    }),
  ),
  ...(
    [
      ['9', true],
      ['10', false],
    ] as const
  ).map(([remaining, isLow]): Misconfiguration => ({
    what: `a rate limit of which ${remaining} % are left`,
    plant: ({ okta }) => {
      answerOf(
        okta,
        '/users/00u00000000000000000',
        {},
        { 'x-rate-limit-limit': '100', 'x-rate-limit-remaining': remaining },
      );
    },
    finds: isLow
      ? warn(
          'okta.rate-limit',
          `${remaining} % of 100 reads of users are left in this minute: below 10 % the gateway reads no profiles, and sends no WhatsApp messages.`,
          'Find out what uses the limit (Okta: Reports > Rate Limits), and raise the share of the token or the app (Security > API).',
        )
      : ok('okta.rate-limit', `${remaining} % of 100 reads of users are left in this minute.`),
  })),
  {
    what: 'an attribute of channel names that users may change, and the number of users with a value',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.setAttribute('whatsAppOptIn', null);
      okta.setAttribute('whatsAppOptIn', {
        title: 'Ours',
        type: 'string',
        permissions: [{ principal: 'SELF', action: 'READ_WRITE' }],
      });
      okta.addUser({ login: 'cleo@example.com', profile: { whatsAppOptIn: 'whatsapp' } });
    },
    finds: [
      warn(
        'okta.attribute',
        'whatsAppOptIn is of the type string, and users may change it: a user has opted in only if it has the name of a channel.',
        'Check that its values are names in optInChannels, such as whatsapp, or set OPT_IN_ATTRIBUTE to a boolean (okta-telephony-hook setup attribute).',
      ),
      ok('okta.opted-in', '1 active user has a value in whatsAppOptIn.'),
    ],
  },
  {
    what: 'how many users have opted in',
    hasOwnWard: true,
    plant: ({ okta }) => {
      okta.addUser({ login: 'cleo@example.com', profile: { whatsAppOptIn: true } });
    },
    finds: ok('okta.opted-in', '2 active users have opted in.'),
  },
  {
    what: 'more opted-in users than it counts',
    plant: ({ okta }) => {
      const link = `<${okta.orgUrl}/api/v1/users?after=1>; rel="next"`;
      answerOf(okta, '/api/v1/users?', [{}], { link });
    },
    finds: ok('okta.opted-in', 'More than 4 active users have opted in.'),
  },
  {
    what: 'a user schema that Okta fails to return',
    plant: ({ okta }) => {
      failOf(okta, '/meta/schemas', 500);
      return { UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone' };
    },
    finds: [
      fail(
        'okta.attribute',
        "Okta's API answered 500.",
        'Check status.okta.com, and proxies on the way. It may end by itself, and codes go out meanwhile.',
      ),
      fail(
        'okta.unverified-phone',
        "Okta's API answered 500.",
        'Check status.okta.com, and proxies on the way. It may end by itself, and codes go out meanwhile.',
      ),
    ],
  },
  {
    what: 'a user schema that it may not read',
    plant: ({ okta }) => {
      failOf(okta, '/meta/schemas', 403);
      return { UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone' };
    },
    finds: [ATTRIBUTE_HIDDEN, warn('okta.unverified-phone', ...UNREADABLE_ATTRIBUTE)],
  },
  {
    what: 'that no user has opted in, if it may not read whether the attribute exists',
    plant: ({ okta }) => {
      failOf(okta, '/meta/schemas', 403);
      return { OPT_IN_ATTRIBUTE: 'whatsAppOptin' };
    },
    finds: [
      ATTRIBUTE_HIDDEN,
      warn(
        'okta.opted-in',
        'No active user has opted in: every code goes by SMS or as a call.',
        'Check the spelling of whatsAppOptin first: this credential cannot show whether the attribute exists. Then set it to true for yourself: Okta, Directory > People > you > Profile.',
      ),
    ],
  },
  {
    what: 'that it may not count the users who have opted in',
    plant: ({ okta }) => {
      failOf(okta, '/api/v1/users?search', 403);
    },
    finds: warn(
      'okta.opted-in',
      'Who has opted in cannot be read with this credential.',
      'Run this with the credential of an administrator who has the role Read-Only Administrator; a service app also needs okta.users.read.',
    ),
  },
  {
    what: "another vendor's inactive hook beside the active hook",
    plant: async ({ okta }) => {
      const hook = { ...telephonyHook('https://otp.vendor.example/hook'), status: 'INACTIVE' };
      const { list } = await callApi(okta, 'GET', '/api/v1/inlineHooks?type=com.okta.telephony.provider');
      answerOf(okta, '/api/v1/inlineHooks?', [...list, { ...list[0], ...hook, id: 'calothers00000000001' }]);
    },
    finds: ok(
      'okta.hook',
      'The telephony hook is active, and its URL is PUBLIC_URL. Not changed: "Codes" (HOOK_ID, inactive, otp.vendor.example).',
    ),
  },
  {
    what: 'two event hooks with the same URL',
    plant: async ({ okta }) => {
      const { list } = await callApi(okta, 'GET', '/api/v1/eventHooks');
      answerOf(okta, '/api/v1/eventHooks', [...list, { ...list[0], id: 'whosecond00000000001' }]);
    },
    finds: warn(
      'okta.event-hook',
      'A second event hook of the same URL: "Telephony gateway: codes that were used" (HOOK_ID, active, HOST). Deactivate and delete it.',
      'Until then the gateway gets every event twice.',
    ),
  },
  {
    what: 'a secret of less than 16 characters',
    plant: gateway({}, { HOOK_SECRET: 'fifteen-letters' }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      warn(
        'hook.secret',
        'The gateway accepts HOOK_SECRET, whose secret or password has less than 16 characters and can be guessed.',
        'Make another: openssl rand -hex 32. Give it to the gateway first, beside the previous one, then to Okta: okta-telephony-hook setup hook --rotate.',
      ),
    ],
  },
  {
    what: 'nothing wrong with a secret of sixteen characters',
    plant: gateway({}, { HOOK_SECRET: 'sixteen-letters-' }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      ok(
        'hook.secret',
        'The gateway accepts HOOK_SECRET in the header Authorization. Okta shows its own secret to no one; preview shows whether it fits.',
      ),
    ],
  },
  {
    what: 'a hook that fails on calls with the secret',
    plant: gateway({ proven: [500, ''], 'events-proven': [0] }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.secret',
        'The gateway at HOST answered 500: that is no telephony hook of this package.',
        "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.",
      ),
      fail(
        'hook.event-secret',
        'The gateway at HOST could not be reached from here (UND_ERR_SOCKET).',
        "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.",
      ),
    ],
  },
  {
    what: 'an answer with a wrong challenge',
    plant: gateway({ events: [200, '{"verification":"another"}'] }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.events',
        'PUBLIC_URL + /events answered 200, and not with the challenge: Okta could not verify the event hook.',
        'Check that a proxy in between passes on every request below the path, also GET, with the header X-Okta-Verification-Challenge.',
      ),
    ],
  },
  {
    what: 'an answer with the challenge and a status other than 200',
    plant: gateway({ events: [201, '{"verification":"CHALLENGE"}'] }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.events',
        'PUBLIC_URL + /events answered 201, and not with the challenge: Okta could not verify the event hook.',
        'Check that a proxy in between passes on every request below the path, also GET, with the header X-Okta-Verification-Challenge.',
      ),
    ],
  },
  {
    what: 'a reset connection instead of the challenge',
    plant: gateway({ events: [0] }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.events',
        'PUBLIC_URL + /events did not answer (UND_ERR_SOCKET), and not with the challenge: Okta could not verify the event hook.',
        'Check that a proxy in between passes on every request below the path, also GET, with the header X-Okta-Verification-Challenge.',
      ),
    ],
  },
  {
    what: 'a gateway without a route for callbacks',
    plant: gateway({ unsigned: [404] }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.callbacks',
        "The gateway has no route for Twilio's callbacks: it learns of a failure after acceptance late or never.",
        'Give the gateway PUBLIC_URL and TWILIO_AUTH_TOKEN (options publicUrl and credentials.twilio.authToken). Check that a proxy passes on every request below the path.',
      ),
    ],
  },
  {
    what: 'a gateway that accepts callbacks without a signature',
    plant: gateway({ unsigned: [204] }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.callbacks',
        'PUBLIC_URL + /twilio/status answered 204 to a callback without a signature, instead of 403.',
        "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.",
      ),
    ],
  },
  {
    what: 'a gateway that resets the connection of callbacks',
    plant: gateway({ unsigned: [0] }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      fail(
        'hook.callbacks',
        'PUBLIC_URL + /twilio/status answered UND_ERR_SOCKET to a callback without a signature, instead of 403.',
        "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.",
      ),
    ],
  },
  {
    what: 'a gateway that fails on signed callbacks',
    plant: gateway({ signed: [500] }),
    finds: [
      ANOTHER_HOOK,
      NO_EVENT_HOOK,
      ok(
        'hook.secret',
        'The gateway accepts HOOK_SECRET in the header Authorization. Okta shows its own secret to no one; preview shows whether it fits.',
      ),
      ok('hook.events', 'PUBLIC_URL + /events returns the challenge with which Okta verifies an event hook.'),
      ok('hook.event-secret', 'The gateway accepts HOOK_SECRET from the event hook.'),
      fail(
        'hook.callbacks',
        'The gateway answered 500 to a callback signed with TWILIO_AUTH_TOKEN for PUBLIC_URL, instead of 204: it has another URL or token, or a proxy changes the path or the query.',
        "Give the gateway exactly the same PUBLIC_URL, and the account's primary auth token. Check that a proxy in between passes on path and query unchanged.",
      ),
    ],
  },
  {
    what: 'an account that Twilio fails to return',
    plant: ({ twilio }) => {
      answerOwner(twilio, 500, {});
    },
    finds: [
      fail(
        'twilio.auth-token',
        'The account cannot be read: The provider is not available (HTTP_500).',
        'Check status.twilio.com. It may be temporary.',
      ),
      ACCOUNT_UNSEEN,
    ],
  },
  {
    what: 'an auth token that Twilio refuses',
    plant: ({ twilio }) => {
      answerOwner(twilio, 403, {});
    },
    finds: [
      fail(
        'twilio.auth-token',
        'TWILIO_AUTH_TOKEN does not belong to the account: Refused by the provider (HTTP_403). The gateway would refuse every callback.',
        'Copy the primary auth token again: Twilio Console, Account > API keys & tokens.',
      ),
      ACCOUNT_UNSEEN,
    ],
  },
  {
    what: 'an account in an unknown state',
    plant: ({ twilio }) => {
      answerOwner(twilio, 200, {});
    },
    finds: fail(
      'twilio.account',
      'The account is in an unknown state: it sends nothing.',
      'Read the notices in the Twilio Console, and contact its support.',
    ),
  },
  {
    what: 'a Twilio that resets the connection',
    plant: ({ twilio }) => {
      twilio.fault({ fault: { kind: 'reset' }, match: ({ path }) => path.includes('Balance') });
    },
    finds: fail(
      'twilio.balance',
      'Twilio could not be reached: ECONNRESET.',
      'Check that it runs, and that this machine may reach it: egress, DNS, TLS, a proxy.',
    ),
  },
  {
    what: 'a Verify service that Twilio fails to return',
    plant: ({ twilio }) => {
      refuse(twilio, '/v2/Services/', 500);
    },
    finds: fail(
      'twilio.verify',
      'The Verify service cannot be read: The provider is not available (HTTP_500).',
      'Check status.twilio.com. It may be temporary.',
    ),
  },
  {
    what: 'a template in an unknown state',
    plant: oddTemplate({ status: 'very odd!' }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        "The template's status at WhatsApp is unknown: codes that use it do not arrive.",
        'Look up the reason in Content Template Builder and in WhatsApp Manager at Meta. If it was rejected, make another one.',
      ),
    ],
  },
  {
    what: 'a template of an unknown category and type',
    plant: oddTemplate({ status: 'approved', category: 'a b' }, { types: {} }),
    finds: [
      SENDER_UNSEEN,
      fail(
        'twilio.template',
        'The template has the category unknown and the type unknown: WhatsApp allows codes in authentication templates only.',
        'Make one of the type whatsapp/authentication in the category Authentication, and submit it for approval.',
      ),
    ],
  },
  {
    what: 'nothing wrong with a template of two types in an unknown language',
    plant: withTemplate({
      language: 'x'.repeat(41),
      types: { 'twilio/text': {}, 'whatsapp/authentication': {} },
    }),
    finds: [
      SENDER_UNSEEN,
      ok(
        'twilio.template',
        'The template is an approved authentication template with one variable, in unknown.',
      ),
    ],
  },
  {
    what: 'an API key secret without the SID',
    plant: { TWILIO_API_KEY_SID: '' },
    finds: [
      CALLBACKS_UNTRIED,
      fail(
        'twilio.variables',
        "TWILIO_API_KEY_SID is missing: the API key's; in place of a key TWILIO_AUTH_TOKEN will do.",
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
    ],
    unseen: 7,
  },
  {
    what: 'that neither an API key nor an auth token is set',
    plant: { TWILIO_API_KEY_SID: '', TWILIO_API_KEY_SECRET: '', TWILIO_AUTH_TOKEN: '' },
    finds: [
      CALLBACKS_UNTRIED,
      fail(
        'twilio.variables',
        'TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are missing; in their place TWILIO_AUTH_TOKEN will do.',
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
    ],
    unseen: 7,
  },
  {
    what: 'a WhatsApp sender without its template',
    plant: { TWILIO_SANDBOX_NUMBER: '', TWILIO_WHATSAPP_FROM: '+14155550102' },
    finds: [
      CALLBACKS_UNTRIED,
      fail(
        'twilio.variables',
        'TWILIO_WHATSAPP_TEMPLATE is missing: the Content SID of the authentication template.',
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
    ],
    unseen: 7,
  },
  {
    what: 'a key id without the other variables of a service app',
    plant: { OKTA_API_TOKEN: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: 'key-1' },
    finds: [
      fail(
        'okta.variables',
        'OKTA_CLIENT_ID is missing: the client id of the service app; OKTA_PRIVATE_KEY is missing: the private key of the service app, a PEM or a JWK.',
        'Set it in the environment, or in a file that --env names, as the gateway has it.',
      ),
      HERE,
      warn(
        'machine.clock',
        'The clock was not compared, because Okta did not answer.',
        'See okta.variables.',
      ),
    ],
    unseen: 10,
  },
  {
    what: 'a Redis that is not reachable, with two encryption keys',
    plant: {
      REDIS_URL: 'redis://127.0.0.1:9',
      STATE_ENCRYPTION_KEY: [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')).join(' , '),
    },
    finds: [
      ok('redis.variables', 'Set.'),
      ok('redis.libraries', 'ioredis is installed.'),
      fail(
        'redis.reached',
        'Redis cannot be used: nothing listens there (ECONNREFUSED).',
        'Start Redis, or correct the host and the port in REDIS_URL.',
      ),
    ],
    unseen: 6,
  },
];
