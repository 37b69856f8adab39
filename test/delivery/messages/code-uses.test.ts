import { expect } from 'chai';
import { Breaker } from '#lib/delivery/breaker.js';
import { CodeUses, type CodeUse } from '#lib/delivery/messages/code-uses.js';
import { EventStream } from '#lib/core/event-stream.js';
import type { HookEvent } from '#lib/core/events.js';
import type { LastCode, LastCodeRecord, SentCode, Known, KnownRecords } from '#lib/delivery/records.js';
import type { Claim, StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { eventClaim } from '#harness/event-claim.js';
import { stopTime } from '#harness/stopped-time.js';
import { defer, until } from '#harness/until.js';
import { readyChannel } from '../sends.js';

const NOW = Date.parse('2026-11-25T12:00:00Z');

const sent = (change: Partial<SentCode> = {}): SentCode => ({
  status: 'accepted',
  to: '+447700900123',
  codeRequest: { atMs: NOW - 9_000, endsAtMs: NOW + 60_000, country: 'GB' },
  channel: 'sms',
  providerIndex: 0,
  provider: 'OWN',
  transactionId: 'S1',
  reportedId: 'S1',
  deliveryChannel: 'sms',
  eventId: 'event-1',
  ...change,
});

describe('used codes', () => {
  let events: HookEvent[];
  let taken: number;
  /** The codes whose late sends were ended. */
  let ended: string[];
  let last: LastCode;
  let breaker: Breaker;
  const use = (at: number): CodeUse => ({
    id: `uuid-${at}`,
    userId: `00u${at}`,
    deliveryChannel: 'sms',
    atMs: NOW,
  });
  const many = (count: number): CodeUse[] => Array.from({ length: count }, (_, at) => use(at));
  const start = (confirm?: () => Promise<void>, change: Partial<StatePort> = {}): CodeUses => {
    events = [];
    taken = 0;
    ended = [];
    last = sent();
    breaker = new Breaker('host', () => undefined);
    const send = () => Promise.resolve({ status: 'accepted', transactionId: 'S1' } as const);
    const port = { send, ...(confirm === undefined ? {} : { confirm }) };
    const sms = readyChannel('sms', { provider: 'OWN', port, breaker });
    /** The last code of each user is `last`. */
    const update: StatePort['update'] = (names, transition) => {
      taken += 1;
      const kept = names.map(() => ({ value: { code: last }, leftMs: 1 })) as unknown as KnownRecords<
        typeof names
      >;
      return Promise.resolve(transition(kept, { keeperMs: NOW, waitedMs: 0 }).result);
    };
    return new CodeUses({
      state: { ...openMemoryState(), update, ...change },
      lateFailover: { codeUsed: (_person, eventId) => ended.push(eventId) },
      learning: undefined,
      events: new EventStream({ listeners: [(event) => events.push(event)], onEvent: undefined }, () => NOW),
      channels: new Map([['sms', [sms]]]),
      oktaNowMs: () => NOW,
      clock: () => NOW,
    });
  };
  const failed = (): readonly (readonly [code: string, count: number])[] =>
    events.flatMap((event) => (event.type === 'feedback.failed' ? [[event.code, event.count] as const] : []));

  it('are read and processed a few per turn of the event loop', async () => {
    const uses = start();
    let read = 0;
    const reading = function* (): Generator<CodeUse> {
      for (const one of many(1_000)) {
        read += 1;
        yield one;
      }
    };
    uses.receive(reading());
    expect(read).to.equal(100);
    for (let turn = 1; read < 1_000; turn += 1) {
      expect(read).to.be.at.most(turn * 100);
      expect(taken).to.be.at.most(turn * 4);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await uses.close();
    expect(events.filter(({ type }) => type === 'code.used')).to.have.length(1_000);
  });

  it('wait up to 1,000 for feedback to the provider; more are reported as TOO_MANY', async () => {
    const gate = defer<undefined>();
    let confirmed = 0;
    const uses = start(async () => {
      confirmed += 1;
      await gate.promise;
    });
    uses.receive(many(1_010));
    await until(() => taken === 1_010);
    await until(() => failed().length === 1);
    expect(failed()).to.deep.equal([['TOO_MANY', 1]]);
    gate.resolve(undefined);
    await uses.close();
    // Eight were under way.
    expect(confirmed).to.equal(1_008);
  });

  it('wait up to 10,000; more are skipped, which is reported once a minute', async () => {
    const gate = defer<Claim>();
    const uses = start(undefined, { claim: () => gate.promise });
    const skipped = (): readonly number[] =>
      events.flatMap((event) => (event.type === 'uses.skipped' ? [event.count] : []));
    uses.receive(many(10_010));
    await until(() => skipped().length > 0);
    gate.resolve(await openMemoryState().claim(eventClaim(undefined)));
    // Four were under way. `close()` waits for 10 s at most, and a busy machine may take longer.
    await until(() => taken >= 10_004);
    await uses.close();
    expect(skipped()).to.deep.equal([1]);
    expect(taken).to.equal(10_004);
  });

  it('without a time are of the last code, also if the clock of Okta seems to be behind its request', async () => {
    const uses = start();
    last = sent({ codeRequest: { atMs: NOW + 5_000, endsAtMs: NOW + 60_000 } });
    uses.receive([{ ...use(1), atMs: undefined }]);
    await uses.close();
    expect(events.map(({ type }) => type)).to.deep.equal(['code.used']);
  });

  it('that wait are ignored after close() has waited for 10 s', async () => {
    const clock = stopTime();
    try {
      const gate = defer<Claim>();
      let asked = 0;
      const uses = start(undefined, {
        claim: () => {
          asked += 1;
          return gate.promise;
        },
      });
      uses.receive(many(10));
      await until(() => asked === 4);
      const closing = uses.close();
      await clock.tickAsync(10_000);
      await closing;
      gate.resolve(await openMemoryState().claim(eventClaim(undefined)));
      await until(() => taken >= 4);
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(taken).to.equal(4);
    } finally {
      clock.restore();
    }
  });

  it('cause no feedback if the place of the provider that sent has another provider now', async () => {
    let confirmed = 0;
    const uses = start(() => {
      confirmed += 1;
      return Promise.resolve();
    });
    last = sent({ provider: 'OTHER' });
    uses.receive(many(1));
    await uses.close();
    expect(events.map(({ type }) => type)).to.deep.equal(['code.used']);
    expect(confirmed).to.equal(0);
  });

  describe('while the state is lost', () => {
    /** What this process knows: another use, this use or none has taken the code. */
    for (const [title, takenBy, early] of [
      ['are reported after 2 s by what this process knows', 'this use', 1],
      ['are reported once the state is back if this process knows nothing', undefined, 0],
      ['are reported once the state is back if this process knows another use', 'another use', 0],
    ] as const) {
      it(title, async () => {
        const clock = stopTime();
        try {
          const back = defer<undefined>();
          let isAsked = false;
          let own: Known<LastCodeRecord> | undefined;
          const recall = (): Known<LastCodeRecord> | undefined => own;
          const update: StatePort['update'] = async (_names, transition) => {
            const known = [{ value: { code: last }, leftMs: 1 }] as unknown as Parameters<
              typeof transition
            >[0];
            const after = transition(known, { keeperMs: NOW, waitedMs: 0 });
            const next = after.next?.[0]?.value as LastCodeRecord | undefined;
            if (next !== undefined && takenBy !== undefined)
              own = { value: takenBy === 'this use' ? next : { ...next, takenBy }, leftMs: 1 };
            isAsked = true;
            await back.promise;
            return after.result;
          };
          const uses = start(undefined, { update, recall: recall as StatePort['recall'] });
          const reported = (): number => events.filter(({ type }) => type === 'code.used').length;
          uses.receive(many(1));
          await until(() => isAsked);
          await clock.tickAsync(1_999);
          expect(reported()).to.equal(0);
          await clock.tickAsync(1);
          expect(reported()).to.equal(early);
          expect(ended).to.have.length(early);
          back.resolve(undefined);
          await until(() => reported() === 1);
          await uses.close();
          expect(reported()).to.equal(1);
          expect(ended).to.deep.equal([last.eventId]);
        } finally {
          clock.restore();
        }
      });
    }
  });

  it('cause no feedback to a provider whose breaker is open', async () => {
    let confirmed = 0;
    const uses = start(() => {
      confirmed += 1;
      return Promise.resolve();
    });
    for (let count = 0; count < 5; count += 1) breaker.enter()?.end('no-answer');
    uses.receive([use(1)]);
    await uses.close();
    expect(confirmed).to.equal(0);
    expect(failed()).to.deep.equal([['BREAKER_OPEN', 1]]);
  });

  it('cause feedback.failed with TIMEOUT if feedback hangs for 10 s', async () => {
    const clock = stopTime();
    try {
      let isCalled = false;
      const uses = start(() => {
        isCalled = true;
        return new Promise(() => undefined);
      });
      uses.receive([use(1)]);
      await until(() => isCalled);
      expect(failed()).to.be.empty;
      clock.tick(10_000);
      await until(() => failed().length === 1);
      expect(failed()).to.deep.equal([['TIMEOUT', 1]]);
      await uses.close();
    } finally {
      clock.restore();
    }
  });
});
