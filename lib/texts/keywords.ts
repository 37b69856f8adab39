/**
 * Recognises opt-in and opt-out keywords (STOP, START, HELP) in inbound messages. A message counts only if
 * the keyword is all of its text.
 */

/** Every keyword. STOP is first: it wins if a word stands for several of them. */
export const KEYWORDS = ['stop', 'start', 'help'] as const;

export type Keyword = (typeof KEYWORDS)[number];

/** The accepted words of each keyword, normalised as {@link keywordOf} normalises a message. */
export type Keywords = Readonly<Record<Keyword, ReadonlySet<string>>>;

/** The keywords that Twilio handles for SMS by default: it records the opt-out and replies itself. */
const TWILIO_KEYWORDS: Readonly<Record<Keyword, readonly string[]>> = {
  stop: ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT'],
  start: ['START', 'UNSTOP', 'YES'],
  help: ['HELP', 'INFO'],
};
const TWILIO_WORDS: ReadonlySet<string> = new Set(Object.values(TWILIO_KEYWORDS).flat());

/** Default keywords: Twilio's own, and their equivalents in the languages that codes are spoken in. */
const DEFAULT_KEYWORDS: Readonly<Record<Keyword, readonly string[]>> = {
  stop: [
    ...TWILIO_KEYWORDS.stop,
    ...['ALTO', 'BAJA', 'PARAR', 'ARRET', 'ARRÊT', 'DESABONNER', 'STOPP', 'ABMELDEN', 'SAIR', 'CANCELAR'],
    ...['FERMA', 'ANNULLA', 'AFMELDEN', '停止', '配信停止', 'बंद', 'रोकें', 'توقف', 'إيقاف'],
  ],
  start: [
    ...TWILIO_KEYWORDS.start,
    ...['INICIAR', 'ALTA', 'DEBUT', 'DÉBUT', 'ANMELDEN', 'INICIO', 'INÍCIO', 'VOLTAR', 'INIZIA'],
    ...['AANMELDEN', '開始', '再開', 'शुरू', 'ابدأ', 'ابدا'],
  ],
  help: [...TWILIO_KEYWORDS.help, 'AYUDA', 'AIDE', 'HILFE', 'AJUDA', 'AIUTO', 'ヘルプ', 'मदद', 'مساعدة'],
};

/**
 * Whether Twilio handles this SMS itself. Unlike {@link keywordOf}, Twilio ignores only case and surrounding
 * space.
 */
export function isTwilioWord(text: string): boolean {
  return TWILIO_WORDS.has(text.trim().toUpperCase());
}

/** The keywords of the `inbound` options; a keyword that is not given keeps its defaults. */
export function readKeywords(words: {
  readonly [Key in Keyword]?: readonly string[] | undefined;
}): Keywords {
  const setOf = (keyword: Keyword): ReadonlySet<string> =>
    new Set((words[keyword] ?? DEFAULT_KEYWORDS[keyword]).map(normalize));
  return { stop: setOf('stop'), start: setOf('start'), help: setOf('help') };
}

/** A longer message cannot be a keyword and is not normalised. Characters. */
const MAX_MESSAGE_LENGTH = 80;

/** The keyword that a message consists of, or `undefined`. */
export function keywordOf(text: string, keywords: Keywords): Keyword | undefined {
  if (text.length > MAX_MESSAGE_LENGTH) return undefined;
  const word = normalize(text);
  return KEYWORDS.find((keyword) => keywords[keyword].has(word));
}

/** Ignores case and the punctuation that phones add: `"Stop."`, ` STOP ` and `stop!` are one word. */
function normalize(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\p{P}\p{S}\p{Z}\p{C}]+/gu, ' ')
    .trim()
    .toUpperCase();
}
