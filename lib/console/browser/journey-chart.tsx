import type { HookEvent } from '../../core/events.js';
import type { Execution } from '../history/answers.js';
import { formatDuration, percentOf } from './format.js';
import { layOutMessages, stopsOf, type Lane, type StopState } from './journey.js';
import { Icon } from './widgets.js';
import { STOP_ICONS } from './outcomes.js';

const TONES: Readonly<Record<StopState, string>> = {
  passed: 'good',
  stopped: 'bad',
  doubtful: 'warn',
  waiting: 'plain',
  ahead: 'ahead',
};

/** Where the code is, or where it stopped. */
export function JourneyStrip({ execution }: { readonly execution: Execution }) {
  return (
    <ol class="journey" aria-label="How far the code came">
      {stopsOf(execution).map(({ name, state, words }) => (
        <li key={name} class={TONES[state]}>
          <span class="dot">
            <Icon path={STOP_ICONS[state]} />
          </span>
          <span>
            <strong>{name}</strong> <span class="words">{words}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

interface MessagesProps {
  readonly steps: readonly HookEvent[];
  /** When the request came in, milliseconds since 1970. */
  readonly start: number;
}

/** Each message from its attempt to the last that is known of it, on one scale, and the use of the code. */
export function MessagesChart({ steps, start }: MessagesProps) {
  const { lanes, answeredMs, spanMs } = layOutMessages(steps, start);
  if (lanes.length === 0) return null;
  const answered = answeredMs === undefined ? undefined : percentOf(answeredMs, spanMs);
  return (
    <div class="messages">
      <ul aria-label="The messages over time">
        {lanes.map((lane, index) => (
          <li key={index}>
            <span class="label">{lane.label}</span>
            <LaneBar lane={lane} spanMs={spanMs} answered={answered} />
            <span class="result">{lane.result}</span>
          </li>
        ))}
      </ul>
      <div class="scale" aria-hidden="true">
        <svg width="100%" height={20} focusable="false">
          <line class="base" x1={0} x2="100%" y1={0.5} y2={0.5} />
          <text x={0} y={16}>
            request
          </text>
          <text x="100%" y={16} text-anchor="end">
            {formatDuration(spanMs)}
          </text>
        </svg>
      </div>
      {answeredMs !== undefined && (
        <p class="hint">The dashed line is the answer to Okta, after {formatDuration(answeredMs)}.</p>
      )}
    </div>
  );
}

interface LaneBarProps {
  readonly lane: Lane;
  readonly spanMs: number;
  readonly answered: string | undefined;
}

function LaneBar({ lane, spanMs, answered }: LaneBarProps) {
  const { tone, sendMs, sentMs, endMs, isOpen } = lane;
  /** A moment is visible, too. */
  const least = spanMs / 150;
  const bar = (fromMs: number, toMs: number) => {
    const width = Math.max(toMs - fromMs, least);
    return { x: percentOf(Math.min(fromMs, spanMs - width), spanMs), width: percentOf(width, spanMs) };
  };
  return (
    <svg class="lane" width="100%" height={24} aria-hidden="true" focusable="false">
      {endMs > sentMs && (
        <rect class={`way ${tone}${isOpen ? ' open' : ''}`} {...bar(sentMs, endMs)} y={8} height={8} />
      )}
      <rect class="bar" {...bar(sendMs, sentMs)} y={4} height={16} rx={2} />
      {!isOpen && <rect class={`bar ${tone}`} {...bar(endMs, endMs)} y={2} height={20} rx={2} />}
      {answered !== undefined && <line class="deadline" x1={answered} x2={answered} y1={0} y2={24} />}
    </svg>
  );
}
