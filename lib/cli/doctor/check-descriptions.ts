/** What each check of doctor looks at, by its side and its name: the reference page is made of it. */
export const CHECK_DESCRIPTIONS: Readonly<
  Record<string, { readonly title: string; readonly checks: Readonly<Record<string, string>> }>
> = {
  okta: {
    title: 'Okta',
    checks: {
      variables: 'The variables of the org and its credential are set and well-formed.',
      org: 'The org answers over valid TLS.',
      engine: 'The org has Identity Engine.',
      credential: 'Okta accepts the credential, which may read users.',
      privileges:
        'The credential cannot change the org. A service app is tested for 28 scopes. A custom role, or a role that Okta does not show, is a warning.',
      'rate-limit': 'How many reads of users are left in this minute.',
      attribute:
        'The opt-in attribute is a boolean without a default, mastered by Okta, that users may change. A string or an array of channel names is a warning. With LINE and without WhatsApp it must be one of these.',
      'opted-in': 'How many active users have opted in, counted up to 200.',
      'unverified-phone':
        'The attribute whose number replaces the enrolled one is a string that users may not change.',
      'line-user-id': 'With LINE: the attribute with the user id is a string that users may not change.',
      'phone-authenticator': 'The phone authenticator is active, and a policy allows it.',
      hook: 'The telephony hook is active, with PUBLIC_URL and the same authentication as here.',
      'native-telephony': 'The org has no telephony provider beside the hook.',
      'event-hook': 'The event hook is active and verified, and has its events.',
    },
  },
  hook: {
    title: 'The gateway',
    checks: {
      variables: 'PUBLIC_URL and HOOK_SECRET (or the variables of OAuth) are set and well-formed.',
      answers: 'The gateway refuses a caller without authentication.',
      secret: 'The gateway accepts HOOK_SECRET, or the token of the authorization server.',
      time: "How much of Okta's 3 s the answer takes.",
      events: "The challenge of Okta's event hook comes back.",
      'event-secret': 'The event hook accepts HOOK_SECRET, too.',
      callbacks:
        'A callback without a signature is refused. A callback signed with TWILIO_AUTH_TOKEN for PUBLIC_URL is accepted.',
    },
  },
  way: {
    title: 'The network to the gateway',
    checks: {
      url: 'PUBLIC_URL is HTTPS.',
      name: 'Its name resolves to a public address.',
      tls: 'Its certificate is trusted, complete, for this name, and does not expire soon.',
      redirect: 'The gateway answers without a redirect.',
    },
  },
  twilio: {
    title: 'Twilio',
    checks: {
      variables:
        'The variables of Twilio are set and well-formed. Without Twilio: another provider sends SMS.',
      credential: 'Twilio accepts the credential, which is an API key and not the auth token.',
      'auth-token': 'The auth token belongs to the account.',
      account: 'The account is active, and not a trial.',
      balance: 'The account has money.',
      sms: 'The sender belongs to the account and may send SMS. A Messaging Service has numbers.',
      voice: 'The number belongs to the account and may call. A verified caller ID is enough.',
      whatsapp: 'The sandbox. doctor cannot check an approved sender, which is a warning.',
      template: 'The template is approved, of the category Authentication, with one variable.',
      verify: 'The Verify service accepts custom codes.',
    },
  },
  vonage: {
    title: 'Vonage, if it is set',
    checks: {
      variables: 'The variables of Vonage are well-formed.',
      sms: 'Vonage accepts the credentials for SMS.',
      whatsapp: 'Vonage accepts the credentials for WhatsApp.',
    },
  },
  line: {
    title: 'LINE, if it is set',
    checks: {
      variables: 'The variables of LINE are well-formed.',
      line: 'LINE accepts the token.',
    },
  },
  redis: {
    title: 'Redis',
    checks: {
      variables: 'REDIS_URL and STATE_ENCRYPTION_KEY are well-formed.',
      libraries: 'ioredis is installed.',
      reached: 'Redis answers in time, and is not a replica.',
      writes:
        "Redis accepts the writes for codes. A refused write for the console's history or for lateFailover.afterSeconds is a warning.",
      version: 'The version of Redis is new enough.',
      eviction: 'maxmemory-policy is noeviction.',
      memory: 'Redis has free memory.',
      persistence: 'Redis has AOF or a replica.',
      keys: 'No gateway has another STATE_ENCRYPTION_KEY.',
    },
  },
  machine: {
    title: 'This machine',
    checks: {
      node: 'The version of Node.js is supported.',
      clock: "The clock agrees with Okta's.",
      proxy: 'Proxies in the environment, which the middleware does not use.',
      tls: 'Node.js checks certificates.',
      file: 'Values in the --env file that docker reads differently.',
    },
  },
};
