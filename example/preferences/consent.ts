import { createHash } from 'node:crypto';
import type { Logger } from 'okta-telephony-hook';

/** The text that a user agrees to, in paragraphs. Have your own text checked by those who are responsible for privacy. */
export const CONSENT_TEXT = [
  'Acme sends you your sign-in codes by WhatsApp, to the phone that you have enrolled for them, and nothing else. For this your number and each code pass through Twilio and WhatsApp (Meta).',
  'You can take this back at any time, here or by sending STOP to the same WhatsApp number; your codes come by SMS then.',
] as const;

/** The digest of the text, so that each change of it makes a new version. */
export const CONSENT_VERSION = createHash('sha256')
  .update(CONSENT_TEXT.join('\n'))
  .digest('hex')
  .slice(0, 12);

/** A consent that a user gave or withdrew, even if it could not be written to Okta. */
export interface ConsentRecord {
  /** The Okta user id; never a number, a name or a login. */
  readonly userId: string;
  readonly consent: 'given' | 'withdrawn';
  /** The text that was shown. */
  readonly textVersion: string;
  /** By a word from the WhatsApp number with this ending, or by the switch on the page. */
  readonly how: { readonly by: 'word'; readonly numberEnding: string } | { readonly by: 'page' };
  /** Milliseconds since 1970. */
  readonly at: number;
}

const MAX_RECORDS = 10_000;

/**
 * The consents that users gave and withdrew. They are in memory for the page, and each is a line of the log. A gateway that
 * must prove consent writes them to an audit store, as here before it writes to Okta.
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
