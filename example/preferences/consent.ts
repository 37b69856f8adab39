import { createHash } from 'node:crypto';

/** The text that a user agrees to, in paragraphs. Have your own text checked by those who are responsible for privacy. */
export const CONSENT_TEXT = [
  'Acme sends you your sign-in codes by WhatsApp, to the phone that you have enrolled for them, and nothing else. For this your number and each code pass through Twilio and WhatsApp (Meta).',
  'You can withdraw your consent at any time, here or by sending STOP to the same WhatsApp number. Then your codes come by SMS.',
] as const;

/** The digest of the text, so that each change of it makes a new version. */
export const CONSENT_VERSION = createHash('sha256')
  .update(CONSENT_TEXT.join('\n'))
  .digest('hex')
  .slice(0, 12);

/** A consent that a user gave or withdrew. */
export interface ConsentRecord {
  /** The Okta user id; never a number, a name or a login. */
  readonly userId: string;
  readonly consent: 'given' | 'withdrawn';
  /** The text that was shown. */
  readonly textVersion: string;
  /** By a word from the WhatsApp number with this ending, or by the button on the page. */
  readonly how: { readonly by: 'word'; readonly numberEnding: string } | { readonly by: 'page' };
  /** ISO 8601. */
  readonly at: string;
}
