import type { DeliveryTimes, Timeline, TimelineBucket } from '../../core/history.js';
import { nameChannel } from '../../events/description.js';
import { drawing, element } from '../../http/page/browser/dom.js';
import { formatClock, formatCount, formatDuration, nameTimeZone } from './format.js';
import { readTimeline, ServerFailure } from './server.js';
import { makeLegend, makeNumbersRow, makeNumbersTable, redraw, showFailure } from './widgets.js';

/** How old plots may become, milliseconds. */
const OLD_MS = 30_000;

/**
 * The last hour and the last day as plots: codes by outcome, and the time to delivery by channel. Beside each plot is a table
 * with its numbers.
 */
export function makePlots() {
  const body = element('div.cards');
  let loadedAt = 0;
  let shown: string | undefined;

  const load = async (): Promise<void> => {
    loadedAt = Date.now();
    try {
      const timeline = await readTimeline();
      const key = JSON.stringify(timeline);
      if (key !== shown && redraw(body, () => drawTimeline(timeline))) shown = key;
    } catch (error) {
      if (!(error instanceof ServerFailure)) throw error;
      shown = undefined;
      body.replaceChildren(showFailure(error));
    }
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

interface Part<Bucket> {
  /** The class of its colour. */
  readonly name: string;
  readonly meaning: string;
  readonly sizeOf: (bucket: Bucket) => number;
}

interface Plot<Bucket> {
  readonly title: string;
  /** From the bottom up. */
  readonly parts: readonly Part<Bucket>[];
  readonly buckets: readonly Bucket[];
  /** The top of the axis, for the highest bar. */
  readonly topOf: (highest: number) => number;
  readonly format: (size: number) => string;
  /** The columns of the table behind the time. */
  readonly columns: readonly (readonly [name: string, textOf: (bucket: Bucket) => string])[];
}

type Timed = { readonly from: number };

const OUTCOMES = (
  [
    ['accepted', 'Accepted', 'delivered'],
    ['unknown', 'Unknown', 'unknown'],
    ['blocked', 'Blocked', 'blocked'],
    ['refused', 'Refused', 'refused'],
  ] as const
).map(([outcome, meaning, name]): Part<TimelineBucket> => ({
  name,
  meaning,
  sizeOf: ({ codes }) => codes[outcome],
}));

/** Times of one channel; `undefined` if nothing was delivered. */
interface TimesBucket extends Timed {
  readonly times: DeliveryTimes | undefined;
}

const TIMES: readonly Part<TimesBucket>[] = [
  { name: 'median', meaning: 'Median', sizeOf: ({ times }) => times?.medianMs ?? 0 },
  {
    name: 'p95',
    meaning: '95th percentile',
    sizeOf: ({ times }) => (times === undefined ? 0 : times.p95Ms - times.medianMs),
  },
];

function drawTimeline({ spans, completeSince }: Timeline): readonly HTMLElement[] {
  return spans.map(({ bucketMs, buckets }, index) => {
    const span = bucketMs * buckets.length <= 3_600_000 ? 'hour' : 'day';
    const [first] = buckets;
    const isCut = first !== undefined && completeSince > first.from;
    return element(
      'section.card.whole',
      { 'aria-labelledby': `plots-${index}` },
      element('h2', { id: `plots-${index}` }, `The last ${span}`),
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
  const codes: Plot<TimelineBucket> = {
    title: 'Codes by outcome',
    parts: OUTCOMES,
    buckets,
    topOf: roundUp,
    format: formatCount,
    columns: OUTCOMES.map(({ meaning, sizeOf }) => [meaning, (bucket) => formatCount(sizeOf(bucket))]),
  };
  return element(
    'div.plots',
    drawPlot(codes, span),
    ...[...channels].sort().map((channel) => drawPlot(timesOf(channel, buckets), span)),
    channels.size === 0
      ? element('p.empty', `No provider has reported a delivery in the last ${span}.`)
      : undefined,
  );
}

function timesOf(channel: string, buckets: readonly TimelineBucket[]): Plot<TimesBucket> {
  const text = (read: (times: DeliveryTimes) => string): ((bucket: TimesBucket) => string) => {
    return ({ times }) => (times === undefined ? '–' : read(times));
  };
  return {
    title: `Time to delivery: ${nameChannel(channel)}`,
    parts: TIMES,
    buckets: buckets.map(({ from, deliveries }) => ({
      from,
      times: deliveries.find((times) => times.channel === channel),
    })),
    topOf: (highest) => TIME_STEPS.find((step) => step >= highest) ?? highest,
    format: formatDuration,
    columns: [
      ['Delivered', text(({ count }) => formatCount(count))],
      ['Median', text(({ medianMs }) => formatDuration(medianMs))],
      ['95th percentile', text(({ p95Ms }) => formatDuration(p95Ms))],
    ],
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

function drawPlot<Bucket extends Timed>(plot: Plot<Bucket>, span: string): HTMLElement {
  const { title, parts, buckets, topOf, format } = plot;
  const top = topOf(
    Math.max(...buckets.map((bucket) => parts.reduce((sum, part) => sum + part.sizeOf(bucket), 0))),
  );
  const middle = buckets[Math.floor(buckets.length / 2)];
  const marks = [buckets[0], middle].map((bucket) => (bucket === undefined ? '' : formatClock(bucket.from)));
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
        ...buckets.map((bucket, index) => drawBar(plot, bucket, { index, top })),
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

function drawBar<Bucket extends Timed>(
  { parts, buckets, columns }: Plot<Bucket>,
  bucket: Bucket,
  { index, top }: { readonly index: number; readonly top: number },
): SVGGElement {
  const share = 100 / buckets.length;
  let from = HEIGHT;
  const rects = parts.flatMap(({ name, sizeOf }) => {
    const height = (HEIGHT * sizeOf(bucket)) / top;
    if (height <= 0) return [];
    from -= height;
    const x = `${((index + 0.1) * share).toFixed(2)}%`;
    const width = `${(0.8 * share).toFixed(2)}%`;
    return [drawing(`rect.share.${name}`, { x, y: from.toFixed(1), width, height: height.toFixed(1) })];
  });
  const facts = columns.map(([name, textOf]) => `${name}: ${textOf(bucket)}`);
  // Browsers show it beside the pointer.
  return drawing('g', drawing('title', [formatClock(bucket.from), ...facts].join('\n')), ...rects);
}

function writeTable<Bucket extends Timed>(
  { title, buckets, columns }: Plot<Bucket>,
  span: string,
): HTMLElement {
  const label = `${title} in the last ${span}`;
  return makeNumbersTable(label, ['From', ...columns.map(([name]) => name)], {
    caption: element('caption.unseen', label),
    body: element(
      'tbody',
      ...buckets.map((bucket) =>
        makeNumbersRow(
          formatClock(bucket.from),
          columns.map(([, textOf]) => textOf(bucket)),
        ),
      ),
    ),
  });
}
