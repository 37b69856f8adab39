/** Text templates of the options: checks them, parses them once and fills in their placeholders. */

/** The placeholders that a text may use. */
const PLACEHOLDERS = ['code', 'minutes', 'firstName'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

export type TextValues = Readonly<Record<Placeholder, string>>;

/** Literal text or a placeholder; the placeholder is `undefined` if its name is unknown. */
type Piece = string | { readonly placeholder: Placeholder | undefined };

/** A parsed text. */
export interface TextTemplate {
  readonly pieces: readonly Piece[];
  /** The same text for a user without a known first name; `undefined` if the text has no `{firstName}`. */
  readonly withoutFirstName: readonly Piece[] | undefined;
}

/** Characters. Twilio's limit for a message body, the narrowest of all channels. */
export const MAX_TEXT_LENGTH = 1600;

/**
 * The longest values that can be filled in: Okta's request allows 32 characters for a code, and names are
 * cut.
 */
const MAX_NAME_LENGTH = 40;
const LONGEST_VALUES: TextValues = {
  code: '0'.repeat(32),
  minutes: '15',
  firstName: 'n'.repeat(MAX_NAME_LENGTH),
};

/** Parses a text that {@link problemOfText} accepts. */
export function readTemplate(text: string): TextTemplate {
  const isNamed = text.includes('{firstName}');
  return { pieces: piecesOf(text), withoutFirstName: isNamed ? piecesOf(removeFirstName(text)) : undefined };
}

function piecesOf(text: string): readonly Piece[] {
  // The capture group of `split` makes every second piece a placeholder name.
  return text
    .split(/\{(\w+)\}/)
    .map((piece, index) =>
      index % 2 === 0 ? piece : { placeholder: PLACEHOLDERS.find((known) => known === piece) },
    );
}

/** Fills in the values of a template. */
export function fillIn({ pieces, withoutFirstName }: TextTemplate, values: TextValues): string {
  const chosen = values.firstName === '' ? (withoutFirstName ?? pieces) : pieces;
  let text = '';
  for (const piece of chosen) {
    if (typeof piece === 'string') text += piece;
    else if (piece.placeholder !== undefined) text += values[piece.placeholder];
  }
  return text;
}

/**
 * The problem of a text of the options and its remedy, as the rest of a sentence that starts with the
 * option's name. Never quotes the text. Returns `undefined` for a valid text.
 */
export function problemOfText(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.trim() === '') {
    return 'must be a text with {code} in it; either every entry is a text by language tag, or every one is an object of them by request type';
  }
  const isInvalid = (piece: Piece): boolean =>
    typeof piece === 'string' ? /[{}]/.test(piece) : piece.placeholder === undefined;
  const problems = [
    ...(piecesOf(text).some(isInvalid)
      ? [
          'has a brace or a placeholder that is none of {code}, {minutes} and {firstName}; look for a misspelling',
        ]
      : []),
    ...(/\$\{/.test(text) ? ['has a $ before a placeholder; leave it out'] : []),
    ...(text.includes('{code}') ? [] : ['does not say the code; write {code} where it belongs']),
  ];
  if (problems.length > 0) return problems.join('; it also ');
  if (fillIn(readTemplate(text), LONGEST_VALUES).length > MAX_TEXT_LENGTH) {
    return `must have at most ${MAX_TEXT_LENGTH} characters when it is filled in; shorten it`;
  }
  return undefined;
}

/**
 * Removes `{firstName}` together with the space and the comma before it. At the start of a text it also
 * removes the punctuation behind the name and capitalises the next word.
 */
function removeFirstName(text: string): string {
  const headless = text.replace(/^(?:\s*\{firstName\}[\s,;:!?.。、،؛–—-]*)+/u, '');
  const begun = headless === text ? text : headless.replace(/^\p{Ll}/u, (first) => first.toLocaleUpperCase());
  return begun.replace(/[,،、]?\s*\{firstName\}/gu, '');
}

/**
 * A first name that is safe in a message, at most 40 characters, or an empty text if no letter is left. Users
 * choose their own names, so only letters, marks, spaces, apostrophes, hyphens and `·` remain: nothing can
 * change the text direction, start a new line, become a link or look like a code.
 */
export function cleanName(name: unknown): string {
  if (typeof name !== 'string') return '';
  // NFKC comes first: it turns a full-width dot into a dot, which is then removed.
  const words = name
    .slice(0, 10 * MAX_NAME_LENGTH)
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/[^\p{L}\p{M}'’·-]+/gu, ' ')
    .trim();
  if (!/\p{L}/u.test(words)) return '';
  return Array.from(words).slice(0, MAX_NAME_LENGTH).join('').trimEnd();
}
