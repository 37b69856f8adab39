import type { HookEvent } from '../../core/events.js';
import { OKTA_WAITS_MS } from '../../core/time.js';
import { formatDuration, percentOf } from './format.js';
import { layOutWaterfall, type Bar, type Waterfall } from './waterfall-bars.js';
import { NumbersTable } from './widgets.js';

interface WaterfallProps {
  readonly steps: readonly HookEvent[];
  readonly deadlineMs: number;
}

/** The time of each step: a picture, and the same numbers as a table. */
export function WaterfallChart({ steps, deadlineMs }: WaterfallProps) {
  const waterfall = layOutWaterfall(steps, deadlineMs);
  return (
    <div>
      <div class="waterfall" aria-hidden="true">
        {waterfall.bars.map((bar) => (
          <Lane bar={bar} of={waterfall} />
        ))}
        <Axis of={waterfall} />
      </div>
      <details>
        <summary>The same as a table</summary>
        <NumbersTable
          label="The time of each step, as numbers"
          caption={`Each step's time, of the ${formatDuration(deadlineMs)} until the deadline`}
          columns={['Step', 'Result', 'From', 'To', 'Took']}
          rows={waterfall.bars.map(({ label, result, startMs, endMs }) => {
            const times = [startMs, endMs, endMs - startMs].map(formatDuration);
            return [label, result, ...times];
          })}
        />
      </details>
    </div>
  );
}

function Lane({ bar, of: { spanMs, deadlineMs } }: { readonly bar: Bar; readonly of: Waterfall }) {
  const { label, tone, startMs, endMs } = bar;
  // A step that took no time is visible, too.
  const width = Math.max(endMs - startMs, spanMs / 250);
  const deadline = percentOf(deadlineMs, spanMs);
  return (
    <>
      <span class="label">{label}</span>
      <svg class="lane" width="100%" height={28} focusable="false">
        <line class="deadline" x1={deadline} x2={deadline} y1={0} y2={28} />
        <rect
          class={`bar ${tone}`}
          x={percentOf(Math.min(startMs, spanMs - width), spanMs)}
          y={6}
          width={percentOf(width, spanMs)}
          height={16}
          rx={2}
        />
      </svg>
      <span class="took">{formatDuration(endMs - startMs)}</span>
    </>
  );
}

function Axis({ of: { spanMs, deadlineMs } }: { readonly of: Waterfall }) {
  const deadline = percentOf(deadlineMs, spanMs);
  return (
    <>
      <span class="label" />
      <svg class="axis" width="100%" height={40} focusable="false">
        <line class="base" x1={0} x2="100%" y1={0.5} y2={0.5} />
        <text class="zero" x={0} y={16}>
          0 ms
        </text>
        <line class="deadline" x1={deadline} x2={deadline} y1={0} y2={22} />
        <text x={deadline} y={16} dx={-6} text-anchor="end">
          deadline {formatDuration(deadlineMs)}
        </text>
        <text x={percentOf(OKTA_WAITS_MS, spanMs)} y={36} text-anchor="end">
          Okta stops waiting at {formatDuration(OKTA_WAITS_MS)}
        </text>
      </svg>
    </>
  );
}
