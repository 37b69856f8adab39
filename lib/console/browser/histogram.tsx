import { useRef, useState } from 'preact/hooks';
import type { TimelineBucket } from '../history/answers.js';
import { formatClock, formatCount, percentOf } from './format.js';
import { roundUp } from './plots.js';
import type { HistoryFilter } from './routes.js';
import { readHistogram, ServerFailure } from './server.js';
import { useStream, type Stream } from './stream.js';
import { useAnswer } from './use-answer.js';

/** New codes change the bars at most this often, milliseconds. */
const RENEW_MS = 5_000;
const HEIGHT = 56;

/** A piece of the time line, by the edges between its bars: from 0 to the number of bars. */
interface Piece {
  readonly from: number;
  readonly to: number;
}

type Times = Pick<HistoryFilter, 'from' | 'to'>;

interface HistogramProps {
  readonly filter: HistoryFilter;
  readonly stream: Stream;
  readonly isShown: boolean;
  readonly onChoose: (times: Times) => void;
}

/** How many codes fit the search in each quarter of an hour. A piece of it sets From and To, by mouse, touch or keyboard. */
export function Histogram({ filter, stream, isShown, onChoose }: HistogramProps) {
  const buckets = useBuckets(filter, stream, isShown);
  /** While someone drags. */
  const [draft, setDraft] = useState<Piece>();
  const count = buckets.length;
  const sizes = buckets.map(({ codes }) => Object.values(codes).reduce((sum, each) => sum + each, 0));
  if (sizes.every((size) => size === 0)) return null;
  const edges = edgesOf(buckets);
  const piece = draft ?? pieceOf(filter, edges);
  const choose = ({ from, to }: Piece): void => {
    setDraft(undefined);
    onChoose({
      from: from === 0 ? '' : isoOf(edges[from]),
      // The end of the last minute, as the field To has it.
      to: to === count ? '' : isoOf((edges[to] ?? 0) - 1),
    });
  };
  const chosen = sizes.slice(piece.from, piece.to).reduce((sum, size) => sum + size, 0);
  const isAll = piece.from === 0 && piece.to === count;
  const words = `${formatCount(chosen)} ${chosen === 1 ? 'code' : 'codes'}`;
  return (
    <figure class="histogram">
      <figcaption>
        <span>
          {isAll
            ? `${words} by quarters of an hour. Drag to choose a time.`
            : `${words} from ${clockOf(edges[piece.from])} to ${clockOf(edges[piece.to])}`}
        </span>
        {!isAll && (
          <button type="button" class="small" onClick={() => choose({ from: 0, to: count })}>
            Whole day
          </button>
        )}
      </figcaption>
      <div class="plot">
        <div class="axis" aria-hidden="true">
          <span>{formatCount(roundUp(Math.max(...sizes)))}</span>
          <span>0</span>
        </div>
        <div class="chosen">
          <Bars sizes={sizes} piece={piece} onDraft={setDraft} onChoose={choose} />
          <Slider
            label="Begin of the shown time"
            value={piece.from}
            count={count}
            words={clockOf(edges[piece.from])}
            onDraft={(from) => setDraft({ ...piece, from: Math.min(from, piece.to - 1) })}
            onChoose={(from) => choose({ ...piece, from: Math.min(from, piece.to - 1) })}
          />
          <Slider
            label="End of the shown time"
            value={piece.to}
            count={count}
            words={clockOf(edges[piece.to])}
            onDraft={(to) => setDraft({ ...piece, to: Math.max(to, piece.from + 1) })}
            onChoose={(to) => choose({ ...piece, to: Math.max(to, piece.from + 1) })}
          />
        </div>
        <div class="hours" aria-hidden="true">
          {[edges[0], edges[Math.floor(count / 2)]].map((edge) => (
            <span>{clockOf(edge)}</span>
          ))}
          <span>now</span>
        </div>
      </div>
    </figure>
  );
}

/** The bars of the search without its time. After a failure the bars stay as they are: the list says what is wrong. */
function useBuckets(filter: HistoryFilter, stream: Stream, isShown: boolean): readonly TimelineBucket[] {
  const { search, channel, outcome, failover } = filter;
  const read = async (): Promise<readonly TimelineBucket[] | undefined> => {
    const timeline = await readHistogram({ search, channel, outcome, failover });
    return timeline instanceof ServerFailure ? undefined : (timeline.spans[0]?.buckets ?? []);
  };
  const inputs = [search, channel, outcome, failover];
  const { answer: buckets = [], renew } = useAnswer(read, inputs, { isShown, oldMs: RENEW_MS });
  // The health comes every few seconds, and so do the bars of codes that came meanwhile.
  useStream(stream, { onExecutions: renew, onHealth: renew, onOpened: renew });
  return buckets;
}

