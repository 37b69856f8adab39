import { element } from '../../http/page/browser/dom.js';
import { NO_FILTER, type HistoryFilter } from './routes.js';
import { findUser, ServerFailure } from './server.js';
import { nameChannel } from '../../events/description.js';
import { OUTCOMES } from './outcomes.js';
import { makeSelect } from './widgets.js';

/** The search and the filters of the history. */

/** The search starts when the typing pauses this long. */
const TYPING_MS = 200;
/** A login takes a request to Okta, so the pause is longer. */
const TYPING_LOGIN_MS = 600;

/** How much before and after a time the jump shows, milliseconds. */
const AROUND_MS = 5 * 60_000;
const MINUTE_MS = 60_000;

export function makeHistoryFilters(
  channels: readonly string[],
  onChosen: (filter: HistoryFilter) => void,
  onFailed: (failure: ServerFailure) => void,
) {
  const search = element('input', {
    type: 'search',
    id: 'search',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'search-hint',
  });
  const channel = makeSelect('channel', [
    ['', 'All channels'],
    ...[...new Set([...channels, 'sms', 'voice'])].map((name) => [name, nameChannel(name)] as const),
  ]);
  const outcome = makeSelect('outcome', [
    ['', 'All outcomes'],
    ...Object.entries(OUTCOMES).map(([name, { word }]) => [name, word] as const),
  ]);
  const from = element('input', { type: 'datetime-local', id: 'from' });
  const to = element('input', { type: 'datetime-local', id: 'to' });
  const jump = element('input', { type: 'time', id: 'jump', 'aria-describedby': 'jump-hint' });
  const found = element('p.hint', { role: 'status' });
  let typing: number | undefined;
  let requests = 0;

  /** The history knows users by their id, and numbers by their end. A whole login or number is not searched for, or kept. */
  const notify = async (): Promise<void> => {
    window.clearTimeout(typing);
    requests += 1;
    const mine = requests;
    const text = search.value.trim();
    found.textContent = '';
    if (isNumber(text)) {
      const ending = text.replace(/\D/g, '').slice(-2);
      found.textContent = `Of numbers, the last two digits are kept: these end in ${ending}.`;
      search.value = ending;
    } else if (isLogin(text)) {
      found.textContent = 'Looking up the user in Okta …';
      const user = await findUser({ user: text });
      if (mine !== requests) return;
      if (user instanceof ServerFailure) {
        onFailed(user);
        return;
      }
      found.textContent = `${text} is the user ${user.id}.`;
      search.value = user.id;
    }
    onChosen({
      search: search.value.trim(),
      channel: channel.value,
      outcome: outcome.value,
      from: toIso(from.value, 0),
      to: toIso(to.value, MINUTE_MS - 1),
    });
  };
  search.addEventListener('input', () => {
    // An answer on its way is about an older text.
    requests += 1;
    window.clearTimeout(typing);
    const pauseMs = search.value.includes('@') ? TYPING_LOGIN_MS : TYPING_MS;
    typing = window.setTimeout(() => void notify(), pauseMs);
  });
  for (const field of [channel, outcome]) field.addEventListener('change', () => void notify());
  for (const field of [from, to]) {
    field.addEventListener('change', () => {
      jump.value = '';
      void notify();
    });
  }
  jump.addEventListener('change', () => {
    const at = lastTimeOf(jump.value, Date.now());
    from.value = at === undefined ? '' : toLocal(at - AROUND_MS);
    to.value = at === undefined ? '' : toLocal(at + AROUND_MS);
    void notify();
  });
  const set = (filter: HistoryFilter): void => {
    // Text that the user is typing stays.
    if (search.value.trim() !== filter.search) {
      search.value = filter.search;
      found.textContent = '';
    }
    channel.value = filter.channel;
    outcome.value = filter.outcome;
    from.value = filter.from === '' ? '' : toLocal(Date.parse(filter.from));
    to.value = filter.to === '' ? '' : toLocal(Date.parse(filter.to));
    if (filter.from === '') jump.value = '';
  };
  const form = element(
    'form.filters',
    { role: 'search', 'aria-label': 'Executions' },
    element(
      'div.field.wide',
      element('label', { for: 'search' }, 'Search'),
      search,
      element(
        'p.hint',
        { id: 'search-hint' },
        'Login, user id, Okta request id, event id, message id, error code, or the last two digits of the number',
      ),
      found,
    ),
    element('div.field.half', element('label', { for: 'channel' }, 'Channel'), channel),
    element('div.field.half', element('label', { for: 'outcome' }, 'Outcome'), outcome),
    element(
      'div.times',
      element('div.field.half', element('label', { for: 'from' }, 'From'), from),
      element('div.field.half', element('label', { for: 'to' }, 'To'), to),
      element(
        'div.field',
        element('label', { for: 'jump' }, 'Jump to time'),
        jump,
        element('p.hint', { id: 'jump-hint' }, '5 minutes before and after'),
      ),
    ),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void notify();
  });
  return {
    element: form,
    set,
    clear: () => {
      set(NO_FILTER);
      void notify();
      search.focus();
    },
  };
}

function isLogin(text: string): boolean {
  return /^\S+@\S+\.\S{2,}$/.test(text);
}

/** A whole phone number, of at most 15 digits. Error codes have up to six, and the ids of LINE's messages 18. */
function isNumber(text: string): boolean {
  const { length } = text.replace(/\D/g, '');
  return /^\+?[\d\s().-]+$/.test(text) && length >= 7 && length <= 15;
}

/** A `datetime-local` value in UTC. */
function toIso(local: string, plusMs: number): string {
  return local === '' ? '' : new Date(Date.parse(local) + plusMs).toISOString();
}

/** A time as a `datetime-local` value, to the minute. */
function toLocal(atMs: number): string {
  const at = new Date(atMs);
  return Number.isNaN(atMs)
    ? ''
    : new Date(atMs - at.getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}

/** The last time that a clock showed `HH:MM`: the history is a day long. */
function lastTimeOf(time: string, nowMs: number): number | undefined {
  const [hours, minutes] = time.split(':').map(Number);
  if (hours === undefined || minutes === undefined) return undefined;
  const at = new Date(nowMs);
  at.setHours(hours, minutes, 0, 0);
  if (at.getTime() > nowMs) at.setDate(at.getDate() - 1);
  return at.getTime();
}
