import type { Message } from '../../core/channel.js';
import { localeChain, pickByLocale } from '../../texts/locale.js';
import { spokenCode } from '../../texts/spoken-code.js';
import type { SpokenWords } from '../../texts/texts.js';
import type { Channel } from '../channel.js';
import { requireVoiceChannel } from '../provider.js';
import { requireSender, requireTwilio } from './client.js';
import { CALL_SID, outcomeReader, SID_NAMESPACE } from './outcome.js';
import { type TwimlBuilder, twimlText } from './sdk-types.js';
import { senderFor, type TwilioSettings } from './settings.js';
import { sendReporting } from './status-callbacks.js';
import type twilio from 'twilio';

const FACTORY = 'twilioCalls';
const readOutcome = outcomeReader(CALL_SID);

/** Most voicemails answer later than this; Twilio's default of 60 s would reach them. */
const RING_SECONDS = 25;

/** The pause between the two readings, so that the user can write the code down. */
const PAUSE_SECONDS = 2;

/**
 * Voice calls by Twilio. A call reads the code twice, character by character, in the user's language. The hook's option
 * `senders.voice` has the caller's number. Only the channel `voice` can be a call.
 */
export function twilioCalls(): Channel {
  return (parts) => {
    const twilio = requireTwilio(parts.twilio, FACTORY);
    requireVoiceChannel(parts.channel, FACTORY);
    const senders = requireSender(twilio, 'voice', FACTORY);
    const { voiceTexts, statusCallbackUrl } = twilio.settings;
    return {
      provider: 'TWILIO',
      host: twilio.host,
      usesText: false,
      reports: statusCallbackUrl === undefined ? undefined : 'failures',
      idNamespace: SID_NAMESPACE,
      send: (message, context) =>
        sendReporting(statusCallbackUrl, context, async (statusCallback) => {
          const reporting =
            statusCallback === undefined ? {} : { statusCallback, statusCallbackEvent: ['completed'] };
          const result = await twilio.call(
            (client, twiml) =>
              client.calls.create({
                to: message.to,
                from: senderFor(senders, message.to),
                // Inline TwiML: the URL of a document to fetch would put the code into access logs.
                twiml: composeTwiml(twiml, wordsOf(message, voiceTexts)),
                timeout: RING_SECONDS,
                ...reporting,
              }),
            context,
          );
          return readOutcome(result);
        }),
    };
  };
}

/** The spoken text: from the options, else our own. Its language is always the language of the voice that reads it. */
function wordsOf(
  { request, profile, locale }: Pick<Message, 'request' | 'profile' | 'locale'>,
  texts: TwilioSettings['voiceTexts'],
): SpokenWords {
  const words = texts?.spokenFor(request, profile, locale);
  if (words !== undefined) return words;
  const { language, sentence, digits } = spokenCode(locale, request.otpCode);
  const isOwn = localeChain(locale.toLowerCase()).at(-1) === language;
  return { words: `${sentence} ${digits}`, locale: isOwn ? locale : language };
}

function composeTwiml(twiml: TwimlBuilder, { words, locale }: SpokenWords): string {
  const { language, voice } = voiceFor(locale);
  const response = new twiml.VoiceResponse();
  const text = twimlText(words);
  response.say({ language, voice }, text);
  response.pause({ length: PAUSE_SECONDS });
  response.say({ language, voice }, text);
  return response.toString();
}

/** Chooses the voice that reads a spoken code. In its own file, because the published types of the calls must not name Twilio's SDK. */

/** The attributes of `<Say>`; the SDK does not export this type. */
type SayAttributes = Parameters<InstanceType<typeof twilio.twiml.VoiceResponse>['say']>[0];

/** A language and a voice of that language. Twilio fails `<Say>` if they do not match. */
export type Voice = Readonly<Required<Pick<SayAttributes, 'language' | 'voice'>>>;

const AMERICAN: Voice = { language: 'en-US', voice: 'Polly.Joanna' };
const CASTILIAN: Voice = { language: 'es-ES', voice: 'Polly.Lucia' };
const MEXICAN: Voice = { language: 'es-MX', voice: 'Polly.Mia' };
const FRENCH: Voice = { language: 'fr-FR', voice: 'Polly.Lea' };
const BRAZILIAN: Voice = { language: 'pt-BR', voice: 'Polly.Camila' };

/**
 * Amazon Polly's standard voices by BCP-47 tag: for the languages of `spoken-code.ts`, and for others that only texts in the
 * options use.
 */
export const VOICES: Readonly<Record<string, Voice>> = {
  en: AMERICAN,
  'en-GB': { language: 'en-GB', voice: 'Polly.Amy' },
  'en-AU': { language: 'en-AU', voice: 'Polly.Nicole' },
  'en-IN': { language: 'en-IN', voice: 'Polly.Raveena' },
  es: CASTILIAN,
  'es-419': MEXICAN,
  'es-MX': MEXICAN,
  'es-US': { language: 'es-US', voice: 'Polly.Lupe' },
  fr: FRENCH,
  'fr-CA': { language: 'fr-CA', voice: 'Polly.Chantal' },
  de: { language: 'de-DE', voice: 'Polly.Vicki' },
  pt: BRAZILIAN,
  'pt-PT': { language: 'pt-PT', voice: 'Polly.Ines' },
  it: { language: 'it-IT', voice: 'Polly.Bianca' },
  nl: { language: 'nl-NL', voice: 'Polly.Lotte' },
  ja: { language: 'ja-JP', voice: 'Polly.Mizuki' },
  hi: { language: 'hi-IN', voice: 'Polly.Aditi' },
  ar: { language: 'arb', voice: 'Polly.Zeina' },
  cy: { language: 'cy-GB', voice: 'Polly.Gwyneth' },
  da: { language: 'da-DK', voice: 'Polly.Naja' },
  is: { language: 'is-IS', voice: 'Polly.Dora' },
  ko: { language: 'ko-KR', voice: 'Polly.Seoyeon' },
  nb: { language: 'nb-NO', voice: 'Polly.Liv' },
  pl: { language: 'pl-PL', voice: 'Polly.Ewa' },
  ro: { language: 'ro-RO', voice: 'Polly.Carmen' },
  ru: { language: 'ru-RU', voice: 'Polly.Tatyana' },
  sv: { language: 'sv-SE', voice: 'Polly.Astrid' },
  tr: { language: 'tr-TR', voice: 'Polly.Filiz' },
  zh: { language: 'cmn-CN', voice: 'Polly.Zhiyu' },
};

/** The voice for a locale; American English if there is none. */
export function voiceFor(locale: string): Voice {
  return pickByLocale(VOICES, locale) ?? AMERICAN;
}

/** Whether there is a voice for this locale's language. */
export function hasVoice(locale: string): boolean {
  return pickByLocale(VOICES, locale) !== undefined;
}
