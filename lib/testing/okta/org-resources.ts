import { okReply } from '../server/reply.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import type { OrgContext } from './api/context.js';
import { listBy, type Operation, type Route } from './api/route.js';

/** A telephony provider of the org, with which Okta sends codes itself, without a hook. */
export interface TelephonyProvider {
  readonly providerName: 'TWILIO' | 'TELESIGN';
  /** Default: `true`. */
  readonly enabled?: boolean | undefined;
  /** Default: `true`. */
  readonly isPrimaryProvider?: boolean | undefined;
}

/** The state of an authenticator. */
export type AuthenticatorStatus = 'ACTIVE' | 'INACTIVE';

const AUTHENTICATORS = [
  {
    key: 'okta_email',
    type: 'email',
    name: 'Email',
    settings: { allowedFor: 'recovery', tokenLifetimeInMinutes: 5 },
  },
  { key: 'okta_password', type: 'password', name: 'Password' },
  { key: 'phone_number', type: 'phone', name: 'Phone', settings: { allowedFor: 'any' } },
];

const PROVIDER_SETTINGS = {
  TWILIO: { sms: { twilioPhoneNumber: '+15005550006' }, call: { twilioPhoneNumber: '+15005550006' } },
  TELESIGN: {
    sms: { telesignService: 'telesignMessagingService' },
    call: { telesignService: 'telesignVerifyService' },
  },
} as const;

/** The resources of the org beside users and hooks. */
export class OrgResources {
  readonly #orgUrl: string;
  readonly #created: string;
  readonly #orgId = `00o${randomAlphanumeric(17)}`;
  readonly #authenticators = AUTHENTICATORS.map((one) => ({ ...one, id: `aut${randomAlphanumeric(17)}` }));
  #phoneStatus: AuthenticatorStatus = 'ACTIVE';
  #providers: readonly object[] = [];

  constructor({ orgUrl, clock }: OrgContext) {
    this.#orgUrl = orgUrl;
    this.#created = new Date(clock()).toISOString();
  }

  setPhoneAuthenticator(status: AuthenticatorStatus): void {
    this.#phoneStatus = status;
  }

  setTelephonyProviders(providers: readonly TelephonyProvider[]): void {
    this.#providers = providers.map(({ providerName, enabled = true, isPrimaryProvider = true }) => ({
      id: `oct${randomAlphanumeric(17)}`,
      isPrimaryProvider,
      enabled,
      providerCapability: 'ALL',
      providerName,
      providerSid: `AC${randomAlphanumeric(32)}`,
      providerSettings: PROVIDER_SETTINGS[providerName],
    }));
  }

  get routes(): readonly Route[] {
    const organization = {
      id: this.#orgId,
      cell: 'emulator',
      _links: { organization: { href: this.#orgUrl } },
      // `idx` is Identity Engine. Classic Engine, which has no telephony hooks, is `v1`.
      pipeline: 'idx',
    };
    const list = (items: () => readonly object[]): Operation => listBy([], () => okReply(items()));
    const authenticators = list(() => this.#authenticators.map((one) => this.#resource(one)));
    const telephony = { scope: 'okta.customTelephonyProvider.read' };
    return [
      ['get', '/.well-known/okta-organization', { bucket: 'other' }, () => okReply(organization)],
      ['get', '/api/v1/authenticators', { scope: 'okta.authenticators.read' }, authenticators],
      ['get', '/api/v1/telephony-providers', telephony, list(() => this.#providers)],
    ];
  }

  #resource(authenticator: { readonly id: string; readonly key: string }): object {
    const status = authenticator.key === 'phone_number' ? this.#phoneStatus : 'ACTIVE';
    return { ...authenticator, status, created: this.#created, lastUpdated: this.#created };
  }
}
