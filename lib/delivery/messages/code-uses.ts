import { Confirmations } from './confirmations.js';
import type { ReadyChannel } from '../attempt.js';
import type { EventStream } from '../../core/event-stream.js';
import type { HookEventOf } from '../../core/events.js';
import { digestOf } from '../../core/masking.js';
import type { LateFailover } from './late-failover.js';
import { personKey } from './receipt.js';
import { claimOnce } from '../claim-event.js';
import { LocalClaims } from '../local-claims.js';
import type { StatePort } from '../state.js';
import { lastCodeAfterUse, lastCodeName } from './last-code.js';
import type { LastCode, SentCode } from '../records.js';
import { newToken } from '../../core/token.js';
import { endOfTurn, TIMED_OUT, waitAtMost } from '../../core/time.js';

/**
 * What follows when a user has used a code: neither it nor an older code is sent any more, and its provider
 * gets a confirmation. This runs after the event hook is answered, and few uses run at a time: codes that are
 * requested go first. A call that Okta gave up on comes the same way, and is only reported.
 */

/** How many uses are handled at a time. */
const MAX_RUNNING = 4;
/** How many wait for their turn. More than that are dropped, with an event. */
const MAX_WAITING = 10_000;
/** How many events are read before other work has its turn. */
const READ_AT_ONCE = 100;
/**
 * How long a use is remembered, milliseconds: Okta repeats a delivery that was not answered, and an event in
 * another delivery.
 */
const KNOWN_MS = 60 * 60_000;
/**
 * How far Okta's clock may be beyond the end of a code, milliseconds: the code's life counts from the arrival
 * of its call.
 */
const GRACE_MS = 60_000;
/** How long a use waits for the state, milliseconds. If its code comes later, it is reported then. */
const TAKE_MS = 2_000;
/** A time further off than this is ignored, milliseconds: it is not of Okta's clock, or our clock is wrong. */
export const FAR_OFF_MS = 24 * 60 * 60_000;
/** How long `close()` waits for uses, milliseconds. */
const CLOSE_MS = 10_000;

/** A user has used a code: one event of Okta's event hook. */
export interface CodeUse {
  /** Okta's id of the event, the same in every delivery; `undefined` if Okta sent none. */
  readonly id: string | undefined;
  readonly userId: string;
  readonly deliveryChannel: 'sms' | 'voice';
  /** When the code was used, by Okta's clock, milliseconds since 1970; `undefined` if Okta does not say. */
  readonly atMs: number | undefined;
}

/** Okta gave up on a call of the hook: another event of the event hook. */
export interface GivenUpCall extends Omit<HookEventOf<'okta.fell-back'>, 'type' | 'at' | 'logEventId'> {
  /** As in `CodeUse`. */
  readonly id: string | undefined;
}

/** What the hook follows of Okta's events. */
export type OktaNews = CodeUse | GivenUpCall;

export interface CodeUsesParts {
  readonly state: StatePort;
  /** `undefined` if late failover is off. */
  readonly lateFailover: Pick<LateFailover, 'codeUsed'> | undefined;
  /** The guard that learns; `undefined` if it is off. */
  readonly learning: { use(sent: SentCode): void } | undefined;
  readonly events: EventStream;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  /** Okta's time as its calls show it, milliseconds since 1970. */
  readonly oktaNowMs: () => number;
  /** Milliseconds since 1970; never fails. */
  readonly clock: () => number;
}

export class CodeUses {
  readonly #parts: CodeUsesParts;
  readonly #confirmations: Confirmations;
  readonly #claims = new LocalClaims();
  readonly #waiting: OktaNews[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #running = 0;

  constructor(parts: CodeUsesParts) {
    this.#parts = parts;
    this.#confirmations = new Confirmations(parts);
  }

  /**
   * Takes the news of one delivery.
   *
   * @param news - read a few at a time; `undefined` for an event that the hook does not follow.
   */
  receive(news: Iterable<OktaNews | undefined>): void {
    this.#track(this.#readAll(news));
  }

  /** Resolves when all uses are handled, or after a time-out. Uses that come later are ignored. */
  async close(): Promise<void> {
    await waitAtMost(this.#idle(), CLOSE_MS);
    this.#waiting.length = 0;
  }

  async #idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    await this.#confirmations.idle();
  }

