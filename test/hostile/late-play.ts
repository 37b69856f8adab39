import fc from 'fast-check';
import type { RecordState } from '#lib/delivery/records.js';
import type { StatePort } from '#lib/delivery/state.js';
import { duplicateKey } from '#lib/hook/deduplicate.js';
import type { Channel, HookEvent, TelephonyHook } from '#lib/index.js';
import { readHookCall } from '#lib/okta/inline-hook.js';
import { gatewayState } from '#harness/gateway-state.js';
import { remoteRecords, watchRecords } from '#harness/records.js';
import { inject, injectCallback, payloadFor, settle, type InjectedCall } from './injected-call.js';
import { DEADLINE_MS } from './one-event.js';

/** The codes of one user, the outcomes of their messages, and delivery reports, in an order that fast-check generates. */

/** The plan of every code. The last channel reports no delivery. */
const PLAN = ['whatsapp', 'line', 'sms'] as const;
type Name = (typeof PLAN)[number];

export const SIGNED = { publicUrl: 'https://id.example.com/okta/telephony', authToken: 'token' };

interface Report {
  readonly status: 'sent' | 'delivered' | 'undelivered';
  /** The gateway that gets the report. */
  readonly at: number;
}
interface MessageScript {
  /** `lost`: Twilio accepted the message, but its answer is lost. */
  readonly ending: 'accepted' | 'refused' | 'lost';
  /** The callbacks of Twilio once it has the message, in any order. */
  readonly reports: readonly Report[];
  /** The answer of Twilio to a poll. */
  readonly polled: 'pending' | 'failed' | 'delivered';
}
interface EventScript {
  readonly isPreview: boolean;
  /** Its code expires before most reports. */
  readonly isBrief: boolean;
  readonly repeats: number;
  readonly messages: Readonly<Record<Name, MessageScript>>;
}

const message: fc.Arbitrary<MessageScript> = fc.record({
  ending: fc.constantFrom('accepted', 'accepted', 'refused', 'lost'),
  reports: fc.array(
    fc.record({
      status: fc.constantFrom('undelivered', 'undelivered', 'delivered', 'sent'),
      at: fc.nat({ max: 1 }),
    }),
    { maxLength: 4 },
  ),
  polled: fc.constantFrom('pending', 'pending', 'failed', 'delivered'),
});
export const eventScripts: fc.Arbitrary<readonly EventScript[]> = fc.array(
  fc.record({
    isPreview: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    isBrief: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    repeats: fc.nat({ max: 2 }),
    messages: fc.record({ whatsapp: message, line: message, sms: message }),
  }),
  { minLength: 1, maxLength: 3 },
);
/** Milliseconds: a part of a call, and the times at which the hook polls messages or counts them as failed. */
export const lateTimes = fc.array(fc.constantFrom(30, 440, 3_000, 9_000, 20_000), { maxLength: 5 });

/** The error of each gateway's clock, and changes of clocks during the play, milliseconds. */
export interface ClockScript {
  readonly offBy: readonly number[];
  readonly settings: readonly { readonly at: number; readonly offByMs: number }[];
}
/** A gateway that is farther ahead refuses a code as expired for more than two minutes. */
const offByMs = fc.constantFrom(0, 0, -3_600_000, -30_000, 30_000, 360_000);
export const clockScripts: fc.Arbitrary<ClockScript> = fc.record({
  offBy: fc.tuple(offByMs, offByMs),
  settings: fc.array(fc.record({ at: fc.nat({ max: 1 }), offByMs }), { maxLength: 3 }),
});

const BRIEF_MS = 15_000;
const LIFE_MS = 300_000;

