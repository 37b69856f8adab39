import type { Outcome } from '../../core/channel.js';
import { readNumber } from '../../numbers/phone-number.js';
import type { SenderByCountry } from './client.js';

/** The sender for a recipient: its country's, else the default one. */
export function senderFor(senders: SenderByCountry | undefined, to: string): string | undefined {
  if (senders === undefined) return undefined;
  const usual = senders['default'];
  // Where one serves all, the number need not be parsed.
  if (usual !== undefined && Object.keys(senders).length === 1) return usual;
  const { country } = readNumber(to);
  return (country === undefined ? undefined : senders[country]) ?? usual;
}

/** Nothing was sent, because the options name no sender. */
export function noSender(kind: 'sms' | 'whatsapp' | 'voice'): Outcome {
  return {
    status: 'refused',
    code: 'NO_SENDER',
    reason: `No sender for ${kind} to this recipient in the gateway's options`,
    remedy: `Set senders.${kind}, with a default or the recipient's country.`,
    moveOn: true,
    hasLeft: false,
  };
}

/** Nothing was sent, because no hook has connected the channel. */
export function notConnected(): Outcome {
  return {
    status: 'refused',
    code: 'NOT_CONNECTED',
    reason: 'This channel was used outside a hook, which connects it to Twilio',
    moveOn: true,
    hasLeft: false,
  };
}
