import type { HookEvent } from '#lib/index.js';
import type { ToldFact } from './facts.js';

/** Words for people; none of them is anybody's, by the promise of the events. */
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

/** What a gateway told, as far as the account and its readers need it. */
export function readTold(gateway: number, told: HookEvent): ToldFact {
  const fields = told as HookEvent & Readonly<Record<string, unknown>>;
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    gateway,
    at: told.at,
    type: told.type,
    eventId: text('eventId'),
    outcome: text('outcome'),
    text: [
      ...(told.type === 'failover.ended' ? [told.cause.code] : []),
      ...SHOWN.flatMap((name) => text(name) ?? []),
      ...(fields['hasHungUp'] === true ? ['hung up'] : []),
    ].join(' '),
  };
}
