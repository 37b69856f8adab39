import fc from 'fast-check';
import { SAME_MOMENT_MS } from '#lib/delivery/running-calls.js';
import type { StatePort } from '#lib/delivery/state.js';
import type { Channel, HookEvent, TelephonyHook } from '#lib/index.js';
import { inject, injectCallback, settle, type InjectedCall } from './injected-call.js';
import { DEADLINE_MS } from './one-event.js';

/** The codes of one person, what becomes of their messages, and what is told of that in an order that fast-check makes up. */

/** The plan of every code. The last one tells nothing of what becomes of a message. */
const PLAN = ['whatsapp', 'line', 'sms'] as const;
type Name = (typeof PLAN)[number];

export const SIGNED = { publicUrl: 'https://id.example.com/okta/telephony', authToken: 'token' };

interface Told {
  readonly status: 'sent' | 'delivered' | 'undelivered';
  /** Which of the gateways is told. */
  readonly at: number;
}
interface MessageScript {
  /** `lost`: it was accepted, and the answer that says so is lost. */
  readonly ending: 'accepted' | 'refused' | 'lost';
  /** What Twilio tells once it has the message, in any order. */
  readonly told: readonly Told[];
  /** What it says when it is asked. */
  readonly asked: 'pending' | 'failed' | 'delivered';
}
interface EventScript {
  readonly isPreview: boolean;
  /** Its code has ended before much can be told. */
  readonly isBrief: boolean;
  readonly repeats: number;
  readonly messages: Readonly<Record<Name, MessageScript>>;
}

