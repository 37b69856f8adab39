import type { HookEvent } from '../core/events.js';
import { isObject, type JsonObject } from '../core/json.js';

/**
 * Whether what another gateway has written can be read as an event here. That gateway may be of another version, and the
 * log may be a user's own: a type may be new, and a known one may have another shape.
 */

type Kind = 'string' | 'number' | 'boolean' | 'words' | 'rules' | 'reports';

/** What these names mean in every event that has them: a type that is not known adds a step, and what it says by these. */
const FIELDS: Readonly<Record<string, Kind>> = {
  eventId: 'string',
  oktaRequestId: 'string',
  requestType: 'string',
  deliveryChannel: 'string',
  userId: 'string',
  to: 'string',
  isPreview: 'boolean',
  isRepeat: 'boolean',
  isOtherNumber: 'boolean',
  channel: 'string',
  provider: 'string',
  transactionId: 'string',
  outcome: 'string',
  status: 'string',
  code: 'string',
  why: 'string',
  fromChannel: 'string',
  mode: 'string',
  durationMs: 'number',
  rules: 'rules',
  attempts: 'reports',
  channels: 'words',
  passedOver: 'words',
};

const REPORT = ['channel', 'provider', 'outcome', 'durationMs'] as const;

/** What is read of an event of the type without a look whether it is there. */
const NEEDED: ReadonlyMap<string, readonly string[]> = new Map<HookEvent['type'], readonly string[]>([
  ['request.received', ['eventId', 'deliveryChannel', 'to', 'isPreview']],
  ['request.repeated', ['eventId']],
  ['guard.blocked', ['eventId', 'mode', 'code', 'rules', 'to']],
  ['profile.read', ['eventId', 'durationMs']],
  ['channels.planned', ['eventId', 'channels', 'passedOver']],
  ['attempt.ended', ['eventId', ...REPORT]],
  ['attempt.late', ['eventId', ...REPORT]],
  [
    'request.answered',
    [
      'eventId',
      'status',
      'deliveryChannel',
      'to',
      'isPreview',
      'isRepeat',
      'attempts',
      'passedOver',
      'durationMs',
    ],
  ],
  ['message.status', ['channel', 'transactionId', 'status']],
  ['failover.ended', ['eventId', 'fromChannel', 'why', 'outcome', 'attempts']],
  ['code.used', ['eventId', 'channel', 'provider', 'transactionId']],
  ['feedback.failed', ['eventId', 'channel', 'provider', 'code']],
]);

/** A page could not say a time beyond it, milliseconds. */
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
