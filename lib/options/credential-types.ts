/** The types of `credentials`. */

/** How Okta proves that it is the caller. */
export type HookCredential =
  | {
      /** A shared secret in a header. */
      readonly scheme: 'header';
      /** The header: Okta's "Authentication field". Default `Authorization`. */
      readonly name?: string | undefined;
      /** The whole value of the header, as typed into Okta. During a rotation also the previous one. */
      readonly secrets: readonly string[];
    }
  | {
      /** HTTP Basic: Okta sends it as the value of the header. */
      readonly scheme: 'basic';
      /** Each of them may call. */
      readonly users: readonly {
        /** Without a colon. Compared in constant time, like the password. */
        readonly username: string;
        /** Below 16 characters the hook logs a warning. */
        readonly password: string;
      }[];
    }
  | {
      /** Access tokens (RS256) that Okta gets from a custom authorization server by client credentials. */
      readonly scheme: 'oauth2';
      /** E.g. `https://acme.okta.com/oauth2/default`. https, or http on loopback. */
      readonly issuer: string;
      /** The audience of the authorization server. The token's `aud` must contain it. */
      readonly audience: string;
      /** The client id of Okta. The token's `cid` must equal it. */
      readonly clientId: string;
      /** The scope of the hook. The token's `scp` must contain it. */
      readonly scope: string;
      /** The URL of the keys. Default: the issuer + `/v1/keys`. */
      readonly jwksUri?: string | undefined;
    };

/** How Okta's event hook proves itself. Event hooks do not support OAuth. */
export type EventHookCredential = Exclude<HookCredential, { readonly scheme: 'oauth2' }>;

/** The credential for Okta's API: an API token, or a service app. */
export type OktaCredential =
  | {
      /** The origin of the org, e.g. `https://acme.okta.com`. https, or http on loopback. */
      readonly orgUrl: string;
      /** Of an administrator who may read users. It needs no other permission. */
      readonly apiToken: string;
      readonly clientId?: undefined;
      readonly privateKey?: undefined;
      readonly keyId?: undefined;
    }
  | {
      /** The origin of the org. */
      readonly orgUrl: string;
      /** A service app with the scope `okta.users.read` and an administrator role that may read users. The hook uses DPoP if the org requires it. */
      readonly clientId: string;
      /** The private key of the app (RSA of 2048 bits or more, or EC): PEM, a JWK object, or its JSON. */
      readonly privateKey: string | Readonly<Record<string, unknown>>;
      /** The id of the key at Okta. Default: the `kid` of the JWK, else none. */
      readonly keyId?: string | undefined;
      readonly apiToken?: undefined;
    };

/** The account, and the host of Twilio's API. */
interface TwilioPlace {
  /** `AC…` */
  readonly accountSid: string;
  /** E.g. `ie1`. Needs credentials of that region. Default: Twilio's own. */
  readonly region?: string | undefined;
  /** E.g. `dublin`. Default: Twilio's own. */
  readonly edge?: string | undefined;
  /** One origin for every Twilio product, e.g. an emulator. https, or http on loopback. Default: Twilio's hosts. */
  readonly baseUrl?: string | undefined;
}

/** The credential for Twilio's API. Use an API key in production, not the account's auth token. */
export type TwilioCredential =
  | (TwilioPlace & {
      /** `SK…` */
      readonly apiKeySid: string;
      /** Twilio shows it once, when the key is created. */
      readonly apiKeySecret: string;
      /** Checks the signatures of Twilio's callbacks, and nothing else. During a rotation also the next one. */
      readonly authToken?: string | readonly [current: string, next: string] | undefined;
    })
  | (TwilioPlace & {
      /** Full access to the account. Checks the signatures of callbacks, too. */
      readonly authToken: string | readonly [current: string, next: string];
      readonly apiKeySid?: undefined;
      readonly apiKeySecret?: undefined;
    });
