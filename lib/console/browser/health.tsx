import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Flow, Timeline } from '../history/answers.js';
import { describeEvent, OKTA_PAUSES } from '../../events/describe-event.js';
import { nameChannel } from '../../events/description.js';
import type { About, Health } from '../api.js';
import { Deliveries } from './deliveries.js';
import { Fraud } from './fraud.js';
import { ALL_CODES, FlowChart, type FlowChoice } from './flow.js';
import {
  formatClock,
  formatCount,
  formatDuration,
  formatRelative,
  formatWindow,
  nameTimeZone,
} from './format.js';
import { Plots } from './plots.js';
import { SentCodes } from './sent-codes.js';
import { readFlow, readHealth, readLearning, readTimeline, ServerFailure } from './server.js';
import { useStream, type Stream } from './stream.js';
import { useAnswer } from './use-answer.js';
import { At, Facts, Failure, SelectField, ToneMark, type Fact } from './widgets.js';

/** How old plots and the guard's counts may become, milliseconds. */
const OLD_MS = 30_000;

const SPANS = [
  ['hour', 'The last hour'],
  ['day', 'The last day'],
] as const;
type Span = (typeof SPANS)[number][0];
const LENGTHS_MS: Readonly<Record<Span, number>> = { hour: 3_600_000, day: 86_400_000 };

interface HealthProps {
  readonly about: About;
  readonly stream: Stream;
  /** Another one with each change of the address; `undefined` while another view is shown. */
  readonly route: object | undefined;
}

/** The health of the gateway: what stops codes now, and how many of the last ones arrived. */
export function HealthView({ about, stream, route }: HealthProps) {
  const [span, setSpan] = useState<Span>('hour');
  const [choice, setChoice] = useState(ALL_CODES);
  const isShown = route !== undefined;
  const { answer: health, ...kept } = useAnswer(readHealth, [route], { isShown, oldMs: 0 });
  const readPast = (): Promise<PastCodes> => {
    const from = new Date(Date.now() - LENGTHS_MS[span]).toISOString();
    return Promise.all([readTimeline(), readFlow({ from, ...choice })]);
  };
  const past = useAnswer(readPast, [span, choice], { isShown, oldMs: OLD_MS });
  const learning = useAnswer(readLearning, [], { isShown: about.isLearning && isShown, oldMs: OLD_MS });
  useStream(stream, {
    onHealth: (current) => {
      kept.replace(current);
      past.renew();
      learning.renew();
    },
    onOpened: kept.renew,
  });
  return (
    <>
      <h1 tabIndex={-1}>Health</h1>
      <p class="lead">
        {about.isShared
          ? `Now, Load, Channels and Limits are about this gateway. ${about.isLearning ? 'Fraud, the' : 'The'} flow, the plots and Deliveries are about the codes of all gateways. The page updates itself.`
          : 'The state of this gateway now. The page updates itself.'}
      </p>
      <div class="cards">
        {health instanceof ServerFailure && <Failure of={health} />}
        {health !== undefined && !(health instanceof ServerFailure) && (
          <Cards health={health} about={about} />
        )}
      </div>
      {learning.answer !== undefined && (
        <div class="cards">
          <Card id="fraud" title={`Fraud: the guard that learns${nameScope(about)}`} isWhole>
            {learning.answer instanceof ServerFailure ? (
              <Failure of={learning.answer} />
            ) : (
              <Fraud overview={learning.answer} onLifted={learning.replace} />
            )}
          </Card>
        </div>
      )}
      <div class="filters past">
        <SelectField id="span" label="Time" value={span} options={SPANS} onChoose={setSpan} />
      </div>
      <Past past={past.answer} choice={choice} onChoose={setChoice} span={span} about={about} />
      {health !== undefined && !(health instanceof ServerFailure) && (
        <DeliveriesCard health={health} about={about} />
      )}
    </>
  );
}

/** The codes of a span, by what the history knows. */
type PastCodes = readonly [timeline: Timeline | ServerFailure, flow: Flow | ServerFailure];

interface PastProps {
  readonly past: PastCodes | undefined;
  readonly choice: FlowChoice;
  readonly onChoose: (choice: FlowChoice) => void;
  readonly span: Span;
  readonly about: About;
}

