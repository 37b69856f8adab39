import { hash } from 'node:crypto';
import type { TelephonyRequest } from './channel.js';

/** The personal data of a request. */
type Personal = Pick<TelephonyRequest, 'otpCode' | 'phoneNumber' | 'login' | 'firstName' | 'lastName'>;

/** Replaces personal data. */
const MASK = '…';

/** Characters. Shorter names would mask half of an ordinary sentence. */
const MIN_NAME_LENGTH = 3;

/** Characters. From this length on a name or a login is masked inside other words; a shorter one only as a whole word. */
const MIN_SUBSTRING_NAME_LENGTH = 5;
const isLong = (name: string): boolean => name.length >= MIN_SUBSTRING_NAME_LENGTH;

/** Characters. Shorter parts of a number or a login appear in ordinary codes by chance. */
const MIN_PART_LENGTH = 4;

/** The last digits that identify a number: people write it without its country code. */
const NATIONAL_LENGTH = 9;

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
 * Masks a text from outside, such as the reason of a custom channel: the code, number, login and names of a request, any run of
 * digits that may be a code or a number, and what may be a token. Keeps long error codes. Takes any value, because the message of
 * a thrown error may have any type. The time grows with the length of the text alone.
 */
export function maskText(text: unknown, request: Personal | undefined, to = ''): string {
  const whole = typeof text === 'string' ? text : '';
  // A cut may leave half a secret, which no rule below recognises, so the cut word goes as well.
  const read =
    whole.length > MAX_INPUT_LENGTH ? whole.slice(0, MAX_INPUT_LENGTH).replace(/(?<!\S)\S+$/, '') : whole;
  let masked = toAscii(read);
  const names = request === undefined ? [] : namesOf(request);
  for (const name of names.filter(isLong)) masked = maskName(masked, name);
  if (request !== undefined) {
    const secrets = new Set([request.phoneNumber, to, request.otpCode]);
    for (const secret of secrets) masked = maskSeparated(masked, secret);
    const encoded = encodedIn(masked, request, to);
    const maskRun = (run: string): string => (encoded.some((part) => run.includes(part)) ? MASK : run);
    if (encoded.length > 0) masked = masked.replace(/[\w+/=-]+/g, maskRun);
  }
  masked = masked
    .replaceAll(`+${MASK}`, MASK)
    .replace(/\S+/g, (word) => (/[^@]@[^@]/.test(word) ? MASK : word))
    .replace(/\b(basic|bearer|dpop|ssws)\s+\S+/gi, `$1 ${MASK}`)
    .replace(/[\w.~+/=-]{20,}/g, (run) => (ERROR_CODE.test(run) || OPTION_NAME.test(run) ? run : MASK))
    .replace(/\b(?:sk|pk|key|token|secret)[_-]\S+/gi, MASK)
    .replace(/\+?\d(?:[\s().-]?\d){3,}/g, MASK);
  // Last, because a name beside a code or a number is a whole word only once that is masked.
  for (const name of names.filter((name) => !isLong(name))) masked = maskName(masked, name);
  return masked.slice(0, MAX_OUTPUT_LENGTH);
}

/**
 * Masks a code or a number in any case and with any separators between its characters, such as `2, 0, 4`. Only ASCII letters and
 * digits, and the characters of the secret itself, separate two of its characters.
 *
 * @param text - its characters; each is read once.
 */
export function maskSeparated(text: Iterable<string>, secret: string): string {
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
    const first = indexes[at] ?? 0;
    masked.fill('', first, (indexes[at + sought.length - 1] ?? first) + 1);
    masked[first] = MASK;
  }
  return masked.join('');
}

/** Case folding of one character. Within a text a sigma at the end of a word would become another letter. */
const foldCase = (character: string): string => character.toUpperCase().toLowerCase();

