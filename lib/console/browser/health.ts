import { describeEvent, OKTA_PAUSES } from '../../events/describe-event.js';
import { element } from '../../http/page/browser/dom.js';
import type { About, Health } from '../api.js';
import { showDeliveries } from './deliveries.js';
import { facts, markTone, redraw, showFailure, timeAt, type View } from './widgets.js';
import { formatCount, formatDuration, formatRelative, formatWindow } from './format.js';
import { makePlots, nameScope } from './plots.js';
import type { Route } from './routes.js';
import { readHealth, ServerFailure } from './server.js';
import type { Stream } from './stream.js';
import { nameChannel } from '../../events/description.js';

/** The health of the gateway: what stops codes now, and how many of the last ones arrived. */

export function makeHealth(about: About, stream: Stream): View<Extract<Route, { view: 'health' }>> {
  const body = element('div.cards');
  let shown: string | undefined;
  const plots = makePlots(about);

  const show = (health: Health): void => {
    // Most updates change only times: then the page stays as it is, and so does what the reader has selected.
    const { at, ...rest } = health;
    const key = JSON.stringify(rest) + String(Math.floor(at / 10_000));
    if (key !== shown && redraw(body, () => drawHealth(health, about))) shown = key;
  };
  /** Counts what the stream has said: an answer that was requested before it is older. */
  let updates = 0;
  const load = async (): Promise<void> => {
    const updatesBefore = updates;
    const health = await readHealth();
    if (health instanceof ServerFailure) {
      shown = undefined;
      body.replaceChildren(showFailure(health));
    } else if (updates === updatesBefore) show(health);
  };
  stream.listen({
    onHealth: (health) => {
      updates += 1;
      show(health);
      plots.refresh();
    },
    onOpened: () => void load(),
  });
  return {
    title: () => 'Health',
    element: element(
      'div.view',
      element('h1', { tabindex: -1 }, 'Health'),
      element(
        'p.lead',
        about.isShared
          ? 'Now, Load, Channels and Limits are about this gateway. Deliveries and the plots are about the codes of all gateways. The page updates itself.'
          : 'The state of this gateway now. The page updates itself.',
      ),
      body,
      plots.element,
    ),
    show: () => {
      void load();
      plots.load();
    },
  };
}

function drawHealth(health: Health, about: About): readonly HTMLElement[] {
  return [
    card('Now', ...drawState(health)),
    card(
      'Load',
      facts(
        ['Calls in progress', formatCount(health.inFlight)],
        ['Sends that continue after the answer', formatCount(health.detached)],
        ['Deadline of a call', formatDuration(about.deadlineMs)],
        ['Version', about.version],
        ['Hook', element('code', about.hook)],
      ),
    ),
    card('Channels', drawChannels(health)),
    card('Limits', ...drawLimits(health, about)),
    element(
      'section.card.whole',
      { 'aria-labelledby': 'deliveries' },
      element(
        'h2',
        { id: 'deliveries' },
        `Deliveries of the last ${formatWindow(health.windowSeconds)}${nameScope(about)}`,
      ),
      health.deliveries.length === 0
        ? element(
            'p.empty',
            'No message has gone out in this time. The ',
            element('a', { href: '#/tester' }, 'tester'),
            ' sends one.',
          )
        : showDeliveries(health.deliveries),
    ),
  ];
}

function card(title: string, ...children: readonly (HTMLElement | undefined)[]): HTMLElement {
  const id = `card-${title.toLowerCase()}`;
  return element('section.card', { 'aria-labelledby': id }, element('h2', { id }, title), ...children);
}

/** One line for each thing that works or does not. */
function drawState(health: Health): readonly (HTMLElement | undefined)[] {
  const { closing, state, breakers, oktaPause, rejectedCalls, windowSeconds, at } = health;
  const stopped = breakers.filter((breaker) => breaker.state !== 'closed');
  return [
    closing ? markTone('warn', 'The gateway is shutting down: it accepts no new calls.') : undefined,
    state === 'ok'
      ? markTone('good', 'State store: OK.')
      : markTone(
          'bad',
          describeEvent({ type: 'state.lost', at, reason: '', remedy: '' }).text,
          ' Check that Redis runs.',
        ),
    ...stopped.map((breaker) =>
      markTone(
        breaker.state === 'open' ? 'bad' : 'warn',
        describeEvent({ type: 'breaker.changed', at, ...breaker }).text,
      ),
    ),
    stopped.length === 0
      ? markTone(
          'good',
          breakers.length === 0
            ? 'Vendors: none has been called yet.'
            : `Vendors: ${breakers.map(({ host }) => host).join(', ')} ${breakers.length === 1 ? 'is' : 'are'} up.`,
        )
      : undefined,
    oktaPause === undefined || oktaPause.untilMs <= at
      ? markTone('good', "Okta's rate limit: OK.")
      : markTone(
          'warn',
          `${OKTA_PAUSES[oktaPause.reason]}. Users are looked up again ${formatRelative(oktaPause.untilMs, at)}. Until then codes go by profiles in the cache, or by the channel that Okta requests.`,
        ),
    ...rejectedCalls.map(({ code, count, tone }) =>
      markTone(
        tone,
        `${formatCount(count)} ${count === 1 ? 'call was' : 'calls were'} rejected in the last ${formatWindow(windowSeconds)}: ${explainRejection(code)}.`,
      ),
    ),
  ];
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

function drawChannels({ channels, at }: Health): HTMLElement {
  if (channels.length === 0) return element('p.empty', 'No channel has a sender.');
  return facts(
    ...channels.map(({ channel, providers, lastSuccess, rollout }): [string, HTMLElement] => [
      nameChannel(channel),
      element(
        'span',
        `${providers.join(', ')}: `,
        lastSuccess === undefined
          ? 'no message yet'
          : timeAt(lastSuccess, `last message ${formatRelative(lastSuccess, at)}`),
        rollout === undefined ? '' : `; for ${formatCount(rollout)} % of users`,
      ),
    ]),
  );
}

const RULES: ReadonlyMap<string, string> = new Map([
  ['perUser', 'Each user'],
  ['perNumber', 'Each number'],
  ['perIp', 'Each IP address'],
]);

function drawLimits({ limits, windowSeconds }: Health, about: About): readonly HTMLElement[] {
  const { mode, rules, countries, blocked } = limits;
  return [
    mode === 'enforce'
      ? markTone('plain', 'The guard blocks codes over a limit.')
      : markTone('warn', 'The guard only records: it blocks nothing.'),
    facts(
      ...rules.map(({ rule, points, seconds }): [string, string] => [
        RULES.get(rule) ?? rule,
        `${formatCount(points)} codes in ${formatWindow(seconds)}`,
      ]),
      ['Countries', countries ?? 'all'],
      [
        mode === 'enforce' ? 'Blocked' : 'Would have been blocked',
        `${formatCount(blocked)} in the last ${formatWindow(windowSeconds)}${about.isShared ? ', by this gateway' : ''}`,
      ],
    ),
  ];
}