/** The flow of a span, and its plots. */
function Past({ past, choice, onChoose, span, about }: PastProps) {
  if (past === undefined) return <p class="quiet">Loading …</p>;
  const [timeline, flow] = past;
  if (timeline instanceof ServerFailure) return <Failure of={timeline} />;
  if (flow instanceof ServerFailure) return <Failure of={flow} />;
  const lengthMs = LENGTHS_MS[span];
  const { buckets = [] } =
    timeline.spans.find(({ bucketMs, buckets: each }) => bucketMs * each.length === lengthMs) ?? {};
  const [first] = buckets;
  const { completeSince } = timeline;
  const isCut = first !== undefined && completeSince > first.from;
  const isEmpty = buckets.every(({ codes }) => Object.values(codes).every((count) => count === 0));
  const known = isCut ? `since ${formatClock(completeSince)}` : `in the last ${span}`;
  return (
    <div class="cards">
      <Card id="flow" title={`The way of the codes in the last ${span}${nameScope(about)}`} isWhole>
        <p class="quiet">
          Without previews and tests. Times are in {nameTimeZone()}.
          {isCut && ` The history begins at ${formatClock(completeSince)}: earlier codes are not shown.`}
        </p>
        {isEmpty ? (
          <p class="empty">Okta has not requested a code {known}.</p>
        ) : (
          <FlowChart flow={flow} choice={choice} onChoose={onChoose} />
        )}
      </Card>
      {flow.sent.length > 0 && (
        <Card id="sent" title={`Sent and used codes in the last ${span}${nameScope(about)}`} isWhole>
          <SentCodes counts={flow.sent} />
        </Card>
      )}
      {!isEmpty && (
        <Card id="plots" title={`Codes in the last ${span}${nameScope(about)}`} isWhole>
          <Plots buckets={buckets} span={span} />
        </Card>
      )}
    </div>
  );
}

/** For titles: whose codes the history has, if they are not only those of this gateway. */
function nameScope({ isShared }: About): string {
  return isShared ? ', at all gateways' : '';
}

interface CardsProps {
  readonly health: Health;
  readonly about: About;
}

function Cards({ health, about }: CardsProps) {
  const { inFlight, detached } = health;
  return (
    <>
      <Card id="now" title="Now">
        <State health={health} />
      </Card>
      <Card id="load" title="Load">
        <Facts
          of={[
            ['Calls in progress', formatCount(inFlight)],
            ['Sends that continue after the answer', formatCount(detached)],
            ['Deadline of a call', formatDuration(about.deadlineMs)],
            ['Version', about.version],
            ['Hook', <code>{about.hook}</code>],
          ]}
        />
      </Card>
      <Card id="channels" title="Channels">
        <Channels health={health} />
      </Card>
      <Card id="limits" title="Limits">
        <Limits health={health} about={about} />
      </Card>
    </>
  );
}

function DeliveriesCard({ health: { windowSeconds, deliveries }, about }: CardsProps) {
  const title = `Deliveries of the last ${formatWindow(windowSeconds)}${nameScope(about)}`;
  return (
    <div class="cards">
      <Card id="deliveries" title={title} isWhole>
        {deliveries.length === 0 ? (
          <p class="empty">
            No message has gone out in this time. The <a href="#/tester">tester</a> sends one.
          </p>
        ) : (
          <Deliveries tallies={deliveries} />
        )}
      </Card>
    </div>
  );
}

interface CardProps {
  readonly id: string;
  readonly title: string;
  /** As wide as the page. */
  readonly isWhole?: boolean;
  readonly children: ComponentChildren;
}

function Card({ id, title, isWhole = false, children }: CardProps) {
  return (
    <section class={isWhole ? 'card whole' : 'card'} aria-labelledby={`card-${id}`}>
      <h2 id={`card-${id}`}>{title}</h2>
      {children}
    </section>
  );
}