  async #readAll(news: Iterable<OktaNews | undefined>): Promise<void> {
    let read = 0;
    for (const one of news) {
      read += 1;
      if (read % READ_AT_ONCE === 0) await endOfTurn();
      if (one === undefined) continue;
      if (this.#waiting.length >= MAX_WAITING) {
        this.#parts.events.emitCounted('uses.skipped', (count) => ({ type: 'uses.skipped', count }));
        continue;
      }
      this.#waiting.push(one);
      if (this.#running < MAX_RUNNING) this.#track(this.#handleAll());
    }
  }

  async #handleAll(): Promise<void> {
    this.#running += 1;
    for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift()) {
      // The memory state answers at once: without this, other work would wait for all uses.
      await endOfTurn();
      await this.#handle(one).catch((error: unknown) => {
        this.#parts.events.emitThrown({ extension: 'state', error, personal: undefined, call: undefined });
      });
    }
    this.#running -= 1;
  }

  async #handle(one: OktaNews): Promise<void> {
    if (!(await this.#isFirst(one))) return;
    if (!('isHookUnknown' in one)) {
      await this.#follow(one);
      return;
    }
    const { id: logEventId, ...fields } = one;
    this.#parts.events.emit({ type: 'okta.fell-back', logEventId, ...fields });
  }

  async #follow(use: CodeUse): Promise<void> {
    const { state, lateFailover, clock, oktaNowMs } = this.#parts;
    const { userId, deliveryChannel, atMs } = use;
    const isKnown = atMs !== undefined && Math.abs(clock() - atMs) < FAR_OFF_MS;
    // All times that identify the code are by Okta's clock: ours may be wrong, or be set meanwhile.
    const usedMs = isKnown ? atMs : oktaNowMs();
    const person = personKey({ userId });
    const report = (last: LastCode | undefined): void => {
      // If the last code was not sent, or had ended, the user typed another one: Okta sent that one itself.
      if (last === undefined || last.status === 'refused') return;
      if (usedMs > last.codeRequest.endsAtMs + GRACE_MS) return;
      lateFailover?.codeUsed(person, last.eventId);
      this.#report(last, use, usedMs);
    };
    // Without a time, any code that is known was requested before.
    const news = { token: newToken(), usedMs: isKnown ? usedMs : Number.MAX_SAFE_INTEGER };
    state.useCode(person, news.usedMs);
    const name = lastCodeName(person, deliveryChannel);
    const taking = state.update([name], ([known]) => {
      const { next, result } = lastCodeAfterUse(known, news);
      return { next: [next], result };
    });
    const taken = await waitAtMost(taking, TAKE_MS);
    if (taken !== TIMED_OUT) {
      report(taken);
      return;
    }
    // The state is lost: what this process knows counts.
    const own = state.recall(name)?.value;
    if (own?.takenBy === news.token) report(own.code);
    else void taking.then(report);
  }

  /** Reports the use of a code, and confirms it to the provider that sent it. */
  #report(sent: SentCode, { userId, deliveryChannel }: CodeUse, usedMs: number): void {
    this.#parts.events.emit({
      type: 'code.used',
      eventId: sent.eventId,
      oktaRequestId: sent.oktaRequestId,
      requestType: sent.requestType,
      deliveryChannel,
      userId,
      channel: sent.channel,
      provider: sent.provider,
      country: sent.codeRequest.country,
      transactionId: sent.reportedId,
      sinceSentMs: Math.max(0, Math.round(usedMs - sent.codeRequest.atMs)),
    });
    this.#parts.learning?.use(sent);
    this.#confirmations.confirm(sent, userId);
  }

  /** Whether no gateway has handled this event before. */
  async #isFirst({ id }: OktaNews): Promise<boolean> {
    if (id === undefined) return true;
    const key = digestOf(`code used ${id}`);
    const claims = this.#claims;
    const times = { rememberMs: KNOWN_MS, waitMs: TAKE_MS };
    const claimed = await claimOnce(key, { state: this.#parts.state, claims, ...times });
    if (claimed.isFirst) claimed.settle({});
    return claimed.isFirst;
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}
