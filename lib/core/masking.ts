import { hash } from 'node:crypto';

/** What must not be shown of a call or a message. `personalDataOf` reads it from a request and a profile. */
export interface PersonalData {
  /** The one-time code; empty if there is none. */
  readonly code: string;
  readonly numbers: readonly PersonalNumber[];
  readonly logins: readonly string[];
  readonly names: readonly string[];
  /** What is sought in ids of the code, the numbers, the logins and long names, as `compactOf` writes it. */
  readonly parts: readonly string[];
  /** The words of names, in small letters. They are sought in ids as whole words. */
  readonly words: readonly string[];
}

/** The digits of a phone number. */
export interface PersonalNumber {
  /** The digits of the country, the area or the network, as far as they are not in `local`. */
  readonly lead: string;
  /** The digits that every spelling ends with: four at least. */
  readonly local: string;
}

/** Replaces personal data. */
const MASK = '…';

/** Characters. Shorter names would mask half of an ordinary sentence. */
const MIN_NAME_LENGTH = 3;

/** Characters. From this length on a name or a login is masked inside other words; a shorter one only as a whole word. */
const MIN_SUBSTRING_NAME_LENGTH = 5;
const isLong = (name: string): boolean => name.length >= MIN_SUBSTRING_NAME_LENGTH;

/** Characters. Shorter parts of a code or a login appear in ordinary codes by chance. */
const MIN_PART_LENGTH = 4;

/** An error code such as `UNABLE_TO_VERIFY_LEAF_SIGNATURE`. It is as long as a token, but every token has a digit or a small letter. */
const ERROR_CODE = /^[A-Z]+(?:_[A-Z]+)+\.?$/;
/** The name of an option in a remedy, such as `lateFailover.afterSeconds`. */
const OPTION_NAME = /^(?:credentials|guard|lateFailover|profile|senders)(?:\.[a-z][a-zA-Z]{1,20}){1,3}\.?$/;

/** Characters. A shorter id has little besides the personal data: its digest could be reversed by trying all numbers and codes. */
const MIN_DIGESTED_ID_LENGTH = 32;

/** Characters that are read, and characters that are returned. */
const MAX_INPUT_LENGTH = 2000;
const MAX_OUTPUT_LENGTH = 300;

/**
 * What people and systems write between the digits of a number: spaces, brackets, every dash and apostrophe, invisible signs. A comma
 * stands between two numbers, as in `503, 504, 505`.
 */
const SEPARATOR = String.raw`[\s()._/\\'*|~\u00ad\u00b7\u2018\u2019\u200b-\u200f\u2010-\u2015\u2022\u202a-\u202e\u2060-\u2069\u2212-]`;
/** Seven digits or more, with up to three separators between two of them: ` - `, `) `. */
const ANY_NUMBER = new RegExp(String.raw`\+?\d(?:${SEPARATOR}{0,3}\d){6,}`, 'g');
/** Four digits or more. They may be two numbers, as in `503, 504`, so that they have one of few separators. */
const ANY_CODE = /\+?\d(?:[\s().-]?\d){3,}/g;
/** Digits with usual separators before the local digits of a number, such as `+44 (0)77`. */
const LEADING_DIGITS = new RegExp(String.raw`[+(]*(?:\d${SEPARATOR}{0,3}){1,12}$`);
/** Characters that `LEADING_DIGITS` may match. */
const MAX_LEADING_LENGTH = 50;

/**
 * Masks a text from outside, such as the reason of a custom channel: the code, numbers, logins and names of a call, any run of
 * digits that may be a code or a number, and what may be a token. Keeps long error codes. Takes any value, because the message of
 * a thrown error may have any type. The time grows with the length of the text alone.
 */
export function maskText(text: unknown, personal: PersonalData | undefined): string {
  const whole = typeof text === 'string' ? text : '';
  // A cut may leave half a secret, which no rule below recognises, so the cut word goes as well.
  const read =
    whole.length > MAX_INPUT_LENGTH ? whole.slice(0, MAX_INPUT_LENGTH).replace(/(?<!\S)\S+$/, '') : whole;
  let masked = toAscii(read);
  const names = personal === undefined ? [] : wordsToMask(personal);
  for (const name of names.filter(isLong)) masked = maskName(masked, name);
  if (personal !== undefined) {
    for (const number of personal.numbers) masked = maskDigits(masked, number);
    masked = maskEncoded(maskSeparated(masked, personal.code), personal);
  }
  masked = masked
    .replaceAll(`+${MASK}`, MASK)
    .replace(/\S+/g, (word) => (/[^@]@[^@]/.test(word) ? MASK : word))
    .replace(/\b(basic|bearer|dpop|ssws)\s+\S+/gi, `$1 ${MASK}`)
    .replace(/[\w.~+/=-]{20,}/g, (run) => (ERROR_CODE.test(run) || OPTION_NAME.test(run) ? run : MASK))
    .replace(/\b(?:sk|pk|key|token|secret)[_-]\S+/gi, MASK)
    .replace(ANY_NUMBER, MASK)
    .replace(ANY_CODE, MASK);
  // Last, because a name beside a code or a number is a whole word only once that is masked.
  for (const name of names.filter((name) => !isLong(name))) masked = maskName(masked, name);
  return masked.slice(0, MAX_OUTPUT_LENGTH);
}

