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

/** `UNABLE_TO_VERIFY_LEAF_SIGNATURE`: as long as a token, and no token has neither a digit nor a small letter. */
const ERROR_CODE = /^[A-Z]+(?:_[A-Z]+)+\.?$/;

/** So much of a text is looked at, and so much of it is told. */
const READ_LENGTH = 2000;
const TOLD_LENGTH = 300;

/**
 * Takes out of a text what belongs to one request (its code, number, login and names), any run of digits long
 * enough to be a code or a number, and what may be a token; long error codes are left. For words that others wrote: a
 * custom channel's reasons, errors of functions that the user gave. Takes anything, for a thrown error's message may be
 * anything.
 */
export function maskText(text: unknown, request: Personal | undefined, to?: string): string {
  const whole = typeof text === 'string' ? text : '';
  // Where a text is cut, half a secret would be left, which nothing would know: the last word goes with it.
  let masked = whole.length > READ_LENGTH ? whole.slice(0, READ_LENGTH).replace(/\S+$/, '') : whole;
  const { secrets, shortNames } = request === undefined ? NOBODY : secretsOf(request, to);
  for (const secret of secrets) masked = masked.replaceAll(secret, MASK);
  masked = masked
    .replace(/[^\s@]+@[^\s@]+/g, MASK)
    .replace(/\b(basic|bearer|dpop|ssws)\s+\S+/gi, `$1 ${MASK}`)
    .replace(/[\w.~+/=-]{20,}/g, (run) => (ERROR_CODE.test(run) ? run : MASK))
    .replace(/\b(?:sk|pk|key|token|secret)[_-]\S+/gi, MASK)
    .replace(/\+?\d(?:[\s().-]?\d){3,}/g, MASK);
  // Last: with a code or a number beside it that is now gone, a short name is a word of its own.
  for (const name of shortNames) masked = masked.replaceAll(name, MASK);
  return masked.slice(0, TOLD_LENGTH);
}

/** What may be told of what somebody's function threw. */
export function maskError(error: unknown, request: Personal | undefined): string {
  try {
    return maskText(error instanceof Error ? error.message : undefined, request) || 'failed';
  } catch {
    // Somebody's error may throw when its message is read.
    return 'failed';
  }
}

/**
 * Whether a code or an id that others made holds something personal: an e-mail address, a number, a name, a login
 * or the one-time code, however they are set apart.
 */
export function isAbout(text: string, request: Personal, to: string): boolean {
  if (text.includes('@')) return true;
  const { otpCode, phoneNumber, login, firstName, lastName } = request;
  const lower = text.toLowerCase();
  const compact = compactOf(lower);
  return (
    holds(compact, otpCode) ||
    // The national form of a number leaves out its country code.
    holds(compact, phoneNumber.slice(-9)) ||
    holds(compact, to.slice(-9)) ||
    (login !== undefined && holds(compact, beforeAt(login))) ||
    (firstName !== undefined && holdsName(lower, compact, firstName)) ||
    (lastName !== undefined && holdsName(lower, compact, lastName))
  );
}

/** @param compact - what `compactOf` makes of a text. */
function holds(compact: string, part: string): boolean {
  const sought = compactOf(part);
  return sought.length >= SHORTEST_PART && compact.includes(sought);
}

function holdsName(lower: string, compact: string, name: string): boolean {
  const sought = name.toLowerCase();
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

/** Of a text in lower case. */
function wordsOf(text: string): string[] {
  if (isWord(text)) return [text];
  return text.split(isAscii(text) ? /[^a-z0-9]+/ : /[^\p{L}\p{N}]+/u);
}

const WORD = /^[a-z0-9]*$/;
const isWord = (text: string): boolean => WORD.test(text);

/** Letters and digits alone, in lower case. */
function compactOf(text: string): string {
  if (isWord(text)) return text;
  const lower = text.toLowerCase();
  return isAscii(lower) ? lower.replace(/[^a-z0-9]+/g, '') : lower.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** What must not be told of a request. */
interface Secrets {
  /** The longest first, so that no part of one is left behind. */
  readonly secrets: readonly RegExp[];
  /** Masked as words of their own only: "ada" is in "unreadable". */
  readonly shortNames: readonly RegExp[];
}

const NOBODY: Secrets = { secrets: [], shortNames: [] };

function secretsOf(request: Personal, to: string | undefined): Secrets {
  const { otpCode, phoneNumber, login, firstName, lastName } = request;
  const names = [login, login?.split('@')[0], firstName, lastName].filter((name) => name !== undefined);
  const words = new Set(names.flatMap((name) => [name, ...name.split(/\s+/)]));
  const digits = new Set([phoneNumber, to ?? '', otpCode].map((number) => number.replace('+', '')));
  const isLong = (text: string): boolean => text.length >= SHORTEST_NAME;
  const sorted = [...words].filter(isLong).sort((a, b) => b.length - a.length);
  return {
    secrets: [
      ...sorted
        .filter((word) => word.length >= SURE_NAME)
        .map((word) => new RegExp(escapeRegExp(word), 'gi')),
      // Spoken, or set apart for reading: `2, 0, 4`. Not by \p{…} classes, which take milliseconds to compile.
      ...[...digits]
        .filter(isLong)
        .map((run) => new RegExp(`\\+?${Array.from(run, escapeRegExp).join('[^0-9A-Za-z]{0,3}')}`, 'gi')),
    ],
    // Letters beyond ASCII count as none, so that rather too much is masked than too little.
    shortNames: sorted
      .filter((word) => word.length < SURE_NAME)
      .map((word) => new RegExp(`(?<![0-9A-Za-z])${escapeRegExp(word)}(?![0-9A-Za-z])`, 'gi')),
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