/** A message that has left. */
interface Sent {
  readonly id: string;
  readonly event: PlayedEvent;
  readonly channel: Name;
  readonly script: MessageScript;
  /** Twilio's callbacks return it. */
  readonly reference: string;
  outcome: 'open' | 'accepted' | 'refused' | 'lost';
  /** A report or a poll may have said that it failed. */
  mayHaveFailed: boolean;
  /** The hook has answered a callback with this status, and handled it. */
  isDelivered: boolean;
  /** The shared state knows the delivery. */
  isDeliveredInState: boolean;
}
interface PlayedEvent {
  readonly key: string;
  readonly script: EventScript;
  readonly calls: InjectedCall[];
  /** When its first call came, and when its code expires, by a correct clock. */
  cameAtMs: number;
  endsAtMs: number;
  /** Its key in the state. */
  stateKey: string | undefined;
  /** A newer code has its claim. */
  isSuperseded: boolean;
  /** The state has answered that it is superseded. */
  isSupersededInState: boolean;
  /** The gateways that a newer code has passed. */
  readonly supersededAt: Set<number>;
}

/** One play, and its checks. */
export class LatePlay {
  /** The problems found. */
  readonly wrong: string[] = [];
  readonly #s: fc.Scheduler;
  readonly #isTimed: boolean;
  /** The gateways share one state. */
  readonly #isShared: boolean;
  readonly #settings: ClockScript['settings'];
  /** The error of each gateway's clock, milliseconds. */
  readonly #offBy: number[];
  readonly #events: readonly PlayedEvent[];
  /** In the order of their first calls. */
  readonly #arrived: PlayedEvent[] = [];
  /** In the order of their places: that of their first claims. */
  readonly #placed: PlayedEvent[] = [];
  readonly #sends: Sent[] = [];
  readonly #hookEvents: HookEvent[] = [];
  #pendingRequests = 0;

