import { expect } from 'chai';
import sinon from 'sinon';
import type { ConnectedChannel, DeliveryFailure } from '#lib/core/channel.js';
import type { ReadyChannel, Delivery } from '#lib/delivery/attempt.js';
import { LRUCache } from 'lru-cache';
import { EventStream } from '#lib/core/event-stream.js';
import type { HookEvent } from '#lib/core/events.js';
import {
  LateFailover,
  type LateFailoverParts,
  type ReportCallback,
} from '#lib/delivery/messages/late-failover.js';
import { messageKey, ownerOf, type FinalReport, type MessageOwner } from '#lib/delivery/messages/receipt.js';
import type { Receipt } from '#lib/delivery/records.js';
import { newToken } from '#lib/core/token.js';
import { messageAfter, type MessageNews } from '#lib/delivery/messages/transitions.js';
import type { StatePort, Alarms } from '#lib/delivery/state.js';
import { steadyMs } from '#lib/core/time.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { eventClaim } from '#harness/event-claim.js';
import { fakeClock } from '#harness/fake-clock.js';
import { beforeRecords, remoteRecords, watchRecords } from '#harness/records.js';
import { endTime } from '#harness/stopped-time.js';
import { defer } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { makeMessage } from '../../channels/twilio/scripted-api.js';
import { CODE_LIFE_MS, makeReceipt, NOW } from './receipts.js';
import { readyChannel } from '../sends.js';

const FAILED: DeliveryFailure = { status: 'failed', code: '63024', reason: 'No' };
const DELIVERED = { status: 'delivered' } as const;
const REQUEST = makeMessage().request;
const SENT: Delivery = {
  status: 'accepted',
  decidedBy: { channel: 'sms', provider: 'TWILIO', outcome: 'accepted', durationMs: 1 },
  attempts: [],
  isFraudBlock: false,
};

const ready = (name: string, port: Partial<ConnectedChannel> = {}): ReadyChannel => {
  const send = (): Promise<never> => Promise.reject(new Error('not asked here'));
  return readyChannel(name, { provider: 'TWILIO', idNamespace: 'twilio', port: { send, ...port } });
};
const SMS = ready('sms');
const REPORTING = ready('whatsapp', { reports: 'deliveries' });
const SENT_BY = makeReceipt().sentBy;

const keyOf = (id: string): string => messageKey('twilio', id);

