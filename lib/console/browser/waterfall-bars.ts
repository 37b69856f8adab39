import type { HookEvent } from '../../core/events.js';
import { OKTA_WAITS_MS } from '../../core/time.js';
import { nameChannel, type Tone } from '../../events/description.js';
import { answerOf } from '../history/execution-outcome.js';
import { resultOf } from './journey.js';

/** The steps of a call until its answer, as bars on a time axis. */

export interface Bar {
  readonly label: string;
  readonly tone: Tone;
  readonly result: string;
  /** Both since the request came in. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface Waterfall {
  readonly bars: readonly Bar[];
  readonly deadlineMs: number;
  /** The end of the axis. */
  readonly spanMs: number;
}

const OUTCOME_TONES = { accepted: 'good', refused: 'bad', unknown: 'warn' } as const;
/** The tone and the result in words. A newer gateway may know more of them. */
type ToneAndResult = readonly [Tone, string];
const PROFILE_BARS: Readonly<Record<string, ToneAndResult>> = {
  okta: ['plain', 'read'],
  cache: ['plain', 'known'],
  stale: ['warn', 'an older one'],
  none: ['warn', 'not read'],
};
const ANSWER_BARS: Readonly<Record<string, ToneAndResult>> = {
  accepted: ['good', 'answered: sent'],
  unknown: ['warn', 'answered: on its way'],
  blocked: ['warn', 'answered: blocked'],
  refused: ['bad', 'answered: not sent'],
};

/** When the request came in: by its answer, else by its event. */
export function startOf(steps: readonly HookEvent[], fallback: number): number {
  const answered = steps.find((step) => step.type === 'request.answered' && !step.isRepeat);
  if (answered?.type === 'request.answered') return answered.at - answered.durationMs;
  return steps.find((step) => step.type === 'request.received')?.at ?? fallback;
}

/** The steps up to the answer that decides the outcome, and those after it. */
export function divideAtAnswer(
  steps: readonly HookEvent[],
): readonly [before: readonly HookEvent[], after: readonly HookEvent[]] {
  const answer = answerOf(steps);
  if (answer === undefined) return [steps, []];
  const index = steps.indexOf(answer);
  return [steps.slice(0, index + 1), steps.slice(index + 1)];
}

export function layOutWaterfall(steps: readonly HookEvent[], deadlineMs: number): Waterfall {
  const [before] = divideAtAnswer(steps);
  const start = startOf(steps, before[0]?.at ?? 0);
  const answer = before.at(-1);
  // A repeat may be answered while the call goes on. Its time is not part of the call's.
  const ofCall = before.filter(
    (step) => step.type !== 'request.answered' || !step.isRepeat || step === answer,
  );
  const bars = ofCall.flatMap((step) => barOf(step, start, steps));
  const latest = Math.max(0, ...bars.map(({ endMs }) => endMs));
  return { bars, deadlineMs, spanMs: Math.max(OKTA_WAITS_MS, deadlineMs, latest) };
}

function barOf(step: HookEvent, start: number, all: readonly HookEvent[]): readonly Bar[] {
  const bar = (label: string, [tone, result]: ToneAndResult, durationMs: number): readonly Bar[] => {
    const endMs = Math.max(0, step.at - start);
    return [{ label, tone, result, startMs: Math.max(0, endMs - durationMs), endMs }];
  };
  switch (step.type) {
    case 'profile.read':
      return bar('Profile', PROFILE_BARS[step.source] ?? ['plain', step.source], step.durationMs);
    case 'attempt.ended': {
      const result = step.code === undefined ? step.outcome : `${step.outcome}, ${step.code}`;
      const reported = resultOf(step, all);
      const hasFailed = reported?.type === 'message.reported' && reported.report === 'failed';
      const toneAndResult: ToneAndResult =
        hasFailed && step.outcome !== 'refused'
          ? ['bad', `${result}; failed later`]
          : [OUTCOME_TONES[step.outcome], result];
      return bar(nameChannel(step.channel), toneAndResult, step.durationMs);
    }
    case 'request.answered':
      return bar('Total', ANSWER_BARS[step.outcome] ?? ['plain', step.outcome], step.durationMs);
    default:
      return [];
  }
}
