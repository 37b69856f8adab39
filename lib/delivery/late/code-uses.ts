import { hash } from 'node:crypto';
import { Confirmations } from './confirmations.js';
import type { ReadyChannel } from '../dispatch.js';
import { Throttle, type EventStream } from '../../core/event-stream.js';
import type { LateFailover } from './late-failover.js';
import { userKey } from './receipt.js';
import { SAME_MOMENT_MS } from '../running-calls.js';
import type { GuardedState } from '../guarded-state.js';
import { steadyMs } from '../../core/steady-clock.js';
import { waitAtMost } from '../../core/wait-at-most.js';

/**
 * What follows from a code that was used: nothing of it, nor of an older one, is sent any more, and the provider of just
 * this message is told. All of it comes after the answer, and few at a time: codes that are asked for go first.
 */

/** So many are followed at a time. */
const MOST_AT_ONCE = 4;
/** So many wait for their turn; more are not followed, and that is told. */
const MOST_WAITING = 10_000;
/** So many are read before others have their turn. */
const READ_AT_ONCE = 100;
/** How long one is known, milliseconds: Okta brings what was not answered again, and the same in another delivery. */
const KNOWN_MS = 60 * 60_000;
/** No code lives longer, milliseconds: nothing that could be overtaken is older. */
const LONGEST_LIFE_MS = 15 * 60_000;
/** What Okta's clock may show beyond the end of a code, milliseconds: its life is counted from when its call came. */
const GRACE_MS = 60_000;
/** A time that is further off is none that Okta's clock showed, or ours is wrong, milliseconds: it says nothing. */
export const FAR_OFF_MS = 24 * 60 * 60_000;
/** What `close()` waits for what is under way, milliseconds. */
const CLOSE_MS = 10_000;

/** That a user has used a code, as Okta tells it. */
export interface CodeUse {
  /** Names it, in whatever delivery it comes; `undefined` where Okta does not. */
  readonly id: string | undefined;
  readonly userId: string;
  readonly deliveryChannel: 'sms' | 'voice';
  /** When it was, by Okta's clock, milliseconds since 1970; `undefined` where Okta does not say. */
  readonly atMs: number | undefined;
}

export interface CodeUsesParts {
  readonly state: GuardedState;
  /** `undefined` where it is off. */
  readonly lateFailover: LateFailover | undefined;
  readonly events: EventStream;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  /** What Okta's clock shows, as far as its calls tell it, milliseconds since 1970. */
  readonly oktaNowMs: () => number;
  /** Milliseconds since 1970; never fails. */
  readonly clock: () => number;
}

export class CodeUses {
  readonly #parts: CodeUsesParts;
  readonly #confirmations: Confirmations;
  readonly #skipped: Throttle;
  readonly #waiting: CodeUse[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #following = 0;

  constructor(parts: CodeUsesParts) {
    this.#parts = parts;
    this.#confirmations = new Confirmations(parts);
    this.#skipped = new Throttle(parts.clock);
  }

  /** Follows what Okta has told. @param uses - read a few at a time; `undefined` for what is about no code. */
  hear(uses: Iterable<CodeUse | undefined>): void {
    this.#track(this.#readAll(uses));
  }

  /** Resolves when all has been followed, or the time is over. Nothing is heard after it. */
  async close(): Promise<void> {
    await waitAtMost(this.#idle(), CLOSE_MS);
    this.#waiting.length = 0;
  }

  async #idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    await this.#confirmations.idle();
  }

  async #readAll(uses: Iterable<CodeUse | undefined>): Promise<void> {
    let read = 0;
    for (const use of uses) {
      read += 1;
      if (read % READ_AT_ONCE === 0) await nextTurn();
      if (use === undefined) continue;
      if (this.#waiting.length >= MOST_WAITING) {
        this.#tellSkipped();
        continue;
      }
      this.#waiting.push(use);
      if (this.#following < MOST_AT_ONCE) this.#track(this.#followAll());
    }
  }

  async #followAll(): Promise<void> {
    this.#following += 1;
    for (let use = this.#waiting.shift(); use !== undefined; use = this.#waiting.shift()) {
      // A state that answers at once would leave nobody else a turn.
      await nextTurn();
      await this.#follow(use).catch((error: unknown) => {
        this.#parts.state.reportUnusable('sent code', error);
      });
    }
    this.#following -= 1;
  }

  async #follow(use: CodeUse): Promise<void> {
    const { state, lateFailover, events, clock, oktaNowMs } = this.#parts;
    if (!(await this.#isFirst(use, clock()))) return;
    const { id, userId, deliveryChannel, atMs } = use;
    const isKnown = atMs !== undefined && Math.abs(clock() - atMs) < FAR_OFF_MS;
    // By Okta's clock, as everything else that says which code it was: ours may be off, or be set meanwhile.
    const usedMs = isKnown ? atMs : oktaNowMs();
    const person = userKey(userId);
    const last = await state.takeSent(person, {
      deliveryChannel,
      usedMs: isKnown ? usedMs : Number.MAX_SAFE_INTEGER,
    });
    // One that was not sent, or had ended by then, was not the one that was typed: Okta has sent another by itself.
    const isOurs =
      last !== undefined && last.status !== 'refused' && usedMs <= last.asked.endsAtMs + GRACE_MS;
    const sent = isOurs ? last : undefined;
    const ageMs = oktaNowMs() - usedMs;
    const nowMs = steadyMs();
    const signIn = {
      eventKey: `used ${id ?? ''}`,
      isPreview: false,
      nowMs,
      ageMs: ageMs > SAME_MOMENT_MS ? ageMs : 0,
      after: last?.eventId,
      untilMs: nowMs + LONGEST_LIFE_MS,
    };
    lateFailover?.codeUsed(person, signIn, sent?.eventId);
    if (sent === undefined) return;
    events.emit({
      type: 'code.used',
      eventId: sent.eventId,
      oktaRequestId: sent.oktaRequestId,
      requestType: sent.requestType,
      deliveryChannel,
      userId,
      channel: sent.channel,
      provider: sent.provider,
      country: sent.asked.country,
      transactionId: sent.toldId,
      sinceSentMs: Math.max(0, Math.round(usedMs - sent.asked.atMs)),
    });
    this.#confirmations.confirm(sent);
  }

  /** Whether nobody has followed it before, here or at another gateway. */
  async #isFirst({ id }: CodeUse, nowMs: number): Promise<boolean> {
    if (id === undefined) return true;
    const key = hash('sha256', `code used ${id}`, 'base64url');
    return this.#parts.state.isFirst(key, { nowMs, rememberMs: KNOWN_MS }, 'used code');
  }

  #tellSkipped(): void {
    const { events } = this.#parts;
    this.#skipped.tell((count) => {
      events.emit({ type: 'uses.skipped', count });
    });
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
