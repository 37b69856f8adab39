import twilio from 'twilio';
import { spokenWords, type SpokenWords } from '../../texts/texts.js';
import type { Channel } from '../channel.js';
import { requireVoiceChannel } from '../provider.js';
import { requireSender, requireTwilio } from './client.js';
import { CALL_SID, outcomeReader, SID_NAMESPACE } from './outcome.js';
import { senderFor } from './settings.js';
import { sendReporting } from './status-callbacks.js';
import { twimlText } from './twiml-text.js';
import { voiceFor } from './voices.js';

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
    const connection = requireTwilio(parts.twilio, FACTORY);
    requireVoiceChannel(parts.channel, FACTORY);
    const senders = requireSender(connection, 'voice', FACTORY);
    const { voiceTexts } = parts;
    const { statusCallbackUrl } = connection.settings;
    return {
      provider: 'TWILIO',
      host: connection.host,
      usesText: false,
      reports: statusCallbackUrl === undefined ? undefined : 'failures',
      idNamespace: SID_NAMESPACE,
      send: (message, context) =>
        sendReporting(statusCallbackUrl, context, async (statusCallback) => {
          const reporting =
            statusCallback === undefined ? {} : { statusCallback, statusCallbackEvent: ['completed'] };
          const result = await connection.call(
            (client) =>
              client.calls.create({
                to: message.to,
                from: senderFor(senders, message.to),
                // Inline TwiML: the URL of a document to fetch would put the code into access logs.
                twiml: composeTwiml(spokenWords(message, voiceTexts)),
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

function composeTwiml({ words, locale }: SpokenWords): string {
  const { language, voice } = voiceFor(locale);
  const response = new twilio.twiml.VoiceResponse();
  const text = twimlText(words);
  response.say({ language, voice }, text);
  response.pause({ length: PAUSE_SECONDS });
  response.say({ language, voice }, text);
  return response.toString();
}
