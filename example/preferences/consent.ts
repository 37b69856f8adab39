import { createHash } from 'node:crypto';
import type { Logger } from 'okta-telephony-hook';

/** What a user agrees to, a paragraph each. Have your own words looked at by whoever answers for privacy at your place. */
export const CONSENT_TEXT = [
  'Acme sends you your sign-in codes by WhatsApp, to the phone that you have enrolled for them, and nothing else. For this your number and each code pass through Twilio and WhatsApp (Meta).',
  'You can take this back at any time, here or by sending STOP to the same WhatsApp number; your codes come by SMS then.',
] as const;

/** Which text it was: its digest, so that no change of the words goes without a new version. */
export const CONSENT_VERSION = createHash('sha256')
  .update(CONSENT_TEXT.join('\n'))
  .digest('hex')
  .slice(0, 12);

/** That a user gave consent, or took it back: what the user said, whether or not Okta could be told of it. */
export interface ConsentRecord {
  /** The Okta user id; never a number, a name or a login. */
  readonly userId: string;
  readonly consent: 'given' | 'withdrawn';
  /** The text that was shown. */
  readonly textVersion: string;
  /** By a word that came from the WhatsApp number with this ending, or by the switch on the page. */
  readonly how: { readonly by: 'word'; readonly numberEnding: string } | { readonly by: 'page' };
  /** Milliseconds since 1970. */
  readonly at: number;
}

const MAX_RECORDS = 10_000;

/**
 * What users agreed to, and when; nothing in it is ever changed. In memory for the page, and a line of the log each: a
 * gateway that must prove consent writes them to an audit store of its own, as here before it writes to Okta.
 */
export class ConsentRecords {
  readonly #logger: Pick<Logger, 'info'>;
  readonly #records: ConsentRecord[] = [];

  constructor(logger: Pick<Logger, 'info'>) {
    this.#logger = logger;
  }

  append(record: ConsentRecord): void {
    this.#records.push(record);
    if (this.#records.length > MAX_RECORDS) this.#records.shift();
    const { at, ...rest } = record;
    this.#logger.info('A user chose how codes come', { ...rest, at: new Date(at).toISOString() });
  }

  /** A user's own, newest first. */
  of(userId: string): readonly ConsentRecord[] {
    return this.#records.filter((record) => record.userId === userId).reverse();
  }
}
