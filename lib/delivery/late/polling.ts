import type { DeliveryReport } from '../../core/channel.js';
import { isFinal, type FinalReport } from './receipt.js';

/**
 * Look-ups and time-outs of messages, for providers that send no callbacks and for callbacks that do not come.
 * All timers are of this process; none keeps it alive.
 */

/** When a look-up is made, milliseconds after the message was accepted: most failures come within seconds. */
const LOOK_UP_AT_MS: readonly number[] = [3_000, 8_000, 20_000];

/** How many messages are looked up at a time. Each costs three calls, where a code costs one. */
const MAX_LOOKED_UP = 200;
/** How many look-ups run at a time. One that is due meanwhile is left out. */
const MAX_LOOK_UPS = 8;
/** How many messages have a time-out without look-ups. */
const MAX_WATCHED = 20_000;

/** How one message is watched. */
export interface Watch {
  /** Asks the provider. Never rejects. `undefined` if the provider sends callbacks. */
  readonly ask: (() => Promise<DeliveryReport>) | undefined;
  /** After how long a message without a delivery report counts as lost, milliseconds. */
  readonly overdueMs: number | undefined;
  /** How long the code lives, milliseconds. Nothing happens after that. */
  readonly lifeMs: number;
  /** Whether the code may still be sent again. Never rejects. */
  readonly isWanted: () => Promise<boolean>;
  /** Called once, when the message is delivered, has failed or is overdue. */
  readonly onEnd: (end: FinalReport | 'overdue') => void;
}

export class Polling {
  readonly #watched = new Map<string, { readonly watch: Watch; timer: NodeJS.Timeout }>();
  readonly #isBusy: () => boolean;
  #lookedUp = 0;
  #lookUps = 0;
  #isStopped = false;

  /** @param isBusy - whether codes need the connections more than look-ups do. */
  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy;
  }

  /** Starts to watch a message, if there is room. */
  start(key: string, watch: Watch): void {
    const { ask, overdueMs = Infinity, lifeMs } = watch;
    const isOverdueInTime = overdueMs < lifeMs;
    const isLookedUp = ask !== undefined && this.#lookedUp < MAX_LOOKED_UP;
    // Without room for look-ups there may be room for a time-out.
    const hasRoom = isLookedUp || (isOverdueInTime && this.#watched.size < MAX_WATCHED);
    if (this.#isStopped || this.#watched.has(key) || !hasRoom) return;
    const times = (isLookedUp ? LOOK_UP_AT_MS : []).filter((atMs) => atMs < Math.min(overdueMs, lifeMs));
    if (isOverdueInTime) times.push(overdueMs);
    if (times.length === 0) return;
    if (isLookedUp) this.#lookedUp += 1;
    this.#wait(key, isLookedUp ? watch : { ...watch, ask: undefined }, times, 0);
  }

  /** Stops watching a message. */
  forget(key: string): void {
    const watched = this.#watched.get(key);
    if (watched === undefined) return;
    clearTimeout(watched.timer);
    this.#watched.delete(key);
    if (watched.watch.ask !== undefined) this.#lookedUp -= 1;
  }

  /** Stops watching all messages, for good. */
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
    const mayAsk = isOverdue || (this.#lookUps < MAX_LOOK_UPS && !this.#isBusy());
    const report = watch.ask !== undefined && mayAsk ? await this.#ask(watch.ask) : undefined;
    // A callback may have come meanwhile, or the hook may be closed.
    if (!this.#watched.has(key)) return;
    const end = report !== undefined && isFinal(report) ? report : undefined;
    if (end === undefined && !isOverdue) {
      this.#wait(key, watch, later, atMs);
      return;
    }
    this.forget(key);
    watch.onEnd(end ?? 'overdue');
  }

  async #ask(ask: () => Promise<DeliveryReport>): Promise<DeliveryReport> {
    this.#lookUps += 1;
    const report = await ask();
    this.#lookUps -= 1;
    return report;
  }
}
