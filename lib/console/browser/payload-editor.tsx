import { useRef } from 'preact/hooks';
import { readJsonText, type Position, type ReadText } from '../json-text.js';

/** A mistake in the text, and its place if that is known. */
export interface Problem {
  readonly text: string;
  readonly place: Position | undefined;
}

interface PayloadEditorProps {
  readonly text: string;
  readonly problems: readonly Problem[];
  readonly onInput: (text: string) => void;
}

/** The editor for a request as JSON. It shows each mistake at once, with a button that leads to its line. */
export function PayloadEditor({ text, problems, onInput }: PayloadEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const lines = text.split('\n');
  const wrong = new Set(problems.map(({ place }) => place?.line));
  const goTo = ({ line, index }: Position): void => {
    const end = text.indexOf('\n', index);
    area.current?.focus();
    area.current?.setSelectionRange(index, end === -1 ? text.length : end);
    area.current?.scrollTo({ top: ((line - 5) * area.current.scrollHeight) / lines.length });
  };
  return (
    <div class="field">
      <label for="payload">What Okta would send</label>
      <p class="hint" id="payload-hint">
        JSON. Change what you like before you send it.
      </p>
      <div class="problems" id="payload-problems" role="status">
        {problems.map(({ text: message, place }) => (
          <p class="problem">
            {place !== undefined && (
              <button type="button" class="small" onClick={() => goTo(place)}>
                Line {place.line}, column {place.column}
              </button>
            )}
            <span>{message}</span>
          </p>
        ))}
      </div>
      <div class="editor">
        <div class="gutter" aria-hidden="true" ref={gutter}>
          {lines.map((_, index) => (
            <div class={wrong.has(index + 1) ? 'wrong' : undefined}>{index + 1}</div>
          ))}
        </div>
        <textarea
          id="payload"
          ref={area}
          rows={20}
          wrap="off"
          spellcheck={false}
          autocomplete="off"
          aria-describedby="payload-hint payload-problems"
          aria-invalid={problems.length > 0 ? 'true' : undefined}
          placeholder="Generate fills this in. A request that was copied elsewhere can be pasted, too."
          value={text}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
          onScroll={({ currentTarget }) => gutter.current?.scrollTo(0, currentTarget.scrollTop)}
        />
      </div>
    </div>
  );
}

/** `undefined` for an empty text. */
export function readPayload(text: string): ReadText | undefined {
  return text.trim() === '' ? undefined : readJsonText(text);
}

/** @param refused - the fields that the server refused. */
export function problemsOf(written: ReadText | undefined, refused: readonly string[]): readonly Problem[] {
  if (written === undefined) return [];
  if (!written.isJson) return [{ text: `${written.problem}.`, place: written.position }];
  return refused.map((field) => ({
    text: written.hasField(field)
      ? `${field} is not as Okta sends it.`
      : `${field} is missing, or not as Okta sends it.`,
    place: written.positionOf(field),
  }));
}
