import { element } from '../../page/browser/dom.js';
import type { TestResult, ToldReaction } from '../api.js';
import { markOutcome, markTone } from './marks.js';
import { sayExactly, saySpan } from './moments.js';
import { addressOf } from './routes.js';
import { openExecution } from './server.js';
import type { Stream } from './stream.js';
import { makeWaterfall } from './waterfall.js';
import { OUTCOMES, type Tone } from './words.js';

/** What came of a test: the answer, what Okta would do with it, where its time went, and what is known since. */

const TONES: Readonly<Record<ToldReaction['action'], Tone>> = {
  sent: 'good',
  pending: 'warn',
  failover: 'bad',
  error: 'bad',
};

export interface TestResultView {
  readonly element: HTMLElement;
  show(result: TestResult): void;
}

export function makeTestResult(stream: Stream): TestResultView {
  const place = element('div');
  let current: { readonly id: string; readonly refresh: () => void } | undefined;
  stream.listen({
    onExecutions: (changed) => {
      if (changed.some(({ id }) => id === current?.id)) current?.refresh();
    },
    onOpened: () => current?.refresh(),
  });
  return {
    element: place,
    show: (result) => {
      const { executionId: id } = result;
      const path = element('div');
      place.replaceChildren(...showAnswer(result), path);
      current = undefined;
      if (id === undefined) return;
      const waterfall = makeWaterfall();
      const since = element('p', { class: 'headline', role: 'status' });
      path.append(
        since,
        element('h3', {}, 'Where the time went'),
        waterfall.element,
        element(
          'p',
          {},
          element(
            'a',
            { class: 'button', href: addressOf({ view: 'execution', id }) },
            'Open this execution',
          ),
        ),
      );
      const refresh = (): void => {
        void openExecution(id).then(
          (execution) => {
            if (current?.id !== id) return;
            waterfall.show(execution.steps, result.deadlineMs);
            const { meaning } = OUTCOMES[execution.outcome];
            since.replaceChildren(markOutcome(execution.outcome), ' ', meaning);
          },
          // The answer is here all the same, and the link leads to why.
          () => undefined,
        );
      };
      current = { id, refresh };
      refresh();
    },
  };
}

function showAnswer({
  httpStatus,
  body,
  durationMs,
  deadlineMs,
  reaction,
}: TestResult): readonly HTMLElement[] {
  const tone = TONES[reaction.action];
  return [
    element(
      'div',
      { class: `note ${tone}` },
      markTone(tone, element('strong', {}, reaction.text)),
      reaction.shown === undefined
        ? undefined
        : element('p', {}, 'The user may read: ', element('q', {}, reaction.shown)),
    ),
    element(
      'p',
      { class: 'quiet' },
      `Status ${httpStatus}, in ${saySpan(durationMs)} of the ${saySpan(deadlineMs)} until the deadline; ${sayExactly(Date.now())}.`,
    ),
    element(
      'pre',
      { tabindex: 0, 'aria-label': 'The answer', role: 'region' },
      JSON.stringify(body, undefined, 2),
    ),
  ];
}