/** One line for each thing that works or does not. */
function State({ health }: { readonly health: Health }) {
  const { closing, state, breakers, oktaPause, rejectedCalls, windowSeconds, at } = health;
  const stopped = breakers.filter((breaker) => breaker.state !== 'closed');
  const hosts = breakers.map(({ host }) => host).join(', ');
  return (
    <>
      {closing && <ToneMark tone="warn">The gateway is shutting down: it accepts no new calls.</ToneMark>}
      {state === 'ok' ? (
        <ToneMark tone="good">State store: OK.</ToneMark>
      ) : (
        <ToneMark tone="bad">
          {describeEvent({ type: 'state.lost', at, reason: '', remedy: '' }).text} Check that Redis runs.
        </ToneMark>
      )}
      {stopped.map((breaker) => (
        <ToneMark tone={breaker.state === 'open' ? 'bad' : 'warn'}>
          {describeEvent({ type: 'breaker.changed', at, ...breaker }).text}
        </ToneMark>
      ))}
      {stopped.length === 0 && (
        <ToneMark tone="good">
          {breakers.length === 0
            ? 'Vendors: none has been called yet.'
            : `Vendors: ${hosts} ${breakers.length === 1 ? 'is' : 'are'} up.`}
        </ToneMark>
      )}
      {oktaPause === undefined || oktaPause.untilMs <= at ? (
        <ToneMark tone="good">Okta's rate limit: OK.</ToneMark>
      ) : (
        <ToneMark tone="warn">
          {OKTA_PAUSES[oktaPause.reason]}. Users are looked up again {formatRelative(oktaPause.untilMs, at)}.
          Until then codes go by profiles in the cache, or by the channel that Okta requests.
        </ToneMark>
      )}
      {rejectedCalls.map(({ code, count, tone }) => (
        <ToneMark tone={tone}>
          {formatCount(count)} {count === 1 ? 'call was' : 'calls were'} rejected in the last{' '}
          {formatWindow(windowSeconds)}: {explainRejection(code)}.
        </ToneMark>
      ))}
    </>
  );
}

function explainRejection(code: string): string {
  return REJECTIONS.get(code) ?? `${code}. The log and docs/run/troubleshooting.md say why`;
}

const REJECTIONS: ReadonlyMap<string, string> = new Map([
  ['probe', 'test calls of the command line (doctor, setup, preview)'],
  [
    'CALLER_NOT_PROVEN',
    "the caller could not prove that it is Okta (401). If Okta's codes do not arrive, compare the secret of the hook in Okta with the gateway's",
  ],
  ['METHOD_NOT_ALLOWED', 'by another method than POST (405), as a browser does. Okta uses POST'],
]);

function Channels({ health: { channels, at } }: { readonly health: Health }) {
  if (channels.length === 0) return <p class="empty">No channel has a sender.</p>;
  return (
    <Facts
      of={channels.map(({ channel, providers, lastSuccess, rollout }): Fact => [
        nameChannel(channel),
        <span>
          {providers.join(', ')}:{' '}
          {lastSuccess === undefined ? (
            'no message yet'
          ) : (
            <At at={lastSuccess}>last message {formatRelative(lastSuccess, at)}</At>
          )}
          {rollout !== undefined && `; for ${formatCount(rollout)} % of users`}
        </span>,
      ])}
    />
  );
}

const RULES: ReadonlyMap<string, string> = new Map([
  ['perUser', 'Each user'],
  ['perNumber', 'Each number'],
  ['perIp', 'Each IP address'],
]);

function Limits({ health, about }: { readonly health: Health; readonly about: About }) {
  const { mode, rules, countries, blocked } = health.limits;
  const inWindow = `in the last ${formatWindow(health.windowSeconds)}`;
  return (
    <>
      {mode === 'enforce' ? (
        <ToneMark tone="plain">The guard blocks codes over a limit.</ToneMark>
      ) : (
        <ToneMark tone="warn">The guard only records: it blocks nothing.</ToneMark>
      )}
      <Facts
        of={[
          ...rules.map(({ rule, points, seconds }): Fact => [
            RULES.get(rule) ?? rule,
            `${formatCount(points)} codes in ${formatWindow(seconds)}`,
          ]),
          ['Countries', countries ?? 'all'],
          [
            mode === 'enforce' ? 'Blocked' : 'Would have been blocked',
            `${formatCount(blocked)} ${inWindow}${about.isShared ? ', by this gateway' : ''}`,
          ],
        ]}
      />
    </>
  );
}
