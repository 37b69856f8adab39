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
