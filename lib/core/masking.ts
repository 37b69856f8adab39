import { hash } from 'node:crypto';
import type { TelephonyRequest } from './channel.js';

/** What of a request is personal. */
type Personal = Pick<TelephonyRequest, 'otpCode' | 'phoneNumber' | 'login' | 'firstName' | 'lastName'>;

/** What stands where something personal was. */
const MASK = '…';

/** Shorter names would mask half of an ordinary sentence. */
const SHORTEST_NAME = 3;

/** From here on a name or a login stands inside other words by no chance; shorter ones count as words of their own. */
const SURE_NAME = 5;

/** Shorter parts of a number or a login stand in ordinary codes by chance. */
const SHORTEST_PART = 4;

/** So many of a number's last digits give it away: at home it is written without its country code. */
const NATIONAL_LENGTH = 9;

/** `UNABLE_TO_VERIFY_LEAF_SIGNATURE`: as long as a token, and no token has neither a digit nor a small letter. */
const ERROR_CODE = /^[A-Z]+(?:_[A-Z]+)+\.?$/;

/** Shorter ids hold little beside what must not be told: whoever has their digest could try all numbers and codes. */
const SHORTEST_OPAQUE_ID = 32;

/** So much of a text is looked at, and so much of it is told. */
const READ_LENGTH = 2000;
const TOLD_LENGTH = 300;

/**
 * Takes out of a text what belongs to one request (its code, number, login and names), any run of digits long
 * enough to be a code or a number, and what may be a token; long error codes are left. For words that others wrote: a
 * custom channel's reasons, errors of functions that the user gave. Takes anything, for a thrown error's message may be
 * anything. The time grows with the text's length alone, whatever the code is.
 */
export function maskText(text: unknown, request: Personal | undefined, to = ''): string {
  const whole = typeof text === 'string' ? text : '';
  // Where a text is cut, half a secret would be left, which nothing would know: the last word goes with it.
  const read = whole.length > READ_LENGTH ? whole.slice(0, READ_LENGTH).replace(/(?<!\S)\S+$/, '') : whole;
  let masked = toAscii(read);
  const { longNames, shortNames, numbers } = request === undefined ? NOBODY : secretsOf(request, to);
  for (const name of longNames) masked = masked.replaceAll(name, MASK);
  for (const number of numbers) masked = maskApart(masked, number);
  const encoded = request === undefined ? [] : encodedIn(masked, request, to);
  if (encoded.length > 0) {
    masked = masked.replace(/[\w+/=-]+/g, (run) => (encoded.some((part) => run.includes(part)) ? MASK : run));
  }
  masked = masked
    .replaceAll(`+${MASK}`, MASK)
    .replace(/\S+/g, (word) => (/[^@]@[^@]/.test(word) ? MASK : word))
    .replace(/\b(basic|bearer|dpop|ssws)\s+\S+/gi, `$1 ${MASK}`)
    .replace(/[\w.~+/=-]{20,}/g, (run) => (ERROR_CODE.test(run) ? run : MASK))
    .replace(/\b(?:sk|pk|key|token|secret)[_-]\S+/gi, MASK)
    .replace(/\+?\d(?:[\s().-]?\d){3,}/g, MASK);
  // Last: with a code or a number beside it that is now gone, a short name is a word of its own.
  for (const name of shortNames) masked = masked.replaceAll(name, MASK);
  return masked.slice(0, TOLD_LENGTH);
}

/**
 * Masks a code or a number, in whatever case, and whatever stands between its characters: it is read out as `2, 0, 4`.
 * Only a letter or a digit of ASCII, and what is in the secret itself, sets two of its characters apart.
 *
 * @param text - its characters; each is read once.
 */
