import type { HookEventOf } from '../core/events.js';
import {
  bad,
  by,
  describe,
  good,
  nameChannel,
  plain,
  remedyOfUnknown,
  warn,
  type EventDescription,
  type Tone,
} from './description.js';

/** The sentences about messages: their reports, late failover and what users write. Node and browsers load this file, as `describe-event.ts`. */

/** Twilio's words; they follow `The message by …` or `The call`. */
const STATUSES: ReadonlyMap<string, readonly [tone: Tone, text: string]> = new Map([
  ['queued', ['plain', 'is waiting at the provider']],
  ['sending', ['plain', 'is on its way to the carrier']],
  ['sent', ['plain', 'was handed to the carrier']],
  ['delivered', ['good', 'was delivered']],
  ['read', ['good', 'was read']],
  ['undelivered', ['bad', 'was not delivered']],
  ['failed', ['bad', 'failed']],
  ['canceled', ['bad', 'was cancelled']],
  ['initiated', ['plain', 'was started']],
  ['ringing', ['plain', 'is ringing']],
  ['in-progress', ['plain', 'was picked up']],
  ['answered', ['good', 'was picked up']],
  ['completed', ['good', 'was heard to its end']],
  ['busy', ['bad', 'met a busy line']],
  ['no-answer', ['bad', 'was not picked up']],
]);

export function describeReport(event: HookEventOf<'message.reported'>): EventDescription {
  const { channel, status, code, reason, transactionId } = event;
  const [tone, text] = STATUSES.get(status) ?? ['plain', `has the status ${status}`];
  const isCall = channel === 'voice';
  const subject = isCall ? 'The call' : `The message ${by(channel)}`;
  const lookAfter = isCall
    ? 'The user must pick up, or choose another method.'
    : "Look at the message in the provider's log.";
  const remedy = event.remedy ?? (event.report === 'failed' ? lookAfter : undefined);
  const why = event.report === 'failed' && code !== undefined ? ` (${code})` : '';
  return describe(tone, `${subject} ${text}${why}.`, { code, reason, remedy, transactionId });
}

/** The user has a newer code, or this one, so that this message is not needed. */
const NOT_NEEDED: ReadonlySet<string> = new Set(['SUPERSEDED', 'DELIVERED']);

const NO_OTHER = ', and no other channel can send it.';

/** Why no other channel sent a code that the user may still need. They follow `… did not deliver the code`. */
const DROPPED: ReadonlyMap<string, string> = new Map([
  ['FRAUD_BLOCK', '. A fraud filter blocked it, so no other channel sends it.'],
  ['CODE_EXPIRED', '. The code had ended by then, so no other channel sends it.'],
  [
    'STATE_LOST',
    '. The shared state was lost or empty: the hook does not know of newer codes, so no other channel sends it.',
  ],
]);

export function describeFailover(event: HookEventOf<'failover.ended'>): EventDescription {
  const { cause, code, reason, transactionId } = event;
  const failed = `${nameChannel(event.fromChannel)} did not deliver the code (${cause.code})`;
  const next = event.channel === undefined ? 'by another channel' : by(event.channel) + withOther(event);
  const remedy = event.remedy ?? cause.remedy;
  switch (event.outcome) {
    case 'accepted':
      return good(`${failed}, so it was sent ${next}.`, { ...cause, transactionId });
    case 'unknown':
      return warn(`${failed}. It may have been sent ${next}: the outcome is unknown.`, {
        code: code ?? cause.code,
        reason: reason ?? cause.reason,
        remedy: event.remedy ?? remedyOfUnknown(event.channel, event.provider),
      });
    case 'refused':
      return bad(`${failed}, and it could not be sent ${next}.`, { code, reason, remedy });
    case 'dropped':
      return NOT_NEEDED.has(code ?? '')
        ? plain(`${failed}. No other channel is needed.`, { code, reason, remedy: event.remedy })
        : warn(failed + (DROPPED.get(code ?? '') ?? NO_OTHER), { code, reason, remedy });
  }
}

/** The next provider of the same channel. */
function withOther({ channel, fromChannel, provider }: HookEventOf<'failover.ended'>): string {
  return channel === fromChannel && provider !== undefined ? ` with another provider (${provider})` : '';
}

export function describeInbound({
  keyword,
  channel,
  fromEnding,
}: HookEventOf<'inbound.received'>): EventDescription {
  const where = nameChannel(channel);
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
