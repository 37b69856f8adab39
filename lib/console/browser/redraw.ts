/** Replaces what a view shows, and leaves to the reader what they do with it: focus, scrolling, opened tables. */

/** @returns `false` if nothing was replaced, because the reader has selected a part of it. */
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
