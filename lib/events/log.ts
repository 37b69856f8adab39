import type { Logger } from '../core/channel.js';
import type { HookEvent, HookEventListener, HookEventOf } from '../core/events.js';
import { describeEvent } from './describe-event.js';
import type { Tone } from './description.js';
import type { LogLevel } from './log-output.js';

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

const LEVELS = { plain: 'info', good: 'info', warn: 'warn', bad: 'warn' } as const satisfies Record<
  Tone,
  LogLevel
>;

/** `error` is for what users notice: no code goes out, or gateways no longer know of each other. */
const ERRORS: ReadonlySet<HookEvent['type']> = new Set([
  'request.answered',
  'state.lost',
  'readiness.failed',
]);

function levelOf(event: HookEvent, tone: Tone): LogLevel {
  if (event.type === 'request.answered' && isWarnedOf(event)) return 'info';
  return tone === 'bad' && ERRORS.has(event.type) ? 'error' : LEVELS[tone];
}

/**
 * Whether another line has warned of a blocked code: that of `guard.blocked`, or of the first answer. A blocked code is one
 * warning.
 */
function isWarnedOf({ outcome, isRepeat, code, attempts }: HookEventOf<'request.answered'>): boolean {
  const isByGuard = attempts.length === 0 && code !== 'SUPERSEDED';
  return outcome === 'blocked' && (isRepeat || isByGuard);
}

/** The event's fields, first those that people search by. A log line has its own time. */
function fieldsOf(
  { type, at, ...fields }: HookEvent,
  remedy: string | undefined,
): Readonly<Record<string, unknown>> {
  return {
    event: type,
    ...('userId' in fields ? { userId: fields.userId } : {}),
    ...fields,
    ...(remedy === undefined ? {} : { remedy }),
  };
}
