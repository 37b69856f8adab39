import type { HookEventOf } from '../core/events.js';
import { by, plain, type EventDescription } from './description.js';
import { nameChannel } from './names.js';

/** The sentences about messages: their reports, late failover and what users write. Node and browsers load this file, as `describe-event.ts`. */

/** Twilio's words; they follow `The message by …` or `The call`. */
export const STATUSES: ReadonlyMap<string, Pick<EventDescription, 'text' | 'tone'>> = new Map([
  ['queued', { tone: 'plain', text: 'is waiting at the provider' }],
  ['sending', { tone: 'plain', text: 'is on its way to the carrier' }],
  ['sent', { tone: 'plain', text: 'was handed to the carrier' }],
  ['delivered', { tone: 'good', text: 'was delivered' }],
  ['read', { tone: 'good', text: 'was read' }],
  ['undelivered', { tone: 'bad', text: 'was not delivered' }],
  ['failed', { tone: 'bad', text: 'failed' }],
  ['canceled', { tone: 'bad', text: 'was cancelled' }],
  ['initiated', { tone: 'plain', text: 'was started' }],
  ['ringing', { tone: 'plain', text: 'is ringing' }],
  ['in-progress', { tone: 'plain', text: 'was picked up' }],
  ['answered', { tone: 'good', text: 'was picked up' }],
  ['completed', { tone: 'good', text: 'was heard to its end' }],
  ['busy', { tone: 'bad', text: 'met a busy line' }],
  ['no-answer', { tone: 'bad', text: 'was not picked up' }],
]);

/** The user has a newer code, or this one, so that this message is not needed. */
const NOT_NEEDED: ReadonlySet<string> = new Set(['SUPERSEDED', 'DELIVERED']);

export function describeFailover(event: HookEventOf<'failover.ended'>): EventDescription {
  const { outcome, cause, code, reason, remedy, transactionId } = event;
  const failed = `${nameChannel(event.fromChannel)} did not deliver the code (${cause.code})`;
  const next = event.channel === undefined ? 'by another channel' : by(event.channel);
  switch (outcome) {
    case 'accepted':
      return { tone: 'good', text: `${failed}, so it was sent ${next}.`, ...cause, transactionId };
    case 'unknown':
      return {
        tone: 'warn',
        text: `${failed}. It may have been sent ${next}: the outcome is unknown.`,
        code: code ?? cause.code,
        reason: reason ?? cause.reason,
        remedy: remedy ?? cause.remedy,
      };
    case 'refused':
      return {
        tone: 'bad',
        text: `${failed}, and it could not be sent ${next}.`,
        code,
        reason,
        remedy: remedy ?? cause.remedy,
      };
    case 'dropped':
      return NOT_NEEDED.has(code ?? '')
        ? { tone: 'plain', text: `${failed}. No other channel is needed.`, code, reason, remedy }
        : {
            tone: 'warn',
            text: `${failed}, and no other channel can send it.`,
            code,
            reason,
            remedy: remedy ?? cause.remedy,
          };
  }
}

export function describeInbound({
  keyword,
  channel,
  fromEnding,
}: HookEventOf<'inbound.received'>): EventDescription {
  const where = channel === 'rcs' ? 'RCS' : nameChannel(channel);
  if (keyword !== 'stop' && keyword !== 'start') return plain(`A user wrote ${by(where)}.`);
  const word = keyword.toUpperCase();
  if (fromEnding === undefined) {
    return plain(
      `A user whose number is hidden sent ${word} ${by(where)}. It takes effect once a message shows the number.`,
    );
  }
  // Twilio sends by RCS what the hook sends as SMS.
  const affected = channel === 'whatsapp' ? 'there' : 'by SMS';
  const effect = keyword === 'stop' ? `gets no codes ${affected}` : `gets codes ${affected} again`;
  return plain(`A user sent ${word} ${by(where)} and ${effect}.`);
}

/** For a failed message of a provider that gives no remedy. */
export const lookAfter = (channel: string): string =>
  channel === 'voice'
    ? 'The user must pick up, or choose another method.'
    : "Look at the message in the provider's log.";
