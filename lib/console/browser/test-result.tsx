import type { Tone } from '../../events/description.js';
import type { TestResult } from '../api.js';
import type { Execution } from '../history/answers.js';
import type { Reaction } from '../reaction.js';
import { formatDateTime, formatDuration } from './format.js';
import { explainCode, explainOutcome, explainProviders } from './outcomes.js';
import { PhoneMessage } from './phone-message.js';
import { addressOf } from './routes.js';
import { ServerFailure } from './server.js';
import { useExecution, type Stream } from './stream.js';
import { WaterfallChart } from './waterfall.js';
import { CopyButton, Facts, inCode, OutcomeMark, ToneMark } from './widgets.js';

const TONES: Readonly<Record<Reaction['action'], Tone>> = {
  sent: 'good',
  pending: 'warn',
  failover: 'bad',
  error: 'bad',
};

/** With the time of its arrival, and the code that was sent. */
export type ShownResult = TestResult & { readonly at: number; readonly otpCode: string | undefined };

interface TestResultProps {
  /** `undefined` before the first test, and while the next one is on its way. */
  readonly result: ShownResult | undefined;
  readonly stream: Stream;
}

/** The result of a test: the answer, what Okta would do with it, the time of each step, the outcome, and why a code was refused. */
export function TestResultSection({ result, stream }: TestResultProps) {
  const { executionId } = result ?? {};
  const answer = useExecution(executionId, stream);
  // After a failure the answer is shown anyway, and the link leads to the reason.
  const execution = answer instanceof ServerFailure ? undefined : answer;
  const facts = execution === undefined ? [] : factsOf(execution);
  return (
    <section aria-labelledby="answer">
      <h2 id="answer">Answer</h2>
      {result === undefined && (
        <p class="empty">
          No answer yet. Enter a user, generate a request and send it: the answer appears here.
        </p>
      )}
      {/* Screen readers announce Okta's reaction and the outcome, each when it changes. */}
      <div role="status">{result !== undefined && <ReactionNote of={result.reaction} />}</div>
      {result !== undefined && <Answer of={result} />}
      <div role="status" class={execution && 'headline'}>
        {execution !== undefined && (
          <>
            <OutcomeMark outcome={execution.outcome} /> {explainOutcome(execution)}
          </>
        )}
      </div>
      {facts.some(([, value]) => value !== undefined) && <Facts of={facts} />}
      {result !== undefined && executionId !== undefined && (
        <>
          <h3>Where the time went</h3>
          {execution !== undefined && (
            <WaterfallChart steps={execution.steps} deadlineMs={result.deadlineMs} />
          )}
          <p>
            <a class="button" href={addressOf({ view: 'execution', id: executionId })}>
              Open this execution
            </a>
          </p>
        </>
      )}
    </section>
  );
}

const factsOf = (execution: Execution) =>
  [
    ['Providers', explainProviders(execution)],
    ['Code', inCode(execution.code)],
    ...explainCode(execution),
  ] as const;

function ReactionNote({ of: { action, text, shown } }: { readonly of: Reaction }) {
  const tone = TONES[action];
  return (
    <div class={`note ${tone}`}>
      <ToneMark tone={tone}>
        At a sign-in: <strong>{text}</strong>
      </ToneMark>
      {shown !== undefined && (
        <p>
          The user may read: <q>{shown}</q>
        </p>
      )}
    </div>
  );
}

function Answer({ of: result }: { readonly of: ShownResult }) {
  const { httpStatus, durationMs, deadlineMs, at, message, otpCode } = result;
  const body = JSON.stringify(result.body, undefined, 2);
  return (
    <>
      <p class="quiet">
        Status {httpStatus}, in {formatDuration(durationMs)} of the {formatDuration(deadlineMs)} until the
        deadline; {formatDateTime(at)}.
      </p>
      <div class="beside-json">
        <pre tabIndex={0} aria-label="The answer" role="region">
          {body}
        </pre>
        {message !== undefined && <PhoneMessage words={message} code={otpCode} />}
      </div>
      <CopyButton label="the answer" value={body} />
    </>
  );
}
