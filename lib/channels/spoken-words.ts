import type { Message } from '../core/channel.js';
import { localeChain } from '../texts/locale.js';
import { spokenCode } from '../texts/spoken-code.js';
import type { SpokenWords } from '../texts/texts.js';
import type { VoiceTexts } from './channel.js';

/** What a call says: the text of the options, else our own. Its language is always the language of the voice that reads it. */
export function spokenWords(
  { request, profile, locale }: Pick<Message, 'request' | 'profile' | 'locale'>,
  texts: VoiceTexts | undefined,
): SpokenWords {
  const words = texts?.spokenFor(request, profile, locale);
  if (words !== undefined) return words;
  const { language, sentence, digits } = spokenCode(locale, request.otpCode);
  const isOwn = localeChain(locale.toLowerCase()).at(-1) === language;
  return { words: `${sentence} ${digits}`, locale: isOwn ? locale : language };
}
