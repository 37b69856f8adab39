import { formOf, type RecordedRequest } from '../server/faults.js';
import { refuse, type TwilioError } from './errors.js';
import { isE164 } from './formats.js';
import type { TwilioRecipients } from './senders.js';
import type { VerifyChannel, VerifyService } from './verify-settings.js';

/** A request to send a code by Verify. */
export interface VerificationRequest {
  readonly to: string;
  readonly channel: VerifyChannel;
  readonly customCode: string | undefined;
  readonly locale: string | undefined;
  readonly riskCheck: 'enable' | 'disable' | undefined;
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
  return { to, channel, customCode, locale, riskCheck };
}

function invalid(parameter: string): { readonly error: TwilioError } {
  return refuse(60200, `Invalid parameter: ${parameter}`);
}

/** The locales of Verify's messages, from its page on languages. The case counts. */
export const VERIFY_LOCALES: ReadonlySet<string> = new Set(
  `af ar ca zh zh-CN zh-HK hr cs da nl en en-GB et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt-BR pt ro ru sk
  es sv tl te th tr uk vi`.split(/\s+/),
);
