import type { HookEvent, HookEventOf } from '../../core/events.js';
import type { Tone } from '../../events/browser/describe-event.js';
import { nameChannel } from '../../events/browser/names.js';

/** A call's steps as bars on its time, until its answer. */

export interface Bar {
  readonly label: string;
  readonly tone: Tone;
  /** In words, what became of it. */
  readonly result: string;
  /** Both since the request. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface Waterfall {
  readonly bars: readonly Bar[];
  readonly deadlineMs: number;
  /** Where the axis ends. */
  readonly spanMs: number;
}

/** Okta stops waiting then. */
export const OKTA_WAITS_MS = 3000;

const OUTCOME_TONES = { accepted: 'good', refused: 'bad', unknown: 'warn' } as const;
const STATUS_TONES = { SUCCESSFUL: 'good', PENDING: 'warn', ERROR: 'bad' } as const;
const STATUS_WORDS = {
  SUCCESSFUL: 'told as sent',
  PENDING: 'told as on its way',
  ERROR: 'told as not sent',
} as const;

/** The answer that tells how the code went, as the history takes it: of several to the call itself, the last. */
export function answerOf(steps: readonly HookEvent[]): HookEventOf<'request.answered'> | undefined {
  const answers = steps.filter((step) => step.type === 'request.answered');
  return answers.findLast(({ isRepeat }) => !isRepeat) ?? answers[0];
}

/** When the request first came, by an answer to itself, else as it was told. */
export function startOf(steps: readonly HookEvent[], fallback: number): number {
  const answered = steps.find((step) => step.type === 'request.answered' && !step.isRepeat);
  if (answered?.type === 'request.answered') return answered.at - answered.durationMs;
  return steps.find((step) => step.type === 'request.received')?.at ?? fallback;
}

/** Steps up to the answer that tells how the code went, and what came after it. */
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
  // A repeat is answered while the call goes on: its time is none of the call's.
  const ofCall = before.filter(
    (step) => step.type !== 'request.answered' || !step.isRepeat || step === answer,
  );
  const bars = ofCall.flatMap((step) => barOf(step, start));
  const latest = Math.max(0, ...bars.map(({ endMs }) => endMs));
  return { bars, deadlineMs, spanMs: Math.max(OKTA_WAITS_MS, deadlineMs, latest) };
}

function barOf(step: HookEvent, start: number): readonly Bar[] {
  const endMs = Math.max(0, step.at - start);
  const lasted = (durationMs: number): Pick<Bar, 'startMs' | 'endMs'> => ({
    startMs: Math.max(0, endMs - durationMs),
    endMs,
  });
  switch (step.type) {
    case 'profile.read':
      return [
        {
          label: 'Profile',
          tone: step.source === 'okta' || step.source === 'cache' ? 'plain' : 'warn',
          result: { okta: 'read', cache: 'known', stale: 'an older one', none: 'not read' }[step.source],
          ...lasted(step.durationMs),
        },
      ];
    case 'attempt.ended':
      return [
        {
          label: nameChannel(step.channel),
          tone: OUTCOME_TONES[step.outcome],
          result: step.code === undefined ? step.outcome : `${step.outcome}, ${step.code}`,
          ...lasted(step.durationMs),
        },
      ];
    case 'request.answered':
      return [
        {
          label: 'In all',
          tone: STATUS_TONES[step.status],
          result: STATUS_WORDS[step.status],
          ...lasted(step.durationMs),
        },
      ];
    default:
      return [];
  }
}
