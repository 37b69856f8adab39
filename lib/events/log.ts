import type { Logger } from '../core/channel.js';
import type { HookEvent, HookEventListener } from '../core/events.js';
import { describeEvent, type Tone } from './describe-event.js';
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
    case 'request.repeated':
    case 'profile.read':
    case 'channels.planned':
    case 'attempt.ended':
      return false;
    case 'message.status':
      return event.status === 'failed' || event.status === 'undelivered';
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

function levelOf({ type }: HookEvent, tone: Tone): LogLevel {
  return tone === 'bad' && ERRORS.has(type) ? 'error' : LEVELS[tone];
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