/** Lets everything run that needs no time to pass. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('late failover', () => {
  let clock: sinon.SinonFakeTimers;
  let now: number;
  let events: HookEvent[];
  let stream: EventStream;
  /** The event ids of the codes that were sent. */
  let left: string[];
  let state: StatePort;
  let late: LateFailover;
  let opened: LateFailover[];
  let owners: LRUCache<string, MessageOwner>;
  let channels: Map<string, readonly ReadyChannel[]>;
  let overtake: (eventKey: string, person?: string) => void;
  const make = (parts: Partial<LateFailoverParts> = {}, of: StatePort = state): void => {
    // What other processes write is known only once this one has asked.
    const view = remoteRecords(of, ['message', 'attempt'], (_request, work) => work());
    overtake = (eventKey, person = 'a person') => {
      const lives = { rememberMs: CODE_LIFE_MS, lifeMs: CODE_LIFE_MS };
      void state.claim(eventClaim(eventKey, { person, ...lives }));
      late.dropOlder(person, { eventKey });
    };
    owners = new LRUCache({ max: 100 });
    late = new LateFailover({
      state: { ...of, ...view },
      owners,
      events: stream,
      clock: () => now,
      deadlineMs: 2200,
      afterSeconds: {},
      channels,
      channelsOn: (names) => names,
      onRecognised: () => undefined,
      onDelivered: () => undefined,
      onLookedUpFailure: () => undefined,
      send: async ({ code: { request } }, isStillWanted) => {
        if (!(await isStillWanted())) return { ...SENT, status: 'refused', decidedBy: undefined };
        left.push(request.eventId);
        return SENT;
      },
      isSending: () => false,
      isBusy: () => false,
      ...parts,
    });
    opened.push(late);
  };
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
    now = NOW;
    events = [];
    stream = new EventStream({ listeners: [(event) => events.push(event)], onEvent: undefined }, () => now);
    left = [];
    channels = new Map([
      ['whatsapp', [REPORTING]],
      ['sms', [SMS]],
    ]);
    state = openMemoryState();
    opened = [];
    make();
  });
  afterEach(async () => {
    await settle();
    for (const one of opened) expect(one.underWay.size, 'under way').to.equal(0);
    for (const one of opened) one.close();
    stream.close();
    expect(endTime(clock), 'timers left').to.deep.equal([]);
  });

  const accept = (
    id: string,
    { by = REPORTING, receipt = {} }: { by?: ReadyChannel; receipt?: Partial<Receipt> | undefined } = {},
  ): void => {
    channels.set(by.name, [by]);
    const sentBy = { ...SENT_BY, channel: by.name };
    // The call that sends a code sets whose it is.
    owners.set(keyOf(id), { user: ownerOf(REQUEST), reportedId: id });
    late.accepted(keyOf(id), sentBy, () => makeReceipt({ sentBy, ...receipt }));
  };
  /** News of a message, SM1 by default, that come to another process. Replies whether something follows there. */
  const hearElsewhere = async (
    news: { readonly accepted: Receipt } | { readonly report: FinalReport },
    id = 'SM1',
  ): Promise<boolean> => {
    const heard: MessageNews = { token: newToken(), ...news };
    const follow = await state.update([{ kind: 'message', key: keyOf(id) }], ([known]) => {
      const { next, reply } = messageAfter(known, heard, steadyMs());
      return { next: [next], result: reply.follow };
    });
    return follow !== undefined;
  };
  const endings = (): unknown[] =>
    events.flatMap((event) => (event.type === 'failover.ended' ? [event.code ?? event.outcome] : []));
  const typesOf = (): string[] => events.map(({ type }) => type);

  it('does not end a running attempt that a report on another known message names', async () => {
    accept('SM1');
    await settle();
    const stop = sinon.fake();
    late.stopAtReport('twilio of-another', { stop, end: new Promise(() => undefined) });
    late.report(keyOf('SM1'), DELIVERED, { reference: 'twilio of-another' });
    await settle();
    expect(stop.callCount).to.equal(0);
  });

  describe('tells onOwner the owner', () => {
    let told: unknown[];
    const onOwner = (owner: MessageOwner | undefined): void => {
      told.push(owner?.user);
      // The failover ends after the owner is reported.
      expect(endings()).to.be.empty;
    };
    const report = async (id: string, status: 'pending' | 'delivered' | 'failed'): Promise<void> => {
      late.report(keyOf(id), status === 'failed' ? FAILED : { status }, { onOwner });
      await settle();
    };
    beforeEach(() => {
      told = [];
    });

    for (const [title, update] of [
      ['has no receipt', undefined],
      ['drops the question', () => Promise.resolve(undefined)],
      ['does not answer', () => new Promise<never>(() => undefined)],
    ] as const) {
      it(`as undefined, once per report, if the state ${title}`, async () => {
        make({}, { ...state, ...(update === undefined ? {} : { update }) });
        await report('SM1', 'failed');
        await report('SM1', 'failed');
        await clock.tickAsync(2_000);
        await settle();
        expect(told).to.deep.equal([undefined, undefined]);
      });
    }
  });

  it('keeps a receipt only of a message whose channel has reports or lookUp', async () => {
    const kept: string[] = [];
    const state = watchRecords(openMemoryState(), ({ kind, key, next }) => {
      if (kind === 'message' && next?.value.status === 'waiting') kept.push(key);
    });
    make({}, state);
    accept('SM1', { by: ready('whatsapp') });
    accept('SM2', { by: ready('whatsapp', { reports: 'failures' }) });
    accept('SM3', { by: ready('whatsapp', { lookUp: () => Promise.resolve(DELIVERED) }) });
    late.report(keyOf('SM3'), DELIVERED);
    await settle();
    expect(kept).to.deep.equal(['SM2', 'SM3'].map(keyOf));
  });

  it('does not look up a message if no further channel could send its code', async () => {
    let lookUps = 0;
    const lookUp = () => {
      lookUps += 1;
      return Promise.resolve(DELIVERED);
    };
    make({ afterSeconds: { whatsapp: 20 } });
    const by = ready('whatsapp', { reports: 'deliveries', lookUp });
    accept('SM1', { by, receipt: makeReceipt({ untried: [] }) });
    await clock.tickAsync(60_000);
    expect(lookUps).to.equal(0);
  });

  it('reports STATE_LOST for a message that fails while the state is lost, and sends nothing', async () => {
    const back = defer<undefined>();
    let isLost = false;
    make(
      {},
      {
        ...beforeRecords(state, ['message'], () => (isLost ? back.promise : Promise.resolve())),
        isShared: true,
      },
    );
    overtake('event-1');
    accept('SM1');
    await settle();
    isLost = true;
    late.report(keyOf('SM1'), FAILED);
    await clock.tickAsync(1_499);
    expect(endings()).to.be.empty;
    await clock.tickAsync(1);
    expect(endings()).to.deep.equal(['STATE_LOST']);
    // For another gateway's message, when the state is back.
    await hearElsewhere({ accepted: makeReceipt() }, 'SM2');
    late.report(keyOf('SM2'), FAILED);
    await clock.tickAsync(1_500);
    expect(endings()).to.have.length(1);
    back.resolve(undefined);
    await settle();
    expect(endings()).to.deep.equal(['STATE_LOST', 'STATE_LOST']);
    expect(left).to.be.empty;
  });

  describe('after an early report to another process', () => {
    const reportElsewhere = (report: FinalReport): Promise<boolean> => hearElsewhere({ report });
    /** Requests about messages wait for the end of `keeping`. */
    const makeSlow = (keeping: Promise<unknown>): void => {
      make(
        {},
        beforeRecords(state, ['message'], () => keeping),
      );
    };

    it('sends nothing for a delivered message, and sets no timer', async () => {
      make({ afterSeconds: { whatsapp: 20 } });
      overtake('event-1');
      for (const report of [FAILED, DELIVERED]) await reportElsewhere(report);
      accept('SM1');
      await settle();
      expect(clock.countTimers()).to.equal(0);
      expect(left).to.be.empty;
    });

    it('waits for a slow state in kept(), for at most 300 ms', async () => {
      const keeping = defer<undefined>();
      makeSlow(keeping.promise);
      overtake('event-1');
      await reportElsewhere(FAILED);
      accept('SM1');
      const hanging = late.kept();
      await clock.tickAsync(300);
      await hanging;
      const waiting = late.kept();
      keeping.resolve(undefined);
      await waiting;
      await settle();
      expect(left).to.deep.equal(['event-1']);
      await late.kept();
    });
  });

  it('does not report an unknown message if processes share a state', async () => {
    make({}, { ...state, isShared: true });
    late.report(keyOf('SM1'), FAILED);
    await settle();
    expect(events).to.be.empty;
  });

  it('asks the state nothing about a report that changes nothing', async () => {
    let updates = 0;
    const state = watchRecords(openMemoryState(), ({ kind }) => {
      if (kind === 'message') updates += 1;
    });
    make({}, state);
    overtake('event-1');
    accept('SM1', { receipt: { untried: [] } });
    await settle();
    late.report(keyOf('SM1'), DELIVERED);
    await settle();
    expect(updates).to.equal(2);
    for (const report of [DELIVERED, FAILED, { status: 'pending' } as const])
      late.report(keyOf('SM1'), report);
    await settle();
    expect(updates).to.equal(2);
  });

  describe('with an attempt whose outcome is unknown', () => {
    const REFERENCE = 'a-reference';
    const UNKNOWN = { channel: 'whatsapp', provider: 'TWILIO', durationMs: 9, outcome: 'unknown' } as const;
    const receipt = (change: Partial<Receipt> = {}): Receipt =>
      makeReceipt({ attempts: [UNKNOWN], ...change });
    /** Which gateway recognised which message, and the last attempt of its receipt then. */
    let recognised: (readonly [gateway: string, id: string, attempt: unknown])[];
    const gateway = (name: string, of: StatePort = state): LateFailover => {
      const onRecognised: LateFailoverParts['onRecognised'] = ({ attempts }, id) => {
        recognised.push([name, id, attempts.at(-1)?.outcome]);
      };
      make({ onRecognised }, { ...of, isShared: true });
      return late;
    };
    const report = (
      at: LateFailover,
      told: Parameters<LateFailover['report']>[1],
      onOwner?: ReportCallback['onOwner'],
    ): void => {
      at.report(keyOf('SM1'), told, { reference: REFERENCE, onOwner });
    };
    beforeEach(() => {
      recognised = [];
    });

    it('recognises it at once if a report came to its own gateway before, also one that is pending', async () => {
      const one = gateway('one');
      report(one, { status: 'pending' });
      one.unknown(REFERENCE, receipt());
      expect(recognised).to.deep.equal([['one', 'SM1', 'accepted']]);
      report(one, { status: 'pending' });
      report(one, DELIVERED);
      await settle();
      expect(recognised).to.have.length(1);
    });

    it('lets a pending report name it at its own gateway only', async () => {
      const [one, other] = [gateway('one'), gateway('other')];
      one.unknown(REFERENCE, receipt());
      await settle();
      report(other, { status: 'pending' });
      await settle();
      expect(recognised).to.be.empty;
      report(one, { status: 'pending' });
      await settle();
      expect(recognised).to.deep.equal([['one', 'SM1', 'accepted']]);
    });

    it('sends nothing either if the state was lost when its failure came before its answer', async () => {
      const back = defer<undefined>();
      const one = gateway(
        'one',
        beforeRecords(state, ['message'], () => back.promise),
      );
      report(one, FAILED);
      one.accepted(keyOf('SM1'), SENT_BY, () => receipt());
      await clock.tickAsync(1_501);
      back.resolve(undefined);
      await settle();
      expect(endings()).to.deep.equal(['STATE_LOST']);
      expect(left).to.be.empty;
    });

    for (const [title, change, told] of [
      ['has failed', {}, FAILED],
      ['is not wanted', { isUnwanted: true }, { status: 'pending' }],
    ] as const) {
      it(`looks up no message that it recognises and that ${title}`, async () => {
        const lookedUp: string[] = [];
        const lookUp: ConnectedChannel['lookUp'] = (id) => {
          lookedUp.push(id);
          return Promise.resolve({ status: 'pending' });
        };
        channels.set('whatsapp', [ready('whatsapp', { lookUp })]);
        const one = gateway('one');
        overtake('event-1');
        one.unknown(REFERENCE, receipt(change));
        await settle();
        report(one, told);
        await settle();
        expect(recognised).to.deep.equal([['one', 'SM1', 'accepted']]);
        await clock.tickAsync(20_000);
        expect(lookedUp).to.be.empty;
      });
    }
  });

  it('reports a message of a late send that is under way after 15 s', async () => {
    const sent = defer<Delivery>();
    make({ send: () => sent.promise });
    late.failed(makeReceipt(), FAILED);
    // lru-cache takes 0 for no time.
    await clock.tickAsync(1);
    late.report(keyOf('SM2'), DELIVERED);
    await settle();
    expect(events).to.be.empty;
    sent.resolve(SENT);
    await clock.tickAsync(15_001);
    expect(typesOf()).to.deep.equal(['failover.ended', 'callback.unmatched']);
  });

  it('reports an unknown message at once after a late send has ended', async () => {
    late.failed(makeReceipt(), FAILED);
    await settle();
    expect(typesOf()).to.deep.equal(['failover.ended']);
    late.report(keyOf('SM2'), DELIVERED);
    await settle();
    expect(typesOf()).to.deep.equal(['failover.ended', 'callback.unmatched']);
  });

  it('drops a running send only if it is for an older event of the same person', async () => {
    const sending = defer<undefined>();
    make({
      send: async (send) => {
        await sending.promise;
        if (send.dropped === undefined) left.push(send.code.eventKey);
        return SENT;
      },
    });
    for (const [id, receipt] of [
      ['SM1', {}],
      ['SM2', { person: 'somebody else' }],
      ['SM3', { eventKey: 'event-2' }],
      // It came while the claim of the newer event was under way.
      ['SM4', { eventKey: 'preview', isPreview: true, place: '3.e' }],
    ] as const) {
      late.failed(makeReceipt(receipt), FAILED, keyOf(id));
    }
    late.dropOlder('a person', { eventKey: 'event-2', place: '2.e' });
    sending.resolve(undefined);
    await settle();
    expect(left).to.deep.equal(['event-1', 'event-2', 'preview']);
  });

  it('ends with INTERNAL_ERROR and the reason if a send rejects', async () => {
    make({ send: () => Promise.reject(new Error('a channel broke')) });
    late.failed(makeReceipt(), FAILED);
    await settle();
    expect(events[0]).to.include({ outcome: 'refused', code: 'INTERNAL_ERROR', reason: 'a channel broke' });
  });

  it('reports an unusable receipt of a gateway of another version, and sends nothing', async () => {
    overtake('event-1', 'somebody');
    const accepted = { person: 'somebody', eventKey: 'event-1', expiresAtMs: steadyMs() + 1 } as Receipt;
    await hearElsewhere({ accepted });
    late.report(keyOf('SM1'), FAILED);
    await settle();
    const failed = events.flatMap((event) => (event.type === 'extension.failed' ? [event] : []));
    expect(failed.map(({ extension, eventId }) => [extension, eventId])).to.deep.equal([
      ['lateFailover', undefined],
    ]);
    expect(left).to.be.empty;
  });

  describe('over time', () => {
    const asking = (answer: () => unknown): ReadyChannel =>
      ready('whatsapp', { reports: 'deliveries', lookUp: answer as never });

    for (const [title, answer, reason] of [
      ['throws', () => Promise.reject(new Error(`no ${REQUEST.otpCode}`)), 'whatsapp: no …'],
      ['returns no report', () => ({ status: 'lost' }), /^whatsapp: its answer has no status/],
    ] as const) {
      it(`reports a lookUp that ${title}, once a minute`, async () => {
        mustNotShow(REQUEST.otpCode);
        overtake('event-1');
        accept('SM1', { by: asking(answer) });
        accept('SM2', { by: asking(answer) });
        await clock.tickAsync(8_000);
        now += 60_000;
        await clock.tickAsync(12_000);
        witness(events);
        const failures = events.flatMap((event) => (event.type === 'extension.failed' ? [event] : []));
        expect(failures).to.have.length(2);
        expect(failures[0]).to.include({ extension: 'lookUp', eventId: 'event-1' });
        expect(failures[0]?.reason).to.match(reason instanceof RegExp ? reason : new RegExp(`^${reason}$`));
      });
    }

    describe('with alarms of the state', () => {
      let due: (transactionId: string) => void;
      let set: (readonly [transactionId: string, dueInMs: number])[];
      let listeners: number;
      const makeWoken = (parts: Partial<LateFailoverParts> = {}): void => {
        [set, listeners] = [[], 0];
        const alarms: Alarms = {
          set: (...args) => set.push(args),
          onDue: (listener) => {
            listeners += 1;
            due = listener;
            return () => void (listeners = 0);
          },
        };
        state = { ...state, alarms, isShared: true };
        make({ afterSeconds: { whatsapp: 20 }, ...parts });
      };
      /** Keeps the receipt of a message that another process has sent. */
      const keepElsewhere = async (): Promise<void> => {
        overtake('event-1');
        await hearElsewhere({ accepted: makeReceipt() });
      };

      it('sets one a second after its own timer, only if the channel reports deliveries', () => {
        makeWoken();
        accept('SM1');
        accept('SM2', { by: SMS });
        expect(set).to.deep.equal([[keyOf('SM1'), 21_000]]);
        // Its code expires before that.
        accept('SM3', { receipt: { expiresAtMs: steadyMs() + 20_000 } });
        expect(set).to.have.length(1);
        expect(clock.countTimers()).to.equal(1);
      });

      it('does not listen for any without afterSeconds', () => {
        makeWoken({ afterSeconds: { whatsapp: undefined } });
        expect(listeners).to.equal(0);
      });

      for (const [answer, endingsThen] of [
        [DELIVERED, []],
        [FAILED, ['63024']],
        [{ status: 'pending' }, ['NOT_DELIVERED_IN_TIME']],
      ] as const) {
        it(`looks up the message at its alarm, and acts on ${answer.status}`, async () => {
          makeWoken({
            channels: new Map([
              ['whatsapp', [asking(() => Promise.resolve(answer))]],
              ['sms', [SMS]],
            ]),
          });
          await keepElsewhere();
          due(keyOf('SM1'));
          await settle();
          expect(
            events.flatMap((event) => (event.type === 'failover.ended' ? [event.cause.code] : [])),
          ).to.deep.equal(endingsThen);
        });
      }

      for (const [when, end] of [
        [
          'is closed',
          () => {
            late.close();
          },
        ],
        [
          'drains',
          () => {
            late.stopWaiting();
          },
        ],
      ] as const) {
        it(`leaves alarms to other processes once it ${when}`, async () => {
          makeWoken();
          await keepElsewhere();
          expect(listeners).to.equal(1);
          end();
          expect(listeners).to.equal(0);
        });
      }
    });
  });

  it('sends nothing and reports nothing after close()', async () => {
    overtake('event-1');
    accept('SM1');
    late.close();
    late.report(keyOf('SM1'), FAILED);
    late.report(keyOf('SM2'), FAILED);
    late.failed(makeReceipt(), FAILED);
    accept('SM3');
    await settle();
    expect(left).to.be.empty;
    expect(events).to.be.empty;
  });
});
