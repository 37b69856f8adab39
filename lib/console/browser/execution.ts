import type { HookEvent, HookEventOf, OfOptIn, OptIn } from '../../core/events.js';
import type { Execution, ExecutionOutcome } from '../../core/history.js';
import { describeEvent } from '../../events/describe-event.js';
import { describeOptIn } from '../../events/describe-opt-in.js';
import { answerOf } from '../history/execution-outcome.js';
import { element, setText } from '../../http/page/browser/dom.js';
import type { About } from '../api.js';
import { showWay } from './execution-rows.js';
import {
  copyable,
  copyButton,
  facts,
  inCode,
  markOutcome,
  markTone,
  showFailure,
  timeAt,
  type View,
} from './widgets.js';
import { formatCount, formatDateTime, formatDuration, nameTimeZone } from './format.js';
import { addressOf, type Route } from './routes.js';
import { openExecution, ServerFailure } from './server.js';
import type { Stream } from './stream.js';
import { divideAtAnswer, startOf } from './waterfall-bars.js';
import { makeWaterfall } from './waterfall.js';
import { nameRequestType, shortenRequestType } from '../../events/description.js';
import { explainCode, explainOutcome } from './outcomes.js';

/** One execution: its facts, the time of each step, the steps until the answer, and those after it. */
export function makeExecution(
  about: About,
  stream: Stream,
  listAddress: () => string,
): View<Extract<Route, { view: 'execution' }>> {
  const back = element('a', '← All executions');
  const body = element('div.opened');
  let id = '';
  let shown: ReturnType<typeof makeParts> | undefined;

  const load = async (): Promise<void> => {
    const mine = id;
    const execution = await openExecution(mine);
    if (mine !== id) return;
    if (execution instanceof ServerFailure) {
      if (shown !== undefined) return;
      body.replaceChildren(
        showFailure(execution),
        element('p', 'The history keeps the newest executions. Older ones are in the gateway’s log.'),
      );
      return;
    }
    if (shown === undefined) {
      shown = makeParts(execution);
      body.replaceChildren(...shown.elements);
    }
    shown.show(execution, about.deadlineMs);
  };

  stream.listen({
    onExecutions: (changed) => {
      if (body.isConnected && changed.some((execution) => execution.id === id)) void load();
    },
    onOpened: () => {
      if (body.isConnected) void load();
    },
  });
  return {
    title: (route) => `Execution ${route.id}`,
    element: element('div.view', element('p.back', back), element('h1', { tabindex: -1 }, 'Execution'), body),
    show: (route) => {
      back.href = listAddress();
      if (route.id !== id) {
        body.replaceChildren(element('p.quiet', 'Loading …'));
        shown = undefined;
        id = route.id;
      }
      void load();
    },
  };
}

/** Elements that do not change are made once, so that an update does not take the focus away. */
function makeParts(execution: Execution) {
  const { id, userId, oktaRequestId, requestType, deliveryChannel } = execution;
  const headline = element('p.headline', { role: 'status' });
  const summary = element('div');
  const optIn = element('div');
  let shownOptIn: OptIn | undefined;
  let shownHeadline: string | undefined;
  const waterfall = makeWaterfall();
  const before = element('ol.steps');
  const showBefore = makeSteps(before);
  const after = element('ol.steps');
  const showAfter = makeSteps(after);
  const nothing = element('p.quiet');
  const omitted = element('p.quiet');
  const replay = addressOf({
    view: 'tester',
    user: userId,
    requestType: requestType === undefined ? undefined : shortenRequestType(requestType),
    channel: deliveryChannel,
  });
  return {
    elements: [
      headline,
      summary,
      optIn,
      facts(
        ['Event id', copyable('the event id', id)],
        ['Okta request id', copyable('the Okta request id', oktaRequestId)],
        ['User id', copyable('the user id', userId)],
      ),
      element('p', element('a.button', { href: replay }, 'Replay in the tester')),
      element('h2', 'Time'),
      waterfall.element,
      element('h2', 'Steps until the answer'),
      before,
      element('h2.divider', 'After the answer'),
      nothing,
      after,
      omitted,
    ],
    show: (current: Execution, deadlineMs: number): void => {
      const { steps, startedAt, outcome } = current;
      const start = startOf(steps, startedAt);
      const [until, since] = divideAtAnswer(steps);
      const isAnswered = answerOf(steps) !== undefined;
      // Screen readers announce the headline: it changes only with what it says.
      const words = explainOutcome(current);
      if (shownHeadline !== outcome + words) {
        shownHeadline = outcome + words;
        headline.replaceChildren(markOutcome(outcome), ' ', words);
      }
      summary.replaceChildren(
        facts(
          ['Received', `${formatDateTime(startedAt)}, ${nameTimeZone()}`],
          ['Request', nameRequestType(current.requestType)],
          ['Channel', element('span', ...showWay(current))],
          ['Number', `ends in ${current.toEnding}`],
          ['Answered in', sayAnswered(current)],
          ['Code', inCode(current.code)],
          ...explainCode(current),
          ['Repeats', current.repeats === 0 ? undefined : String(current.repeats)],
          ['Origin', nameOrigin(current)],
        ),
      );
      const found = optInOf(steps);
      // Drawn once, so that its button keeps the focus.
      if (found !== undefined && shownOptIn !== found.optIn) {
        shownOptIn = found.optIn;
        optIn.replaceChildren(facts(['Opt-in', showOptIn(found)]));
      }
      waterfall.show(steps, deadlineMs);
      showBefore(until, start);
      const { omittedSteps } = current;
      omitted.textContent =
        omittedSteps === 0
          ? ''
          : `${formatCount(omittedSteps)} more steps are not kept, most of them of repeats.`;
      showAfter(since, start);
      setText(nothing, since.length === 0 ? sayNothingYet(outcome, isAnswered) : '');
    },
  };
}

