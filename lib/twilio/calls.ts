import type { ChannelPort } from '../delivery/channel.js';
import { spokenCode } from '../delivery/spoken-code.js';
import type { TwilioCallParameters } from './client.js';
import type { TwilioParts } from './messages.js';
import { CALL_SID, outcomeOf, sendReporting } from './outcome.js';
import { loadSdk } from './sdk.js';
import { noSender, notConnected, senderFor } from './senders.js';
import { voiceFor } from './voices.js';

/** Shorter than most voicemails take to answer; Twilio's default of 60 s is not. */
const RING_SECONDS = 25;

/** Between the two times that the code is read: time to write it down. */
const PAUSE_SECONDS = 2;

/**
 * Voice calls by Twilio that read the code, character by character, in the user's language, twice. Which number
 * they come from is in the hook's options.
 */
export function twilioCalls(): ChannelPort<TwilioParts> {
  return {
    provider: 'TWILIO',
    usesText: false,
    send: () => Promise.resolve(notConnected()),
    // A new channel each time, so that one that is written down once can serve two hooks.
    connect: ({ twilio: connection }) => ({
      provider: 'TWILIO',
      host: connection.host,
      usesText: false,
      send: async (message, context) => {
        const { senders, statusCallbackUrl } = connection.settings;
        const from = await senderFor(senders.voice, message.to);
        if (from === undefined) return noSender('voice');
        const parameters: TwilioCallParameters = {
          to: message.to,
          from,
          // Inline: by a URL to fetch, the code would be in access logs.
          twiml: await composeTwiml(message.locale, message.request.otpCode),
          timeout: RING_SECONDS,
        };
        return sendReporting(statusCallbackUrl, async (statusCallback) => {
          const withCallback =
            statusCallback === undefined
              ? parameters
              : { ...parameters, statusCallback, statusCallbackEvent: ['completed'] };
          const result = await connection.call((client) => client.calls.create(withCallback), context);
          return outcomeOf(result, CALL_SID);
        });
      },
    }),
  };
}

async function composeTwiml(locale: string, code: string): Promise<string> {
  const { twiml } = await loadSdk();
  const { sentence, digits } = spokenCode(locale, code);
  const { language, voice } = voiceFor(locale);
  const response = new twiml.VoiceResponse();
  response.say({ language, voice }, `${sentence} ${digits}`);
  response.pause({ length: PAUSE_SECONDS });
  response.say({ language, voice }, `${sentence} ${digits}`);
  return response.toString();
}
