import type { SealedKind, Sealing } from './sealing.js';

/**
 * What is given to one of all who ask for it, while several keys are listed: each key has a copy. A gateway that has one of the
 * keys alone takes one copy alone. So each copy says which keys have one, and counts for nothing once another one was taken.
 */

/** A copy under each name, one for each key. @param plain - without a line break. */
export function sealCopies(
  sealings: readonly Sealing[],
  kind: SealedKind,
  names: readonly string[],
  plain: string,
): readonly Buffer[] {
  const text = sealings.length === 1 ? plain : `${sealings.map(({ id }) => id).join(' ')}\n${plain}`;
  return sealings.map((sealing, at) => sealing.seal(kind, names[at] ?? '', text));
}

/**
 * `undefined` if nothing is there, or a copy was taken before.
 *
 * @param values - what was taken under each name, all of them in one step.
 * @throws Error if something is there, and does not open.
 */
export function openCopies(
  sealings: readonly Sealing[],
  kind: SealedKind,
  names: readonly string[],
  values: readonly (Buffer | null | undefined)[],
): string | undefined {
  const texts = sealings.map((sealing, at) => {
    const value = values[at];
    if (value === null || value === undefined) return undefined;
    const text = sealing.open(kind, names[at] ?? '', value);
    if (text === undefined) throw new Error(`what is kept as ${kind} does not open with encryptionKeys`);
    return text;
  });
  const isWhole = (text: string): boolean => {
    const ids = text.slice(0, Math.max(0, text.indexOf('\n'))).split(' ');
    return sealings.every(({ id }, at) => !ids.includes(id) || texts[at] === text);
  };
  const whole = texts.find((text) => text !== undefined && isWhole(text));
  return whole?.slice(whole.indexOf('\n') + 1);
}
