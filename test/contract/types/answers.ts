import type { TelephonyRequest, UserProfile } from '../../../lib/core/channel.js';
import type { Decision } from '../../../lib/okta/hook-answer.js';
import type { components as Okta } from './generated/okta_management.js';
import type { components as Twilio } from './generated/twilio_api_v2010.js';

/**
 * Compares what lib/ expects in the vendors' answers with the types generated from their documents. lib/ reads answers
 * by name, because received data has no trusted type: this file lists the names. Nothing here runs; it only compiles or
 * not.
 */

type IsAny<T> = 0 extends 1 & T ? true : false;
/** Whether all values that the document allows fit our type. A type that was not generated fits no type. */
type Fits<Theirs, Ours> = IsAny<Theirs> extends true ? false : [Theirs] extends [Ours] ? true : false;
type Holds<Claim extends true> = Claim;
type Fails<Claim extends false> = Claim;

/** What lib/okta/user-profile.ts and sample-call.ts read of a user. */
interface ReadOfUser {
  readonly id?: string;
  readonly status?: string;
  readonly profile?: ReadOfProfile;
}
interface ReadOfProfile {
  readonly login?: string;
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly preferredLanguage?: string | null;
  readonly locale?: string;
  readonly mobilePhone?: string | null;
}

/** What lib/console/sample-call.ts reads of a factor, and of the phone of one. */
interface ReadOfFactor {
  readonly factorType?: string;
  readonly status?: string;
  readonly profile?: object;
}
interface ReadOfPhone {
  readonly phoneNumber?: string;
}

/** What lib/console/reaction.ts reads of a hook's answer. */
interface ReadOfAnswer {
  readonly commands?: readonly ReadOfCommand[];
}
interface ReadOfCommand {
  readonly type?: string;
  readonly value?: readonly { readonly status?: string }[];
}

/** What lib/okta/api-error.ts reads of a refusal. */
interface ReadOfOktaError {
  readonly errorCode?: string;
  readonly errorSummary?: string;
  readonly errorCauses?: { readonly errorSummary?: string }[];
}

/** What lib/cli/admin/opt-in-attribute.ts reads of the schema of users. */
interface ReadOfSchema {
  readonly definitions?: {
    readonly base?: { readonly properties?: object };
    readonly custom?: { readonly properties?: Readonly<Record<string, ReadOfAttribute>> };
  };
}
interface ReadOfAttribute {
  readonly title?: string;
  readonly type?: string;
  readonly scope?: string;
  readonly mutability?: string;
  readonly permissions?: ReadOfPermission[] | null;
  readonly master?: { readonly type?: string } | null;
  readonly default?: unknown;
}
interface ReadOfPermission {
  readonly principal?: string;
  readonly action?: string;
}

/** What lib/cli/admin/hook-resource.ts reads of an inline hook and of an event hook, and event-hook-setup.ts of that. */
interface ReadOfHook {
  readonly id?: string;
  readonly name?: string;
  readonly status?: string;
  readonly channel?: object;
}
interface ReadOfHookChannel {
  readonly config?: ReadOfHookConfig;
}
interface ReadOfHookConfig {
  readonly uri?: string;
  readonly headers?: readonly unknown[];
  readonly authScheme?: { readonly key?: string } | null;
}
interface ReadOfOAuthConfig {
  readonly clientId?: string;
  readonly tokenUrl?: string;
  readonly scope?: string;
  readonly hookKeyId?: string;
}
interface ReadOfEventHook extends ReadOfHook {
  readonly verificationStatus?: string;
  readonly description?: string | null;
  readonly events?: ReadOfSubscriptions;
}
interface ReadOfSubscriptions {
  readonly items?: readonly string[];
  readonly filter?: object | null;
}

/** What lib/cli/admin/telephony-hook-setup.ts reads of a provider of the org's own. */
interface ReadOfProvider {
  readonly enabled?: boolean;
  readonly providerName?: string;
}

/** What lib/channels/twilio/outcome.ts reads of a message or a call that was accepted. */
interface ReadOfAccepted {
  readonly sid?: string | null;
  readonly status?: string;
}
interface ReadOfMessage extends ReadOfAccepted {
  readonly error_code?: number | null;
}

/** What lib/okta/inline-hook.ts reads of a call of the hook. It makes a `TelephonyRequest` of it. */
interface ReadOfHookCall {
  readonly eventId?: TelephonyRequest['eventId'];
  readonly eventTime?: string;
  readonly source?: string;
  readonly requestType?: TelephonyRequest['requestType'];
  readonly data?: {
    readonly context?: { readonly request?: ReadOfContext };
    readonly messageProfile?: ReadOfMessageProfile;
    readonly userProfile?: ReadOfUserProfile;
  };
}
interface ReadOfContext {
  readonly id?: TelephonyRequest['oktaRequestId'];
  readonly ipAddress?: TelephonyRequest['ipAddress'];
  readonly url?: { readonly value?: string };
}
type ReadOfMessageProfile = {
  readonly [Name in 'phoneNumber' | 'otpCode' | 'msgTemplate' | 'locale']?: TelephonyRequest[Name];
} & { readonly otpExpires?: string; readonly deliveryChannel?: string };
type ReadOfUserProfile = {
  readonly [Name in 'userId' | 'login' | 'firstName' | 'lastName']?: TelephonyRequest[Name];
};