/** Masks a number from its first digit on. */
function maskDigits(text: string, { lead, local }: PersonalNumber): string {
  // Fast path: to read each character is slow.
  return text.replace(/\D+/g, '').includes(local) ? maskSeparated(text, local, lead) : text;
}

/**
 * Masks a code or a number in any case and with any separators between its characters, such as `2, 0, 4`. Only ASCII letters and
 * digits, and the characters of the secret itself, separate two of its characters.
 *
 * @param text - its characters; each is read once.
 * @param lead - the digits that may stand before a number. They are masked with it, and so are others with usual separators.
 */
export function maskSeparated(text: Iterable<string>, secret: string, lead?: string): string {
  const folded = Array.from(toAscii(secret), foldCase);
  const compact = folded.filter((character) => /[\p{L}\p{N}]/u.test(character)).join('');
  // A code may consist of little else than hyphens.
  const sought = compact.length >= MIN_NAME_LENGTH ? compact : folded.join('');
  const masked: string[] = [];
  let kept = '';
  /** For each UTF-16 unit of `kept`, the index of its character in the text. */
  const indexes: number[] = [];
  for (const character of text) {
    const letter = foldCase(character);
    if (isWord(letter) || sought.includes(letter)) {
      kept += letter;
      for (let unit = 0; unit < letter.length; unit += 1) indexes.push(masked.length);
    }
    masked.push(character);
  }
  if (sought.length < MIN_NAME_LENGTH) return masked.join('');
  for (let at = kept.indexOf(sought); at !== -1; at = kept.indexOf(sought, at + sought.length)) {
    let first = indexes[at] ?? 0;
    if (lead !== undefined) {
      first = indexes[at - commonEnd(kept.slice(0, at), lead)] ?? first;
      const before = masked.slice(Math.max(0, first - MAX_LEADING_LENGTH), first).join('');
      first -= LEADING_DIGITS.exec(before)?.[0].length ?? 0;
    }
    masked.fill('', first, (indexes[at + sought.length - 1] ?? first) + 1);
    masked[first] = MASK;
  }
  return masked.join('');
}

/** How many characters two texts have in common at their ends. */
function commonEnd(one: string, other: string): number {
  let length = 0;
  while (length < other.length && one.at(-1 - length) === other.at(-1 - length)) length += 1;
  return length;
}

/** Case folding of one character. Within a text a sigma at the end of a word would become another letter. */
const foldCase = (character: string): string => character.toUpperCase().toLowerCase();

/** The masked message of an error that a custom function has thrown. */
export function maskError(error: unknown, personal: PersonalData | undefined): string {
  try {
    return maskText(error instanceof Error ? error.message : undefined, personal) || 'failed';
  } catch {
    // A custom error may throw when its message is read.
    return 'failed';
  }
}

/** A stable replacement for a text that must not be in a log or a key. */
export const digestOf = (text: string): string => hash('sha256', text, 'base64url');

/**
 * The id of a message for events and logs. An id that shows personal data is replaced by the event's id. A long id that hides
 * personal data in base64, as WhatsApp's ids do, is replaced by its digest, which anyone who has the id can compute.
 */
export function maskId(transactionId: string, personal: PersonalData, eventId: string): string {
  if (transactionId === '' || showsPersonalData(transactionId, personal)) return eventId;
  if (!hidesPersonalData(transactionId, personal)) return transactionId;
  return transactionId.length >= MIN_DIGESTED_ID_LENGTH ? digestOf(transactionId) : eventId;
}

/**
 * Whether a code or an id from outside contains personal data: an e-mail address, a number, a name, a login or the one-time code,
 * with any separators, also in base64 or hex.
 */
export function isAbout(text: string, personal: PersonalData): boolean {
  return showsPersonalData(text, personal) || hidesPersonalData(text, personal);
}

