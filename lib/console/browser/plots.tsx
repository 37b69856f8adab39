import type { Timeline, TimelineBucket } from '../history/answers.js';
import { nameChannel } from '../../events/description.js';
import type { About } from '../api.js';
import { formatClock, formatCount, formatDuration, nameTimeZone } from './format.js';
import { Legend, NumbersTable, type ChartPart } from './widgets.js';

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
  readonly parts: readonly ChartPart[];
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

interface PlotsProps {
  readonly timeline: Timeline;
  readonly about: About;
}

/**
 * The last hour and the last day as plots: codes by outcome, and the time to delivery by channel. Beside each plot is a table
 * with its numbers.
 */
export function Plots({ timeline: { spans, completeSince }, about }: PlotsProps) {
  return (
    <>
      {spans.map(({ bucketMs, buckets }) => {
        const span = bucketMs * buckets.length <= 3_600_000 ? 'hour' : 'day';
        const [first] = buckets;
        const isCut = first !== undefined && completeSince > first.from;
        const known = isCut ? `since ${formatClock(completeSince)}` : `in the last ${span}`;
        return (
          <section key={span} class="card whole" aria-labelledby={`plots-${span}`}>
            <h2 id={`plots-${span}`}>
              The last {span}
              {nameScope(about)}
            </h2>
            <p class="quiet">
              Without previews and tests. Times are in {nameTimeZone()}.
              {isCut && ` The history begins at ${formatClock(completeSince)}: earlier codes are not shown.`}
            </p>
            {buckets.some(({ codes }) => Object.values(codes).some((count) => count > 0)) ? (
              <Span buckets={buckets} span={span} />
            ) : (
              <p class="empty">Okta has not requested a code {known}.</p>
            )}
          </section>
        );
      })}
    </>
  );
}

function Span({ buckets, span }: { readonly buckets: readonly TimelineBucket[]; readonly span: string }) {
  const channels = new Set(buckets.flatMap(({ deliveries }) => deliveries.map(({ channel }) => channel)));
  const plots = [outcomesOf(buckets), ...[...channels].sort().map((channel) => timesOf(channel, buckets))];
  return (
    <div class="plots">
      {plots.map((plot) => (
        <Figure key={plot.title} plot={plot} span={span} />
      ))}
      {channels.size === 0 && <p class="empty">No provider has reported a delivery in the last {span}.</p>}
    </div>
  );
}

function outcomesOf(buckets: readonly TimelineBucket[]): Plot {
  return {
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

function Figure({ plot, span }: { readonly plot: Plot; readonly span: string }) {
  const { title, parts, columns, bars, topOf, format } = plot;
  const top = topOf(Math.max(...bars.map(({ sizes }) => sizes.reduce((sum, size) => sum + size, 0))));
  const marks = [bars[0], bars[Math.floor(bars.length / 2)]].map((bar) => bar && formatClock(bar.from));
  const label = `${title} in the last ${span}`;
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <Legend parts={parts} />
      <div class="plot" aria-hidden="true">
        <div class="axis">
          <span>{format(top)}</span>
          <span>0</span>
        </div>
        <svg width="100%" height={HEIGHT} focusable="false">
          {[0.5, HEIGHT / 2, HEIGHT - 0.5].map((y) => (
            <line class="base" x1={0} x2="100%" y1={y} y2={y} />
          ))}
          {bars.map((_, index) => (
            <PlotBar plot={plot} index={index} top={top} />
          ))}
        </svg>
        <div class="hours">
          {[...marks, 'now'].map((mark) => (
            <span>{mark}</span>
          ))}
        </div>
      </div>
      <details>
        <summary>{label}, as a table</summary>
        <NumbersTable
          label={label}
          columns={['From', ...columns]}
          rows={bars.map(({ from, cells }) => [formatClock(from), ...cells])}
        />
      </details>
    </figure>
  );
}

interface PlotBarProps {
  readonly plot: Plot;
  readonly index: number;
  readonly top: number;
}

function PlotBar({ plot: { parts, bars, columns }, index, top }: PlotBarProps) {
  const { from = 0, sizes = [], cells = [] } = bars[index] ?? {};
  const share = 100 / bars.length;
  const facts = columns.map((name, column) => `${name}: ${cells[column] ?? ''}`);
  let y = HEIGHT;
  return (
    <g>
      {/* Browsers show it beside the pointer. */}
      <title>{[formatClock(from), ...facts].join('\n')}</title>
      {parts.map(({ name }, part) => {
        const height = (HEIGHT * (sizes[part] ?? 0)) / top;
        if (height <= 0) return null;
        y -= height;
        return (
          <rect
            class={`share ${name}`}
            x={`${((index + 0.1) * share).toFixed(2)}%`}
            y={y.toFixed(1)}
            width={`${(0.8 * share).toFixed(2)}%`}
            height={height.toFixed(1)}
          />
        );
      })}
    </g>
  );
}
