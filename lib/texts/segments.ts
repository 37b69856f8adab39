/** The alphabet of a plain SMS, GSM 03.38. */
const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);

/** Its extension: an escape goes before each. */
const GSM_EXTENDED = new Set('\f^{}\\[~]|€');

/** The places of a message that is one segment, and of each of several, which carry where they belong. */
const GSM_PLACES = { alone: 160, each: 153 } as const;
const UCS2_PLACES = { alone: 70, each: 67 } as const;

/** What an SMS is sent, and paid, as. */
export interface SmsSegments {
  readonly segments: number;
  /** Places of the whole: some characters take two. */
  readonly places: number;
  /** The first character that GSM-7 does not have: with one, a segment has 70 places in place of 160. */
  readonly foreign: string | undefined;
}

/** Counts the segments of an SMS. */
export function countSegments(text: string): SmsSegments {
  const characters = Array.from(text);
  const foreign = characters.find((character) => !GSM.has(character) && !GSM_EXTENDED.has(character));
  const { alone, each } = foreign === undefined ? GSM_PLACES : UCS2_PLACES;
  let places = 0;
  let segments = 1;
  let filled = 0;
  for (const character of characters) {
    const width = foreign !== undefined ? character.length : GSM_EXTENDED.has(character) ? 2 : 1;
    places += width;
    // No character is cut in two.
    if (filled + width > each) {
      segments += 1;
      filled = 0;
    }
    filled += width;
  }
  return { segments: places <= alone ? 1 : segments, places, foreign };
}
