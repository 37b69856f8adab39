import type { OptionWarning } from '../core/events.js';
import { CORRECT_VALUES } from './describe-answer.js';

/** What is wrong with an option that works, but not as well as it could. */

const SID = {
  text: 'it is not a SID of Twilio, which has two letters and 32 hexadecimal digits',
  remedy: 'Compare it with the Twilio Console.',
};
const SHORT_SECRET = {
  text: 'it has less than 16 characters, and who guesses it can make the hook send messages',
  remedy: 'Use a long random one.',
};

/** They follow the names of the options. */
export const WARNINGS: Readonly<
  Record<OptionWarning['option'], { readonly text: string; readonly remedy?: string }>
> = {
  publicUrl: {
    text: 'it is not set. The hook polls WhatsApp messages that fail after Twilio has accepted them, and sees failures late, and not all',
    remedy: 'Set publicUrl and credentials.twilio.authToken.',
  },
  'publicUrl.path': {
    text: "it does not end with path. Twilio's callbacks go to publicUrl + /twilio/status, and may not reach the hook",
  },
  path: {
    text: "a request for the hook's public path matches no route of the hook. The hook passes it on, and Okta gets the answer of another handler, such as 404",
  },
  'senders.sms': {
    text: 'no sender and no channel sends SMS. Users who have not opted in to another channel get no text: the hook tells Okta so, and Okta may send the code itself',
    remedy:
      'Set senders.sms, or channels.sms. If users get no SMS on purpose, say so by rollout: { sms: 0 }.',
  },
  'senders.voice': {
    text: 'no sender and no channel makes calls. Users who choose a call get none: the hook tells Okta so, and Okta may call them itself',
    remedy:
      'Set senders.voice, or channels.voice. If nobody is called on purpose, say so by rollout: { voice: 0 }.',
  },
  senders: {
    text: 'no channel sends from it, because a channel in channels has its place',
    remedy: 'Leave it out, or add twilioMessages() or twilioCalls() to that channel as a further provider.',
  },
  'senders.number': {
    text: 'a number of this length is not known in its country',
    remedy: 'Compare it with the Twilio Console.',
  },
  'senders.countries': {
    text: 'a country of guard.countries.allow does not take texts of this sender, or wants it registered',
  },
  chooseChannels: {
    text: 'it has no effect, because chooseChannels replaces the opt-in rule',
    remedy: 'Leave it out.',
  },
  optInAttribute: {
    text: 'the value of a user names no channel. It does not count as an opt-in, so the user gets codes by SMS',
    remedy: CORRECT_VALUES,
  },
  'guard.countries': {
    text: 'it is not set. Codes go to every country, and fraudsters make money with codes to expensive ones',
    remedy:
      "Set guard.countries.allow to your users' countries, or guard.countries to false if every country is meant. With optionsFrom(), set GUARD_COUNTRIES, such as US,CA, or * for every country.",
  },
  channels: {
    text: 'no user can choose it',
    remedy: 'Add it to optInChannels, or set chooseChannels.',
  },
  'channels.receive': {
    text: 'publicUrl is not set, so nothing arrives that its provider reports. A message that is accepted and then fails is not sent by another channel',
    remedy: 'Set publicUrl.',
  },
  'lateFailover.afterSeconds': {
    text: 'it has no effect, because the channel does not report deliveries',
  },
  'credentials.hook': SHORT_SECRET,
  'credentials.eventHook': SHORT_SECRET,
  'credentials.twilio.accountSid': SID,
  'credentials.twilio.apiKeySid': SID,
  'sandboxNumber.contentSid': SID,
  'senders.whatsapp.templates': SID,
  'texts.sms': { text: 'with its code, the text does not fit one GSM-7 segment of an SMS' },
  'texts.voice': {
    text: 'an English voice would read the text, because no voice of Twilio is known for its language',
  },
};
