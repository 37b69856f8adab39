import { element } from '../../http/page/browser/dom.js';
import type { TestResult, ShownReaction } from '../api.js';
import { copyButton, facts, inCode, markOutcome, markTone } from './widgets.js';
import { formatDateTime, formatDuration } from './format.js';
import { addressOf } from './routes.js';
import { openExecution, ServerFailure } from './server.js';
import type { Stream } from './stream.js';
import { makeWaterfall } from './waterfall.js';
import type { Tone } from '../../events/description.js';
import { explainCode, explainOutcome } from './outcomes.js';

/** The result of a test: the answer, what Okta would do with it, the time of each step, the outcome, and why a code was refused. */

const TONES: Readonly<Record<ShownReaction['action'], Tone>> = {
  sent: 'good',
  pending: 'warn',
  failover: 'bad',
  error: 'bad',
};

export function makeTestResult(stream: Stream) {
  // Screen readers announce Okta's reaction and the outcome, each when it changes.
  const reaction = element('div', { role: 'status' });
  const since = element('p.headline', { role: 'status' });
  const answer = element('div');
  const why = element('div');
  const path = element('div');
  const place = element('div', reaction, answer, since, why, path);
  let current: { readonly id: string; readonly refresh: () => Promise<void> } | undefined;
  stream.listen({
    onExecutions: (changed) => {
      if (changed.some(({ id }) => id === current?.id)) void current?.refresh();
    },
    onOpened: () => void current?.refresh(),
  });
  return {
    element: place,
    show: (result: TestResult): void => {
      const { executionId: id } = result;
      reaction.replaceChildren(showReaction(result));
      answer.replaceChildren(...showAnswer(result));
      since.replaceChildren();
      why.replaceChildren();
      path.replaceChildren();
      current = undefined;
      if (id === undefined) return;
      const waterfall = makeWaterfall();
      let shownHeadline: string | undefined;
      let shownCode: string | undefined;
      path.append(
        element('h3', 'Where the time went'),
        waterfall.element,
        element(
          'p',
          element('a.button', { href: addressOf({ view: 'execution', id }) }, 'Open this execution'),
        ),
      );
      const refresh = async (): Promise<void> => {
        const execution = await openExecution(id);
        // After a failure the answer is shown anyway, and the link leads to the reason.
        if (current?.id !== id || execution instanceof ServerFailure) return;
        const { outcome, steps, code } = execution;
        waterfall.show(steps, result.deadlineMs);
        // The same reason stays in place: the reader may have selected it.
        if (shownCode !== code) {
          shownCode = code;
          const pairs = [['Code', inCode(code)] as const, ...explainCode(execution)];
          why.replaceChildren(...(code === undefined ? [] : [facts(...pairs)]));
        }
        const headline = explainOutcome(execution);
        if (shownHeadline === outcome + headline) return;
        shownHeadline = outcome + headline;
        since.replaceChildren(markOutcome(outcome), ' ', headline);
      };
      current = { id, refresh };
      void refresh();
    },
  };
}

function showReaction({ reaction: { action, text, shown } }: TestResult): HTMLElement {
  const tone = TONES[action];
  return element(
    `div.note.${tone}`,
    markTone(tone, 'At a sign-in: ', element('strong', text)),
    shown === undefined ? undefined : element('p', 'The user may read: ', element('q', shown)),
  );
}

function showAnswer({ httpStatus, body, durationMs, deadlineMs }: TestResult): readonly HTMLElement[] {
  const text = JSON.stringify(body, undefined, 2);
  return [
    element(
      'p.quiet',
      `Status ${httpStatus}, in ${formatDuration(durationMs)} of the ${formatDuration(deadlineMs)} until the deadline; ${formatDateTime(Date.now())}.`,
    ),
    element('pre', { tabindex: 0, 'aria-label': 'The answer', role: 'region' }, text),
    copyButton('the answer', text),
  ];
}
