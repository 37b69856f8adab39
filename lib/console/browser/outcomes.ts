import type { HookEvent, HookEventOf } from '../../core/events.js';
import type { Execution, ExecutionOutcome } from '../history/answers.js';
import type { StopState } from './journey.js';
import { describeProviders, describeSkipped } from '../../events/describe-answer.js';
import { describeEvent } from '../../events/describe-event.js';
import { by, nameChannel, type EventDescription, type Tone } from '../../events/description.js';
import { answerOf, NOT_RECEIVED } from '../history/execution-outcome.js';

/** How the page shows outcomes and tones: a word and an icon, never by colour alone. */

interface Meaning {
  readonly meaning: string;
  /** What Okta does then. */
  readonly ofOkta?: string;
}

interface OutcomeWords extends Meaning {
  readonly word: string;
  readonly tone: Tone;
  /** An SVG path of 16 by 16, drawn as a stroke. */
  readonly icon: string;
}

const CROSS = 'M4 4l8 8M12 4l-8 8';
const WARNING = 'M8 2.5 14.5 13.5H1.5zM8 6.5v3M8 11.4v.2';
const QUESTION = 'M5.5 5.8a2.5 2.5 0 1 1 3.6 2.2c-.8.5-1.1 1-1.1 1.9M8 12.8v.1';
const CHECK = 'M3 8.5l3.5 3.5L13 4.5';
const CLOCK = 'M8 2a6 6 0 1 1-6 6M8 5v3.2l2 1.3';

export const OUTCOMES: Readonly<Record<ExecutionOutcome, OutcomeWords>> = {
  running: {
    word: 'Running',
    meaning: 'The hook has not answered yet.',
    tone: 'plain',
    icon: CLOCK,
  },
  sent: {
    word: 'Sent',
    meaning: 'The provider accepted the message. Its delivery is not known yet.',
    tone: 'good',
    icon: 'M2.5 8h10.5M9 4l4 4-4 4',
  },
  delivered: { word: 'Delivered', meaning: 'The message reached the phone.', tone: 'good', icon: CHECK },
  used: {
    word: 'Used',
    meaning: 'The user entered the code, and Okta accepted it.',
    tone: 'good',
    icon: 'M1.5 8.7l2.8 2.8 6-7M7.2 11.5 14 4.5',
  },
  undelivered: {
    word: 'Not delivered',
    meaning: 'The provider accepted the message, but did not deliver it.',
    tone: 'bad',
    icon: CROSS,
  },
  pending: {
    word: 'Unknown',
    meaning: 'The message may have gone out: no readable answer came.',
    ofOkta: 'Okta takes the code as on its way.',
    tone: 'warn',
    icon: QUESTION,
  },
  blocked: {
    word: 'Blocked',
    meaning:
      'The guard or a fraud filter blocked the code, or a newer code superseded it. No message went out.',
    tone: 'warn',
    icon: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M3.8 3.8l8.4 8.4',
  },
  failed: {
    word: 'Failed',
    meaning: 'No channel could send the code.',
    ofOkta: 'Okta may have sent it itself.',
    tone: 'bad',
    icon: WARNING,
  },
};

/** For a call without an answer: Okta waited, and then went on as after any failure. */
const UNANSWERED: Partial<Record<ExecutionOutcome, Meaning>> = {
  pending: {
    meaning: 'The gateway may have stopped before it answered: the message may have gone out.',
    ofOkta: 'Okta may have sent the code itself.',
  },
  failed: {
    meaning: 'The gateway may have stopped before it answered.',
    ofOkta: 'Okta may have sent the code itself.',
  },
};

/** For a call that only Okta reports. */
const UNREAD: Meaning = {
  meaning:
    'Okta gave up on this call, and no gateway of this history has read it: the hook never got the request, or rejected it.',
  ofOkta: 'Okta may have sent the code itself.',
};

/** What the outcome means, and why another channel sent the code. Okta knows nothing of a test, so it does nothing after one. */
export function explainOutcome(execution: Execution): string {
  const { outcome, steps, isTest, code } = execution;
  const isAnswered = answerOf(steps) !== undefined;
  const unanswered = code === NOT_RECEIVED ? UNREAD : UNANSWERED[outcome];
  const { meaning, ofOkta } = (isAnswered ? undefined : unanswered) ?? OUTCOMES[outcome];
  const sentences = [meaning, isTest ? undefined : ofOkta, explainFallback(execution)];
  return sentences.filter((sentence) => sentence !== undefined).join(' ');
}

/** Says which channel was used in place of others, and what happened to those; `undefined` if no other comes before it. */
function explainFallback({ outcome, way, steps }: Execution): string | undefined {
  const last = way.at(-1);
  if (last === undefined || last.hasFailed) return undefined;
  // Another provider of the same channel is not another channel.
  const others = way.filter(({ channel, hasFailed }) => hasFailed && channel !== last.channel);
  const failed = new Set(others.map(({ channel }) => channel));
  const skipped = (answerOf(steps)?.skipped ?? []).map(describeSkipped).join('');
  const used = `${outcome === 'pending' ? 'Tried' : 'Sent'} ${by(last.channel)}`;
  if (failed.size === 0) return skipped === '' ? undefined : `${used}.${skipped}`;
  const reasons = [...failed].map((channel) => `${nameChannel(channel)} failed${whyFailed(channel, steps)}`);
  return `${used}, because ${reasons.join(' and ')}.${skipped}`;
}

/** E.g. ` (63015: The number has not joined the sandbox)`. */
function whyFailed(channel: string, steps: readonly HookEvent[]): string {
  const [cause] = steps.flatMap((step): readonly Pick<EventDescription, 'code' | 'reason'>[] => {
    switch (step.type) {
      case 'attempt.ended':
      case 'attempt.settled':
        return step.channel === channel && step.outcome === 'refused' ? [step] : [];
      case 'message.reported':
        return step.channel === channel && step.report === 'failed' ? [step] : [];
      case 'failover.ended':
        return step.fromChannel === channel ? [step.cause] : [];
      default:
        return [];
    }
  });
  const known = [cause?.code, cause?.reason].filter((word) => word !== undefined);
  return known.length === 0 ? '' : ` (${known.join(': ')})`;
}

/** Why the code was not sent or not delivered, and what to do: by the last step that says so. */
export function explainCode({ steps, code }: Execution): readonly (readonly [string, string | undefined])[] {
  if (code === undefined) return [];
  const step = steps.map(describeEvent).findLast((described) => described.code === code);
  return [
    ['Why', step?.reason],
    ['What to do', step?.remedy],
  ];
}

export const TONE_ICONS: Readonly<Record<Tone, string>> = {
  plain: 'M8 8h.1',
  good: CHECK,
  warn: WARNING,
  bad: CROSS,
};

/** Which providers the number got by each channel that has some by country; `undefined` without any. */
export function explainProviders({ steps }: Pick<Execution, 'steps'>): string | undefined {
  const found = steps.find(
    (step): step is HookEventOf<'channels.planned' | 'request.answered'> =>
      (step.type === 'channels.planned' || step.type === 'request.answered') &&
      step.providersOf !== undefined,
  );
  const channels = Object.keys(found?.providersOf ?? {});
  if (found === undefined || channels.length === 0) return undefined;
  return channels.map((channel) => nameChannel(channel) + describeProviders(channel, found)).join(', ');
}

export const STOP_ICONS: Readonly<Record<StopState, string>> = {
  passed: CHECK,
  stopped: CROSS,
  doubtful: QUESTION,
  waiting: CLOCK,
  ahead: 'M4 8h8',
};
