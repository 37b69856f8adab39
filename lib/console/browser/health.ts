import { element } from '../../http/page/browser/dom.js';
import type { About, Health } from '../api.js';
import { showDeliveries } from './deliveries.js';
import { facts, markTone, showFailure, type View } from './widgets.js';
import { formatCount, formatDateTime, formatRelative, formatDuration } from './format.js';
import type { Route } from './routes.js';
import { readHealth, ServerFailure } from './server.js';
import type { Stream } from './stream.js';
import { nameChannel } from '../../events/browser/names.js';

/** How the gateway is: what stands in the way of codes now, and what became of the last ones. */

export function makeHealth(about: About, stream: Stream): View<Extract<Route, { view: 'health' }>> {
  const body = element('div', { class: 'cards' });
  let shown: string | undefined;
  /** Where the keyboard stops. */
  const stops = (): readonly HTMLElement[] => [...body.querySelectorAll<HTMLElement>('[tabindex], a')];

  const show = (health: Health): void => {
    // Only times pass in most of them: what is read or selected is left alone.
    const { at, ...rest } = health;
    const key = JSON.stringify(rest) + String(Math.floor(at / 10_000));
    const selection = getSelection();
    const isSelected = selection !== null && !selection.isCollapsed && body.contains(selection.anchorNode);
    if (key === shown || isSelected) return;
    shown = key;
    const focused = stops().find((stop) => stop === document.activeElement);
    const scrolledTo = focused?.scrollLeft ?? 0;
    body.replaceChildren(...drawHealth(health, about));
    const same = focused && stops().find((stop) => nameStop(stop) === nameStop(focused));
    same?.focus({ preventScroll: true });
    same?.scrollTo(scrolledTo, 0);
  };
  const load = async (): Promise<void> => {
    try {
      show(await readHealth());
    } catch (error) {
      if (!(error instanceof ServerFailure)) throw error;
      shown = undefined;
      body.replaceChildren(showFailure(error));
    }
  };
  stream.listen({
    onHealth: show,
    onOpened: () => void load(),
  });
  return {
    title: 'Health',
    element: element(
      'div',
      { class: 'view' },
      element('h1', { tabindex: -1 }, 'Health'),
      element('p', { class: 'lead' }, 'How this gateway is now. It keeps itself up to date.'),
      body,
    ),
    show: () => void load(),
  };
}

/** What it is known by once it is made anew. */
function nameStop(stop: HTMLElement): string {
  return `${stop.getAttribute('href') ?? ''} ${stop.ariaLabel ?? ''}`;
}

function drawHealth(health: Health, about: About): readonly HTMLElement[] {
  return [
    card('Now', ...drawState(health)),
    card(
      'Load',
      facts(
        ['Calls under way', formatCount(health.inFlight)],
        ['Sends that go on after the answer', formatCount(health.detached)],
        ['Deadline of a call', formatDuration(about.deadlineMs)],
        ['Version', about.version],
        ['Hook', element('code', {}, about.hook)],
      ),
    ),
    card('Channels', drawChannels(health)),
    card('Limits', ...drawLimits(health)),
    element(
      'section',
      { class: 'card whole', 'aria-labelledby': 'deliveries' },
      element('h2', { id: 'deliveries' }, `Deliveries of the last ${sayWindow(health.windowSeconds)}`),
      health.deliveries.length === 0
        ? element(
            'p',
            { class: 'empty' },
            'No message has gone out in this time. The ',
            element('a', { href: '#/tester' }, 'tester'),
            ' sends one.',
          )
        : showDeliveries(health.deliveries),
    ),
  ];
}

function card(title: string, ...children: readonly HTMLElement[]): HTMLElement {
  const id = `card-${title.toLowerCase()}`;
  return element(
    'section',
    { class: 'card', 'aria-labelledby': id },
    element('h2', { id }, title),
    ...children,
  );
}

