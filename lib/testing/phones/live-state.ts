import type { ServerResponse } from 'node:http';
import { EventStreams, endIfDraining } from '../../http/page/event-stream.js';
import type { PhonesState } from './api.js';

/** Proxies close a connection that is silent for a minute. */
const HEARTBEAT_MS = 15_000;
/** How long a browser waits before it connects again, milliseconds. */
const RETRY_MS = 1_000;
const MAX_PAGES = 64;
/** Nobody reports some changes, such as the delivery of a message. They show after this time at most. */
const CHECK_EVERY_MS = 200;

/** Streams the state of the emulators to every open page, after every change. */
export class LiveState {
  readonly #readState: () => Omit<PhonesState, 'revision'>;
  readonly #pages = new EventStreams(RETRY_MS, () => this.#watch());
  #revision = 0;
  #lastSent = '';

  constructor(readState: () => Omit<PhonesState, 'revision'>) {
    this.#readState = readState;
  }

  snapshot(state = this.#readState()): PhonesState {
    this.#revision += 1;
    return { revision: this.#revision, ...state };
  }

  /** Opens the stream of a page, or answers a HEAD. Returns `false` if too many pages are open. */
  open(res: ServerResponse): boolean {
    if (this.#pages.count >= MAX_PAGES) return false;
    if (!this.#pages.open(res)) return true;
    this.#pages.send('state', this.snapshot(), [res]);
    endIfDraining(res);
    return true;
  }

  update(): void {
    if (this.#pages.count === 0) return;
    const state = this.#readState();
    const text = JSON.stringify(state);
    if (text === this.#lastSent) return;
    this.#lastSent = text;
    this.#pages.send('state', this.snapshot(state));
  }

  close(): void {
    this.#pages.end();
  }

  #watch(): () => void {
    const timers = [
      setInterval(() => this.update(), CHECK_EVERY_MS).unref(),
      setInterval(() => this.#pages.send('heartbeat', null), HEARTBEAT_MS).unref(),
    ];
    return () => {
      for (const timer of timers) clearInterval(timer);
    };
  }
}
