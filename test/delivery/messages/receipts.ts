import type { Receipt } from '#lib/delivery/records.js';
import { steadyMs } from '#lib/core/time.js';
import { makeMessage, NOW, PHONE_NUMBER } from '../../channels/twilio/scripted-api.js';

export { NOW };
export const CODE_LIFE_MS = 300_000;

const { expiresAt: _, ...REQUEST } = makeMessage({}, CODE_LIFE_MS).request;

/** The receipt of a code that went out by WhatsApp, with SMS left in the plan. */
export function makeReceipt(change: Partial<Receipt> = {}): Receipt {
  return {
    request: REQUEST,
    expiresAtMs: steadyMs() + CODE_LIFE_MS,
    locale: 'en',
    person: 'a person',
    eventKey: REQUEST.eventId,
    sentBy: { channel: 'whatsapp', provider: 0, to: PHONE_NUMBER },
    failedIds: [],
    untried: [{ channel: 'sms', provider: 0, to: PHONE_NUMBER }],
    attempts: [
      { channel: 'whatsapp', provider: 'TWILIO', outcome: 'accepted', transactionId: 'SM1', durationMs: 9 },
    ],
    ...change,
  };
}
