import type { HttpRequest } from '../../core/http.js';
import { USER_AGENT } from '../../http/call.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import { spokenWords, type SpokenWords } from '../../texts/texts.js';
import type { Channel } from '../channel.js';
import { checkProvider, missingCredential } from '../check-provider.js';
import { notSent, requireVoiceChannel } from '../provider.js';
import { attemptQuery } from '../twilio/status-callbacks.js';
import { voiceFor } from '../twilio/voices.js';
import { authorizer, NO_TOKEN } from './authorization.js';
import { callReceiver } from './callbacks.js';
import { describeRefusal, isVoiceError } from './error-codes.js';
import { readVoiceOptions, withoutPlus, type VonageVoiceOptions } from './options.js';

const FACTORY = 'vonageVoice';
const CALLS_PATH = '/v1/calls';
const CALL_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Most voicemails answer later than this; Vonage's default of 60 s would reach them. */
const RING_SECONDS = 25;
/** How often the code is read, so that the user can write it down. */
const READINGS = 2;

/**
 * Voice calls by Vonage's Voice API. A call reads the code twice, character by character, in the user's language. Mount it as
 * `voice`. With `signatureSecret` it receives the events of its calls.
 *
 * Sources: Vonage's Voice API reference (v1), its NCCO reference and its webhooks reference.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function vonageVoice(options: VonageVoiceOptions): Channel {
  const { applicationId, privateKey, from, signatureSecret, baseUrl } = readVoiceOptions(options, FACTORY);
  const { origin, host } = new URL(baseUrl);
  const requestOf = (authorization: string, request: Omit<HttpRequest, 'url'>, query = ''): HttpRequest => ({
    ...request,
    url: origin + CALLS_PATH + query,
    headers: { authorization, 'user-agent': USER_AGENT },
  });
  return ({ channel, clock, voiceTexts }) => {
    requireVoiceChannel(channel, FACTORY);
    const authorize = authorizer({ applicationId, privateKey }, clock);
    return {
      provider: 'VONAGE',
      host,
      usesText: false,
      ...(signatureSecret === undefined
        ? {}
        : { reports: 'failures', receive: callReceiver({ signatureSecret, clock }) }),
      check: async (context) => {
        const authorization = await authorize(context);
        if (authorization === undefined) throw missingCredential(NO_TOKEN);
        const request = requestOf(authorization, { method: 'GET' }, '?page_size=1');
        await checkProvider(
          { name: 'Vonage', describe: describeRefusal },
          request,
          context,
          ({ status }) => status === 200,
        );
      },
      send: async (message, context) => {
        const { http, callbackUrl, reference } = context;
        const authorization = await authorize(context);
        if (authorization === undefined) return notSent(NO_TOKEN);
        const events =
          callbackUrl === undefined
            ? {}
            : { event_url: [callbackUrl + attemptQuery(reference)], event_method: 'POST' };
        const json = {
          to: [{ type: 'phone', number: withoutPlus(message.to) }],
          from: { type: 'phone', number: withoutPlus(from) },
          // Inline: the URL of a document to fetch would put the code into access logs.
          ncco: [talkOf(spokenWords(message, voiceTexts))],
          ringing_timer: RING_SECONDS,
          ...events,
        };
        return outcomeOf(await http(requestOf(authorization, { json })), VONAGE);
      },
    };
  };
}

/** Vonage's names of languages that differ from those of Twilio's voices. */
const LANGUAGES: Readonly<Record<string, string>> = { arb: 'ar' };

/** A voice of one language that read another one would not be understood. */
function talkOf({ words, locale }: SpokenWords): object {
  const { language } = voiceFor(locale);
  return { action: 'talk', text: words, language: LANGUAGES[language] ?? language, loop: READINGS };
}

const VONAGE: AnswerReader = {
  provider: 'Vonage',
  readSuccess: (answer) => {
    const { uuid } = readObject(answer);
    return typeof uuid === 'string' && CALL_UUID.test(uuid) ? uuid : undefined;
  },
  readRefusal: (answer) => (isVoiceError(answer) ? describeRefusal(answer) : undefined),
};
