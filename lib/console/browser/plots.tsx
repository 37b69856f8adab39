import type { TimelineBucket } from '../history/answers.js';
import { nameChannel } from '../../events/description.js';
import { formatClock, formatCount, formatDuration } from './format.js';
import { Legend, NumbersTable, Share, type ChartPart } from './widgets.js';

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
  /** The top of the axis. */
  readonly top: number;
  readonly format: (size: number) => string;
}

const OUTCOMES = [
  { outcome: 'accepted', meaning: 'Accepted', name: 'delivered' },
  { outcome: 'failedOver', meaning: 'Accepted after a failover', name: 'failedOver' },
  { outcome: 'undelivered', meaning: 'Not delivered', name: 'undelivered' },
  { outcome: 'unknown', meaning: 'Unknown', name: 'unknown' },
  { outcome: 'blocked', meaning: 'Blocked', name: 'blocked' },
  { outcome: 'refused', meaning: 'Refused', name: 'refused' },
] as const;

const TIMES = [
  { name: 'median', meaning: 'Median' },
  { name: 'p95', meaning: '95th percentile' },
] as const;

interface PlotsProps {
  /** Oldest first. */
  readonly buckets: readonly TimelineBucket[];
  /** `hour` or `day`. */
  readonly span: string;
}

/** A span as plots: codes by outcome, and the time to delivery by channel, these on one scale. Their numbers are in tables. */
export function Plots({ buckets, span }: PlotsProps) {
  const names = new Set(buckets.flatMap(({ deliveries }) => deliveries.map(({ channel }) => channel)));
  const channels = [...names].sort();
  const slowest = Math.max(0, ...buckets.flatMap(({ deliveries }) => deliveries.map(({ p95Ms }) => p95Ms)));
  const outcomes = outcomesOf(buckets);
  const times = channels.map((channel) => timesOf(channel, buckets, topOfTimes(slowest)));
  return (
    <>
      <Legend parts={OUTCOMES} />
      <Figure plot={outcomes} />
      <h3>Time to delivery</h3>
      {channels.length === 0 ? (
        <p class="empty">No provider has reported a delivery in the last {span}.</p>
      ) : (
        <>
          <Legend parts={TIMES} />
          <div class="plots">
            {times.map((plot) => (
              <Figure key={plot.title} plot={plot} />
            ))}
          </div>
        </>
      )}
      <details>
        <summary>The numbers of the last {span}, as tables</summary>
        {[outcomes, ...times].map(({ title, columns, bars }) => (
          <NumbersTable
            key={title}
            label={`${title} in the last ${span}`}
            caption={`${title} in the last ${span}`}
            columns={['From', ...columns]}
            rows={bars.map(({ from, cells }) => [formatClock(from), ...cells])}
          />
        ))}
      </details>
    </>
  );
}

function outcomesOf(buckets: readonly TimelineBucket[]): Plot {
  const bars = buckets.map(({ from, codes }) => {
    const sizes = OUTCOMES.map(({ outcome }) => codes[outcome]);
    return { from, sizes, cells: sizes.map(formatCount) };
  });
  return {
    title: 'Codes by outcome',
    parts: OUTCOMES,
    columns: OUTCOMES.map(({ meaning }) => meaning),
    bars,
    top: roundUp(Math.max(...bars.map(({ sizes }) => sizes.reduce((sum, size) => sum + size, 0)))),
    format: formatCount,
  };
}

function timesOf(channel: string, buckets: readonly TimelineBucket[], top: number): Plot {
  return {
    title: nameChannel(channel),
    parts: TIMES,
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
    top,
    format: formatDuration,
  };
}

function topOfTimes(highestMs: number): number {
  return TIME_STEPS.find((step) => step >= highestMs) ?? highestMs;
}

/** Milliseconds. */
const TIME_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600].map(
  (seconds) => seconds * 1000,
);

/** 1, 2 or 5 with zeros. */
export function roundUp(count: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  return size * ([1, 2, 5].find((step) => step * size >= count) ?? 10);
}

const HEIGHT = 72;

function Figure({ plot }: { readonly plot: Plot }) {
  const { title, bars, top, format } = plot;
  const marks = [bars[0], bars[Math.floor(bars.length / 2)]].map((bar) => bar && formatClock(bar.from));
  return (
    <figure>
      <figcaption>{title}</figcaption>
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
            <PlotBar plot={plot} index={index} />
          ))}
        </svg>
        <div class="hours">
          {[...marks, 'now'].map((mark) => (
            <span>{mark}</span>
          ))}
        </div>
      </div>
    </figure>
  );
}

interface PlotBarProps {
  readonly plot: Plot;
  readonly index: number;
}

function PlotBar({ plot: { parts, bars, columns, top }, index }: PlotBarProps) {
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
          <Share
            name={name}
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
