import { element } from '../../http/page/browser/dom.js';
import { readJsonText, type Position, type ReadText } from '../json-text.js';

/** The editor for a request as JSON. It shows each mistake at once, with a button that leads to its line. */

interface Problem {
  readonly text: string;
  readonly place: Position | undefined;
}

export function makePayloadEditor(onChange: () => void) {
  const gutter = element('div.gutter', { 'aria-hidden': 'true' });
  const text = element('textarea', {
    id: 'payload',
    rows: 20,
    wrap: 'off',
    spellcheck: 'false',
    autocomplete: 'off',
    'aria-describedby': 'payload-hint payload-problems',
    placeholder: 'Generate fills this in. A request that was copied elsewhere can be pasted, too.',
  });
  const problems = element('div.problems', { id: 'payload-problems', role: 'status' });
  let refused: readonly string[] = [];

  /** The text now; `undefined` if it is empty. */
  const read = (): ReadText | undefined => (text.value.trim() === '' ? undefined : readJsonText(text.value));

  const goTo = ({ line, index }: Position): void => {
    const lines = text.value.split('\n');
    const end = text.value.indexOf('\n', index);
    text.focus();
    text.setSelectionRange(index, end === -1 ? text.value.length : end);
    text.scrollTop = Math.max(0, ((line - 5) * text.scrollHeight) / lines.length);
  };

  const check = (): void => {
    const found = problemsOf(read(), refused);
    const wrong = new Set(found.map(({ place }) => place?.line));
    gutter.replaceChildren(
      ...text.value
        .split('\n')
        .map((_, index) =>
          element('div', { class: wrong.has(index + 1) ? 'wrong' : undefined }, String(index + 1)),
        ),
    );
    gutter.scrollTop = text.scrollTop;
    if (found.length === 0) text.removeAttribute('aria-invalid');
    else text.setAttribute('aria-invalid', 'true');
    problems.replaceChildren(
      ...found.map(({ text: message, place }) =>
        element(
          'p.problem',
          place === undefined
            ? undefined
            : element(
                'button.small',
                { type: 'button', onclick: () => goTo(place) },
                `Line ${place.line}, column ${place.column}`,
              ),
          element('span', message),
        ),
      ),
    );
  };

  text.addEventListener('input', () => {
    refused = [];
    check();
    onChange();
  });
  text.addEventListener('scroll', () => {
    gutter.scrollTop = text.scrollTop;
  });
  check();
  return {
    element: element(
      'div.field',
      element('label', { for: 'payload' }, 'What Okta would send'),
      element('p.hint', { id: 'payload-hint' }, 'JSON. Change what you like before you send it.'),
      problems,
      element('div.editor', gutter, text),
    ),
    read,
    hasProblems: (): boolean => text.hasAttribute('aria-invalid'),
    /** @param payload - `undefined` to clear the editor. */
    write: (payload: unknown): void => {
      text.value = payload === undefined ? '' : JSON.stringify(payload, undefined, 2);
      text.scrollTop = 0;
      refused = [];
      check();
      onChange();
    },
    /** Marks fields that the server refused, until the next change. */
    refuse: (fields: readonly string[]): void => {
      refused = fields;
      check();
    },
  };
}

function problemsOf(written: ReadText | undefined, refused: readonly string[]): readonly Problem[] {
  if (written === undefined) return [];
  if (!written.isJson) return [{ text: `${written.problem}.`, place: written.position }];
  return refused.map((field) => ({
    text: written.hasField(field)
      ? `${field} is not as Okta sends it.`
      : `${field} is missing, or not as Okta sends it.`,
    place: written.positionOf(field),
  }));
}
