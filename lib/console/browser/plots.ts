import type { Timeline, TimelineBucket } from '../../core/history.js';
import { nameChannel } from '../../events/description.js';
import { drawing, element } from '../../http/page/browser/dom.js';
import { formatClock, formatCount, formatDuration, nameTimeZone } from './format.js';
import type { About } from '../api.js';
import { readTimeline, ServerFailure } from './server.js';
import { makeLegend, makeNumbersRow, makeNumbersTable, redraw, showFailure } from './widgets.js';

/** How old plots may become, milliseconds. */
const OLD_MS = 30_000;

/**
 * The last hour and the last day as plots: codes by outcome, and the time to delivery by channel. Beside each plot is a table
 * with its numbers.
 */
export function makePlots(about: About) {
  const body = element('div.cards');
  let loadedAt = 0;
  let shown: string | undefined;

  const load = async (): Promise<void> => {
    loadedAt = Date.now();
    const timeline = await readTimeline();
    if (timeline instanceof ServerFailure) {
      shown = undefined;
      body.replaceChildren(showFailure(timeline));
      return;
    }
    const key = JSON.stringify(timeline);
    if (key !== shown && redraw(body, () => drawTimeline(timeline, about))) shown = key;
  };
  return {
    element: body,
    load: (): void => void load(),
    /** Loads the plots anew if they are shown and old. */
    refresh: (): void => {
      if (body.isConnected && Date.now() - loadedAt >= OLD_MS) void load();
    },
  };
}

interface Bar {
  /** When its time began, in milliseconds since 1970. */
  readonly from: number;
  /** By part, from the bottom up. */
  readonly sizes: readonly number[];
  /** By column of the table. */
  readonly cells: readonly string[];
}

interface Plot {
  readonly title: string;
  /** The name is the class of the colour. */
  readonly parts: readonly { readonly name: string; readonly meaning: string }[];
  /** The columns of the table behind the time. */
  readonly columns: readonly string[];
  readonly bars: readonly Bar[];
  /** The top of the axis, for the highest bar. */
  readonly topOf: (highest: number) => number;
  readonly format: (size: number) => string;
}

const OUTCOMES = [
  { outcome: 'accepted', meaning: 'Accepted', name: 'delivered' },
  { outcome: 'unknown', meaning: 'Unknown', name: 'unknown' },
  { outcome: 'blocked', meaning: 'Blocked', name: 'blocked' },
  { outcome: 'refused', meaning: 'Refused', name: 'refused' },
] as const;

/** For titles: whose codes the history has, if they are not only those of this gateway. */
export function nameScope({ isShared }: About): string {
  return isShared ? ', at all gateways' : '';
}

function drawTimeline({ spans, completeSince }: Timeline, about: About): readonly HTMLElement[] {
  return spans.map(({ bucketMs, buckets }, index) => {
    const span = bucketMs * buckets.length <= 3_600_000 ? 'hour' : 'day';
    const [first] = buckets;
    const isCut = first !== undefined && completeSince > first.from;
    return element(
      'section.card.whole',
      { 'aria-labelledby': `plots-${index}` },
      element('h2', { id: `plots-${index}` }, `The last ${span}${nameScope(about)}`),
      element(
        'p.quiet',
        `Without previews and tests. Times are in ${nameTimeZone()}.`,
        isCut ? ` The history begins at ${formatClock(completeSince)}: earlier codes are not shown.` : '',
      ),
      drawSpan(buckets, span, isCut ? `since ${formatClock(completeSince)}` : `in the last ${span}`),
    );
  });
}

/** @param known - the time that the history knows, as words. */
function drawSpan(buckets: readonly TimelineBucket[], span: string, known: string): HTMLElement {
  if (buckets.every(({ codes }) => Object.values(codes).every((count) => count === 0))) {
    return element('p.empty', `Okta has not requested a code ${known}.`);
  }
  const channels = new Set(buckets.flatMap(({ deliveries }) => deliveries.map(({ channel }) => channel)));
  const codesByOutcome: Plot = {
    title: 'Codes by outcome',
    parts: OUTCOMES,
    columns: OUTCOMES.map(({ meaning }) => meaning),
    bars: buckets.map(({ from, codes }) => {
      const sizes = OUTCOMES.map(({ outcome }) => codes[outcome]);
      return { from, sizes, cells: sizes.map(formatCount) };
    }),
    topOf: roundUp,
    format: formatCount,
  };
  return element(
    'div.plots',
    drawPlot(codesByOutcome, span),
    ...[...channels].sort().map((channel) => drawPlot(timesOf(channel, buckets), span)),
    channels.size === 0
      ? element('p.empty', `No provider has reported a delivery in the last ${span}.`)
      : undefined,
  );
}

