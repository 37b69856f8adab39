import { isAbout, maskNumber, maskText, toAscii } from '../../core/masking.js';
import { fieldOf } from '../../core/json.js';

/** A hook call and its answer, as others may read them: no code, no whole number, no login, no name. */

/** What of a call is personal, whatever it looks like. */
export type CallSecrets = Parameters<typeof isAbout>[1];

const MASK = '…';
const MAX_TOLD = 500;

/** Reads them where Okta has them; what is there in another type is taken as its text. */
export function secretsOfCall(payload: unknown): CallSecrets {
  const data = fieldOf(payload, 'data');
  const message = fieldOf(data, 'messageProfile');
  const user = fieldOf(data, 'userProfile');
  return {
    otpCode: textAt(message, 'otpCode'),
    phoneNumber: textAt(message, 'phoneNumber'),
    login: textAt(user, 'login') || undefined,
    firstName: textAt(user, 'firstName') || undefined,
    lastName: textAt(user, 'lastName') || undefined,
  };
}

function textAt(value: unknown, name: string): string {
  const field = fieldOf(value, name);
  return typeof field === 'string' || typeof field === 'number' ? String(field).trim() : '';
}

/** Something that is told of a call: on one line, in bounds, and masked where it is about the user or the code. */
export function tellable(text: string, secrets: CallSecrets): string {
  // What another's hook answers goes to a terminal.
  const plain = toAscii(text)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(OTHERS_NUMBER, MASK)
    .replace(ADDRESS, MASK);
  // Cut last: of what is cut in two the first half would stay, and nothing would know it.
  return maskWhatIsAbout(plain, secrets).slice(0, MAX_TOLD);
}

/** A number in E.164 form, however it is set apart: a captured call may be about more phones than its own. */
const OTHERS_NUMBER = /\+\d(?:[\s().-]{0,3}\d){6,}/g;
/** Of somebody's device. */
const ADDRESS =
  /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)|(?<![\w:])(?:[\da-f]{0,4}:){3,7}[\da-f]{0,4}(?![\w:])/gi;

function maskWhatIsAbout(plain: string, secrets: CallSecrets): string {
  if (!isAbout(plain, secrets, '')) return plain;
  // Of pairs joined by semicolons only those that are; unless it is the semicolons that set it apart.
  const told = plain
    .split(';')
    .map((part) => (isAbout(part, secrets, '') ? maskText(part, secrets) : part))
    .join(';');
  return isAbout(told, secrets, '') ? maskText(plain, secrets) : told;
}

/**
 * The same value with every text in it masked: by its name, else by what it holds. What has a name that neither a call
 * nor an answer has by Okta's documents may be anything, and is left out.
 */
export function maskValue(value: unknown, secrets: CallSecrets, name = ''): unknown {
  if (name !== '' && !KNOWN.has(name)) return value === null || typeof value === 'boolean' ? value : MASK;
  if (Array.isArray(value)) return value.map((entry) => maskValue(entry, secrets, name));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [tellable(key, secrets), maskValue(entry, secrets, key)]),
    );
  }
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const text = String(value);
  if (name === 'phoneNumber') return maskNumber(text);
  if (PERSONAL.has(name)) return text === '' ? '' : MASK;
  const told = name === 'msgTemplate' ? maskText(text, secrets) : tellable(text, secrets);
  return told === text ? value : told;
}

const PERSONAL: ReadonlySet<string> = new Set(['otpCode', 'login', 'firstName', 'lastName']);

/** The names of a call and of its answer; `ipAddress` is not among them on purpose. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['eventId', 'eventTime', 'eventType', 'eventTypeVersion', 'contentType', 'cloudEventVersion'],
  ...['source', 'requestType', 'data', 'context', 'request', 'id', 'method', 'url', 'value'],
  ...['userProfile', 'userId', ...PERSONAL],
  ...['messageProfile', 'msgTemplate', 'phoneNumber', 'otpExpires', 'deliveryChannel', 'locale'],
  ...['commands', 'type', 'status', 'provider', 'transactionId', 'transactionMetadata'],
  ...['error', 'errorCode', 'errorSummary', 'errorCauses', 'reason', 'locationType', 'location', 'domain'],
]);
