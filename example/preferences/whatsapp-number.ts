/**
 * A number of a profile, as people type it, in the form in which numbers are compared: E.164, and as WhatsApp writes
 * it. `undefined` for what has no country code or is no number.
 */
export function whatsAppNumberOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const number = text.replace(/[\s().\-/]/g, '');
  return /^\+[1-9]\d{6,14}$/.test(number) ? asWhatsAppWrites(number) : undefined;
}

/**
 * WhatsApp tells some countries' mobile numbers in another way than they are dialled: Mexico's with a 1 and Argentina's
 * with a 9 behind the calling code, and Brazil's without their ninth digit where the area code is over 30 (as users of
 * WhatsApp's libraries found: WhatsApp has no document of it). Both ways become one; the package's own rule is the same.
 */
function asWhatsAppWrites(number: string): string {
  return number
    .replace(/^\+521(?=\d{10}$)/, '+52')
    .replace(/^\+549(?=\d{10}$)/, '+54')
    .replace(/^(\+55[3-9]\d)9(?=[6-9]\d{7}$)/, '$1');
}

/** The part of a number that pages, records and logs may show. */
export function endingOf(number: string): string {
  return number.slice(-2);
}
