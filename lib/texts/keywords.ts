/** What users write to a sender, as far as it is a word that is understood. */

export type Keyword = 'stop' | 'start' | 'help';

/** Words by what they mean; each is a whole message. */
export type Keywords = Readonly<Record<Keyword, ReadonlySet<string>>>;

/** What Twilio itself understands of an SMS, keeps and answers, unless it is told not to. */
const OF_TWILIO: Readonly<Record<Keyword, readonly string[]>> = {
  stop: ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT'],
  start: ['START', 'UNSTOP', 'YES'],
  help: ['HELP', 'INFO'],
};
const TWILIO_WORDS: ReadonlySet<string> = new Set(Object.values(OF_TWILIO).flat());

/** Twilio's own words, and what the same is written as in the languages that codes are spoken in. */
const USUAL_KEYWORDS: Readonly<Record<Keyword, readonly string[]>> = {
  stop: [
    ...OF_TWILIO.stop,
    ...['ALTO', 'BAJA', 'PARAR', 'ARRET', 'ARRÊT', 'DESABONNER', 'STOPP', 'ABMELDEN', 'SAIR', 'CANCELAR'],
    ...['FERMA', 'ANNULLA', 'AFMELDEN', '停止', '配信停止', 'बंद', 'रोकें', 'توقف', 'إيقاف'],
  ],
  start: [
    ...OF_TWILIO.start,
    ...['INICIAR', 'ALTA', 'DEBUT', 'DÉBUT', 'ANMELDEN', 'INICIO', 'INÍCIO', 'VOLTAR', 'INIZIA'],
    ...['AANMELDEN', '開始', '再開', 'शुरू', 'ابدأ', 'ابدا'],
  ],
  help: [...OF_TWILIO.help, 'AYUDA', 'AIDE', 'HILFE', 'AJUDA', 'AIUTO', 'ヘルプ', 'मदद', 'مساعدة'],
};

/** Whether an SMS is one of these, as exactly as Twilio wants it. */
export function isTwilioWord(text: string): boolean {
  return TWILIO_WORDS.has(text.trim().toUpperCase());
}

/** The words that a user of the package chose, in place of the usual ones. */
export function readKeywords(words: {
  readonly [Key in Keyword]?: readonly string[] | undefined;
}): Keywords {
  const setOf = (keyword: Keyword): ReadonlySet<string> =>
    new Set((words[keyword] ?? USUAL_KEYWORDS[keyword]).map(plain));
  return { stop: setOf('stop'), start: setOf('start'), help: setOf('help') };
}

/** Longer messages are none of these; nothing more of them is looked at. */
const LONGEST_WORD = 40;

/** The word that a message is; `undefined` where it is anything else. To stop goes before all. */
export function keywordOf(text: string, keywords: Keywords): Keyword | undefined {
  if (text.length > LONGEST_WORD * 2) return undefined;
  const word = plain(text);
  return (['stop', 'start', 'help'] as const).find((keyword) => keywords[keyword].has(word));
}

/** Whatever its case, and what phones put around it: `"Stop."`, ` STOP ` and `stop!` are one word. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\p{P}\p{S}\p{Z}\p{C}]+/gu, ' ')
    .trim()
    .toUpperCase();
}