/** Everything is fine, or what is not. */
function drawState(health: Health): readonly HTMLElement[] {
  const { closing, state, breakers, oktaPausedUntil, turnedAway, windowSeconds, at } = health;
  const stopped = breakers.filter((breaker) => breaker.state !== 'closed');
  const lines = [
    ...(closing ? [markTone('warn', 'The gateway is shutting down: it takes no new calls.')] : []),
    state === 'ok'
      ? markTone('good', 'What must be remembered is kept.')
      : markTone(
          'bad',
          'The state that gateways share cannot be reached: codes go out, and limits and repeats count within each gateway. Check Redis.',
        ),
    ...stopped.map((breaker) =>
      breaker.state === 'open'
        ? markTone(
            'bad',
            `${breaker.host} does not answer, and is not called for a moment: codes do not wait for it.`,
          )
        : markTone('warn', `${breaker.host} is being tried again, one call at a time.`),
    ),
    stopped.length === 0
      ? markTone(
          'good',
          breakers.length === 0
            ? 'No provider has been called yet.'
            : `None of these is known to be down: ${breakers.map(({ host }) => host).join(', ')}.`,
        )
      : undefined,
    oktaPausedUntil === undefined || oktaPausedUntil <= at
      ? markTone('good', "Okta's rate limit leaves room for profiles.")
      : markTone(
          'warn',
          `Okta is not asked for profiles, to leave the org its rate limit; it is again ${formatRelative(oktaPausedUntil, at)}. Codes go out by the channel that Okta asks for.`,
        ),
    ...turnedAway.map(({ code, count }) =>
      markTone(
        'bad',
        `${formatCount(count)} ${sayTurnedAway(code, count)}, in the last ${sayWindow(windowSeconds)}.`,
      ),
    ),
  ];
  return lines.filter((line) => line !== undefined);
}

/** What goes on after a number of them. */
function sayTurnedAway(code: string, count: number): string {
  const calls = count === 1 ? 'call was' : 'calls were';
  return code === 'CALLER_NOT_PROVEN'
    ? `${calls} refused, for the caller could not prove to be Okta (401): if Okta's codes do not come, compare the secret of the hook in Okta with the gateway's`
    : `${calls} turned away with ${code}: the log and TROUBLESHOOTING.md say why`;
}

function drawChannels({ channels, at }: Health): HTMLElement {
  if (channels.length === 0) return element('p', { class: 'empty' }, 'No channel has a sender.');
  return facts(
    ...channels.map(({ channel, providers, lastSuccess, rollout }): [string, HTMLElement] => [
      nameChannel(channel),
      element(
        'span',
        {},
        `${providers.join(', ')}: `,
        lastSuccess === undefined
          ? 'no message yet'
          : element(
              'time',
              { datetime: new Date(lastSuccess).toISOString(), title: formatDateTime(lastSuccess) },
              `last message ${formatRelative(lastSuccess, at)}`,
            ),
        rollout === undefined ? '' : `; for ${formatCount(rollout)} % of users`,
      ),
    ]),
  );
}

const RULES: ReadonlyMap<string, string> = new Map([
  ['perUser', 'Each user'],
  ['perNumber', 'Each number'],
  ['perIp', 'Each address'],
]);

function drawLimits({ limits, windowSeconds }: Health): readonly HTMLElement[] {
  const { mode, rules, countries, blocked } = limits;
  return [
    mode === 'enforce'
      ? markTone('plain', 'What is over a limit is held back.')
      : markTone('warn', 'Limits are only recorded: nothing is held back.'),
    facts(
      ...rules.map(({ rule, points, seconds }): [string, string] => [
        RULES.get(rule) ?? rule,
        `${formatCount(points)} codes in ${sayWindow(seconds)}`,
      ]),
      ['Countries', countries ?? 'all'],
      [
        mode === 'enforce' ? 'Held back' : 'Would have been held back',
        `${formatCount(blocked)} in the last ${sayWindow(windowSeconds)}`,
      ],
    ),
  ];
}

/** E.g. `10 minutes`. */
function sayWindow(seconds: number): string {
  const units = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ] as const;
  const [size, name] = units.find(([each]) => seconds >= each && seconds % each === 0) ?? [1, 'second'];
  const count = seconds / size;
  return count === 1 ? name : `${formatCount(count)} ${name}s`;
}