/** Whether an id is the code, a login or a number, in any spelling, and nothing else. */
export function isPersonal(id: string, { code, logins, numbers }: PersonalData): boolean {
  const compact = compactOf(id);
  const isSame = (secret: string): boolean =>
    // A code may consist of hyphens alone.
    compact === '' ? secret === id : compactOf(secret) === compact;
  return [code, ...logins].some(isSame) || numbers.some((number) => isDialled(compact, number));
}

/** Whether a compact text is a number, with any prefix before it, or with letters such as `tel:` but no prefix except zeros. */
function isDialled(compact: string, { lead, local }: PersonalNumber): boolean {
  // Fast path: the last digits of two ids are seldom the same.
  if (lastDigitOf(compact) !== local.at(-1)) return false;
  const digits = compact.replace(/\D+/g, '');
  if (digits === compact) return digits.endsWith(local);
  const dialled = digits.replace(/^0+/, '');
  return dialled.endsWith(local) && `${lead}${local}`.endsWith(dialled);
}

function lastDigitOf(text: string): string | undefined {
  for (let index = text.length - 1; index >= 0; index -= 1) {
    const character = text.charAt(index);
    if (character >= '0' && character <= '9') return character;
  }
  return undefined;
}

function showsPersonalData(text: string, { parts, words }: PersonalData): boolean {
  const lower = toAscii(text).toLowerCase();
  if (lower.includes('@')) return true;
  const compact = compactOf(lower);
  if (parts.some((part) => compact.includes(part))) return true;
  // Fast path: no name is part of a word.
  if (!words.some((word) => lower.includes(word))) return false;
  return wordsOf(lower).some((word) => words.includes(word));
}

function hidesPersonalData(text: string, personal: PersonalData): boolean {
  const { base64, hex } = encodedIn(text, personal);
  return base64.length + hex.length > 0;
}

/** The code and numbers as a text has them encoded. */
interface Encoded {
  readonly base64: readonly string[];
  /** In small letters, without separators. */
  readonly hex: readonly string[];
}

const NOTHING_ENCODED: Encoded = { base64: [], hex: [] };

/**
 * Matches four digits in base64 or hex at any offset. Twilio's ids hardly ever match: the test takes 1.5 µs for an id, and encoding
 * the personal data for each id would take 10 µs.
 */
const ENCODED_DIGITS = /[MNO][DTjz]|(?:3\d[^\dA-Za-z]*){4}/;

/** Finds the code and the numbers in base64, in base64url, and in hex with any separators. */
function encodedIn(text: string, { code, numbers }: PersonalData): Encoded {
  const plain = toAscii(code);
  const hasLetters = /\D/.test(plain);
  if (!hasLetters && !ENCODED_DIGITS.test(text)) return NOTHING_ENCODED;
  const codes = hasLetters ? [code, plain, plain.toLowerCase(), plain.toUpperCase()] : [plain];
  const parts = [...new Set([...codes, ...numbers.map(({ local }) => local)])]
    .filter((part) => part.length >= MIN_PART_LENGTH)
    .map((part) => Buffer.from(part));
  const compact = compactOf(text);
  return {
    base64: parts.flatMap(inBase64).filter((part) => text.includes(part)),
    hex: parts.map((bytes) => bytes.toString('hex')).filter((part) => compact.includes(part)),
  };
}

/** The base64 characters that depend on these bytes alone, at each of the three offsets. */
function inBase64(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes]);
    const [start, end] = [Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6)];
    return [all.toString('base64').slice(start, end), all.toString('base64url').slice(start, end)];
  });
}

/** Masks what base64 is part of, and hex itself. */
function maskEncoded(text: string, personal: PersonalData): string {
  const { base64, hex } = encodedIn(text, personal);
  const maskRun = (run: string): string => (base64.some((part) => run.includes(part)) ? MASK : run);
  const masked = base64.length === 0 ? text : text.replace(/[\w+/=-]+/g, maskRun);
  return hex.reduce((rest, part) => maskSeparated(rest, part), masked);
}

/** A text that has a longer part has its shorter ones, too. */
function addPart(parts: string[], part: string): void {
  if (part.length < MIN_PART_LENGTH) return;
  for (const known of parts) if (part.includes(known)) return;
  parts.push(part);
}

