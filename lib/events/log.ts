import type { Logger } from '../core/channel.js';
import type { AttemptReport, HookEvent, HookEventListener, HookEventOf } from '../core/events.js';
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

/**
 * The fields of a line, first those that people search by. What says nothing is left out: the line is easier to read, and a
 * logger writes it faster.
 */
function fieldsOf(event: HookEvent, remedy: string | undefined): Readonly<Record<string, unknown>> {
  const { userId } = event as { readonly userId?: string | undefined };
  const fields: Record<string, unknown> =
    userId === undefined ? { event: event.type } : { event: event.type, userId };
  const accepted = event.type === 'request.answered' ? acceptedAtOnce(event) : undefined;
  for (const name in event) {
    const value: unknown = event[name as keyof HookEvent];
    if (name in fields || isSilent(name, value) || (name === 'attempts' && accepted !== undefined)) continue;
    fields[name] = value;
  }
  if (accepted !== undefined) {
    const { durationMs, providerRequestId } = accepted;
    fields['attemptMs'] = durationMs;
    if (providerRequestId !== undefined) fields['providerRequestId'] = providerRequestId;
  }
  if (remedy !== undefined) fields['remedy'] = remedy;
  return fields;
}

/** A log line has its own time, and `durationMs` says what `remainingMs` was. */
const IMPLIED: ReadonlySet<string> = new Set(['type', 'at', 'remainingMs']);

function isSilent(name: string, value: unknown): boolean {
  if (value === undefined || value === false || IMPLIED.has(name)) return true;
  return Array.isArray(value) ? value.length === 0 : name === 'profileSource' && value === 'okta';
}

/** The only attempt of a code, if it was accepted. The channel, the provider and the id are fields of the line. */
function acceptedAtOnce({ attempts }: HookEventOf<'request.answered'>): AttemptReport | undefined {
  const [first] = attempts;
  return first?.outcome === 'accepted' ? first : undefined;
}