const message: fc.Arbitrary<MessageScript> = fc.record({
  ending: fc.constantFrom('accepted', 'accepted', 'refused', 'lost'),
  told: fc.array(
    fc.record({
      status: fc.constantFrom('undelivered', 'undelivered', 'delivered', 'sent'),
      at: fc.nat({ max: 1 }),
    }),
    { maxLength: 4 },
  ),
  asked: fc.constantFrom('pending', 'pending', 'failed', 'delivered'),
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
/** Milliseconds: a share of a call, and the times at which messages are asked for, or given up. */
export const lateTimes = fc.array(fc.constantFrom(30, 440, 3_000, 9_000, 20_000), { maxLength: 5 });

/** How far off the clock of each gateway is, and to what whose clock is set meanwhile, milliseconds. */
export interface ClockScript {
  readonly offBy: readonly number[];
  readonly settings: readonly { readonly at: number; readonly offByMs: number }[];
}
/** A gateway that is farther ahead takes a code for one that ended two minutes ago, and refuses it. */
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
  /** Twilio returns it with what it tells. */
  readonly reference: string;
  outcome: 'open' | 'accepted' | 'refused' | 'lost';
  /** Something may have said so. */
  mayHaveFailed: boolean;
  /** A callback that said so has been answered, and all has been done that follows from it. */
  isDelivered: boolean;
  /** The state that gateways share has been told. */
  isToldDelivered: boolean;
}
interface PlayedEvent {
  readonly key: string;
  readonly script: EventScript;
  readonly calls: InjectedCall[];
  /** When its first call came, and when its code ends, by a clock that nobody sets. */
  cameAtMs: number;
  endsAtMs: number;
  /** The guard has let it pass. */
  hasPassed: boolean;
  /** Another code came in the same moment. */
  isAtOnce: boolean;
  isOvertaken: boolean;
  /** The state has said so. */
  isToldOvertaken: boolean;
}

/** One play: what happens in it, and what must not. */
export class LatePlay {
  /** What went wrong. */
  readonly wrong: string[] = [];
  readonly #s: fc.Scheduler;
  readonly #isTimed: boolean;
  /** The gateways share one state. */
  readonly #isShared: boolean;
  readonly #settings: ClockScript['settings'];
  /** How far the clock of each gateway is off. */
  readonly #offBy: number[];
  readonly #events: readonly PlayedEvent[];
  /** In the order in which they came. */
  readonly #arrived: PlayedEvent[] = [];
  readonly #sends: Sent[] = [];
  readonly #told: HookEvent[] = [];
  #questions = 0;

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
      hasPassed: false,
      isAtOnce: false,
      isOvertaken: false,
      isToldOvertaken: false,
    }));
  }

  /** Time stands still while a state is asked: one that is slow is a state that is lost. */
  mayTimePass = (): boolean => this.#questions === 0;

  onEvent = (event: HookEvent): void => {
    this.#told.push(event);
  };

  /** The wall clock of a gateway. */
  clockOf(at: number): () => number {
    return () => Date.now() + (this.#offBy[at] ?? 0);
  }

  /** A state elsewhere: what it is asked takes its turn; what it is told is there at once. */
  state(memory: StatePort): StatePort {
    const inTurn =
      <Args extends unknown[], Answer>(what: string, work: (...args: Args) => Answer) =>
      async (...args: Args): Promise<Awaited<Answer>> => {
        this.#questions += 1;
        await this.#s.schedule(Promise.resolve(), `the state is asked: ${what}`);
        const answer = await work(...args);
        await this.#s.schedule(Promise.resolve(), `the state answers: ${what}`);
        this.#questions -= 1;
        return answer;
      };
    return {
      ...memory,
      claim: inTurn('claim', (...args) => memory.claim(...args)),
      isShared: this.#isShared,
      // What a state that is shared knows when it answers right before a late send, that one must heed; nobody knows what
      // comes to another gateway while the answer is on its way.
      isNewest: inTurn('newest', async (...args) => {
        const answer = await memory.isNewest(...args);
        const event = this.#events.find(({ key }) => key === args[1]);
        if (event !== undefined) event.isToldOvertaken = answer === false;
        return answer;
      }),
      keepReceipt: inTurn('keep', (...args) => memory.keepReceipt(...args)),
      takeReceipt: inTurn('receipt', (...args) => {
        const [key, , report] = args;
        const sent = this.#sends.find(({ id }) => key === `twilio ${id}`);
        if (sent !== undefined && report.status === 'delivered') sent.isToldDelivered = true;
        return memory.takeReceipt(...args);
      }),
      isDelivered: inTurn('delivered', (...args) => {
        for (const sent of this.#sends)
          if (args[0].includes(`twilio ${sent.id}`) && sent.isToldDelivered) sent.isDelivered = true;
        return memory.isDelivered(...args);
      }),
      overtake: (person, event) => {
        const passing = this.#events.find(({ key }) => key === event.eventKey);
        if (passing !== undefined && !event.isPreview) this.#pass(passing, (event.ageMs ?? 0) === 0);
        if (passing !== undefined) passing.hasPassed = true;
        return memory.overtake(person, event);
      },
    };
  }

  channels(): Record<Name, Channel> {
    const make = (channel: Name): Channel => ({
      reports: channel === 'whatsapp' ? 'deliveries' : undefined,
      // Twilio's callbacks tell of them.
      idNamespace: 'twilio',
      ...(channel === 'sms' ? {} : { lookUp: (id: string) => this.#lookUp(id) }),
      send: async ({ request }, { leaveSignal, reference }) => {
        const sent = this.#leave(request.eventId, channel, { isTooLate: leaveSignal.aborted, reference });
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

  /** Every caller comes in its turn, and each message brings with it what is told of it. */
  begin(hooks: readonly TelephonyHook[]): void {
    const hookAt = (at: number): TelephonyHook => {
      const hook = hooks[at % hooks.length];
      if (hook === undefined) throw new Error('there is no gateway');
      return hook;
    };
    this.#tell = (sent, { status, at }) => {
      if (status === 'undelivered') sent.mayHaveFailed = true;
      injectCallback(hookAt(at), { MessageSid: sent.id, MessageStatus: status }, SIGNED, sent.reference);
      // Which of several will send, it learns from the state.
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
      // What is forgotten soon would be the first again.
      const callers = isPreview || isBrief ? 1 : 1 + repeats;
      for (let caller = 0; caller < callers; caller += 1) {
        void this.#s.schedule(Promise.resolve(), `${event.key} comes`).then(() => {
          const lifeMs = isBrief ? BRIEF_MS : LIFE_MS;
          if (event.calls.length === 0) {
            this.#arrived.push(event);
            event.cameAtMs = performance.now();
            event.endsAtMs = event.cameAtMs + lifeMs;
          }
          event.calls.push(
            inject(hookAt(caller + this.#events.indexOf(event)), {
              eventId: event.key,
              preview: isPreview,
              otpExpires: new Date(Date.now() + lifeMs),
            }),
          );
        });
      }
    }
  }

  /** What must have happened once much time has passed. */
  expectDone(): void {
    const accepted = new Set<string | undefined>();
    const refusedLate = new Set<string>();
    this.#expectRecognised();
    for (const event of this.#told) {
      if (event.type !== 'attempt.ended' && event.type !== 'attempt.settled') continue;
      if (event.outcome === 'accepted') accepted.add(event.transactionId);
      if (event.type === 'attempt.settled' && event.outcome === 'refused')
        refusedLate.add(`${event.eventId} ${event.channel}`);
    }
    for (const event of this.#told) {
      if (event.type === 'callback.unmatched' && accepted.has(event.transactionId))
        this.wrong.push(`${event.transactionId} was told to be unknown`);
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
      if (next === undefined || event.script.isBrief || event.isOvertaken || event.isAtOnce) continue;
      // Of any with this code, at any time.
      const isDelivered = this.#sends.some(
        (other) =>
          other.event === event &&
          [...other.script.told.map(({ status }) => status), other.script.asked].includes('delivered'),
      );
      const isDue =
        script.told.some(({ status }) => status === 'undelivered') ||
        script.asked === 'failed' ||
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

  /** A message whose answer was lost is accepted once, if something final was told of it before its code ended. */
  #expectRecognised(): void {
    for (const { id, outcome, script, event } of this.#sends) {
      if (outcome !== 'lost') continue;
      const times = this.#told.filter(
        (told) => told.type === 'attempt.settled' && told.outcome === 'accepted' && told.transactionId === id,
      ).length;
      const isTold = id.endsWith('-sms') ? false : script.told.some(({ status }) => status !== 'sent');
      if (times > 1 || (isTold && !event.script.isBrief && times === 0))
        this.wrong.push(`${id} was recognised ${times} times`);
    }
  }

  /** Set when it begins: callbacks need the hook, whose channels need the play. */
  #tell: (sent: Sent, told: Told) => void = () => undefined;

  #leave(
    key: string,
    channel: Name,
    { isTooLate, reference }: { readonly isTooLate: boolean; readonly reference: string },
  ): Sent {
    const event = this.#events.find((played) => played.key === key);
    if (event === undefined) throw new Error('no such event');
    const id = `SM-${key}-${channel}`;
    const before = this.#sends.filter((sent) => sent.event === event);
    const refuse = (why: string): void => void this.wrong.push(`${id}: ${why}`);
    if (isTooLate) refuse('left when nothing may');
    if (this.#hasLeft(event, channel)) refuse('left twice');
    if (
      !before.every(
        ({ outcome, mayHaveFailed }) => outcome === 'refused' || (outcome !== 'open' && mayHaveFailed),
      )
    )
      refuse('left although the one before it may arrive');
    const isLate = event.calls.some((call) => call.answers().length > 0);
    // Previews come beside what users sign in by.
    const newer = event.script.isPreview
      ? undefined
      : this.#sends.find(
          (sent) =>
            !sent.event.script.isPreview && this.#isOfEarlierMoment(event, sent.event, before.length > 0),
        );
    if (newer !== undefined && !this.#isShared) refuse(`left after ${newer.id}, which is newer`);
    if (isLate) {
      if (before.some(({ isDelivered }) => isDelivered)) refuse('left late, after one was delivered');
      if (this.#isShared ? event.isToldOvertaken : event.isOvertaken)
        refuse('left late, after a newer event');
      if (performance.now() >= event.endsAtMs) refuse('left late, after its end');
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
      isToldDelivered: false,
    };
    this.#sends.push(sent);
    // Twilio tells nothing of what it did not take.
    if (channel !== 'sms' && script.ending !== 'refused') {
      for (const told of script.told) {
        void this.#s.schedule(Promise.resolve(), `${id} is ${told.status}`).then(() => {
          this.#tell(sent, told);
        });
      }
    }
    return sent;
  }

  /** What a sign-in overtakes that the guard lets pass. @param isOfThisMoment - it has waited for nothing. */
  #pass(passing: PlayedEvent, isOfThisMoment: boolean): void {
    for (const other of this.#arrived) {
      if (other === passing) continue;
      // Which of these is the newer one depends on which gateway each came to.
      if (this.#isShared && Math.abs(other.cameAtMs - passing.cameAtMs) <= SAME_MOMENT_MS)
        other.isAtOnce = passing.isAtOnce = true;
      const isBefore = this.#isBefore(other, passing);
      // What passes later is the newer one, but for sign-ins of one gateway, which knows when they came.
      const isKnown = other.hasPassed || (!this.#isShared && !other.script.isPreview);
      if (isKnown && (isBefore || (isOfThisMoment && other.hasPassed))) other.isOvertaken = true;
      else if (!isBefore && other.hasPassed && !other.script.isPreview) passing.isOvertaken = true;
    }
  }

  /** The first attempts of codes that come in one moment do not wait for each other. */
  #isOfEarlierMoment(one: PlayedEvent, other: PlayedEvent, hasBegun: boolean): boolean {
    return this.#isBefore(one, other) && (hasBegun || other.cameAtMs - one.cameAtMs > SAME_MOMENT_MS);
  }

  /** Whether the call of one came before that of the other. */
  #isBefore(one: PlayedEvent, other: PlayedEvent | undefined): boolean {
    if (other === undefined || one === other) return false;
    return this.#arrived.indexOf(one) < this.#arrived.indexOf(other);
  }

  async #lookUp(
    id: string,
  ): Promise<{ status: 'pending' | 'delivered' } | { status: 'failed'; code: string; reason: string }> {
    const sent = this.#sends.find((known) => known.id === id);
    if (sent === undefined) throw new Error('no such message');
    const { asked } = sent.script;
    // A question that takes its time is given up; this one does not.
    this.#questions += 1;
    await this.#s.schedule(Promise.resolve(), `${id} is asked for: ${asked}`);
    this.#questions -= 1;
    if (asked !== 'failed') return { status: asked };
    sent.mayHaveFailed = true;
    return { status: 'failed', code: 'GONE', reason: 'no' };
  }

  #hasLeft(event: PlayedEvent, channel: Name): boolean {
    return this.#sends.some((sent) => sent.event === event && sent.channel === channel);
  }
}