function timesOf(channel: string, buckets: readonly TimelineBucket[]): Plot {
  return {
    title: `Time to delivery: ${nameChannel(channel)}`,
    parts: [
      { name: 'median', meaning: 'Median' },
      { name: 'p95', meaning: '95th percentile' },
    ],
    columns: ['Delivered', 'Median', '95th percentile'],
    bars: buckets.map(({ from, deliveries }) => {
      const times = deliveries.find((each) => each.channel === channel);
      if (times === undefined) return { from, sizes: [0, 0], cells: ['–', '–', '–'] };
      const { count, medianMs, p95Ms } = times;
      return {
        from,
        sizes: [medianMs, p95Ms - medianMs],
        cells: [formatCount(count), formatDuration(medianMs), formatDuration(p95Ms)],
      };
    }),
    topOf: (highest) => TIME_STEPS.find((step) => step >= highest) ?? highest,
    format: formatDuration,
  };
}

/** The tops of an axis of times, milliseconds. */
const TIME_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600].map(
  (seconds) => seconds * 1000,
);

/** 1, 2 or 5 with zeros. */
function roundUp(count: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  return size * ([1, 2, 5].find((step) => step * size >= count) ?? 10);
}

const HEIGHT = 112;

function drawPlot(plot: Plot, span: string): HTMLElement {
  const { title, parts, bars, topOf, format } = plot;
  const top = topOf(Math.max(...bars.map(({ sizes }) => sizes.reduce((sum, size) => sum + size, 0))));
  const marks = [bars[0], bars[Math.floor(bars.length / 2)]].map((bar) =>
    bar === undefined ? '' : formatClock(bar.from),
  );
  return element(
    'figure',
    element('figcaption', title),
    makeLegend(parts),
    element(
      'div.plot',
      { 'aria-hidden': 'true' },
      element('div.axis', element('span', format(top)), element('span', '0')),
      drawing(
        'svg',
        { width: '100%', height: HEIGHT, focusable: 'false' },
        ...[0.5, HEIGHT / 2, HEIGHT - 0.5].map((y) =>
          drawing('line.base', { x1: 0, x2: '100%', y1: y, y2: y }),
        ),
        ...bars.map((bar, index) => drawBar(plot, bar, { index, top })),
      ),
      element('div.hours', ...[...marks, 'now'].map((mark) => element('span', mark))),
    ),
    element(
      'details',
      element('summary', `${title} in the last ${span}, as a table`),
      writeTable(plot, span),
    ),
  );
}

function drawBar(
  { parts, bars, columns }: Plot,
  { from, sizes, cells }: Bar,
  { index, top }: { readonly index: number; readonly top: number },
): SVGGElement {
  const share = 100 / bars.length;
  let y = HEIGHT;
  const rects = parts.flatMap(({ name }, part) => {
    const height = (HEIGHT * (sizes[part] ?? 0)) / top;
    if (height <= 0) return [];
    y -= height;
    const x = `${((index + 0.1) * share).toFixed(2)}%`;
    const width = `${(0.8 * share).toFixed(2)}%`;
    return [drawing(`rect.share.${name}`, { x, y: y.toFixed(1), width, height: height.toFixed(1) })];
  });
  const facts = columns.map((name, column) => `${name}: ${cells[column] ?? ''}`);
  // Browsers show it beside the pointer.
  return drawing('g', drawing('title', [formatClock(from), ...facts].join('\n')), ...rects);
}

function writeTable({ title, bars, columns }: Plot, span: string): HTMLElement {
  const label = `${title} in the last ${span}`;
  return makeNumbersTable(label, ['From', ...columns], {
    caption: element('caption.unseen', label),
    body: element('tbody', ...bars.map(({ from, cells }) => makeNumbersRow(formatClock(from), cells))),
  });
}
