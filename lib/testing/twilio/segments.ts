/** The alphabet of a plain SMS, GSM 03.38; what is in the second line takes two places. */
const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const GSM_EXTENDED = new Set('\f^{}\\[~]|€');

/** So many segments an SMS is sent and paid as: 160 characters, or 153 in each of several; 70 and 67 outside GSM. */
export function segmentsOf(text: string): number {
  const characters = Array.from(text);
  const isGsm = characters.every((character) => GSM.has(character) || GSM_EXTENDED.has(character));
  const places = isGsm
    ? characters.length + characters.filter((character) => GSM_EXTENDED.has(character)).length
    : text.length;
  const [single, each] = isGsm ? [160, 153] : [70, 67];
  return places <= single ? 1 : Math.ceil(places / each);
}