interface BarsProps {
  readonly sizes: readonly number[];
  readonly piece: Piece;
  readonly onDraft: (piece: Piece | undefined) => void;
  readonly onChoose: (piece: Piece) => void;
}

/** The picture, over which a mouse or a finger draws the piece. */
function Bars({ sizes, piece, onDraft, onChoose }: BarsProps) {
  const begun = useRef<number | undefined>(undefined);
  const count = sizes.length;
  const top = roundUp(Math.max(...sizes));
  const share = (edge: number): string => percentOf(edge, count);
  const barAt = (event: PointerEvent & { readonly currentTarget: SVGElement }): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const bar = Math.floor(((event.clientX - left) / width) * count);
    return Math.min(count - 1, Math.max(0, bar));
  };
  const between = (one: number, other: number): Piece => ({
    from: Math.min(one, other),
    to: Math.max(one, other) + 1,
  });
  return (
    <svg
      width="100%"
      height={HEIGHT}
      aria-hidden="true"
      focusable="false"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        begun.current = barAt(event);
        event.currentTarget.setPointerCapture(event.pointerId);
        onDraft(between(begun.current, begun.current));
      }}
      onPointerMove={(event) => {
        if (begun.current !== undefined) onDraft(between(begun.current, barAt(event)));
      }}
      onPointerUp={(event) => {
        if (begun.current !== undefined) onChoose(between(begun.current, barAt(event)));
        begun.current = undefined;
      }}
      onPointerCancel={() => {
        // The finger scrolls the page.
        begun.current = undefined;
        onDraft(undefined);
      }}
    >
      <line class="base" x1={0} x2="100%" y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      {sizes.map((size, bar) => {
        const height = size === 0 ? 0 : Math.max(2, (HEIGHT * size) / top);
        const isOutside = bar < piece.from || bar >= piece.to;
        return (
          <rect
            class={isOutside ? 'share outside' : 'share asked'}
            x={share(bar)}
            y={HEIGHT - height}
            width={share(1)}
            height={height}
          />
        );
      })}
      <rect
        class="frame"
        x={share(piece.from)}
        y={0.5}
        width={share(piece.to - piece.from)}
        height={HEIGHT - 1}
      />
    </svg>
  );
}

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly count: number;
  readonly words: string;
  readonly onDraft: (value: number) => void;
  readonly onChoose: (value: number) => void;
}

/** An end of the piece, for the keyboard and for touch. */
function Slider({ label, value, count, words, onDraft, onChoose }: SliderProps) {
  return (
    <input
      type="range"
      aria-label={label}
      aria-valuetext={words}
      min={0}
      max={count}
      value={value}
      onInput={({ currentTarget }) => onDraft(currentTarget.valueAsNumber)}
      onChange={({ currentTarget }) => onChoose(currentTarget.valueAsNumber)}
    />
  );
}

/** The beginning of each bar, and the end of the last one; milliseconds since 1970. */
function edgesOf(buckets: readonly TimelineBucket[]): readonly number[] {
  const [first, second] = buckets;
  const bucketMs = (second?.from ?? 0) - (first?.from ?? 0);
  const starts = buckets.map(({ from }) => from);
  return [...starts, (starts.at(-1) ?? 0) + bucketMs];
}

/** The bars that the times of the search touch; at least one. */
function pieceOf({ from, to }: Times, edges: readonly number[]): Piece {
  const count = edges.length - 1;
  const fromMs = from === '' ? -Infinity : Date.parse(from);
  const toMs = to === '' ? Infinity : Date.parse(to);
  const first = Math.max(
    0,
    edges.findLastIndex((edge) => edge <= fromMs),
  );
  const end = edges.findIndex((edge) => edge > toMs);
  const begin = Math.min(first, count - 1);
  return { from: begin, to: Math.max(begin + 1, end === -1 ? count : end) };
}

function isoOf(ms: number | undefined): string {
  return new Date(ms ?? 0).toISOString();
}

function clockOf(ms: number | undefined): string {
  return formatClock(ms ?? 0);
}
