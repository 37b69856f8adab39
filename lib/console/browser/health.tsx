import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Timeline } from '../history/answers.js';
import { describeEvent, OKTA_PAUSES } from '../../events/describe-event.js';
import { nameChannel } from '../../events/description.js';
import type { About, Health } from '../api.js';
import { Deliveries } from './deliveries.js';
import { formatCount, formatDuration, formatRelative, formatWindow } from './format.js';
import { nameScope, Plots } from './plots.js';
import { readHealth, readTimeline, ServerFailure } from './server.js';
import { useStream, type Stream } from './stream.js';
import { At, Facts, Failure, ToneMark, type Fact } from './widgets.js';

/** How old plots may become, milliseconds. */
const OLD_MS = 30_000;

interface HealthProps {
  readonly about: About;
  readonly stream: Stream;
  /** Another one with each change of the address; `undefined` while another view is shown. */
  readonly route: object | undefined;
}

/** The health of the gateway: what stops codes now, and how many of the last ones arrived. */
export function HealthView({ about, stream, route }: HealthProps) {
  const [health, setHealth] = useState<Health | ServerFailure>();
  const [timeline, setTimeline] = useState<Timeline | ServerFailure>();
  /** Counts what the stream has said: an answer that was requested before it is older. */
  const updates = useRef(0);
  const plottedAt = useRef(0);

  const load = async (): Promise<void> => {
    const updatesBefore = updates.current;
    const answer = await readHealth();
    if (answer instanceof ServerFailure || updates.current === updatesBefore) setHealth(answer);
  };
  const plot = async (): Promise<void> => {
    plottedAt.current = Date.now();
    setTimeline(await readTimeline());
  };
  useStream(stream, {
    onHealth: (current) => {
      updates.current += 1;
      setHealth(current);
      if (route !== undefined && Date.now() - plottedAt.current >= OLD_MS) void plot();
    },
    onOpened: () => void load(),
  });
  useLayoutEffect(() => {
    if (route === undefined) return;
    void load();
    void plot();
  }, [route]);
  return (
    <>
      <h1 tabIndex={-1}>Health</h1>
      <p class="lead">
        {about.isShared
          ? 'Now, Load, Channels and Limits are about this gateway. Deliveries and the plots are about the codes of all gateways. The page updates itself.'
          : 'The state of this gateway now. The page updates itself.'}
      </p>
      <div class="cards">
        {health instanceof ServerFailure && <Failure of={health} />}
        {health !== undefined && !(health instanceof ServerFailure) && (
          <Cards health={health} about={about} />
        )}
      </div>
      <div class="cards">
        {timeline instanceof ServerFailure && <Failure of={timeline} />}
        {timeline !== undefined && !(timeline instanceof ServerFailure) && (
          <Plots timeline={timeline} about={about} />
        )}
      </div>
    </>
  );
}

function Cards({ health, about }: { readonly health: Health; readonly about: About }) {
  const { inFlight, detached, windowSeconds, deliveries } = health;
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
      <Card
        id="deliveries"
        title={`Deliveries of the last ${formatWindow(windowSeconds)}${nameScope(about)}`}
        isWhole
      >
        {deliveries.length === 0 ? (
          <p class="empty">
            No message has gone out in this time. The <a href="#/tester">tester</a> sends one.
          </p>
        ) : (
          <Deliveries tallies={deliveries} />
        )}
      </Card>
    </>
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
