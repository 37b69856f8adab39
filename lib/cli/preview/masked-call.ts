import { isAbout, maskNumber, maskText, toAscii } from '../../core/masking.js';
import { fieldOf } from '../../core/json.js';
import { personalDataOf, type PersonalFields } from '../../numbers/personal-data.js';

const MASK = '…';
const MAX_LENGTH = 500;

/** The values of a call that must not appear in any output. A number counts as its text. */
export function secretsOfCall(payload: unknown): PersonalFields {
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

/** Masks a text of a call or its answer: no code, phone number, login or name. The result is one line of at most 500 characters. */
export function maskForOutput(text: string, secrets: PersonalFields): string {
  // The text may come from somebody else's hook: a terminal must not obey it.
  const plain = toAscii(text)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(ANY_NUMBER, MASK)
    .replace(IP_ADDRESS, MASK);
  // The cut comes last: the mask would not recognize half a secret.
  return maskSecrets(plain, secrets).slice(0, MAX_LENGTH);
}

/** A number in E.164 form with any separators: a text may name other phones than that of the call. */
const ANY_NUMBER = /\+\d(?:[\s().-]{0,3}\d){6,}/g;
/** The address of a user's device, IPv4 or IPv6. */
const IP_ADDRESS =
  /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)|(?<![\w:])(?:[\da-f]{0,4}:){3,7}[\da-f]{0,4}(?![\w:])/gi;

function maskSecrets(plain: string, secrets: PersonalFields): string {
  const personal = personalDataOf(secrets);
  if (!isAbout(plain, personal)) return plain;
  // Metadata are pairs joined by semicolons: masks only the pairs with a secret, unless the semicolons split one.
  const masked = plain
    .split(';')
    .map((part) => (isAbout(part, personal) ? maskText(part, personal) : part))
    .join(';');
  return isAbout(masked, personal) ? maskText(plain, personal) : masked;
}

/**
 * Masks every text in a value, by the name of its member or by its content. A member that Okta's documentation does not have
 * in a call or an answer may be anything, so its value is replaced.
 */
export function maskValue(value: unknown, secrets: PersonalFields, name = ''): unknown {
  if (name !== '' && !KNOWN.has(name)) return value === null || typeof value === 'boolean' ? value : MASK;
  if (Array.isArray(value)) return value.map((entry) => maskValue(entry, secrets, name));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [
        maskForOutput(key, secrets),
        maskValue(entry, secrets, key),
      ]),
    );
  }
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const text = String(value);
  if (name === 'phoneNumber') return maskNumber(text);
  if (PERSONAL.has(name)) return text === '' ? '' : MASK;
  const masked =
    name === 'msgTemplate' ? maskText(text, personalDataOf(secrets)) : maskForOutput(text, secrets);
  return masked === text ? value : masked;
}

const PERSONAL: ReadonlySet<string> = new Set(['otpCode', 'login', 'firstName', 'lastName']);

/** The members of a call and of its answer in Okta's documentation, except `ipAddress`, which is personal. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['eventId', 'eventTime', 'eventType', 'eventTypeVersion', 'contentType', 'cloudEventVersion'],
  ...['source', 'requestType', 'data', 'context', 'request', 'id', 'method', 'url', 'value'],
  ...['userProfile', 'userId', ...PERSONAL],
  ...['messageProfile', 'msgTemplate', 'phoneNumber', 'otpExpires', 'deliveryChannel', 'locale'],
  ...['commands', 'type', 'status', 'provider', 'transactionId', 'transactionMetadata'],
  ...['error', 'errorCode', 'errorSummary', 'errorCauses', 'reason', 'locationType', 'location', 'domain'],
]);
