import { element } from '../../http/page/browser/dom.js';
import { NO_FILTER, type HistoryFilter } from './routes.js';
import { nameChannel } from '../../events/names.js';
import { OUTCOMES } from './outcomes.js';

/** The search and the filters of the history. */

export interface HistoryFilters {
  readonly element: HTMLElement;
  set(filter: HistoryFilter): void;
  readonly clear: () => void;
}

/** The search starts when the typing pauses this long. */
const TYPING_MS = 200;

export function makeHistoryFilters(
  channels: readonly string[],
  onChosen: (filter: HistoryFilter) => void,
): HistoryFilters {
  const search = element('input', {
    type: 'search',
    id: 'search',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'search-hint',
  });
  const channel = choice(
    'channel',
    'All channels',
    [...new Set([...channels, 'sms', 'voice'])].map((name) => [name, nameChannel(name)]),
  );
  const outcome = choice(
    'outcome',
    'All outcomes',
    Object.entries(OUTCOMES).map(([name, { word }]) => [name, word]),
  );
  let typing: number | undefined;
  const notify = (): void => {
    window.clearTimeout(typing);
    onChosen({ search: search.value.trim(), channel: channel.value, outcome: outcome.value });
  };
  search.addEventListener('input', () => {
    window.clearTimeout(typing);
    typing = window.setTimeout(notify, TYPING_MS);
  });
  channel.addEventListener('change', notify);
  outcome.addEventListener('change', notify);
  const set = (filter: HistoryFilter): void => {
    // Text that the user is typing stays.
    if (search.value.trim() !== filter.search) search.value = filter.search;
    channel.value = filter.channel;
    outcome.value = filter.outcome;
  };
  const form = element(
    'form',
    { class: 'filters', role: 'search', 'aria-label': 'Executions' },
    element(
      'div',
      { class: 'field wide' },
      element('label', { for: 'search' }, 'Search'),
      search,
      element(
        'p',
        { id: 'search-hint', class: 'hint' },
        'Event id, Okta request id, user id, message id or error code',
      ),
    ),
    element('div', { class: 'field' }, element('label', { for: 'channel' }, 'Channel'), channel),
    element('div', { class: 'field' }, element('label', { for: 'outcome' }, 'Outcome'), outcome),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    notify();
  });
  return {
    element: form,
    set,
    clear: () => {
      set(NO_FILTER);
      notify();
      search.focus();
    },
  };
}

function choice(
  id: string,
  all: string,
  options: readonly (readonly [value: string, label: string])[],
): HTMLSelectElement {
  return element(
    'select',
    { id },
    element('option', { value: '' }, all),
    ...options.map(([value, label]) => element('option', { value }, label)),
  );
}
