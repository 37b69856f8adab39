import type { HookEvent, HookEventOf, OfOptIn } from '../../core/events.js';
import type { Execution, ExecutionOutcome } from '../history/answers.js';
import { describeEvent } from '../../events/describe-event.js';
import { describeOptIn } from '../../events/describe-answer.js';
import { shortRequestType } from '../../core/request-types.js';
import { nameRequestType } from '../../events/description.js';
import type { About } from '../api.js';
import { answerOf } from '../history/execution-outcome.js';
import type { ExecutionList } from './execution-list.js';
import { formatCount, formatDateTime, formatDuration, nameTimeZone } from './format.js';
import { JourneyStrip, MessagesChart } from './journey-chart.js';
import { explainCode, explainOutcome, explainProviders } from './outcomes.js';
import { addressOf } from './routes.js';
import { ServerFailure } from './server.js';
import { useExecution, type Stream } from './stream.js';
import { divideAtAnswer, startOf } from './waterfall-bars.js';
import { WaterfallChart } from './waterfall.js';
import { At, copyable, CopyButton, Facts, Failure, inCode, OutcomeMark, ToneMark, Way } from './widgets.js';

interface ExecutionProps {
  readonly about: About;
  readonly list: ExecutionList;
  readonly stream: Stream;
  /** `undefined` while another view is shown. */
  readonly route: { readonly id: string } | undefined;
}

/** One execution: its facts, the time of each step, the steps until the answer, and those after it. */
export function ExecutionView({ about, list, stream, route }: ExecutionProps) {
  const execution = useExecution(route?.id, stream);
  return (
    <>
      <p class="back">
        <a href={addressOf({ view: 'history', filter: list.filter })}>← All executions</a>
      </p>
      <h1 tabIndex={-1}>Execution</h1>
      <div class="opened">
        {execution === undefined ? (
          <p class="quiet">Loading …</p>
        ) : execution instanceof ServerFailure ? (
          <>
            <Failure of={execution} />
            <p>The history keeps the newest executions. Older ones are in the gateway’s log.</p>
          </>
        ) : (
          <Opened key={execution.id} execution={execution} deadlineMs={about.deadlineMs} />
        )}
      </div>
    </>
  );
}

function Opened({ execution, deadlineMs }: { readonly execution: Execution; readonly deadlineMs: number }) {
  const { id, userId, oktaRequestId, requestType, deliveryChannel, steps, startedAt, outcome } = execution;
  const { omittedSteps } = execution;
  const start = startOf(steps, startedAt);
  const [until, since] = divideAtAnswer(steps);
  const replay = addressOf({
    view: 'tester',
    user: userId,
    requestType: requestType === undefined ? undefined : shortRequestType(requestType),
    channel: deliveryChannel,
  });
  return (
    <>
      <p class="headline" role="status">
        <OutcomeMark outcome={outcome} /> {explainOutcome(execution)}
      </p>
      <JourneyStrip execution={execution} />
      <Facts
        of={[
          ['Received', `${formatDateTime(startedAt)}, ${nameTimeZone()}`],
          ['Request', nameRequestType(requestType)],
          ['Channel', <Way of={execution} />],
          ['Providers', explainProviders(execution)],
          ['Number', execution.toEnding === '' ? 'unknown' : `ends in ${execution.toEnding}`],
          ['Answered in', sayAnswered(execution)],
          ['Code', inCode(execution.code)],
          ...explainCode(execution),
          ['Repeats', execution.repeats === 0 ? undefined : execution.repeats],
          ['Origin', origin(execution)],
          ['Opt-in', optIn(steps)],
        ]}
      />
      <Facts
        of={[
          ['Event id', copyable('the event id', id)],
          ['Okta request id', copyable('the Okta request id', oktaRequestId)],
          ['User id', copyable('the user id', userId)],
        ]}
      />
      <p>
        <a class="button" href={replay}>
          Replay in the tester
        </a>
      </p>
      <h2>Time until the answer</h2>
      <WaterfallChart steps={steps} deadlineMs={deadlineMs} />
      <h2>Time to the end</h2>
      <MessagesChart steps={steps} start={start} />
      <h2>Steps until the answer</h2>
      <Steps steps={until} start={start} />
      <h2 class="divider">After the answer</h2>
      {since.length === 0 && <p class="quiet">{sayNothingYet(outcome, answerOf(steps) !== undefined)}</p>}
      <Steps steps={since} start={start} />
      {omittedSteps > 0 && (
        <p class="quiet">{formatCount(omittedSteps)} more steps are not kept, most of them of repeats.</p>
      )}
    </>
  );
}

/** The opt-in of the first call. A repeat has none. */
function optIn(steps: readonly HookEvent[]) {
  const found: OfOptIn | undefined = steps.find(
    (step): step is HookEventOf<'channels.planned' | 'request.answered'> =>
      (step.type === 'channels.planned' || step.type === 'request.answered') && step.optIn !== undefined,
  );
  const { optIn: told, optInAttribute: attribute } = found ?? {};
  if (told === undefined || attribute === undefined) return told;
  return (
    <span class="copyable">
      {told}: {describeOptIn(told, attribute)}
      <CopyButton label="the name of the opt-in attribute" value={attribute} />
    </span>
  );
}

function origin({ isTest, testedBy, isPreview }: Execution) {
  if (!isTest) return isPreview ? 'Okta’s preview' : undefined;
  if (testedBy === undefined) return 'the tester';
  return (
    <span>
      the tester, sent by <bdi>{testedBy}</bdi>
    </span>
  );
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

/** Each step with its sentence and its time since the request. */
function Steps({ steps, start }: { readonly steps: readonly HookEvent[]; readonly start: number }) {
  if (steps.length === 0) return null;
  return (
    <ol class="steps">
      {steps.map((step, index) => (
        <Step key={index} step={step} start={start} />
      ))}
    </ol>
  );
}

function Step({ step, start }: { readonly step: HookEvent; readonly start: number }) {
  const { text, tone, code, reason, remedy, durationMs, transactionId, providerRequestId } =
    describeEvent(step);
  const details = [
    ['Code', inCode(code)],
    ['Why', reason],
    ['What to do', remedy],
    ['Message id', copyable('the message id', transactionId)],
    ['Request id at the provider', copyable('the request id at the provider', providerRequestId)],
  ] as const;
  return (
    <li>
      <At at={step.at}>+{formatDuration(step.at - start)}</At>
      <div>
        <ToneMark tone={tone}>
          {text}
          {durationMs !== undefined && durationMs >= 1 && (
            <span class="quiet"> It took {formatDuration(durationMs)}.</span>
          )}
        </ToneMark>
        {details.some(([, value]) => value !== undefined) && <Facts of={details} />}
      </div>
    </li>
  );
}
