import { drawing, element } from '../../http/page/browser/dom.js';

/** What the console's pictures of numbers share: the legend, and the table with the same numbers. */

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
