import type { ExecutionOutcome } from '../../core/history.js';
import { drawing, element } from '../../http/page/browser/dom.js';
import type { Route } from './routes.js';
import type { ServerFailure } from './server.js';
import type { Tone } from '../../events/description.js';
import { OUTCOMES, TONE_ICONS } from './outcomes.js';

/** The small parts that every view shows: icons, outcomes, failures, values with a copy button. */

function icon(path: string): SVGSVGElement {
  return drawing(
    'svg.icon',
    { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true', focusable: 'false' },
    drawing('path', { d: path }),
  );
}

/** An icon and a word. */
export function markOutcome(outcome: ExecutionOutcome): HTMLElement {
  const { word, tone, icon: path } = OUTCOMES[outcome];
  return element(`span.mark.${tone}`, icon(path), element('span', word));
}

/** A sentence with an icon before it. */
export function markTone(tone: Tone, ...children: readonly (Node | string)[]): HTMLElement {
  return element(`p.mark.sentence.${tone}`, icon(TONE_ICONS[tone]), element('span', ...children));
}

/** An error, and what to do about it. */
export function showFailure({
  code,
  message,
  remedy,
}: Pick<ServerFailure, 'code' | 'message' | 'remedy'>): HTMLElement {
  return element(
    'div.note.bad',
    markTone('bad', message, ' ', element('code', code)),
    remedy === undefined ? undefined : element('p', remedy),
  );
}

/** A value with a button that copies it, for example to search Okta's System Log. */
export function copyable(label: string, value: string): HTMLElement {
  return element('span.copyable', element('code', value), copyButton(label, value));
}

export function copyButton(label: string, value: string): HTMLElement {
  const button = element('button.small', { type: 'button', 'aria-label': `Copy ${label}` }, 'Copy');
  button.addEventListener('click', () => {
    void navigator.clipboard.writeText(value).then(
      () => said(button, 'Copied'),
      () => said(button, 'Not allowed'),
    );
  });
  return element('span', button, element('span.unseen', { role: 'status' }));
}

function said(button: HTMLButtonElement, word: string): void {
  button.textContent = word;
  const status = button.nextElementSibling;
  if (status !== null) status.textContent = word;
  window.setTimeout(() => {
    button.textContent = 'Copy';
    if (status !== null) status.textContent = '';
  }, 2000);
}

/** Names and values. */
export function facts(
  ...pairs: readonly (readonly [name: string, value: Node | string | undefined])[]
): HTMLElement {
  return element(
    'dl.facts',
    ...pairs.flatMap(([name, value]) =>
      value === undefined ? [] : [element('div', element('dt', name), element('dd', value))],
    ),
  );
}

/** One view of the console. It keeps its content while another view is shown. */
export interface View<Shown extends Route> {
  readonly title: string;
  readonly element: HTMLElement;
  show(route: Shown): void;
  /** Puts the focus where the user left; `false` if it goes to the heading. */
  comeBack?(from: Route): boolean;
}
