import type { HookEvent } from '#lib/index.js';
import type { HookEventFact } from './facts.js';

/** Fields that the report shows. Events contain no personal data. */
const SHOWN = [
  'channel',
  'fromChannel',
  'status',
  'outcome',
  'code',
  'reason',
  'extension',
  'transactionId',
] as const;

/** The parts of a gateway's event that the account and the report need. */
export function readHookEvent(gateway: number, event: HookEvent): HookEventFact {
  const fields = event as HookEvent & Readonly<Record<string, unknown>>;
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    gateway,
    at: event.at,
    type: event.type,
    eventId: text('eventId'),
    outcome: text('outcome'),
    channel: text('channel'),
    transactionId: text('transactionId'),
    resendOf: text('resendOf'),
    isStopped: event.type === 'channels.planned' && event.skipped.some(({ reason }) => reason === 'STOPPED'),
    isInternal: isInternal(event),
    attempts: event.type === 'failover.ended' ? event.attempts : undefined,
    text: [
      ...(event.type === 'failover.ended' ? [event.cause.code] : []),
      ...SHOWN.flatMap((name) => text(name) ?? []),
      ...(fields['hasHungUp'] === true ? ['hung up'] : []),
    ].join(' '),
  };
}

/** Without Redis, the state may fail. Nothing else of the gateway may, and no answer is 500. */
function isInternal(event: HookEvent): boolean {
  if (event.type === 'request.rejected') return event.status === 500;
  return event.type === 'extension.failed' && event.extension !== 'state';
}