  constructor(
    s: fc.Scheduler,
    scripts: readonly EventScript[],
    {
      isTimed,
      isShared,
      clocks,
    }: { readonly isTimed: boolean; readonly isShared: boolean; readonly clocks: ClockScript },
  ) {
    this.#s = s;
    this.#isTimed = isTimed;
    this.#isShared = isShared;
    this.#settings = clocks.settings;
    this.#offBy = [...clocks.offBy];
    this.#events = scripts.map((script, index) => ({
      key: `event-${index}`,
      script,
      calls: [],
      cameAtMs: 0,
      endsAtMs: 0,
      stateKey: undefined,
      isSuperseded: false,
      isSupersededInState: false,
      supersededAt: new Set(),
    }));
  }

  /** Time stops during a request to the state or to Twilio: the hook gives up a slow one. */
  mayTimePass = (): boolean => this.#pendingRequests === 0;

  onEvent = (event: HookEvent): void => {
    this.#hookEvents.push(event);
  };

  /** The wall clock of a gateway. */
  clockOf(at: number): () => number {
    return () => Date.now() + (this.#offBy[at] ?? 0);
  }

  /**
   * A remote state, as one gateway uses it: its requests take turns in the scheduler. The claims of a gateway stay in their
   * order, as on a connection.
   */
  state(shared: StatePort, at: number): StatePort {
    const memory = this.#isShared ? gatewayState(shared) : shared;
    let before: Promise<unknown> = Promise.resolve();
    return {
      ...memory,
      claim: async (event) => {
        this.#pendingRequests += 1;
        before = before.then(() => this.#s.schedule(Promise.resolve(), 'request to the state: claim'));
        await before;
        const claim = await memory.claim(event);
        const played = this.#eventOf(event.key);
        if (claim.isFirst && played !== undefined) this.#place(played, claim.isCurrent);
        await this.#s.schedule(Promise.resolve(), 'answer of the state: claim');
        this.#pendingRequests -= 1;
        if (claim.isFirst && claim.isCurrent !== false) this.#pass(played, at);
        return claim;
      },
      // A send must obey the answer of the state right before it. A newer code that reaches another gateway after that
      // answer does not count.
      isCurrent: (person, event) =>
        this.#inTurn('current', () => {
          const answer = memory.isCurrent(person, event);
          const played = this.#eventOf(event.eventKey);
          if (played !== undefined && answer === false) played.isSupersededInState = true;
          return answer;
        }),
      ...this.#recordsInTurn(memory),
    };
  }

  /** The records of messages and attempts take turns; others are there at once. */
  #recordsInTurn(memory: StatePort): RecordState {
    const watched = watchRecords(memory, ({ kind, key, next }) => {
      if (kind !== 'message' || next?.value.status !== 'delivered') return;
      for (const sent of this.#sends) if (key === `twilio ${sent.id}`) sent.isDeliveredInState = true;
    });
    return remoteRecords(watched, ['message', 'attempt'], ({ how, names }, work) =>
      this.#inTurn(`${how} ${names.map(({ kind }) => kind).join()}`, () => {
        // A late send must obey the answer of the state right before it.
        for (const sent of this.#sends) {
          const isAsked = how === 'read' && names.some(({ key }) => key === `twilio ${sent.id}`);
          if (isAsked && sent.isDeliveredInState) sent.isDelivered = true;
        }
        return work();
      }),
    );
  }

  async #inTurn<Answer>(what: string, work: () => Answer): Promise<Awaited<Answer>> {
    this.#pendingRequests += 1;
    await this.#s.schedule(Promise.resolve(), `request to the state: ${what}`);
    const answer = await work();
    await this.#s.schedule(Promise.resolve(), `answer of the state: ${what}`);
    this.#pendingRequests -= 1;
    return answer;
  }

  /** The channels of one gateway. */
  channels(at: number): Record<Name, Channel> {
    const make = (channel: Name): Channel => ({
      reports: channel === 'whatsapp' ? 'deliveries' : undefined,
      // Twilio's callbacks match these ids.
      idNamespace: 'twilio',
      ...(channel === 'sms' ? {} : { lookUp: (id: string) => this.#lookUp(id) }),
      send: async ({ request }, { leaveSignal, reference }) => {
        const isTooLate = leaveSignal.aborted;
        const sent = this.#leave(request.eventId, channel, { at, isTooLate, reference });
        await this.#s.schedule(Promise.resolve(), `${sent.id} is ${sent.script.ending}`);
        sent.outcome = sent.script.ending;
        if (sent.outcome === 'lost') return { status: 'unknown', reason: 'lost' };
        return sent.outcome === 'accepted'
          ? { status: 'accepted', transactionId: sent.id }
          : { status: 'refused', code: 'NO', reason: 'no' };
      },
    });
    return { whatsapp: make('whatsapp'), line: make('line'), sms: make('sms') };
  }

  /** Schedules every caller; each message schedules its own reports. */
  begin(hooks: readonly TelephonyHook[]): void {
    const hookAt = (at: number): TelephonyHook => {
      const hook = hooks[at % hooks.length];
      if (hook === undefined) throw new Error('there is no gateway');
      return hook;
    };
    this.#report = (sent, { status, at }) => {
      if (status === 'undelivered') sent.mayHaveFailed = true;
      injectCallback(hookAt(at), { MessageSid: sent.id, MessageStatus: status }, SIGNED, sent.reference);
      // With several gateways, the one that will send learns the delivery from the state.
      if (status !== 'delivered' || hooks.length > 1) return;
      void settle().then(() => {
        sent.isDelivered = true;
      });
    };
    for (const { at, offByMs } of this.#settings) {
      void this.#s.schedule(Promise.resolve(), `clock ${at} is set ${offByMs} ms off`).then(() => {
        this.#offBy[at] = offByMs;
      });
    }
    for (const event of this.#events) {
      const { isPreview, isBrief, repeats } = event.script;
      // The hook forgets such an event soon: a repeat would be the first call again.
      const callers = isPreview || isBrief ? 1 : 1 + repeats;
      for (let caller = 0; caller < callers; caller += 1) {
        void this.#s.schedule(Promise.resolve(), `${event.key} comes`).then(() => {
          const lifeMs = isBrief ? BRIEF_MS : LIFE_MS;
          if (event.calls.length === 0) {
            this.#arrived.push(event);
            event.cameAtMs = performance.now();
            event.endsAtMs = event.cameAtMs + lifeMs;
          }
          const payload = {
            eventId: event.key,
            preview: isPreview,
            otpExpires: new Date(Date.now() + lifeMs),
          };
          event.stateKey ??= duplicateKey(
            readHookCall(payloadFor(payload), { defaultCountry: undefined, nowMs: Date.now() }).request,
          );
          event.calls.push(inject(hookAt(caller + this.#events.indexOf(event)), payload));
        });
      }
    }
  }

  /** Checks what must have happened once much time has passed. */
  expectDone(): void {
    const accepted = new Set<string | undefined>();
    const refusedLate = new Set<string>();
    this.#expectRecognised();
    for (const event of this.#hookEvents) {
      if (event.type !== 'attempt.ended' && event.type !== 'attempt.settled') continue;
      if (event.outcome === 'accepted') accepted.add(event.transactionId);
      if (event.type === 'attempt.settled' && event.outcome === 'refused')
        refusedLate.add(`${event.eventId} ${event.channel}`);
    }
    for (const event of this.#hookEvents) {
      if (event.type === 'callback.unmatched' && accepted.has(event.transactionId))
        this.wrong.push(`${event.transactionId} was reported as unknown`);
      if (event.type === 'extension.failed') this.wrong.push(`${event.extension} failed: ${event.reason}`);
      if (event.type !== 'request.answered') continue;
      // Time passes in steps of 500 ms at most.
      if (event.durationMs > DEADLINE_MS + 500) this.wrong.push(`${event.eventId} was answered late`);
      const isSent = this.#sends.some(
        (sent) => sent.event.key === event.eventId && sent.outcome === 'accepted',
      );
      if (event.status === 'SUCCESSFUL' && !isSent) this.wrong.push(`${event.eventId} was falsely answered`);
    }
    for (const sent of this.#sends) {
      const { event, channel, script } = sent;
      const next = PLAN[PLAN.indexOf(channel) + 1];
      if (next === undefined || event.script.isBrief || event.isSuperseded) continue;
      // Any message with this code counts, at any time.
      const isDelivered = this.#sends.some(
        (other) =>
          other.event === event &&
          [...other.script.reports.map(({ status }) => status), other.script.polled].includes('delivered'),
      );
      const isDue =
        script.reports.some(({ status }) => status === 'undelivered') ||
        script.polled === 'failed' ||
        (this.#isTimed && channel === 'whatsapp');
      const mustFollow =
        refusedLate.has(`${event.key} ${channel}`) || (accepted.has(sent.id) && isDue && !isDelivered);
      if (mustFollow && !this.#hasLeft(event, next))
        this.wrong.push(`${sent.id}: nothing followed by ${next}`);
    }
    for (const { key, calls } of this.#events) {
      if (calls.some((call) => call.answers().length !== 1)) this.wrong.push(`${key} was not answered once`);
    }
  }

  /** A message whose answer was lost is accepted once, if a final report came before its code expired. */
  #expectRecognised(): void {
    for (const { id, outcome, script, event } of this.#sends) {
      if (outcome !== 'lost') continue;
      const times = this.#hookEvents.filter(
        (hookEvent) =>
          hookEvent.type === 'attempt.settled' &&
          hookEvent.outcome === 'accepted' &&
          hookEvent.transactionId === id,
      ).length;
      const isReported = id.endsWith('-sms') ? false : script.reports.some(({ status }) => status !== 'sent');
      if (times > 1 || (isReported && !event.script.isBrief && times === 0))
        this.wrong.push(`${id} was recognised ${times} times`);
    }
  }

  /** begin() sets it: callbacks need the hook, whose channels need the play. */
  #report: (sent: Sent, report: Report) => void = () => undefined;

  #leave(
    key: string,
    channel: Name,
    {
      at,
      isTooLate,
      reference,
    }: { readonly at: number; readonly isTooLate: boolean; readonly reference: string },
  ): Sent {
    const event = this.#events.find((played) => played.key === key);
    if (event === undefined) throw new Error('no such event');
    const id = `SM-${key}-${channel}`;
    const before = this.#sends.filter((sent) => sent.event === event);
    const refuse = (why: string): void => void this.wrong.push(`${id}: ${why}`);
    if (isTooLate) refuse('left too late for any message');
    if (this.#hasLeft(event, channel)) refuse('left twice');
    if (
      !before.every(
        ({ outcome, mayHaveFailed }) => outcome === 'refused' || (outcome !== 'open' && mayHaveFailed),
      )
    )
      refuse('left although the one before it may arrive');
    const isLate = event.calls.some((call) => call.answers().length > 0);
    // Previews do not supersede codes for sign-ins.
    const newer = this.#sends.find(
      (sent) =>
        !sent.event.script.isPreview && this.#arrived.indexOf(sent.event) > this.#arrived.indexOf(event),
    );
    if (newer !== undefined && !this.#isShared) refuse(`left after ${newer.id}, which is newer`);
    if (event.isSupersededInState) refuse('left although the state knew a newer code');
    if (event.supersededAt.has(at)) refuse('left although its gateway knew a newer code');
    if (isLate) {
      if (before.some(({ isDelivered }) => isDelivered)) refuse('left late, after one was delivered');
      if (performance.now() >= event.endsAtMs) refuse('left late, after its code expired');
    }
    const script = event.script.messages[channel];
    const mayHaveFailed = this.#isTimed && channel === 'whatsapp';
    const sent: Sent = {
      id,
      event,
      channel,
      script,
      reference,
      outcome: 'open',
      mayHaveFailed,
      isDelivered: false,
      isDeliveredInState: false,
    };
    this.#sends.push(sent);
    // Twilio reports nothing about a message that it refused.
    if (channel !== 'sms' && script.ending !== 'refused') {
      for (const report of script.reports) {
        void this.#s.schedule(Promise.resolve(), `${id} is ${report.status}`).then(() => {
          this.#report(sent, report);
        });
      }
    }
    return sent;
  }

  #eventOf(stateKey: string): PlayedEvent | undefined {
    return this.#events.find((event) => event.stateKey === stateKey);
  }

  /** Notes which codes the first call of an event supersedes. A retry keeps the place of its event. */
  #place(event: PlayedEvent, isCurrent: boolean | 'unknown'): void {
    if (isCurrent === false) event.isSupersededInState = true;
    if (this.#placed.includes(event)) return;
    if (!event.script.isPreview) for (const other of this.#placed) other.isSuperseded = true;
    this.#placed.push(event);
  }

  /** A gateway gets to know that a code has passed: soon it starts no attempt of an older one. */
  #pass(passing: PlayedEvent | undefined, at: number): void {
    if (passing === undefined || passing.script.isPreview) return;
    const older = this.#placed.slice(0, this.#placed.indexOf(passing));
    void settle().then(() => {
      for (const event of older) event.supersededAt.add(at);
    });
  }

  async #lookUp(
    id: string,
  ): Promise<{ status: 'pending' | 'delivered' } | { status: 'failed'; code: string; reason: string }> {
    const sent = this.#sends.find((known) => known.id === id);
    if (sent === undefined) throw new Error('no such message');
    const { polled } = sent.script;
    // The hook gives up a slow poll, so no time passes here.
    this.#pendingRequests += 1;
    await this.#s.schedule(Promise.resolve(), `poll of ${id}: ${polled}`);
    this.#pendingRequests -= 1;
    if (polled !== 'failed') return { status: polled };
    sent.mayHaveFailed = true;
    return { status: 'failed', code: 'GONE', reason: 'no' };
  }

  #hasLeft(event: PlayedEvent, channel: Name): boolean {
    return this.#sends.some((sent) => sent.event === event && sent.channel === channel);
  }
}
