import { VOICE } from '../core/channel.js';
import { maskText } from '../core/masking.js';
import type { Delivery } from '../delivery/attempt.js';
import { personalDataOf } from '../numbers/personal-data.js';
import { spokenWords, type Texts } from '../texts/texts.js';
import type { SentWords } from './api.js';

/**
 * The words of the message that may have gone out, without the code and without personal data: the text before, between and after
 * the codes. `undefined` if no message went out.
 */
export function wordsOfMessage(
  { status, lastTried }: Delivery,
  texts: Texts | undefined,
): SentWords | undefined {
  if (status === 'refused' || lastTried === undefined) return undefined;
  const { message, channel } = lastTried;
  const { request, profile } = message;
  const personal = personalDataOf(request, profile, message.to);
  const known = (text: string, locale: string): SentWords => ({
    channel: channel.name,
    locale,
    parts: text.split(codeIn(request.otpCode)).map((part) => maskText(part, personal)),
  });
  if (channel.name === VOICE) {
    const { words, locale } = spokenWords(message, texts);
    return known(words, locale);
  }
  if (channel.port.usesText !== false) return known(message.text, message.locale);
  return { channel: channel.name, locale: message.locale, parts: undefined };
}

/** The code in a text. A call has its digits one by one, with a sign between two of them. A code has letters, digits and hyphens. */
function codeIn(code: string): RegExp {
  return new RegExp(Array.from(code).join(String.raw`[^\p{L}\p{N}]{0,3}`), 'u');
}