/** The masked message of an error that a custom function has thrown. */
export function maskError(error: unknown, request: Personal | undefined): string {
  try {
    return maskText(error instanceof Error ? error.message : undefined, request) || 'failed';
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
export function maskId(
  transactionId: string,
  request: Personal & Pick<TelephonyRequest, 'eventId'>,
  to: string,
): string {
  if (transactionId === '' || showsPersonalData(transactionId, request, to)) return request.eventId;
  if (encodedIn(transactionId, request, to).length === 0) return transactionId;
  return transactionId.length >= MIN_DIGESTED_ID_LENGTH ? digestOf(transactionId) : request.eventId;
}

/**
 * Whether a code or an id from outside contains personal data: an e-mail address, a number, a name, a login or the one-time code,
 * with any separators, also in base64 or hex.
 */
export function isAbout(text: string, request: Personal, to: string): boolean {
  return showsPersonalData(text, request, to) || encodedIn(text, request, to).length > 0;
}

function showsPersonalData(text: string, request: Personal, to: string): boolean {
  const lower = toAscii(text).toLowerCase();
  if (lower.includes('@')) return true;
  const { otpCode, phoneNumber, login = '', firstName = '', lastName = '' } = request;
  const compact = compactOf(lower);
  return (
    includesPart(compact, otpCode) ||
    includesPart(compact, phoneNumber.slice(-NATIONAL_LENGTH)) ||
    includesPart(compact, to.slice(-NATIONAL_LENGTH)) ||
    includesPart(compact, beforeAt(login)) ||
    includesName(lower, compact, firstName) ||
    includesName(lower, compact, lastName)
  );
}

/**
 * Matches four digits in base64 or hex at any offset. Twilio's ids hardly ever match: the test takes 1.5 µs for an id, and encoding
 * the request for each id would take 10 µs.
 */
const ENCODED_DIGITS = /[MNO][DTjz]|(?:3\d){4}/;

/** The substrings of a text that are the code or a number in base64 or hex. Digits have the same form in base64 and base64url. */
function encodedIn(text: string, { otpCode, phoneNumber }: Personal, to: string): readonly string[] {
  if (!ENCODED_DIGITS.test(text)) return [];
  const numbers = [phoneNumber, to].map((number) => number.replace('+', '').slice(-NATIONAL_LENGTH));
  return [...new Set([toAscii(otpCode), ...numbers])]
    .filter((part) => part.length >= MIN_PART_LENGTH)
    .flatMap((part) => {
      const bytes = Buffer.from(part);
      return [bytes.toString('hex'), ...[0, 1, 2].map((before) => base64Of(bytes, before))];
    })
    .filter((part) => text.includes(part));
}

/** The base64 characters that depend on these bytes alone, after so many bytes (modulo 3) and before any others. */
function base64Of(bytes: Buffer, before: number): string {
  const base64 = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return base64.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

/** @param compact - from `compactOf`. */
function includesPart(compact: string, part: string): boolean {
  const sought = compactOf(part);
  return sought.length >= MIN_PART_LENGTH && compact.includes(sought);
}

/** Whether a text contains a long name, or a word of a name as a whole word. */
function includesName(lower: string, compact: string, name: string): boolean {
  const sought = toAscii(name).toLowerCase();
  if (isLong(name) && includesPart(compact, sought)) return true;
  // Fast path: a name of one word that the text does not contain.
  if (isWord(sought) && !lower.includes(sought)) return false;
  const words = wordsOf(sought).filter((word) => word.length >= MIN_NAME_LENGTH && lower.includes(word));
  return words.length > 0 && wordsOf(lower).some((word) => words.includes(word));
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
  return text.split(isAscii(text) ? /[^a-z0-9]+/ : /[^\p{L}\p{N}]+/u);
}

const WORD = /^[a-z0-9]*$/;
const isWord = (text: string): boolean => WORD.test(text);

/** Letters and digits only, in lower case, digits in ASCII. */
function compactOf(text: string): string {
  if (isWord(text)) return text;
  const lower = toAscii(text).toLowerCase();
  return isAscii(lower) ? lower.replace(/[^a-z0-9]+/g, '') : lower.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** The words to mask, the longest first, so that no part of a name remains. */
function namesOf({ login, firstName, lastName }: Personal): readonly string[] {
  const names = [login, login === undefined ? undefined : beforeAt(login), firstName, lastName];
  const words = names
    .filter((name) => name !== undefined)
    .map(toAscii)
    .flatMap((name) => [name, ...name.split(/\s+/)]);
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
