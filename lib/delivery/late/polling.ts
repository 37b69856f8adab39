import type { Breaker } from '../breaker.js';
import type { ChannelPort, DeliveryReport } from '../../core/channel.js';
import { questionContext } from '../send-context.js';
import { PENDING, readReport } from './report.js';
import { TIMED_OUT, waitAtMost } from '../../core/wait-at-most.js';

/**
 * Messages that nothing may ever be told of: their provider is asked, and what nobody says delivered in time is
 * noticed. Timers of this process, none of which keeps it alive.
 */

/** When a provider is asked, milliseconds after the message was accepted: most failures come within seconds. */
const ASK_AT_MS: readonly number[] = [3_000, 8_000, 20_000];

/** So many messages are asked for at a time. More are not: each costs three calls where a code costs one. */
const MOST_ASKED_FOR = 200;
/** So many questions are under way at a time; what is due meanwhile is left out. */
const MOST_QUESTIONS = 8;
/** So many messages are only waited for. */
const MOST_WAITED_FOR = 20_000;

/** What one question may take, milliseconds, and how much of it the connection. */
const ASK_MS = 3_000;
const ASK_CONNECT_MS = 1_000;

/** How one message is watched. */
export interface Watch {
  /** Asks the provider. Never rejects. `undefined` where it tells by itself. */
  readonly ask: (() => Promise<DeliveryReport>) | undefined;
  /** After so long, milliseconds, a message that nobody says delivered counts as lost. */
  readonly overdueMs: number | undefined;
  /** When its code ends, milliseconds: nothing is asked or waited for after that. */
  readonly lifeMs: number;
  /** Whether anything could still follow. Never rejects. */
  readonly isWanted: () => Promise<boolean>;
  /** Told once, when it is delivered, has failed or is overdue. */
  readonly onEnd: (end: DeliveryReport | 'overdue') => void;
}

/** The messages that are watched. */
export class Polling {
  readonly #watched = new Map<string, { readonly watch: Watch; timer: NodeJS.Timeout }>();
  readonly #isBusy: () => boolean;
  #askedFor = 0;
  #questions = 0;
  #isStopped = false;

  /** @param isBusy - whether codes need the connections more. */
  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy;
  }

  /** Watches a message from now on, if there is room. */
  start(key: string, watch: Watch): void {
    const { ask, overdueMs = Infinity, lifeMs } = watch;
    const isOverdueInTime = overdueMs < lifeMs;
    const isAskedFor = ask !== undefined && this.#askedFor < MOST_ASKED_FOR;
    // One that nobody can be asked for may still be waited for.
    const hasRoom = isAskedFor || (isOverdueInTime && this.#watched.size < MOST_WAITED_FOR);
    if (this.#isStopped || this.#watched.has(key) || !hasRoom) return;
    const times = (isAskedFor ? ASK_AT_MS : []).filter((atMs) => atMs < Math.min(overdueMs, lifeMs));
    if (isOverdueInTime) times.push(overdueMs);
    if (times.length === 0) return;
    if (isAskedFor) this.#askedFor += 1;
    this.#wait(key, isAskedFor ? watch : { ...watch, ask: undefined }, times, 0);
  }

  /** Watches it no more. */
  forget(key: string): void {
    const watched = this.#watched.get(key);
    if (watched === undefined) return;
    clearTimeout(watched.timer);
    this.#watched.delete(key);
    if (watched.watch.ask !== undefined) this.#askedFor -= 1;
  }

  /** Watches nothing any more. */
  stop(): void {
    this.#isStopped = true;
    for (const key of [...this.#watched.keys()]) this.forget(key);
  }

  #wait(key: string, watch: Watch, times: readonly number[], sinceMs: number): void {
    const [atMs, ...later] = times;
    if (atMs === undefined) {
      this.forget(key);
      return;
    }
    const timer = setTimeout(() => {
      void this.#look(key, watch, atMs, later);
    }, atMs - sinceMs);
    timer.unref();
    this.#watched.set(key, { watch, timer });
  }

  async #look(key: string, watch: Watch, atMs: number, later: readonly number[]): Promise<void> {
    const isOverdue = atMs === watch.overdueMs;
    if (!(await watch.isWanted())) this.forget(key);
    if (!this.#watched.has(key)) return;
    const mayAsk = isOverdue || (this.#questions < MOST_QUESTIONS && !this.#isBusy());
    const report = watch.ask !== undefined && mayAsk ? await this.#ask(watch.ask) : undefined;
    // It may have been told, or the hook closed, meanwhile.
    if (!this.#watched.has(key)) return;
    const end = report?.status === 'pending' ? undefined : report;
    if (end === undefined && !isOverdue) {
      this.#wait(key, watch, later, atMs);
      return;
    }
    this.forget(key);
    watch.onEnd(end ?? 'overdue');
  }

  async #ask(ask: () => Promise<DeliveryReport>): Promise<DeliveryReport> {
    this.#questions += 1;
    const report = await ask();
    this.#questions -= 1;
    return report;
  }
}

/**
 * Asks a provider once, unless it does not answer lately or tells by itself meanwhile, and holds it to its port. Never
 * rejects.
 *
 * @param onFailure - told of what it throws, and of an answer that is none.
 */
export async function lookUpBy(
  { port, breaker }: { readonly port: ChannelPort<never>; readonly breaker: Breaker },
  transactionId: string,
  onFailure: (error: unknown) => void,
): Promise<DeliveryReport> {
  if (breaker.state !== 'closed' || port.lookUp === undefined) return PENDING;
  const context = questionContext(ASK_MS, ASK_CONNECT_MS);
  try {
    const report = await waitAtMost(Promise.resolve(port.lookUp(transactionId, context)), ASK_MS);
    return report === TIMED_OUT ? PENDING : readReport(report);
  } catch (error) {
    onFailure(error);
    return PENDING;
  }
}