export function maskApart(text: Iterable<string>, secret: string): string {
  const folded = Array.from(toAscii(secret), foldCase);
  const compact = folded.filter((character) => /[\p{L}\p{N}]/u.test(character)).join('');
  // A code may be little else than hyphens.
  const sought = compact.length >= SHORTEST_NAME ? compact : folded.join('');
  const told: string[] = [];
  let kept = '';
  /** Of each unit of `kept`, which character of the text it is of. */
  const places: number[] = [];
  for (const character of text) {
    const letter = foldCase(character);
    if (isWord(letter) || sought.includes(letter)) {
      kept += letter;
      for (let unit = 0; unit < letter.length; unit += 1) places.push(told.length);
    }
    told.push(character);
  }
  if (sought.length < SHORTEST_NAME) return told.join('');
  for (let at = kept.indexOf(sought); at !== -1; at = kept.indexOf(sought, at + sought.length)) {
    const first = places[at] ?? 0;
    told.fill('', first, (places[at + sought.length - 1] ?? first) + 1);
    told[first] = MASK;
  }
  return told.join('');
}

/** Of one character: in a whole text a sigma at the end of a word is another one. */
const foldCase = (character: string): string => character.toUpperCase().toLowerCase();

/** What may be told of what somebody's function threw. */
export function maskError(error: unknown, request: Personal | undefined): string {
  try {
    return maskText(error instanceof Error ? error.message : undefined, request) || 'failed';
  } catch {
    // Somebody's error may throw when its message is read.
    return 'failed';
  }
}

/** A text in place of one that must not be told: the same wherever it is told. */
export const digestOf = (text: string): string => hash('sha256', text, 'base64url');

/**
 * The id of a message, as it is told. One that holds something personal is told by the event's id; a long one that
 * does not show it but holds it in base64, as WhatsApp's do, by its digest, which whoever has the id can make as well.
 */
export function toldId(
  transactionId: string,
  request: Personal & Pick<TelephonyRequest, 'eventId'>,
  to: string,
): string {
  if (transactionId === '' || isPlainlyAbout(transactionId, request, to)) return request.eventId;
  if (encodedIn(transactionId, request, to).length === 0) return transactionId;
  return transactionId.length >= SHORTEST_OPAQUE_ID ? digestOf(transactionId) : request.eventId;
}

/**
 * Whether a code or an id that others made holds something personal: an e-mail address, a number, a name, a login
 * or the one-time code, however they are set apart, and in base64 or in hex.
 */
export function isAbout(text: string, request: Personal, to: string): boolean {
  return isPlainlyAbout(text, request, to) || encodedIn(text, request, to).length > 0;
}

function isPlainlyAbout(text: string, request: Personal, to: string): boolean {
  const lower = toAscii(text).toLowerCase();
  if (lower.includes('@')) return true;
  const { otpCode, phoneNumber, login, firstName, lastName } = request;
  const compact = compactOf(lower);
  return (
    holds(compact, otpCode) ||
    holds(compact, phoneNumber.slice(-NATIONAL_LENGTH)) ||
    holds(compact, to.slice(-NATIONAL_LENGTH)) ||
    (login !== undefined && holds(compact, beforeAt(login))) ||
    (firstName !== undefined && holdsName(lower, compact, firstName)) ||
    (lastName !== undefined && holdsName(lower, compact, lastName))
  );
}

/**
 * Four digits in base64 or in hex look like this, wherever they begin. Twilio's ids hardly ever do: to look into one takes
 * 1.5 µs, and would take 10 if the request were encoded for each.
 */
const ENCODED_DIGITS = /[MNO][DTjz]|(?:3\d){4}/;

/** Parts of a text that are base64 or hex of the code or of a number. Of these base64 and base64url are the same. */
function encodedIn(text: string, { otpCode, phoneNumber }: Personal, to: string): readonly string[] {
  if (!ENCODED_DIGITS.test(text)) return [];
  const numbers = [phoneNumber, to].map((number) => number.replace('+', '').slice(-NATIONAL_LENGTH));
  return [...new Set([toAscii(otpCode), ...numbers])]
    .filter((part) => part.length >= SHORTEST_PART)
    .flatMap((part) => {
      const bytes = Buffer.from(part);
      return [bytes.toString('hex'), ...[0, 1, 2].map((before) => base64Of(bytes, before))];
    })
    .filter((part) => text.includes(part));
}

