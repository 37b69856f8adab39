import { isIP } from 'node:net';
import { formOf, type RecordedRequest } from '../server/request.js';
import type { AllSettings, TwilioContext } from './context.js';
import { refuse, type TwilioError } from './errors.js';
import { isE164, isoDate } from './formats.js';
import type { TwilioRecipients } from './senders.js';

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
    friendly_name: service.friendlyName,
    sid: verifyServiceSid,
    url,
    whatsapp: { msg_service_sid: whatsAppFrom === null ? null : messagingServiceSid, from: whatsAppFrom },
  };
}

/** A request to send a code by Verify. */
interface VerificationRequest {
  readonly to: string;
  readonly channel: VerifyChannel;
  readonly customCode: string | undefined;
  readonly locale: string | undefined;
  readonly riskCheck: 'enable' | 'disable' | undefined;
  readonly deviceIp: string | undefined;
}

const CHANNELS: readonly VerifyChannel[] = ['sms', 'call', 'whatsapp'];
const MIN_CODE = 4;
const MAX_CODE = 10;
const CHINA = '+86';

/** Reads the parameters of `POST Verifications`. Returns a request, or Verify's refusal. */
export function readVerification(
  request: RecordedRequest,
  service: VerifyService,
  recipients: TwilioRecipients,
): VerificationRequest | { readonly error: TwilioError } {
  const field = formOf(request);
  const to = field('To') ?? '';
  if (!isE164(to)) return invalid('To');
  const channel = CHANNELS.find((one) => one === field('Channel'));
  if (channel === undefined) return invalid('Channel');
  if (service.disabledChannels.includes(channel)) return refuse(60223);
  const customCode = field('CustomCode');
  if (customCode !== undefined) {
    if (!service.customCodeEnabled) return refuse(60204);
    const { length } = Array.from(customCode);
    if (length < MIN_CODE || length > MAX_CODE) return invalid('CustomCode');
  }
  const riskCheck = field('RiskCheck');
  if (riskCheck !== undefined && riskCheck !== 'enable' && riskCheck !== 'disable')
    return invalid('RiskCheck');
  const deviceIp = field('DeviceIp');
  if (deviceIp !== undefined && isIP(deviceIp) === 0) return invalid('DeviceIp');
  const locale = field('Locale');
  if (locale !== undefined && !VERIFY_LOCALES.has(locale)) return refuse(20404);

  if (channel === 'whatsapp') {
    if (service.whatsAppFrom === null) return refuse(68008, 'The Verify Service has no WhatsApp sender.');
    if (service.whatsAppLocales?.includes(locale ?? 'en') === false) return refuse(60242);
  }
  if (channel === 'sms') {
    if (recipients.isLandline(to)) return refuse(60205);
    if (to.startsWith(CHINA) && !service.isVettedForChina) return refuse(60220);
    const isBlocked = service.blockedPrefixes.some((prefix) => to.startsWith(prefix));
    if (isBlocked && riskCheck !== 'disable') return refuse(60410);
  }
  if (recipients.isUnverified(to)) {
    return refuse(21608, `The number ${to} is unverified. Trial accounts cannot send there.`);
  }
  return { to, channel, customCode, locale, riskCheck, deviceIp };
}

function invalid(parameter: string): { readonly error: TwilioError } {
  return refuse(60200, `Invalid parameter: ${parameter}`);
}

/** The locales of Verify's messages, from its page on languages. The case counts. */
export const VERIFY_LOCALES: ReadonlySet<string> = new Set(
  `af ar ca zh zh-CN zh-HK hr cs da nl en en-GB et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt-BR pt ro ru sk
  es sv tl te th tr uk vi`.split(/\s+/),
);
