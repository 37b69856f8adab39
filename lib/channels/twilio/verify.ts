import { isIP } from 'node:net';
import type { Outcome } from '../../core/channel.js';
import { lazyRules, oneOf, optionsOf, readOptionsBy } from '../../core/option-rules.js';
import type { Channel } from '../channel.js';
import { serviceSidRule } from '../provider.js';
import { suitableTags } from '../../texts/locale.js';
import { ConfigurationError } from '../../core/errors.js';
import { readServiceAnswer } from './credentials-check.js';
import { requireTwilio, type Composed, type TwilioClient } from './client.js';
import {
  NOT_FOUND,
  outcomeReader,
  requireFeedbackAccepted,
  SID_NAMESPACE,
  VERIFICATION_SID,
} from './outcome.js';

const readOutcome = outcomeReader(VERIFICATION_SID);

/** The options of `twilioVerify`. */
export interface TwilioVerifyOptions {
  /** `VA…`. The service must allow custom verification codes, because Okta makes the code. */
  readonly serviceSid: string;
  /**
   * For SMS only. `'disable'` sends texts that Fraud Guard and the geographic permissions would block. Default: the
   * service's own setting.
   */
  readonly riskCheck?: 'enable' | 'disable' | undefined;
}

type VerificationParameters = Parameters<
  ReturnType<TwilioClient['verify']['v2']['services']>['verifications']['create']
>[0];

/** Verify's channels, by the channel's name in the hook. */
const CHANNELS: Readonly<Record<string, 'sms' | 'call' | 'whatsapp'>> = {
  sms: 'sms',
  voice: 'call',
  whatsapp: 'whatsapp',
};

const RULES = lazyRules(() =>
  optionsOf<TwilioVerifyOptions>('an object', {
    serviceSid: serviceSidRule().required(),
    riskCheck: oneOf("'enable' or 'disable', or be left out", 'enable', 'disable'),
  }),
);

/**
 * SMS, voice or WhatsApp by Twilio Verify, by the channel's name in the hook. Twilio writes the message, chooses the sender
 * and checks for fraud. Verify reports nothing after it has accepted a message.
 *
 * @throws ConfigurationError that names every option that is wrong.
 */
export function twilioVerify(options: TwilioVerifyOptions): Channel {
  const { serviceSid, riskCheck } = readOptionsBy(RULES(), options, 'twilioVerify');
  return ({ twilio: connection, channel: name }) => {
    const twilio = requireTwilio(connection, 'twilioVerify');
    const channel = Object.hasOwn(CHANNELS, name) ? CHANNELS[name] : undefined;
    if (channel === undefined) {
      throw new ConfigurationError(['Verify sends by the channels sms, voice and whatsapp only'], {
        of: 'twilioVerify',
      });
    }
    return {
      provider: 'TWILIO_VERIFY',
      host: twilio.verifyHost,
      usesText: false,
      idNamespace: SID_NAMESPACE,
      check: async (context) => {
        const result = await twilio.call((client) => client.verify.v2.services(serviceSid).fetch(), context);
        readServiceAnswer(result, twilio.verifyHost);
      },
      // Verify limits the codes of a number until one is approved, and learns which routes work.
      confirm: async (sid, context) => {
        requireFeedbackAccepted(
          await twilio.call(
            (client) =>
              client.verify.v2.services(serviceSid).verifications(sid).update({ status: 'approved' }),
            context,
          ),
          // Approved, canceled or expired: a verification lives 10 minutes from its first code.
          'The verification is not pending any more',
        );
      },
      send: (message, context) =>
        sendInLanguage(verifyLocaleOf(message.locale), async (locale) => {
          const parameters: Composed<VerificationParameters> = {
            to: message.to,
            channel,
            customCode: message.request.otpCode,
            locale,
            // Verify refuses this parameter for any other channel.
            riskCheck: channel === 'sms' ? riskCheck : undefined,
            deviceIp: twilio.settings.deviceIp ? addressIn(message.request.ipAddress) : undefined,
          };
          const result = await twilio.call(
            (client) =>
              client.verify.v2
                .services(serviceSid)
                .verifications.create(parameters as VerificationParameters),
            context,
          );
          return readOutcome(result);
        }),
    };
  };
}

/** Verify refuses the whole request if this parameter is no IP address. */
function addressIn(text: string | undefined): string | undefined {
  return text !== undefined && isIP(text) !== 0 ? text : undefined;
}

/**
 * The locales that Verify knows change over time. If it answers 404 to a locale, as to an unknown service, this function sends
 * once more without one: Verify then uses the language of the number's country.
 */
async function sendInLanguage(
  locale: string | undefined,
  send: (locale: string | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  const first = await send(locale);
  const isLocaleUnknown = locale !== undefined && isNotFound(first);
  const outcome = isLocaleUnknown ? await send(undefined) : first;
  if (!isNotFound(outcome)) return outcome;
  return {
    ...outcome,
    reason: 'Twilio knows no such Verify service',
    remedy: "Check twilioVerify's serviceSid: it must be of the account and region of credentials.twilio.",
    moveOn: 'other-provider',
  };
}

function isNotFound(outcome: Outcome): outcome is Extract<Outcome, { status: 'refused' }> {
  return outcome.status === 'refused' && outcome.code === NOT_FOUND;
}

/** Verify's locales, from its page of supported languages. Verify answers 404 to any other. */
const LOCALES: ReadonlyMap<string, string> = new Map(
  (
    'af ar ca zh zh-CN zh-HK hr cs da nl en en-GB et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt-BR pt ro ru ' +
    'sk es sv tl te th tr uk vi'
  )
    .split(' ')
    .map((locale) => [locale.toLowerCase(), locale]),
);

/** Verify's best locale for a user; `undefined` if it has none. */
export function verifyLocaleOf(locale: string): string | undefined {
  const tag = suitableTags(locale).find((candidate) => LOCALES.has(candidate));
  return tag === undefined ? undefined : LOCALES.get(tag);
}