/** Prepares personal data for the look at ids, which come with every code. */
export function preparePersonalData({
  code,
  numbers,
  logins,
  names,
}: Omit<PersonalData, 'parts' | 'words'>): PersonalData {
  const parts: string[] = [];
  const words: string[] = [];
  addPart(parts, compactOf(code));
  for (const { local } of numbers) addPart(parts, local);
  for (const login of logins) addPart(parts, compactOf(beforeAt(login)));
  for (const name of names) {
    const lower = toAscii(name).toLowerCase();
    if (isLong(name)) addPart(parts, compactOf(lower));
    for (const word of wordsOf(lower)) {
      if (word.length >= MIN_NAME_LENGTH && !words.includes(word)) words.push(word);
    }
  }
  return { code, numbers, logins, names, parts, words };
}

function beforeAt(login: string): string {
  const at = login.indexOf('@');
  return at === -1 ? login : login.slice(0, at);
}

/** Fast path for ASCII, because Unicode character classes are slow. */
const ASCII = /^[ -~]*$/;
const isAscii = (text: string): boolean => ASCII.test(text);

/**
 * Normalises digits of any script, and full-width letters and signs, to ASCII: `٢`, `२` and `２` become `2`. Combines letters with
 * their marks where Unicode has one character for both.
 */
export function toAscii(text: string): string {
  if (isAscii(text)) return text;
  return text.normalize().replace(/[\p{N}\uff01-\uff5e]/gu, (character) => {
    const plain = character.normalize('NFKC');
    if (isAscii(plain)) return plain;
    return DECIMAL_DIGIT.test(character) ? String(digitValue(character)) : character;
  });
}

const DECIMAL_DIGIT = /^\p{Nd}$/u;

/** Unicode has the ten digits of each script in a row, and some of these rows follow each other. */
function digitValue(digit: string): number {
  const own = digit.codePointAt(0) ?? 0;
  let first = own;
  while (DECIMAL_DIGIT.test(String.fromCodePoint(first - 1))) first -= 1;
  return (own - first) % 10;
}

/** The words of a text in lower case. */
function wordsOf(text: string): string[] {
  if (isWord(text)) return [text];
  return text.split(isAscii(text) ? /[^a-z0-9]+/ : BETWEEN_WORDS);
}

/** Marks are parts of words: in Indic scripts many vowels are marks. */
const BETWEEN_WORDS = /[^\p{L}\p{M}\p{N}]+/u;

const WORD = /^[a-z0-9]*$/;
const isWord = (text: string): boolean => WORD.test(text);

/** Letters and digits only, in lower case, digits in ASCII. */
function compactOf(text: string): string {
  if (isWord(text)) return text;
  const lower = toAscii(text).toLowerCase();
  return isAscii(lower) ? lettersOf(lower) : lower.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** The small letters and the digits of an ASCII text. Without a regular expression, in two thirds of the time. */
function lettersOf(lower: string): string {
  let letters = '';
  let start = 0;
  for (let index = 0; index < lower.length; index += 1) {
    const code = lower.charCodeAt(index);
    if ((code >= 97 && code <= 122) || (code >= 48 && code <= 57)) continue;
    letters += lower.slice(start, index);
    start = index + 1;
  }
  return start === 0 ? lower : letters + lower.slice(start);
}

/** The words to mask, the longest first, so that no part of a name remains. */
function wordsToMask({ logins, names }: PersonalData): readonly string[] {
  const words = [
    ...logins.flatMap((login) => [login, beforeAt(login)]),
    ...names.flatMap((name) => [name, ...name.split(BETWEEN_WORDS)]),
  ].map(toAscii);
  return [...new Set(words)]
    .filter((word) => word.length >= MIN_NAME_LENGTH)
    .sort((a, b) => b.length - a.length);
}

/** Masks a short name only as a whole word: "ada" is in "unreadable". */
function maskName(text: string, name: string): string {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  // Other letters than ASCII count as word boundaries, so that too much is masked rather than too little.
  const pattern = isLong(name) ? escaped : `(?<![0-9A-Za-z])${escaped}(?![0-9A-Za-z])`;
  return text.replace(new RegExp(pattern, 'gi'), MASK);
}

/** Masks a number except for its last two digits, so that an administrator can distinguish two numbers. */
export function maskNumber(phoneNumber: string): string {
  return phoneNumber === '' ? '' : `${MASK}${phoneNumber.slice(-2)}`;
}

/** The last two digits of a number, for events and the log. */
export function endingOf(phoneNumber: string): string {
  return phoneNumber.slice(-2);
}

/** Makes a provider's code or an Okta id safe for a log line and for `key=value` pairs. */
export function toToken(text: string, maxLength = 64): string {
  return text.replace(/[^\w.:-]/g, '_').slice(0, maxLength);
}