/** The opt-in of the first call. A repeat has none. */
function optInOf(steps: readonly HookEvent[]): OfOptIn | undefined {
  return steps.find(
    (step): step is HookEventOf<'channels.planned' | 'request.answered'> =>
      (step.type === 'channels.planned' || step.type === 'request.answered') && step.optIn !== undefined,
  );
}

function showOptIn({ optIn, optInAttribute }: OfOptIn): HTMLElement | string | undefined {
  if (optIn === undefined || optInAttribute === undefined) return optIn;
  return element(
    'span.copyable',
    `${optIn}: ${describeOptIn(optIn, optInAttribute)}`,
    copyButton('the name of the opt-in attribute', optInAttribute),
  );
}

function nameOrigin({ isTest, testedBy, isPreview }: Execution): string | HTMLElement | undefined {
  if (isTest) {
    return testedBy === undefined
      ? 'the tester'
      : element('span', 'the tester, sent by ', element('bdi', testedBy));
  }
  return isPreview ? 'Okta’s preview' : undefined;
}

function sayAnswered({ durationMs, outcome }: Execution): string {
  if (durationMs !== undefined) return formatDuration(durationMs);
  return outcome === 'running' ? 'not yet' : 'no answer is known';
}

function sayNothingYet(outcome: ExecutionOutcome, isAnswered: boolean): string {
  // Without an answer, events of the call may still come.
  return isAnswered && (outcome === 'failed' || outcome === 'blocked')
    ? 'Nothing: no message went out.'
    : 'Nothing yet. Delivery reports and used codes show up here by themselves.';
}

/** Shows each step with its sentence and its time since the request. A step that has not changed stays, with its focus. */
function makeSteps(list: HTMLElement): (steps: readonly HookEvent[], start: number) => void {
  let shown: readonly string[] = [];
  return (steps, start) => {
    const texts = steps.map((step) => JSON.stringify([step, start]));
    for (const [index, step] of steps.entries()) {
      if (texts[index] === shown[index]) continue;
      const [made, there] = [showStep(step, start), list.children[index]];
      if (there === undefined) list.append(made);
      else there.replaceWith(made);
    }
    while (list.children.length > steps.length) list.lastElementChild?.remove();
    list.hidden = steps.length === 0;
    shown = texts;
  };
}

function showStep(step: HookEvent, start: number): HTMLElement {
  const { text, tone, code, reason, remedy, durationMs, transactionId, providerRequestId } =
    describeEvent(step);
  const details = [
    ['Code', inCode(code)],
    ['Why', reason],
    ['What to do', remedy],
    ['Message id', copyable('the message id', transactionId)],
    ['Request id at the provider', copyable('the request id at the provider', providerRequestId)],
  ] as const;
  return element(
    'li',
    timeAt(step.at, `+${formatDuration(step.at - start)}`),
    element(
      'div',
      markTone(
        tone,
        text,
        ...(durationMs === undefined || durationMs < 1
          ? []
          : [element('span.quiet', ` It took ${formatDuration(durationMs)}.`)]),
      ),
      details.some(([, value]) => value !== undefined) ? facts(...details) : undefined,
    ),
  );
}
