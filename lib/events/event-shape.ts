import type { HookEvent, HookEventFields, HookEventType } from '../core/events.js';
import { isObject, type JsonObject } from '../core/json.js';

/**
 * Checks whether an event that another gateway wrote can be read here. That gateway may have another version, and the log may be
 * the user's: a type may be new, and a known type may have other fields.
 */

type Check = (value: unknown) => boolean;

/** The names of all fields of a union. */
export type NamesIn<Fields> = Fields extends unknown ? keyof Fields : never;

const isString: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isListOf =
  (isOne: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(isOne);
const hasStrings =
  (...names: readonly string[]): Check =>
  (value) =>
    isObject(value) && names.every((name) => isString(value[name]));

const REPORT = ['channel', 'provider', 'outcome', 'durationMs'] as const;

/** The check of each field, in every event that has it. An event of an unknown type is a step, too, with these fields. */
const FIELDS = {
  eventId: isString,
  oktaRequestId: isString,
  requestType: isString,
  deliveryChannel: isString,
  userId: isString,
  toEnding: isString,
  isPreview: isBoolean,
  isRepeat: isBoolean,
  testedBy: isString,
  isOtherNumber: isBoolean,
  isHookUnknown: isBoolean,
  channel: isString,
  provider: isString,
  transactionId: isString,
  providerRequestId: isString,
  outcome: isString,
  status: isString,
  report: isString,
  code: isString,
  fromChannel: isString,
  cause: hasStrings('code'),
  durationMs: isNumber,
  httpStatus: isNumber,
  profileStatus: isNumber,
  rules: isListOf(hasStrings('code')),
  attempts: isListOf((report) => isObject(report) && hasFields(report, REPORT)),
  channels: isListOf(isString),
  optIn: isString,
  optInAttribute: isString,
  providersOf: (value) => isObject(value) && Object.values(value).every(isString),
  resendOf: isString,
  resendOfChannel: isString,
  skipped: isListOf(hasStrings('channel', 'reason')),
} satisfies { readonly [Name in NamesIn<HookEvent>]?: Check };

/** The status of a rejected request is that of HTTP. */
const OF_REJECTED = { ...FIELDS, status: isNumber };

/** The fields of each type that are read without a check whether they are there. */
const NEEDED: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    'request.received': ['eventId', 'deliveryChannel', 'toEnding', 'isPreview'],
    'guard.blocked': ['eventId', 'code', 'rules', 'toEnding'],
    'guard.noticed': ['eventId', 'code', 'rules', 'toEnding'],
    'profile.read': ['eventId', 'durationMs'],
    'channels.planned': ['eventId', 'channels', 'skipped'],
    'attempt.ended': ['eventId', ...REPORT],
    'attempt.settled': ['eventId', ...REPORT],
    'request.answered': [
      'eventId',
      'outcome',
      'status',
      'deliveryChannel',
      'toEnding',
      'isPreview',
      'isRepeat',
      'attempts',
      'skipped',
      'durationMs',
    ],
    'message.reported': ['channel', 'transactionId', 'report', 'status'],
    'failover.ended': ['eventId', 'fromChannel', 'cause', 'outcome', 'attempts'],
    'okta.fell-back': ['code'],
    'code.used': ['eventId', 'channel', 'provider', 'transactionId'],
    'feedback.failed': ['eventId', 'channel', 'provider', 'code'],
  } satisfies { readonly [Type in HookEventType]?: readonly NamesIn<HookEventFields[Type]>[] }),
);

/** The last time that a `Date` can have, milliseconds. */
const LAST_TIME_MS = 8.64e15;

export function isReadableEvent(value: unknown): value is HookEvent {
  if (!isObject(value)) return false;
  const { type, at } = value;
  if (typeof type !== 'string' || typeof at !== 'number' || !(Math.abs(at) <= LAST_TIME_MS)) return false;
  return hasFields(value, NEEDED.get(type) ?? [], type === 'request.rejected' ? OF_REJECTED : FIELDS);
}

function hasFields(
  value: JsonObject,
  needed: readonly string[],
  checks: Readonly<Record<string, Check>> = FIELDS,
): boolean {
  return (
    needed.every((name) => value[name] !== undefined) &&
    Object.entries(checks).every(([name, isValid]) => value[name] === undefined || isValid(value[name]))
  );
}
