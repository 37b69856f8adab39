/**
 * Counts the segments of an SMS, which providers bill one by one. The options check uses it to warn about texts
 * that need more than one.
 */

/** The basic character set of GSM 03.38 (GSM-7). */
const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);

/** The extension table of GSM 03.38. Each of its characters takes two septets. */
const GSM_EXTENDED = new Set('\f^{}\\[~]|€');

/**
 * Capacity of a single segment, and of each part of a longer message, whose header takes the rest. In septets
 * for GSM-7, in UTF-16 code units for UCS-2.
 */
const GSM_CAPACITY = { alone: 160, each: 153 } as const;
const UCS2_CAPACITY = { alone: 70, each: 67 } as const;

/** The segments that a provider sends and bills. */
export interface SmsSegments {
  readonly segments: number;
  /** Units of the whole text: septets or UTF-16 code units. Some characters take two. */
  readonly units: number;
  /** The first character outside GSM-7, which limits a segment to 70 characters instead of 160. */
  readonly nonGsm: string | undefined;
}

/** Counts the segments of an SMS text. */
export function countSegments(text: string): SmsSegments {
  const characters = Array.from(text);
  const nonGsm = characters.find((character) => !GSM.has(character) && !GSM_EXTENDED.has(character));
  const { alone, each } = nonGsm === undefined ? GSM_CAPACITY : UCS2_CAPACITY;
  let units = 0;
  let segments = 1;
  let filled = 0;
  for (const character of characters) {
    const width = nonGsm !== undefined ? character.length : GSM_EXTENDED.has(character) ? 2 : 1;
    units += width;
    // A character is never split across segments.
    if (filled + width > each) {
      segments += 1;
      filled = 0;
    }
    filled += width;
  }
  return { segments: units <= alone ? 1 : segments, units, nonGsm };
}