type OktaSchemas = Okta['schemas'];
type HookCall = OktaSchemas['InlineHookBasePayload'] & OktaSchemas['TelephonyRequest'];
type Value<List> = List extends readonly (infer Item)[] ? Item : never;
type HookCommand = NonNullable<Value<NonNullable<OktaSchemas['TelephonyResponse']['commands']>>>;
type HookStatus = NonNullable<Value<NonNullable<HookCommand['value']>>['status']>;

type OAuthConfig = OktaSchemas['InlineHookOAuthPrivateKeyJwtConfig'];
type Provider = Value<OktaSchemas['CustomTelephonyProviderCredentialsResponse']>;

type TwilioSchemas = Twilio['schemas'];
type MessageResource = TwilioSchemas['api.v2010.account.message'];
type CallResource = TwilioSchemas['api.v2010.account.call'];

export type Claims = [
  Holds<Fits<OktaSchemas['UserGetSingleton'], ReadOfUser>>,
  Holds<Fits<NonNullable<OktaSchemas['UserGetSingleton']['profile']>, UserProfile>>,
  Holds<Fits<OktaSchemas['Error'], ReadOfOktaError>>,
  Holds<Fits<OktaSchemas['UserSchema'], ReadOfSchema>>,
  Holds<Fits<OktaSchemas['UserSchemaAttribute'], ReadOfAttribute>>,
  Holds<Fits<OktaSchemas['InlineHook'], ReadOfHook>>,
  Holds<Fits<OktaSchemas['InlineHookChannelHttp'], ReadOfHookChannel>>,
  Holds<Fits<OAuthConfig, ReadOfOAuthConfig>>,
  Holds<Fits<OktaSchemas['EventHook'], ReadOfEventHook>>,
  Holds<Fits<OktaSchemas['EventHookChannel'], ReadOfHookChannel>>,
  Holds<Fits<Provider, ReadOfProvider>>,
  Holds<Fits<OktaSchemas['UserFactor'], ReadOfFactor>>,
  Holds<Fits<NonNullable<OktaSchemas['UserFactorSMS']['profile']>, ReadOfPhone>>,
  Holds<Fits<NonNullable<OktaSchemas['UserFactorCall']['profile']>, ReadOfPhone>>,
  Holds<Fits<OktaSchemas['TelephonyResponse'], ReadOfAnswer>>,
  Holds<Fits<HookCall, ReadOfHookCall>>,
  Holds<Fits<Exclude<Decision['status'], 'ERROR'>, HookStatus>>,
  Holds<Fits<MessageResource, ReadOfMessage>>,
  Holds<Fits<CallResource, ReadOfAccepted>>,
  Holds<Fits<'failed' | 'undelivered' | 'canceled', NonNullable<MessageResource['status']>>>,
  Holds<Fits<'failed' | 'canceled', NonNullable<CallResource['status']>>>,
];

/** Each of these contradicts a document: if one compiled, all claims would. */
export type Contradictions = [
  Fails<Fits<OktaSchemas['UserGetSingleton'], { readonly id?: number }>>,
  Fails<Fits<OktaSchemas['UserGetSingleton'], { readonly profile?: { readonly login?: boolean } }>>,
  Fails<Fits<OktaSchemas['Error'], { readonly errorCode?: number }>>,
  Fails<Fits<OktaSchemas['UserSchemaAttribute'], { readonly mutability?: number }>>,
  Fails<Fits<OktaSchemas['EventHook'], { readonly verificationStatus?: boolean }>>,
  Fails<Fits<OAuthConfig, { readonly hookKeyId?: number }>>,
  Fails<Fits<Provider, { readonly enabled?: string }>>,
  Fails<Fits<OktaSchemas['UserFactor'], { readonly status?: number }>>,
  Fails<Fits<NonNullable<OktaSchemas['UserFactorSMS']['profile']>, { readonly phoneNumber?: number }>>,
  Fails<Fits<OktaSchemas['TelephonyResponse'], { readonly commands?: string }>>,
  Fails<Fits<HookCall, { readonly data?: { readonly userProfile?: { readonly login?: number } } }>>,
  Fails<Fits<'DELIVERED', HookStatus>>,
  Fails<Fits<MessageResource, { readonly sid?: string }>>,
  Fails<Fits<CallResource, { readonly status?: number }>>,
  Fails<Fits<'lost', NonNullable<MessageResource['status']>>>,
];

type Names<Read> = Readonly<Record<keyof Read & string, true>>;

