import type { ExecutionSummary } from '../history/answers.js';
import type { ExecutionPage } from '../api.js';
import { addressOf, NO_FILTER, type HistoryFilter } from './routes.js';
import { findExecutions, ServerFailure } from './server.js';

/** Executions in one question to the server. */
const PAGE = 50;
/** Above it, the rows at the far end are removed. */
const MAX_ROWS = 300;
/** At most this often the page asks the server which of the new executions fit the search. */
const COUNT_EVERY_MS = 1000;

/**
 * The executions that fit a search, newest first. New ones come in by themselves, unless someone reads the rows: then
 * they wait.
 */
export class ExecutionList {
  filter: HistoryFilter = NO_FILTER;
  rows: readonly ExecutionSummary[] = [];
  /** How many fit; `next` is where the rest begins. */
  total = 0;
  next: string | undefined;
  completeSince = 0;
  /** Why the last request failed. */
  failure: ServerFailure | undefined;
  /** A list of another search than that of the rows is on its way. */
  isLoading = false;
  /** Whether there are rows or the answer that there are none. */
  isLoaded = false;
  /** How many the last search found. */
  found: number | undefined;
  /** New executions that are not in the rows. A search counts at most one page. */
  readonly waiting = new Set<string>();
  /** Whether the first row is the newest execution. */
  isAtNewest = true;
  /** Set by the view. */
  onChange: () => void = () => undefined;
  isReading: () => boolean = () => false;

  /** The search of the rows; `undefined` without an answer. */
  #loaded: HistoryFilter | undefined;
  /** When the newest known execution began. */
  #newestSeen = 0;
  /** The first page of the last search: executions that fit and are not on it are new. */
  #top: readonly ExecutionSummary[] = [];
  #isCounting = false;
  /** Okta did not find the user of the search: the filter is still that of the search before. */
  #isUserUnknown = false;
  #requests = 0;
  /** The last change of each execution while a list was on its way: the list may be older than they are. */
  #meanwhile: Map<string, ExecutionSummary> | undefined;

  get isFiltered(): boolean {
    return Object.values(this.filter).some((value) => value !== '');
  }

  get isMore(): boolean {
    return this.isFiltered && this.waiting.size >= PAGE;
  }

