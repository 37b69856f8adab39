import type { AllSettings, TwilioContext } from './context.js';
import { isoDate } from './formats.js';

/** How Verify reaches a phone. */
export type VerifyChannel = 'sms' | 'call' | 'whatsapp';

/** Settings of the Verify service, for `configureVerify`. Those that are left out do not change. */
export interface VerifySettings {
  /** Default: `Emulated service`. */
  readonly friendlyName?: string | undefined;
  /** The length of codes that Verify makes itself. Default: 6. */
  readonly codeLength?: number | undefined;
  /** Whether `CustomCode` is allowed (else 60204). Default: `true`. At Twilio it has to be switched on. */
  readonly customCodeEnabled?: boolean | undefined;
  /** Channels that are switched off (60223). Default: none. */
  readonly disabledChannels?: readonly VerifyChannel[] | undefined;
  /** The WhatsApp sender of the service; `null` for none (68008). Default: `whatsapp:+14155550102`. */
  readonly whatsAppFrom?: string | null | undefined;
  /** The locales of its approved WhatsApp templates (else 60242); `null` for all of Verify's. Default: `null`. */
  readonly whatsAppLocales?: readonly string[] | null | undefined;
  /** Prefixes to which Fraud Guard blocks SMS (60410), except with `RiskCheck=disable`. Default: none. */
  readonly blockedPrefixes?: readonly string[] | undefined;
  /** Whether Twilio has vetted SMS to China (else 60220). Default: `false`. */
  readonly isVettedForChina?: boolean | undefined;
}

/** The same, with a value for everything. */
export type VerifyService = AllSettings<VerifySettings>;

export const FIRST_VERIFY_SERVICE: VerifyService = {
  friendlyName: 'Emulated service',
  codeLength: 6,
  customCodeEnabled: true,
  disabledChannels: [],
  whatsAppFrom: 'whatsapp:+14155550102',
  whatsAppLocales: null,
  blockedPrefixes: [],
  isVettedForChina: false,
};

const LINKS: Readonly<Record<string, string>> = {
  verification_checks: 'VerificationCheck',
  verifications: 'Verifications',
  rate_limits: 'RateLimits',
  messaging_configurations: 'MessagingConfigurations',
  entities: 'Entities',
  webhooks: 'Webhooks',
  access_tokens: 'AccessTokens',
};

export function verifyServiceResource(
  service: VerifyService,
  { accountSid, verifyServiceSid, messagingServiceSid }: TwilioContext,
  url: string,
  createdAt: number,
): object {
  const { whatsAppFrom } = service;
  return {
    account_sid: accountSid,
    code_length: service.codeLength,
    custom_code_enabled: service.customCodeEnabled,
    date_created: isoDate(createdAt),
    date_updated: isoDate(createdAt),
    default_template_sid: null,
    do_not_share_warning_enabled: false,
    dtmf_input_required: true,
    friendly_name: service.friendlyName,
    links: Object.fromEntries(Object.entries(LINKS).map(([name, part]) => [name, `${url}/${part}`])),
    lookup_enabled: true,
    passkeys: {
      relying_party: { id: null, name: null, origins: null },
      authenticator_attachment: null,
      discoverable_credentials: null,
      user_verification: null,
    },
    psd2_enabled: false,
    push: { include_date: false, apn_credential_sid: null, fcm_credential_sid: null },
    sid: verifyServiceSid,
    skip_sms_to_landlines: true,
    totp: { issuer: null, time_step: null, code_length: null, skew: null },
    tts_name: null,
    url,
    verify_event_subscription_enabled: false,
    whatsapp: { msg_service_sid: whatsAppFrom === null ? null : messagingServiceSid, from: whatsAppFrom },
  };
}