/** The names above by the file that reads them. The run compares them with the file. */
export const NAMES_READ: Readonly<Record<string, Readonly<Record<string, true>>>> = {
  'okta/user-profile.ts': { id: true, profile: true, login: true } satisfies Names<
    Pick<ReadOfUser, 'id' | 'profile'> & Pick<ReadOfProfile, 'login'>
  >,
  'console/sample-call.ts': {
    ...({ id: true, status: true, profile: true } satisfies Names<ReadOfUser>),
    ...({
      login: true,
      firstName: true,
      lastName: true,
      preferredLanguage: true,
      locale: true,
      mobilePhone: true,
    } satisfies Names<ReadOfProfile>),
    ...({ factorType: true, status: true, profile: true } satisfies Names<ReadOfFactor>),
    ...({ phoneNumber: true } satisfies Names<ReadOfPhone>),
    // For a repeated call.
    ...({ data: true } satisfies Names<Pick<ReadOfHookCall, 'data'>>),
    ...({ context: true, messageProfile: true } satisfies Names<
      Omit<NonNullable<ReadOfHookCall['data']>, 'userProfile'>
    >),
    ...({ request: true, url: true, value: true } satisfies Names<
      Pick<ReadOfContext, 'url'> & { request: object; value: string }
    >),
    ...({ otpExpires: true } satisfies Names<Pick<ReadOfMessageProfile, 'otpExpires'>>),
  },
  'console/reaction.ts': {
    ...({ commands: true, type: true, value: true } satisfies Names<ReadOfAnswer & ReadOfCommand>),
    status: true,
    // In the error object, which the document has as a list; amendments.ts corrects it.
    error: true,
    errorSummary: true,
  },
  'okta/api-error.ts': {
    errorCode: true,
    errorSummary: true,
    errorCauses: true,
    // At the token endpoint of RFC 6749, which no document has.
    error: true,
  } satisfies Names<ReadOfOktaError & { error: string }>,
  'cli/admin/opt-in-attribute.ts': {
    ...({ definitions: true, base: true, custom: true, properties: true } satisfies Names<
      ReadOfSchema & NonNullable<ReadOfSchema['definitions']> & { properties: object }
    >),
    ...({
      title: true,
      type: true,
      scope: true,
      mutability: true,
      permissions: true,
      master: true,
      default: true,
    } satisfies Names<ReadOfAttribute>),
    ...({ principal: true, action: true } satisfies Names<ReadOfPermission>),
  },
  'cli/admin/hook-resource.ts': {
    ...({ id: true, name: true, status: true, channel: true } satisfies Names<ReadOfHook>),
    ...({ config: true, uri: true, headers: true, authScheme: true } satisfies Names<
      ReadOfHookChannel & ReadOfHookConfig
    >),
    key: true,
    ...({ clientId: true, tokenUrl: true, scope: true, hookKeyId: true } satisfies Names<ReadOfOAuthConfig>),
  },
  'cli/admin/event-hook-setup.ts': {
    ...({ verificationStatus: true, description: true, events: true } satisfies Names<
      Omit<ReadOfEventHook, keyof ReadOfHook>
    >),
    ...({ items: true, filter: true } satisfies Names<ReadOfSubscriptions>),
  },
  'cli/admin/org-facts.ts': {
    ...({ id: true } satisfies Names<Pick<ReadOfUser, 'id'>>),
    ...({ definitions: true, base: true, custom: true, properties: true } satisfies Names<
      ReadOfSchema & NonNullable<ReadOfSchema['definitions']> & { properties: object }
    >),
    ...({ type: true } satisfies Names<Pick<ReadOfAttribute, 'type'>>),
    // In the answers of contract/outside.ts, which no document has; and a header.
    ...({ pipeline: true, key: true, status: true, settings: true, allowedFor: true, link: true } as const),
  },
  'cli/admin/telephony-hook-setup.ts': { enabled: true, providerName: true } satisfies Names<ReadOfProvider>,
  'okta/inline-hook.ts': {
    ...({
      eventId: true,
      eventTime: true,
      source: true,
      requestType: true,
      data: true,
    } satisfies Names<ReadOfHookCall>),
    ...({ context: true, messageProfile: true, userProfile: true } satisfies Names<
      NonNullable<ReadOfHookCall['data']>
    >),
    ...({ request: true, id: true, ipAddress: true, url: true, value: true } satisfies Names<
      ReadOfContext & { request: object; value: string }
    >),
    ...({ phoneNumber: true, otpCode: true, otpExpires: true, deliveryChannel: true } satisfies Names<
      Pick<ReadOfMessageProfile, 'phoneNumber' | 'otpCode' | 'otpExpires' | 'deliveryChannel'>
    >),
    ...({ msgTemplate: true, locale: true } satisfies Names<
      Pick<ReadOfMessageProfile, 'msgTemplate' | 'locale'>
    >),
    ...({ userId: true, login: true, firstName: true, lastName: true } satisfies Names<ReadOfUserProfile>),
  },
  'channels/twilio/outcome.ts': {
    sid: true,
    status: true,
    error_code: true,
    // In a refusal, which Twilio's documents lack; amendments.ts adds it.
    code: true,
  } satisfies Names<ReadOfMessage & { code: number }>,
  // No document has the answers of Lookup.
  'channels/twilio/lookup.ts': { code: true, number_blocked: true, sms_pumping_risk_score: true },
};