  show(filter: HistoryFilter): void {
    const isSame =
      addressOf({ view: 'history', filter }) === addressOf({ view: 'history', filter: this.filter });
    if (!isSame) this.filter = filter;
    this.#isUserUnknown = false;
    if (this.#loaded !== this.filter) void this.load();
  }

  search(filter: HistoryFilter): void {
    this.filter = filter;
    this.#isUserUnknown = false;
    void this.load();
  }

  /** Okta does not know the user of the search. */
  refuse(failure: ServerFailure): void {
    // Answers on their way count no more.
    this.#requests += 1;
    this.#isUserUnknown = true;
    this.failure = failure;
    this.#clear();
  }

  async load(): Promise<void> {
    const changed = new Map<string, ExecutionSummary>();
    this.#meanwhile = changed;
    const wanted = this.filter;
    this.isLoading = this.#loaded !== wanted;
    this.onChange();
    const page = await this.#find(undefined);
    if (this.#meanwhile === changed) this.#meanwhile = undefined;
    if (page === undefined) return;
    this.#loaded = wanted;
    this.isLoading = false;
    this.isLoaded = true;
    this.isAtNewest = true;
    this.waiting.clear();
    this.rows = this.#top = page.executions;
    this.found = page.total;
    this.#noteNewest(page.executions);
    this.onChange();
    this.takeIn([...changed.values()]);
  }

  /** The executions after the last row; `undefined` if there is no answer. */
  async findOlder(): Promise<readonly ExecutionSummary[] | undefined> {
    return (await this.#find(this.next))?.executions;
  }

  append(executions: readonly ExecutionSummary[]): void {
    const ids = new Set(executions.map(({ id }) => id));
    const rows = [...this.rows.filter(({ id }) => !ids.has(id)), ...executions];
    if (rows.length > MAX_ROWS) this.isAtNewest = false;
    this.rows = rows.slice(-MAX_ROWS);
    this.isLoading = false;
    this.onChange();
  }

  /** Changes of executions, as the stream sends them. */
  takeIn(changed: readonly ExecutionSummary[]): void {
    for (const execution of changed) this.#meanwhile?.set(execution.id, execution);
    if (this.#loaded === undefined) return;
    const now = new Map(changed.map((execution) => [execution.id, execution]));
    const known = new Set(this.rows.map(({ id }) => id));
    this.rows = this.rows.map((row) => now.get(row.id) ?? row);
    if (this.isFiltered) {
      this.#noteNewest(changed);
      this.#countSoon();
      this.onChange();
      return;
    }
    // Older ones change, too, beyond the rows that are here.
    const threshold = this.isAtNewest ? (this.rows.at(-1)?.startedAt ?? 0) : this.#newestSeen + 1;
    const fresh = changed.filter(({ id, startedAt }) => !known.has(id) && startedAt >= threshold);
    if (this.isAtNewest && this.waiting.size === 0 && !this.isReading()) {
      const rows = [...fresh, ...this.rows].sort((one, other) => other.startedAt - one.startedAt);
      this.rows = rows.slice(0, MAX_ROWS);
      this.total += fresh.length;
      // Rows at the end may have gone: it goes on from the last one that is here.
      if (rows.length > MAX_ROWS) this.next = this.rows.at(-1)?.id;
      this.#noteNewest(fresh);
    } else {
      for (const { id } of fresh) this.waiting.add(id);
    }
    this.onChange();
  }

  /** The stream opened: changes since the last connection were not sent. */
  async catchUp(): Promise<void> {
    if (this.#requests === 0 || this.#isUserUnknown) return;
    if (!this.isReading()) return this.load();
    const page = await findExecutions(NO_FILTER, { limit: PAGE });
    if (!(page instanceof ServerFailure)) this.takeIn(page.executions);
  }

  /** The answer; `undefined` if there is none, or if a newer request began meanwhile. */
  async #find(before: string | undefined): Promise<ExecutionPage | undefined> {
    this.#requests += 1;
    const mine = this.#requests;
    const page = await findExecutions(this.filter, { before, limit: PAGE });
    if (mine !== this.#requests) return undefined;
    if (page instanceof ServerFailure) {
      this.failure = page;
      if (this.#loaded !== this.filter) this.#clear();
      else this.onChange();
      return undefined;
    }
    this.failure = undefined;
    ({ next: this.next, total: this.total, completeSince: this.completeSince } = page);
    return page;
  }

  /** The rows of another search would look like those of this one. */
  #clear(): void {
    this.#loaded = undefined;
    this.isLoading = this.isLoaded = false;
    [this.next, this.total, this.rows] = [undefined, 0, []];
    this.waiting.clear();
    this.onChange();
  }

  #countSoon(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    setTimeout(() => {
      this.#isCounting = false;
      if (this.isFiltered && this.#loaded !== undefined) void this.#countFitting();
    }, COUNT_EVERY_MS);
  }

  /** Only the server knows which executions fit, because it searches more than the rows show. */
  async #countFitting(): Promise<void> {
    const mine = this.#requests;
    const page = await findExecutions(this.filter, { limit: PAGE });
    if (page instanceof ServerFailure || mine !== this.#requests) return;
    const known = new Set([...this.#top, ...this.rows].map(({ id }) => id));
    const oldest = this.#top.length < PAGE ? -Infinity : Math.min(...this.#top.map((row) => row.startedAt));
    this.waiting.clear();
    for (const { id, startedAt } of page.executions) {
      if (!known.has(id) && startedAt >= oldest) this.waiting.add(id);
    }
    this.onChange();
  }

  #noteNewest(executions: readonly ExecutionSummary[]): void {
    this.#newestSeen = Math.max(this.#newestSeen, ...executions.map(({ startedAt }) => startedAt));
  }
}
