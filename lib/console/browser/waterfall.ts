import type { HookEvent } from '../../core/events.js';
import { OKTA_WAITS_MS } from '../../core/time.js';
import { drawing, element } from '../../http/page/browser/dom.js';
import { makeNumbersRow, makeNumbersTable } from './widgets.js';
import { formatDuration } from './format.js';
import { layOutWaterfall, type Bar, type Waterfall } from './waterfall-bars.js';

/** The time of each step: a picture, and the same numbers as a table. */

export function makeWaterfall() {
  const picture = element('div.waterfall', { 'aria-hidden': 'true' });
  const rows = element('tbody');
  const caption = element('caption');
  const table = element(
    'details',
    element('summary', 'The same as a table'),
    makeNumbersTable('The time of each step, as numbers', ['Step', 'Result', 'From', 'To', 'Took'], {
      caption,
      body: rows,
    }),
  );
  return {
    element: element('div', picture, table),
    show: (steps: readonly HookEvent[], deadlineMs: number): void => {
      const waterfall = layOutWaterfall(steps, deadlineMs);
      picture.replaceChildren(
        ...waterfall.bars.flatMap((bar) => drawBar(bar, waterfall)),
        ...drawAxis(waterfall),
      );
      caption.textContent = `Each step's time, of the ${formatDuration(deadlineMs)} until the deadline`;
      rows.replaceChildren(...waterfall.bars.map(writeBar));
    },
  };
}

function percent(ms: number, spanMs: number): string {
  return `${((100 * Math.min(ms, spanMs)) / spanMs).toFixed(2)}%`;
}

function drawBar(bar: Bar, { spanMs, deadlineMs }: Waterfall): readonly Element[] {
  const tookMs = bar.endMs - bar.startMs;
  // A step that took no time is visible, too.
  const width = Math.max(tookMs, spanMs / 250);
  const deadline = percent(deadlineMs, spanMs);
  return [
    element('span.label', bar.label),
    drawing(
      'svg.lane',
      { width: '100%', height: 28, focusable: 'false' },
      drawing('line.deadline', { x1: deadline, x2: deadline, y1: 0, y2: 28 }),
      drawing(`rect.bar.${bar.tone}`, {
        x: percent(Math.min(bar.startMs, spanMs - width), spanMs),
        y: 6,
        width: percent(width, spanMs),
        height: 16,
        rx: 2,
      }),
    ),
    element('span.took', formatDuration(tookMs)),
  ];
}

function drawAxis({ spanMs, deadlineMs }: Waterfall): readonly Element[] {
  const deadline = percent(deadlineMs, spanMs);
  const okta = percent(OKTA_WAITS_MS, spanMs);
  return [
    element('span.label'),
    drawing(
      'svg.axis',
      { width: '100%', height: 40, focusable: 'false' },
      drawing('line.base', { x1: 0, x2: '100%', y1: 0.5, y2: 0.5 }),
      drawing('text.zero', { x: 0, y: 16 }, '0 ms'),
      drawing('line.deadline', { x1: deadline, x2: deadline, y1: 0, y2: 22 }),
      drawing(
        'text',
        { x: deadline, y: 16, dx: -6, 'text-anchor': 'end' },
        `deadline ${formatDuration(deadlineMs)}`,
      ),
      drawing(
        'text',
        { x: okta, y: 36, 'text-anchor': 'end' },
        `Okta stops waiting at ${formatDuration(OKTA_WAITS_MS)}`,
      ),
    ),
  ];
}

function writeBar({ label, result, startMs, endMs }: Bar): HTMLElement {
  const cells = [result, formatDuration(startMs), formatDuration(endMs), formatDuration(endMs - startMs)];
  return makeNumbersRow(label, cells);
}
