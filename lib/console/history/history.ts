import type { HookEvent, HookEventListener } from '../../core/events.js';
import type { ExecutionSummary, History } from './answers.js';
import type { HistoryLog } from '../../delivery/state.js';
import { waitAtMost } from '../../core/time.js';
import type { ExecutionRecord } from './execution.js';
import { isForAll, isOfExecution, KeptExecutions, newestFirst } from './kept-executions.js';
import { SharedEvents } from './shared-events.js';

/** The execution history, made of the events of this gateway and of those that share its state. */

/** How many executions the history keeps. */
const MAX_EXECUTIONS = 5_000;
/** How often watchers get changes, milliseconds, and at which of these times the shared log is read. */
const TELL_EVERY_MS = 250;
const ASK_EVERY_TIMES = 4;

/** How long a question waits for the events of other gateways, milliseconds. */
const CATCH_UP_MS = 2_000;

/** A history, and the listener that fills it. */
export interface KeptHistory {
  readonly history: History;
  /** Listens to the stream of events. */
  readonly listener: HookEventListener;
  /** Writes the events that other gateways do not have yet. Resolves when the log has answered; never rejects. */
  close(): Promise<void>;
}

/** @param parts.max - how many executions are kept, for a day at most; default 5,000. */
export function createHistory(parts: {
  /** The log of a shared state, if there is one. */
  readonly log: HistoryLog | undefined;
  /** Milliseconds since 1970; never fails. */
  readonly clock: () => number;
  readonly max?: number | undefined;
}): KeptHistory {
  const { log, clock, max = MAX_EXECUTIONS } = parts;
  const kept = new KeptExecutions(max, clock);
  const watch = new Watch(clock, () => shared?.catchUp());
  const shared =
    log === undefined
      ? undefined
      : new SharedEvents(log, (step) => watch.changed(kept.add(step), 'elsewhere'));
  const gateway = shared?.gateway ?? '';
  let place = 0;
  let isClosed = false;

  /** If the log does not answer in time, the question is answered from what is here. */
  const catchUp = async (): Promise<void> => {
    if (shared !== undefined) await waitAtMost(shared.catchUp(), CATCH_UP_MS);
  };
  const readAll = async (): Promise<void> => {
    await catchUp();
    await kept.readAll();
  };

  const history: History = {
    isShared: shared !== undefined,
    async find(query) {
      await (isForAll(query) ? catchUp() : readAll());
      const fitting = kept.find(query);
      const rest = query.before === undefined ? fitting : after(query.before, fitting);
      const page = rest.slice(0, Math.max(1, query.limit));
      const nowMs = clock();
      return {
        executions: page.map((record) => record.read(nowMs).summary),
        total: fitting.length,
        next: page.length < rest.length ? page.at(-1)?.id : undefined,
        completeSince: kept.completeSince(),
      };
    },
    async open(id) {
      await catchUp();
      return kept.get(id)?.open(clock());
    },
    async tally(sinceMs) {
      await readAll();
      return kept.tally(sinceMs);
    },
    async timeline(spans, query) {
      await readAll();
      return kept.timeline(spans, query);
    },
    async flow(query) {
      await readAll();
      return kept.flow(query);
    },
    watch: (onChanged) => (isClosed ? () => undefined : watch.add(onChanged)),
  };

  /** The last execution of a page may no longer fit, but still marks the place. If it is gone, it was the oldest. */
  const after = (id: string, fitting: readonly ExecutionRecord[]): readonly ExecutionRecord[] => {
    const last = kept.get(id);
    return last === undefined
      ? []
      : fitting.filter((record) => newestFirst(last, record) < 0 && record !== last);
  };

  return {
    history,
    listener: (event: HookEvent) => {
      if (isClosed || !isOfExecution(event)) return;
      const step = { event, gateway, place };
      place += 1;
      watch.changed(kept.add(step), 'here');
      shared?.add(step);
    },
    close: async () => {
      isClosed = true;
      watch.end();
      await shared?.close();
    },
  };
}

type Watcher = (changed: readonly ExecutionSummary[]) => void;

/** The watchers, and the one timer that runs while there are any. */
class Watch {
  readonly #watchers = new Set<{ readonly onChanged: Watcher }>();
  readonly #changed = new Set<ExecutionRecord>();
  readonly #clock: () => number;
  readonly #catchUp: () => Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #times = 0;
  /** Events of other gateways from before the first watcher are not reported as changes. */
  #isCaughtUp = false;

  constructor(clock: () => number, catchUp: () => Promise<void> | undefined) {
    this.#clock = clock;
    this.#catchUp = catchUp;
  }

  add(onChanged: Watcher): () => void {
    const watcher = { onChanged };
    if (this.#watchers.size === 0) {
      this.#isCaughtUp = false;
      void Promise.resolve(this.#catchUp()).then(() => (this.#isCaughtUp = true));
      this.#times = 0;
      this.#wait();
    }
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.end();
    };
  }

  changed(record: ExecutionRecord | undefined, where: 'here' | 'elsewhere'): void {
    if (record === undefined || this.#watchers.size === 0) return;
    if (where === 'here' || this.#isCaughtUp) this.#changed.add(record);
  }

  end(): void {
    this.#watchers.clear();
    this.#changed.clear();
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#times += 1;
      if (this.#times % ASK_EVERY_TIMES === 0) void this.#catchUp();
      this.#wait();
      this.#tell();
    }, TELL_EVERY_MS);
    // The timer must not keep the process running.
    this.#timer.unref();
  }

  #tell(): void {
    if (this.#changed.size === 0) return;
    const nowMs = this.#clock();
    const summaries = [...this.#changed].sort(newestFirst).map((record) => record.read(nowMs).summary);
    this.#changed.clear();
    for (const { onChanged } of [...this.#watchers]) {
      // A watcher's error must not reach the others.
      try {
        onChanged(summaries);
      } catch {
        continue;
      }
    }
  }
}
