import type { ExecutionSummary } from '../../core/history.js';
import { element, setText } from '../../http/page/browser/dom.js';
import type { About, ExecutionPage } from '../api.js';
import { makeExecutionRows } from './execution-rows.js';
import { makeHistoryFilters } from './history-filters.js';
import { showFailure, type View } from './widgets.js';
import { formatCount, formatDateTime, nameTimeZone } from './format.js';
import { addressOf, NO_FILTER, type HistoryFilter, type Route } from './routes.js';
import { findExecutions, ServerFailure } from './server.js';
import type { Stream } from './stream.js';

/** The list of executions. New ones come in by themselves, but do not move the rows that someone reads. */

/** Executions in one question to the server. */
const PAGE = 50;
/** At most this often the page asks the server which of the new executions fit the search. */
const COUNT_EVERY_MS = 1000;

export function makeHistory(
  about: About,
  stream: Stream,
): View<Extract<Route, { view: 'history' }>> & {
  /** The address of the list, with its search. */
  address(): string;
} {
  const rows = makeExecutionRows();
  // No status for screen readers: under load it changes several times a second.
  const count = element('p.quiet');
  const found = element('span.unseen', { role: 'status' });
  const news = element('button.news', { type: 'button', hidden: true });
  const newsStatus = element('span.unseen', { role: 'status' });
  const older = element('button', { type: 'button', hidden: true }, 'Load older');
  const beginning = element('p.quiet');
  const note = element('div.empty', { hidden: true });
  const failure = element('div', { role: 'alert' });
  let filter: HistoryFilter = NO_FILTER;
  let next: string | undefined;
  let total = 0;
  /** When the newest known execution began. */
  let newestSeen = 0;
  /** The first page of the last search: executions that fit and are not on it are new. */
  let top: readonly ExecutionSummary[] = [];
  let counting: number | undefined;
  /** Whether the first row is the newest execution. */
  let isAtNewest = true;
  /** The search of the rows; `undefined` without an answer. */
  let loaded: HistoryFilter | undefined;
  let completeSince = 0;
  /** Okta did not find the user of the search: the filter is still that of the search before. */
  let isUserUnknown = false;
  let requests = 0;
  /** The last change of each execution while a list was on its way: the list may be older than they are. */
  let meanwhile: Map<string, ExecutionSummary> | undefined;
  const waiting = new Set<string>();

  const filters = makeHistoryFilters(
    about.channels,
    (chosen) => {
      filter = chosen;
      isUserUnknown = false;
      history.replaceState(null, '', address());
      void load();
    },
    (problem) => {
      // Answers on their way count no more.
      requests += 1;
      isUserUnknown = true;
      clear();
      failure.replaceChildren(showFailure(problem));
    },
  );

  /** The rows of another search would look like those of this one. */
  const clear = (): void => {
    loaded = undefined;
    [next, total] = [undefined, 0];
    rows.replace([]);
    waiting.clear();
    showCounts();
  };

  const address = (): string => addressOf({ view: 'history', filter });
  const isFiltered = (): boolean => Object.values(filter).some((value) => value !== '');

  const noteNewest = (executions: readonly ExecutionSummary[]): void => {
    newestSeen = Math.max(newestSeen, ...executions.map(({ startedAt }) => startedAt));
  };

  const showCounts = (): void => {
    const shown = rows.ids().length;
    count.textContent =
      shown === 0
        ? ''
        : `${formatCount(shown)} of ${formatCount(total)} ${isFiltered() ? 'that fit' : 'executions'}`;
    older.hidden = next === undefined;
    const began = `The history begins at ${formatDateTime(completeSince)}.`;
    beginning.textContent =
      shown === 0 || next !== undefined
        ? ''
        : `${began} Older codes are in the log and in Okta’s System Log.`;
    rows.element.hidden = shown === 0;
    note.hidden = shown !== 0 || loaded === undefined;
    note.replaceChildren(...(isFiltered() ? nothingFits(began, filters.clear) : nothingYet(began)));
    news.hidden = waiting.size === 0 && isAtNewest;
    // A search counts at most one page.
    const isMore = isFiltered() && waiting.size >= PAGE;
    setText(
      news,
      waiting.size === 0
        ? 'Back to the newest'
        : `${formatCount(waiting.size)}${isMore ? '+' : ''} new: show`,
    );
    // Screen readers announce it once, however many follow.
    setText(newsStatus, waiting.size === 0 ? '' : 'There are new executions');
  };

  /** The answer; `undefined` if there is none, or if a newer request began meanwhile. */
  const find = async (before: string | undefined): Promise<ExecutionPage | undefined> => {
    requests += 1;
    const mine = requests;
    const page = await findExecutions(filter, { before, limit: PAGE });
    if (mine !== requests) return undefined;
    const hasFailed = page instanceof ServerFailure;
    failure.replaceChildren(...(hasFailed ? [showFailure(page)] : []));
    if (hasFailed) {
      if (loaded !== filter) clear();
      return undefined;
    }
    ({ next, total, completeSince } = page);
    return page;
  };

  const load = async (): Promise<void> => {
    const changed = new Map<string, ExecutionSummary>();
    meanwhile = changed;
    const wanted = filter;
    if (loaded !== wanted) count.textContent = 'Loading …';
    const page = await find(undefined);
    if (meanwhile === changed) meanwhile = undefined;
    if (page === undefined) return;
    loaded = wanted;
    isAtNewest = true;
    waiting.clear();
    rows.replace(page.executions);
    top = page.executions;
    noteNewest(page.executions);
    showCounts();
    setText(found, `${formatCount(total)} found`);
    takeIn([...changed.values()]);
  };

  const loadOlder = async (): Promise<void> => {
    older.disabled = true;
    const first = rows.ids()[0];
    const page = await find(next);
    older.disabled = false;
    if (page === undefined) return;
    rows.append(page.executions);
    if (rows.ids()[0] !== first) isAtNewest = false;
    showCounts();
    const [oldest] = page.executions;
    if (oldest !== undefined) rows.focus(oldest.id);
  };

  /** Whether someone reads the rows: they scrolled down, or point at a row by mouse or keyboard. */
  const isReading = (): boolean =>
    rows.element.isConnected &&
    (rows.element.getBoundingClientRect().top < 0 ||
      rows.element.contains(document.activeElement) ||
      rows.element.matches(':hover'));

  /** Only the server knows which executions fit, because it searches more than the rows show. */
  const countFitting = async (): Promise<void> => {
    const mine = requests;
    const page = await findExecutions(filter, { limit: PAGE });
    if (page instanceof ServerFailure || mine !== requests) return;
    const known = new Set([...top.map(({ id }) => id), ...rows.ids()]);
    const oldest = top.length < PAGE ? -Infinity : Math.min(...top.map(({ startedAt }) => startedAt));
    waiting.clear();
    for (const { id, startedAt } of page.executions) {
      if (!known.has(id) && startedAt >= oldest) waiting.add(id);
    }
    showCounts();
  };

  const takeIn = (changed: readonly ExecutionSummary[]): void => {
    for (const execution of changed) meanwhile?.set(execution.id, execution);
    if (loaded === undefined) return;
    const known = new Set(rows.ids());
    for (const execution of changed) if (known.has(execution.id)) rows.update(execution);
    if (isFiltered()) {
      noteNewest(changed);
      counting ??= window.setTimeout(() => {
        counting = undefined;
        if (isFiltered() && loaded !== undefined) void countFitting();
      }, COUNT_EVERY_MS);
      return;
    }
    // Older ones change, too, beyond the rows that are here.
    const threshold = isAtNewest ? (rows.oldestStart() ?? 0) : newestSeen + 1;
    const fresh = changed.filter(({ id, startedAt }) => !known.has(id) && startedAt >= threshold);
    if (isAtNewest && waiting.size === 0 && !isReading()) {
      rows.insert(fresh);
      total += fresh.length;
      // Rows at the end may have gone: it goes on from the last one that is here.
      if (rows.ids().length < known.size + fresh.length) next = rows.ids().at(-1);
      noteNewest(fresh);
    } else {
      for (const { id } of fresh) waiting.add(id);
    }
    showCounts();
  };

  news.addEventListener('click', () => {
    void load().then(() => {
      window.scrollTo(0, 0);
      const [first] = rows.ids();
      if (first !== undefined) rows.focus(first);
    });
  });
  older.addEventListener('click', () => void loadOlder());
  stream.listen({
    onExecutions: takeIn,
    // Changes since the last connection were not sent.
    onOpened: () => {
      if (requests === 0 || isUserUnknown) return;
      if (!isReading()) void load();
      else
        void findExecutions(NO_FILTER, { limit: PAGE }).then((page) => {
          if (!(page instanceof ServerFailure)) takeIn(page.executions);
        });
    },
  });

  return {
    title: () => 'History',
    element: element(
      'div.view',
      element('h1', { tabindex: -1 }, 'History'),
      element(
        'p.lead',
        `Every code of the last day that Okta requested${about.isShared ? ', at all gateways' : ' from this gateway'}. Times are in ${nameTimeZone()}.`,
      ),
      filters.element,
      element('div.bar-above', count, found, news, newsStatus),
      failure,
      note,
      rows.element,
      element('div.bar-below', older, beginning),
    ),
    show: (route) => {
      const isSame = addressOf(route) === address();
      if (!isSame) filter = route.filter;
      filters.set(filter);
      isUserUnknown = false;
      if (loaded !== filter) void load();
    },
    comeBack: (from) => from.view === 'execution' && rows.focus(from.id),
    address,
  };
}

function nothingYet(began: string): HTMLElement[] {
  return [
    element('p', `Okta has not requested a code yet. ${began}`),
    element(
      'p',
      'Send one from the ',
      element('a', { href: '#/tester' }, 'tester'),
      ', or sign in to Okta with a phone: it appears here at once.',
    ),
  ];
}

function nothingFits(began: string, clear: () => void): HTMLElement[] {
  return [
    element('p', `Nothing fits that search. ${began}`),
    element(
      'p',
      'For older codes, look in the log or in Okta’s System Log. Names are not stored. ',
      element('button', { type: 'button', onclick: clear }, 'Show all'),
    ),
  ];
}
