import type { HookEvent } from '../../core/events.js';
import { element } from '../../http/page/browser/dom.js';
import { facts, markTone } from './marks.js';
import { sayExactly, saySpan } from './moments.js';
import { describeEvent } from '../../events/browser/describe-event.js';

/** Steps in words, with their times since the request came. */
export function listSteps(steps: readonly HookEvent[], start: number): HTMLElement {
  return element('ol', { class: 'steps' }, ...steps.map((step) => showStep(step, start)));
}

function showStep(step: HookEvent, start: number): HTMLElement {
  const { text, tone, code, reason, remedy, durationMs, transactionId } = describeEvent(step);
  const details = [
    ['Code', code === undefined ? undefined : element('code', {}, code)],
    ['Why', reason],
    ['What to do', remedy],
    ['Message id', transactionId === undefined ? undefined : element('code', {}, transactionId)],
  ] as const;
  return element(
    'li',
    {},
    element(
      'time',
      { datetime: new Date(step.at).toISOString(), title: sayExactly(step.at) },
      `+${saySpan(step.at - start)}`,
    ),
    element(
      'div',
      {},
      markTone(
        tone,
        text,
        ...(durationMs === undefined || durationMs < 1
          ? []
          : [element('span', { class: 'quiet' }, ` It took ${saySpan(durationMs)}.`)]),
      ),
      details.some(([, value]) => value !== undefined) ? facts(...details) : undefined,
    ),
  );
}
