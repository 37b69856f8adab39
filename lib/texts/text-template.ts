/** A text with placeholders: what may stand in one, and what it is filled with. */

/** All that a text may ask for. */
const PLACEHOLDERS = ['code', 'minutes', 'firstName'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

export type TextValues = Readonly<Record<Placeholder, string>>;

/** Words, or what is to be filled in: `undefined` where nobody knows it. */
type Piece = string | { readonly placeholder: Placeholder | undefined };

/** A text that was read once. */
export interface TextTemplate {
  readonly pieces: readonly Piece[];
  /** The same for somebody of whom no name is known; `undefined` where it asks for none. */
  readonly nameless: readonly Piece[] | undefined;
}

/** Twilio's limit for a body, the narrowest of the channels'. */
export const MAX_TEXT_LENGTH = 1600;

/** The longest that anything is filled in with: a code as Okta's request may have it, and a name as it is cut. */
const MAX_NAME_LENGTH = 40;
const LONGEST: TextValues = { code: '0'.repeat(32), minutes: '15', firstName: 'n'.repeat(MAX_NAME_LENGTH) };

/** Reads a text in which nothing is wrong. */
export function readTemplate(text: string): TextTemplate {
  const isNamed = text.includes('{firstName}');
  return { pieces: piecesOf(text), nameless: isNamed ? piecesOf(withoutName(text)) : undefined };
}

function piecesOf(text: string): readonly Piece[] {
  // With what the brackets hold between the words, so that every second one is a placeholder.
  return text
    .split(/\{(\w+)\}/)
    .map((piece, index) =>
      index % 2 === 0 ? piece : { placeholder: PLACEHOLDERS.find((known) => known === piece) },
    );
}

/** The text with its values in it. */
export function fillIn({ pieces, nameless }: TextTemplate, values: TextValues): string {
  const chosen = values.firstName === '' ? (nameless ?? pieces) : pieces;
  let text = '';
  for (const piece of chosen) {
    if (typeof piece === 'string') text += piece;
    else if (piece.placeholder !== undefined) text += values[piece.placeholder];
  }
  return text;
}

/** What is wrong with a text, as the end of a sentence without a word of it; `undefined` where it is fine. */
export function problemOfText(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.trim() === '') {
    return 'must be a text with {code} in it; either every entry is a text by language tag, or every one is an object of them by request type';
  }
  const isOdd = (piece: Piece): boolean =>
    typeof piece === 'string' ? /[{}]/.test(piece) : piece.placeholder === undefined;
  if (piecesOf(text).some(isOdd)) {
    return 'has a brace or a placeholder that is none of {code}, {minutes} and {firstName}; look for a misspelling';
  }
  if (/\$\{/.test(text)) return 'has a $ before a placeholder; leave it out';
  if (!text.includes('{code}')) return 'does not say the code; write {code} where it belongs';
  if (fillIn(readTemplate(text), LONGEST).length > MAX_TEXT_LENGTH) {
    return `must have at most ${MAX_TEXT_LENGTH} characters when it is filled in; shorten it`;
  }
  return undefined;
}

/**
 * A text whose name is missing: with the name goes the space before it, and a comma before that; where the text begins
 * with it, what stands behind it up to the next word.
 */
function withoutName(text: string): string {
  const headless = text.replace(/^(?:\s*\{firstName\}[\s,;:!?.。、،؛–—-]*)+/u, '');
  const begun = headless === text ? text : headless.replace(/^\p{Ll}/u, (first) => first.toLocaleUpperCase());
  return begun.replace(/[,،、]?\s*\{firstName\}/gu, '');
}

/**
 * A first name as it may stand in a text. Users choose their own: what could break the text's direction or its lines, be
 * tapped as a link, or pass for a code is left out, so that letters, marks, spaces, apostrophes, hyphens and `·` remain,
 * 40 characters at most. Empty where no letter is left.
 */
export function cleanName(name: unknown): string {
  if (typeof name !== 'string') return '';
  // Wide and composed forms first: a wide dot is a dot.
  const words = name
    .slice(0, 10 * MAX_NAME_LENGTH)
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/[^\p{L}\p{M}'’·-]+/gu, ' ')
    .trim();
  if (!/\p{L}/u.test(words)) return '';
  return Array.from(words).slice(0, MAX_NAME_LENGTH).join('').trimEnd();
}
