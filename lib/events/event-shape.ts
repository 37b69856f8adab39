import type { HookEvent, HookEventFields, HookEventType } from '../core/events.js';
import { isObject, type JsonObject } from '../core/json.js';

/**
 * Checks whether an event that another gateway wrote can be read here. That gateway may have another version, and the log may be
 * the user's: a type may be new, and a known type may have other fields.
 */

type Kind = 'string' | 'number' | 'boolean' | 'words' | 'skipped' | 'cause' | 'rules' | 'reports';

/** The names of all fields of a union. */
export type NamesIn<Fields> = Fields extends unknown ? keyof Fields : never;

/** The kind of each field, in every event that has it. An event of an unknown type is a step, too, with these fields. */
const FIELDS = {
  eventId: 'string',
  oktaRequestId: 'string',
  requestType: 'string',
  deliveryChannel: 'string',
  userId: 'string',
  toEnding: 'string',
  isPreview: 'boolean',
  isRepeat: 'boolean',
  testedBy: 'string',
  isOtherNumber: 'boolean',
  channel: 'string',
  provider: 'string',
  transactionId: 'string',
  providerRequestId: 'string',
  outcome: 'string',
  status: 'string',
  report: 'string',
  code: 'string',
  fromChannel: 'string',
  cause: 'cause',
  durationMs: 'number',
  rules: 'rules',
  attempts: 'reports',
  channels: 'words',
  skipped: 'skipped',
} as const satisfies { readonly [Name in NamesIn<HookEvent>]?: Kind };

const REPORT = ['channel', 'provider', 'outcome', 'durationMs'] as const;

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
  return hasFields(value, NEEDED.get(type) ?? []);
}

function hasFields(value: JsonObject, needed: readonly string[]): boolean {
  return (
    needed.every((name) => value[name] !== undefined) &&
    Object.entries(FIELDS).every(([name, kind]) => value[name] === undefined || isOfKind(value[name], kind))
  );
}

function isOfKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'words':
      return isListOf(value, (word) => typeof word === 'string');
    case 'skipped':
      return isListOf(
        value,
        (entry) =>
          isObject(entry) && typeof entry['channel'] === 'string' && typeof entry['reason'] === 'string',
      );
    case 'cause':
      return isObject(value) && typeof value['code'] === 'string';
    case 'rules':
      return isListOf(value, (rule) => isObject(rule) && typeof rule['code'] === 'string');
    case 'reports':
      return isListOf(value, (report) => isObject(report) && hasFields(report, REPORT));
    default:
      return typeof value === kind;
  }
}

function isListOf(value: unknown, isOne: (entry: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}
