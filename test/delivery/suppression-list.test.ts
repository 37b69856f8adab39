import { expect } from 'chai';
import type sinon from 'sinon';
import type { RecordState } from '#lib/delivery/records.js';
import { SuppressionList } from '#lib/delivery/suppression-list.js';
import { SUPPRESSED_MS } from '#lib/delivery/suppressions.js';
import { MemoryRecords } from '#lib/state/memory/memory-state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { remoteRecords, watchRecords, type RecordRequest } from '#harness/records.js';
import { stopTime } from '#harness/stopped-time.js';
import { defer } from '#harness/until.js';

const PHONE = '+447700900123';
/** A START. */

describe('the suppressions of gateways', () => {
  let clock: sinon.SinonFakeTimers;
  let shared: RecordState;
  beforeEach(() => {
    clock = stopTime();
    shared = new MemoryRecords();
  });
  afterEach(() => {
    expect(clock.countTimers(), 'timers').to.equal(0);
    clock.restore();
  });
  /** A gateway that has learnt nothing itself. */
  const gateway = (
    before: (how: RecordRequest['how']) => Promise<unknown> = () => Promise.resolve(),
    records = shared,
  ): SuppressionList => {
    const view = remoteRecords(records, ['suppressions'], async ({ how }, work) => {
      await before(how);
      return work();
    });
    return new SuppressionList(view);
  };
  const known = (list: SuppressionList, phone = PHONE): readonly string[] =>
    list.of(phone).map(({ channel, reason }) => `${channel} ${reason}`);
  /** What a gateway finds when it asks. */
  const reasonsOf = async (list = gateway(), phone = PHONE): Promise<readonly string[]> => {
    await list.refresh(phone);
    return known(list, phone);
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('are known to all once a change has resolved, until they are lifted or end', async () => {
    const one = gateway();
    await one.add(PHONE, 'whatsapp', 'STOPPED');
    await one.add(PHONE, 'sms', 'NOT_REACHED');
    expect(await reasonsOf()).to.have.members(['whatsapp STOPPED', 'sms NOT_REACHED']);
    expect(await reasonsOf(gateway(), '+447700900124')).to.be.empty;
    clock.tick(SUPPRESSED_MS.NOT_REACHED);
    expect(await reasonsOf()).to.deep.equal(['whatsapp STOPPED']);
    expect(known(one)).to.deep.equal(['whatsapp STOPPED']);
    await gateway().liftAll(PHONE, 'whatsapp');
    expect(await reasonsOf()).to.be.empty;
    expect(await reasonsOf(one)).to.be.empty;
  });

  it('count in their process at once, and are waited for 200 ms', async () => {
    const back = defer<undefined>();
    const list = gateway((how) => (how === 'update' ? back.promise : Promise.resolve()));
    let isOver = false;
    const adding = list.add(PHONE, 'whatsapp', 'STOPPED').finally(() => (isOver = true));
    expect(known(list)).to.deep.equal(['whatsapp STOPPED']);
    await clock.tickAsync(199);
    expect(isOver).to.equal(false);
    await clock.tickAsync(1);
    await adding;
    expect(await reasonsOf(list)).to.deep.equal(['whatsapp STOPPED']);
    expect(await reasonsOf()).to.be.empty;
    // Once it is shared, what gateways share counts alone.
    back.resolve(undefined);
    await turn();
    await gateway().liftAll(PHONE, 'whatsapp');
    expect(await reasonsOf(list)).to.be.empty;
  });

  it('do not replace a later change of another gateway after they have waited for Redis', async () => {
    const waitedMs = 60_000;
    const late = gateway(undefined, {
      ...openMemoryState(),
      update: (names, transition) =>
        shared.update(names, (before, moment) => transition(before, { ...moment, waitedMs })),
    });
    clock.tick(waitedMs);
    await gateway().liftAll(PHONE, 'whatsapp');
    await late.add(PHONE, 'whatsapp', 'STOPPED');
    expect(await reasonsOf()).to.be.empty;
    clock.tick(waitedMs + 1);
    await late.add(PHONE, 'whatsapp', 'STOPPED');
    expect(await reasonsOf()).to.deep.equal(['whatsapp STOPPED']);
  });

  it('count by their arrival if they come within the same moment', async () => {
    await gateway().liftAll(PHONE, 'whatsapp');
    await gateway().add(PHONE, 'whatsapp', 'STOPPED');
    expect(await reasonsOf()).to.deep.equal(['whatsapp STOPPED']);
    await gateway().liftAll(PHONE, 'whatsapp');
    expect(await reasonsOf()).to.be.empty;
  });

  it('are those of the number once it is paired with the id that sent STOP', async () => {
    await gateway().add('US.1', 'whatsapp', 'STOPPED');
    expect(await reasonsOf()).to.be.empty;
    expect(await gateway().numberOf('US.1')).to.equal(undefined);
    const one = gateway();
    await one.pair('US.1', PHONE);
    expect(known(one)).to.deep.equal(['whatsapp STOPPED']);
    expect(await reasonsOf()).to.deep.equal(['whatsapp STOPPED']);
    expect(await gateway().numberOf('US.1')).to.equal(PHONE);
    // A second pairing does not repeat the STOP.
    await gateway().liftAll(PHONE, 'whatsapp');
    await gateway().pair('US.1', PHONE);
    expect(await reasonsOf()).to.be.empty;
  });

  it('are those of a number in each of its spellings', async () => {
    const spellings = ['+525512345678', '+5215512345678'] as const;
    for (const [one, other] of [spellings, [spellings[1], spellings[0]]] as const) {
      await gateway().add(one, 'whatsapp', 'STOPPED');
      expect(await reasonsOf(gateway(), other)).to.deep.equal(['whatsapp STOPPED']);
      await gateway().liftAll(other, 'whatsapp');
      expect(await reasonsOf(gateway(), one)).to.be.empty;
    }
  });

  it('do not return to the number with an id whose STOP came before its START', async () => {
    await gateway().add('US.1', 'whatsapp', 'STOPPED');
    clock.tick(1);
    await gateway().liftAll(PHONE, 'whatsapp');
    await gateway().pair('US.1', PHONE);
    expect(await reasonsOf()).to.be.empty;
  });

  it('end at once at the gateway that gets START, though it is not shared yet', async () => {
    await gateway().add(PHONE, 'whatsapp', 'STOPPED');
    const list = gateway((how) => (how === 'update' ? new Promise(() => undefined) : Promise.resolve()));
    expect(await reasonsOf(list)).to.deep.equal(['whatsapp STOPPED']);
    const lifting = list.liftAll(PHONE, 'whatsapp');
    expect(await reasonsOf(list)).to.be.empty;
    await clock.tickAsync(200);
    await lifting;
  });

  it('are written only if something changes', async () => {
    const written: string[] = [];
    const list = new SuppressionList(
      watchRecords(openMemoryState(), ({ key, next }) => {
        if (next !== undefined) written.push(key);
      }),
    );
    await list.pair('US.1', PHONE);
    await list.pair('US.1', PHONE);
    // Any message lifts what a provider reported.
    await list.liftReported(PHONE, 'whatsapp');
    expect(written).to.deep.equal(['US.1']);
  });

  it('stay at the gateway that got or read them long ago, if the state cannot say', async () => {
    let isLost = false;
    const before = (): Promise<unknown> => (isLost ? new Promise(() => undefined) : Promise.resolve());
    const [one, two] = [gateway(before), gateway(before)];
    await one.add(PHONE, 'whatsapp', 'STOPPED');
    await two.refresh(PHONE);
    await clock.tickAsync(60_000);
    isLost = true;
    for (const list of [one, two]) {
      const asking = reasonsOf(list);
      await clock.tickAsync(200);
      expect(await asking).to.deep.equal(['whatsapp STOPPED']);
    }
  });

  it('are those of this process if the state cannot say', async () => {
    const list = gateway(() => new Promise(() => undefined));
    void list.add(PHONE, 'whatsapp', 'STOPPED');
    const asking = reasonsOf(list);
    const pairing = list.numberOf('US.1');
    await clock.tickAsync(200);
    expect(await asking).to.deep.equal(['whatsapp STOPPED']);
    expect(await pairing).to.equal(undefined);
  });
});
