import type { Logger } from '../core/channel.js';
import type { HookEvent, HookEventListener, HookEventOf } from '../core/events.js';
import type { LogLevel } from './adapt-logger.js';
import { describeEvent } from './describe-event.js';
import type { Tone } from './description.js';

/** Writes one line for each hook call, and one for each other event that an operator must know. */
export function logListener(logger: Logger): HookEventListener {
  return (event) => {
    if (!isLogged(event)) return undefined;
    const { text, tone, remedy } = describeEvent(event);
    return logger[levelOf(event, tone)](`okta-telephony-hook: ${text}`, fieldsOf(event, remedy));
  };
}

function isLogged(event: HookEvent): boolean {
  switch (event.type) {
    // The line of the call has their facts.
    case 'request.received':
    case 'profile.read':
    case 'channels.planned':
    case 'attempt.ended':
      return false;
    case 'message.reported':
      return event.report === 'failed';
    // Other messages of users do not change who gets codes, and by SMS Twilio itself obeys the keywords.
    case 'inbound.received':
      return event.channel !== 'sms' && (event.keyword === 'stop' || event.keyword === 'start');
    default:
      return true;
  }
}

const LEVEL_OF: Readonly<Record<Tone, LogLevel>> = { plain: 'info', good: 'info', warn: 'warn', bad: 'warn' };

/** `error` is for what users notice: no code goes out, or gateways no longer know of each other. */
const ERRORS: ReadonlySet<HookEvent['type']> = new Set([
  'request.answered',
  'state.lost',
  'readiness.failed',
]);

function levelOf(event: HookEvent, tone: Tone): LogLevel {
  if (event.type === 'request.answered' && isWarnedOf(event)) return 'info';
  return tone === 'bad' && ERRORS.has(event.type) ? 'error' : LEVEL_OF[tone];
}

/** Whether another line has told of a code that was not sent: that of `guard.blocked`, or of the first answer. Each counts once. */
function isWarnedOf({ outcome, isRepeat, code, attempts }: HookEventOf<'request.answered'>): boolean {
  if (isRepeat) return outcome === 'blocked' || outcome === 'refused';
  return outcome === 'blocked' && attempts.length === 0 && code !== 'SUPERSEDED';
}

/** The fields of a line that have a value, first those that people search by. A log line has its own time. */
function fieldsOf(event: HookEvent, remedy: string | undefined): Readonly<Record<string, unknown>> {
  const { userId } = event as { readonly userId?: string | undefined };
  const fields: Record<string, unknown> =
    userId === undefined
      ? { event: event.type }
      : event.type === 'request.answered'
        ? startOfAnswer(event)
        : { event: event.type, userId };
  for (const name in event) {
    const value: unknown = event[name as keyof HookEvent];
    if (value !== undefined && name !== 'type' && name !== 'at' && !(name in fields)) fields[name] = value;
  }
  if (remedy !== undefined) fields['remedy'] = remedy;
  return fields;
}

/** V8 makes a dictionary of an object to which a loop adds more than 12 fields: to write such a line takes 3 µs longer. */
function startOfAnswer(event: HookEventOf<'request.answered'>): Record<string, unknown> {
  return {
    event: event.type,
    userId: event.userId,
    eventId: event.eventId,
    deliveryChannel: event.deliveryChannel,
    toEnding: event.toEnding,
    isPreview: event.isPreview,
    isRepeat: event.isRepeat,
    outcome: event.outcome,
    status: event.status,
    hasHungUp: event.hasHungUp,
    durationMs: event.durationMs,
    remainingMs: event.remainingMs,
    attempts: event.attempts,
    skipped: event.skipped,
  };
}