/** The characters of base64 that these bytes decide alone, with so many bytes (modulo 3) before them and any behind. */
function base64Of(bytes: Buffer, before: number): string {
  const base64 = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return base64.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

/** @param compact - what `compactOf` makes of a text. */
function holds(compact: string, part: string): boolean {
  const sought = compactOf(part);
  return sought.length >= SHORTEST_PART && compact.includes(sought);
}

function holdsName(lower: string, compact: string, name: string): boolean {
  const sought = toAscii(name).toLowerCase();
  return (name.length >= SURE_NAME && holds(compact, sought)) || namesPart(lower, sought);
}

function beforeAt(login: string): string {
  const at = login.indexOf('@');
  return at === -1 ? login : login.slice(0, at);
}

/** Whether a text has one of the words of a name among its own. Both are in lower case. */
function namesPart(text: string, name: string): boolean {
  // As a rule a name is one word, and the text does not hold it.
  if (isWord(name) && !text.includes(name)) return false;
  const words = wordsOf(name).filter((word) => word.length >= SHORTEST_NAME && text.includes(word));
  return words.length > 0 && wordsOf(text).some((word) => words.includes(word));
}

/** The classes of Unicode are slow, and most texts need none of them. */
const ASCII = /^[ -~]*$/;
const isAscii = (text: string): boolean => ASCII.test(text);

/**
 * The same text, with digits of any script, and letters and signs of other widths, as ASCII has them: `٢`, `२` and `２`
 * are `2`. What is made of two signs is one where Unicode has it.
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

/** Unicode has the ten digits of a script in a row, and these rows at times one behind another. */
function digitValue(digit: string): number {
  const own = digit.codePointAt(0) ?? 0;
  let first = own;
  while (DECIMAL_DIGIT.test(String.fromCodePoint(first - 1))) first -= 1;
  return (own - first) % 10;
}

/** Of a text in lower case. */
function wordsOf(text: string): string[] {
  if (isWord(text)) return [text];
  return text.split(isAscii(text) ? /[^a-z0-9]+/ : /[^\p{L}\p{N}]+/u);
}

const WORD = /^[a-z0-9]*$/;
const isWord = (text: string): boolean => WORD.test(text);

/** Letters and digits alone, in lower case, digits as ASCII has them. */
function compactOf(text: string): string {
  if (isWord(text)) return text;
  const lower = toAscii(text).toLowerCase();
  return isAscii(lower) ? lower.replace(/[^a-z0-9]+/g, '') : lower.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** What must not be told of a request. */
interface Secrets {
  /** The longest first, so that no part of one is left behind. */
  readonly longNames: readonly RegExp[];
  /** Masked as words of their own only: "ada" is in "unreadable". */
  readonly shortNames: readonly RegExp[];
  readonly numbers: readonly string[];
}

const NOBODY: Secrets = { longNames: [], shortNames: [], numbers: [] };

function secretsOf(request: Personal, to: string): Secrets {
  const { otpCode, phoneNumber, login, firstName, lastName } = request;
  const names = [login, login?.split('@')[0], firstName, lastName].filter((name) => name !== undefined);
  const words = new Set(names.map(toAscii).flatMap((name) => [name, ...name.split(/\s+/)]));
  const sorted = [...words]
    .filter((word) => word.length >= SHORTEST_NAME)
    .sort((a, b) => b.length - a.length);
  return {
    longNames: sorted
      .filter((word) => word.length >= SURE_NAME)
      .map((word) => new RegExp(escapeRegExp(word), 'gi')),
    // Letters beyond ASCII count as none, so that rather too much is masked than too little.
    shortNames: sorted
      .filter((word) => word.length < SURE_NAME)
      .map((word) => new RegExp(`(?<![0-9A-Za-z])${escapeRegExp(word)}(?![0-9A-Za-z])`, 'gi')),
    numbers: [...new Set([phoneNumber, to, otpCode])],
  };
}

/** A number of which its last two digits are left, so that an administrator can tell two apart. */
export function maskNumber(phoneNumber: string): string {
  return phoneNumber === '' ? '' : `${MASK}${phoneNumber.slice(-2)}`;
}

/** A code of a provider or an id of Okta, fit for a log line and for `key=value` pairs. */
export function toToken(text: string, maxLength = 64): string {
  return text.replace(/[^\w.:-]/g, '_').slice(0, maxLength);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
