import type { ExecutionOutcome } from '../../core/history.js';
import { drawing, element } from '../../http/page/browser/dom.js';
import { formatDateTime } from './format.js';
import type { Route } from './routes.js';
import type { ServerFailure } from './server.js';
import type { Tone } from '../../events/description.js';
import { OUTCOMES, TONE_ICONS } from './outcomes.js';

/** What the views share: icons, outcomes, failures, values with a copy button, parts of charts, and how they redraw. */

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
export function showFailure({ error: { code, message, remedy } }: ServerFailure): HTMLElement {
  return element(
    'div.note.bad',
    markTone('bad', message, ' ', element('code', code)),
    remedy === undefined ? undefined : element('p', remedy),
  );
}

/** An id or code; `undefined` for none. */
export function inCode(value: string | undefined): HTMLElement | undefined {
  return value === undefined ? undefined : element('code', value);
}

/** A value with a button that copies it, for example to search Okta's System Log; `undefined` for none. */
export function copyable(label: string, value: string | undefined): HTMLElement | undefined {
  if (value === undefined) return undefined;
  return element('span.copyable', inCode(value), copyButton(label, value));
}

export function copyButton(label: string, value: string): HTMLElement {
  const button = element('button.small', { type: 'button', 'aria-label': `Copy ${label}` }, 'Copy');
  const status = element('span.unseen', { role: 'status' });
  const copy = async (): Promise<void> => {
    try {
      // Browsers have no clipboard for a page over plain HTTP.
      await navigator.clipboard.writeText(value);
      button.textContent = status.textContent = 'Copied';
    } catch {
      button.textContent = status.textContent = 'Not allowed';
    }
    window.setTimeout(() => {
      button.textContent = 'Copy';
      status.textContent = '';
    }, 2000);
  };
  button.addEventListener('click', () => void copy());
  return element('span', button, status);
}

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

/** The meanings of colours. A part's name is the class of its colour. */
export function makeLegend(
  parts: readonly { readonly name: string; readonly meaning: string }[],
): HTMLElement {
  return element(
    'ul.legend',
    { 'aria-hidden': 'true' },
    ...parts.map(({ name, meaning }) => {
      const sample = drawing(
        'svg',
        { width: 14, height: 14 },
        drawing(`rect.share.${name}`, { width: 14, height: 14, rx: 2 }),
      );
      return element('li', sample, meaning);
    }),
  );
}

/** @param label - names the region, which scrolls on a narrow screen. */
export function makeNumbersTable(
  label: string,
  columns: readonly string[],
  { caption, body }: { readonly caption: HTMLElement; readonly body: HTMLElement },
): HTMLElement {
  return element(
    'div.scrolled',
    { tabindex: 0, role: 'region', 'aria-label': label },
    element(
      'table.numbers',
      caption,
      element('thead', element('tr', ...columns.map((name) => element('th', { scope: 'col' }, name)))),
      body,
    ),
  );
}

/** A row of such a table, named by its first cell. */
export function makeNumbersRow(name: string, cells: readonly string[]): HTMLElement {
  return element('tr', element('th', { scope: 'row' }, name), ...cells.map((cell) => element('td', cell)));
}

/**
 * Replaces what a view shows, and leaves to the reader what they do with it: focus, scrolling, opened tables.
 *
 * @returns `false` if nothing was replaced, because the reader has selected a part of it.
 */
export function redraw(body: HTMLElement, draw: () => readonly HTMLElement[]): boolean {
  const selection = getSelection();
  if (selection !== null && !selection.isCollapsed && body.contains(selection.anchorNode)) return false;
  const focused = stopsIn(body).find((stop) => stop === document.activeElement);
  const scrolledTo = focused?.scrollLeft ?? 0;
  const opened = new Set([...body.querySelectorAll('details')].filter(({ open }) => open).map(textOf));
  body.replaceChildren(...draw());
  for (const details of body.querySelectorAll('details')) details.open = opened.has(textOf(details));
  const same = focused && stopsIn(body).find((stop) => nameStop(stop) === nameStop(focused));
  same?.focus({ preventScroll: true });
  same?.scrollTo(scrolledTo, 0);
  return true;
}

/** The elements that the keyboard reaches. */
function stopsIn(body: HTMLElement): readonly HTMLElement[] {
  return [...body.querySelectorAll<HTMLElement>('[tabindex], a, summary')];
}

/** How the same element is found after the page is drawn again. */
function nameStop(stop: HTMLElement): string {
  return `${stop.getAttribute('href') ?? ''} ${stop.ariaLabel ?? ''} ${stop.tagName === 'SUMMARY' ? stop.textContent : ''}`;
}

function textOf(details: HTMLDetailsElement): string {
  return details.querySelector('summary')?.textContent ?? '';
}

/** A time with the exact one as its title. */
export function timeAt(at: number, text: string): HTMLElement {
  return element('time', { datetime: new Date(at).toISOString(), title: formatDateTime(at) }, text);
}

/** A choice of one of several values. */
export function makeSelect(
  id: string,
  options: readonly (readonly [value: string, label: string])[],
): HTMLSelectElement {
  return element('select', { id }, ...options.map(([value, label]) => element('option', { value }, label)));
}

/** One view of the console. It keeps its content while another view is shown. */
export interface View<Shown extends Route> {
  /** The title of the browser's tab. */
  title(route: Shown): string;
  readonly element: HTMLElement;
  show(route: Shown): void;
  /** Puts the focus where the user left; `false` if it goes to the heading. */
  comeBack?(from: Route): boolean;
}
