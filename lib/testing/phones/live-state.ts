import type { ServerResponse } from 'node:http';
import { beginEventStream, eventText, MAX_UNREAD_BYTES } from '../../http/page/event-stream.js';
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
  readonly #pages = new Set<ServerResponse>();
  #timers: readonly NodeJS.Timeout[] = [];
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
    if (this.#pages.size >= MAX_PAGES) return false;
    if (!beginEventStream(res.req, res, RETRY_MS)) return true;
    this.#send(res, eventText('state', this.snapshot()));
    // A draining gateway ends the stream, so that the page connects to another gateway.
    if (/\bclose\b/i.test(String(res.getHeader('Connection') ?? ''))) {
      res.end();
      return true;
    }
    if (this.#pages.size === 0) this.#start();
    this.#pages.add(res);
    res.once('close', () => {
      this.#pages.delete(res);
      if (this.#pages.size === 0) this.#stop();
    });
    return true;
  }

  update(): void {
    if (this.#pages.size === 0) return;
    const state = this.#readState();
    const text = JSON.stringify(state);
    if (text === this.#lastSent) return;
    this.#lastSent = text;
    this.#sendAll(eventText('state', this.snapshot(state)));
  }

  close(): void {
    this.#stop();
    for (const page of this.#pages) page.end();
  }

  #start(): void {
    this.#timers = [
      setInterval(() => this.update(), CHECK_EVERY_MS).unref(),
      setInterval(() => this.#sendAll(': heartbeat\n\n'), HEARTBEAT_MS).unref(),
    ];
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #sendAll(text: string): void {
    for (const page of this.#pages) this.#send(page, text);
  }

  #send(page: ServerResponse, text: string): void {
    if (page.writableLength > MAX_UNREAD_BYTES) page.destroy();
    else page.write(text);
  }
}
