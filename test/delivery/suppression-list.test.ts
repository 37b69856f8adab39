import { expect } from 'chai';
import type sinon from 'sinon';
import type { StatePort } from '#lib/delivery/state.js';
import { LocalSuppressions, SuppressionList } from '#lib/delivery/suppression-list.js';
import { SUPPRESSED_MS, type SuppressionChange } from '#lib/delivery/suppressions.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { beforeRecords, watchRecords } from '#harness/records.js';
import { stopTime } from '#harness/stopped-time.js';
import { defer } from '#harness/until.js';

const NOW = 1_700_000_000_000;
const STOP: SuppressionChange = {
  what: 'suppress',
  channel: 'whatsapp',
  reason: 'STOPPED',
  lifeMs: SUPPRESSED_MS.STOPPED,
};
const START: SuppressionChange = {
  what: 'lift',
  channel: 'whatsapp',
  reasons: ['STOPPED', 'OPTED_OUT', 'NOT_REACHED'],
};

const PHONE = '+447700900123';
const LIFTED = { channel: 'whatsapp', reasons: ['STOPPED', 'OPTED_OUT', 'NOT_REACHED'] } as const;

describe('the suppressions of gateways', () => {
  let clock: sinon.SinonFakeTimers;
  let memory: StatePort;
  beforeEach(() => {
    clock = stopTime();
    memory = openMemoryState();
  });
  afterEach(() => {
    expect(clock.countTimers(), 'timers').to.equal(0);
    clock.restore();
  });
  const gateway = (state: StatePort = memory): SuppressionList =>
    new SuppressionList({ ...state, isShared: true }, () => NOW);
  /** What a gateway that has learnt nothing itself finds. */
  const reasonsOf = async (list = gateway(), phone = PHONE): Promise<readonly string[]> =>
    (await list.askFor(phone, performance.now())).map(({ channel, reason }) => `${channel} ${reason}`);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('are known to all once a change has resolved, until they are lifted or end', async () => {
    const one = gateway();
    await one.add(PHONE, 'whatsapp', 'STOPPED');
    await one.add(PHONE, 'sms', 'NOT_REACHED');
    expect(await reasonsOf()).to.have.members(['whatsapp STOPPED', 'sms NOT_REACHED']);
    expect(await reasonsOf(gateway(), '+447700900124')).to.be.empty;
    clock.tick(SUPPRESSED_MS.NOT_REACHED);
    expect(await reasonsOf()).to.deep.equal(['whatsapp STOPPED']);
    await gateway().lift(PHONE, LIFTED);
    expect(await reasonsOf()).to.be.empty;
    expect(await reasonsOf(one)).to.be.empty;
  });

  it('count in their process at once, and are waited for 200 ms; until they are shared they stay', async () => {
    const back = defer<undefined>();
    const list = gateway(
      beforeRecords(memory, ['suppressions'], (_names, how) =>
        how === 'update' ? back.promise : Promise.resolve(),
      ),
    );
    let isOver = false;
    const adding = list.add(PHONE, 'whatsapp', 'STOPPED').finally(() => (isOver = true));
    await clock.tickAsync(199);
    expect(isOver).to.equal(false);
    await clock.tickAsync(1);
    await adding;
    expect(await reasonsOf(list)).to.deep.equal(['whatsapp STOPPED']);
    expect(await reasonsOf()).to.be.empty;
    // Once it is shared, what gateways share counts alone.
    back.resolve(undefined);
    await turn();
    await gateway().lift(PHONE, LIFTED);
    clock.tick(1);
    expect(await reasonsOf(list)).to.be.empty;
  });

  it('do not replace a later change of another gateway after they have waited for Redis', async () => {
    const waitedMs = 60_000;
    const late: StatePort = {
      ...memory,
      update: (names, transition) =>
        memory.update(names, (known, moment) => transition(known, { ...moment, waitedMs })),
    };
    clock.tick(waitedMs);
    await gateway().lift(PHONE, LIFTED);
    await gateway(late).add(PHONE, 'whatsapp', 'STOPPED');
    expect(await reasonsOf()).to.be.empty;
    clock.tick(waitedMs + 1);
    await gateway(late).add(PHONE, 'whatsapp', 'STOPPED');
    expect(await reasonsOf()).to.deep.equal(['whatsapp STOPPED']);
  });

  it('count by their arrival if they come within the same moment', async () => {
    await gateway().lift(PHONE, LIFTED);
    await gateway().add(PHONE, 'whatsapp', 'STOPPED');
    expect(await reasonsOf()).to.deep.equal(['whatsapp STOPPED']);
    await gateway().lift(PHONE, LIFTED);
    expect(await reasonsOf()).to.be.empty;
  });

  it('are those of the number once it is paired with the id that sent STOP', async () => {
    await gateway().add('US.1', 'whatsapp', 'STOPPED');
    expect(await reasonsOf()).to.be.empty;
    expect(await gateway().numberOf('US.1')).to.equal(undefined);
    await gateway().pair('US.1', PHONE);
    expect(await reasonsOf()).to.deep.equal(['whatsapp STOPPED']);
    expect(await gateway().numberOf('US.1')).to.equal(PHONE);
    // A second pairing does not repeat the STOP.
    await gateway().lift(PHONE, LIFTED);
    await gateway().pair('US.1', PHONE);
    expect(await reasonsOf()).to.be.empty;
  });

  it('are those of a number in each of its spellings', async () => {
    const spellings = ['+525512345678', '+5215512345678'] as const;
    for (const [one, other] of [spellings, [spellings[1], spellings[0]]] as const) {
      await gateway().add(one, 'whatsapp', 'STOPPED');
      expect(await reasonsOf(gateway(), other)).to.deep.equal(['whatsapp STOPPED']);
      await gateway().lift(other, LIFTED);
      expect(await reasonsOf(gateway(), one)).to.be.empty;
    }
  });

  it('do not return to the number with an id whose STOP came before its START', async () => {
    await gateway().add('US.1', 'whatsapp', 'STOPPED');
    clock.tick(1);
    await gateway().lift(PHONE, LIFTED);
    await gateway().pair('US.1', PHONE);
    expect(await reasonsOf()).to.be.empty;
  });

  it('end at once at the gateway that gets START, though it is not shared yet', async () => {
    await gateway().add(PHONE, 'whatsapp', 'STOPPED');
    const list = gateway(
      beforeRecords(memory, ['suppressions'], (_names, how) =>
        how === 'update' ? new Promise(() => undefined) : Promise.resolve(),
      ),
    );
    const lifting = list.lift(PHONE, LIFTED);
    expect(await reasonsOf(list)).to.be.empty;
    await clock.tickAsync(200);
    await lifting;
  });

  it('have their end by the clock of the gateway that asks', async () => {
    await gateway().add(PHONE, 'whatsapp', 'STOPPED');
    const found = await gateway().askFor(PHONE, performance.now());
    expect(found.map(({ untilMs }) => Math.round(untilMs))).to.deep.equal([NOW + SUPPRESSED_MS.STOPPED]);
  });

  it('are written only if something changes', async () => {
    const written: string[] = [];
    const watched = watchRecords(memory, ({ key, next }) => {
      if (next !== undefined) written.push(key);
    });
    await gateway(watched).pair('US.1', PHONE);
    await gateway(watched).pair('US.1', PHONE);
    // Any message lifts what a provider reported.
    await gateway(watched).lift(PHONE, { channel: 'whatsapp', reasons: ['OPTED_OUT', 'NOT_REACHED'] });
    expect(written).to.deep.equal(['US.1']);
  });

  it('stay at the gateway that got them long ago, if the state cannot say', async () => {
    let isLost = false;
    const list = gateway(
      beforeRecords(memory, ['suppressions'], () =>
        isLost ? new Promise(() => undefined) : Promise.resolve(),
      ),
    );
    await list.add(PHONE, 'whatsapp', 'STOPPED');
    await clock.tickAsync(60_000);
    isLost = true;
    const asking = reasonsOf(list);
    await clock.tickAsync(200);
    expect(await asking).to.deep.equal(['whatsapp STOPPED']);
  });

  it('are those of this process if the state cannot say', async () => {
    const hanging = beforeRecords(memory, ['suppressions'], () => new Promise(() => undefined));
    const list = gateway(hanging);
    void list.add(PHONE, 'whatsapp', 'STOPPED');
    const asking = reasonsOf(list);
    const pairing = list.numberOf('US.1');
    await clock.tickAsync(200);
    expect(await asking).to.deep.equal(['whatsapp STOPPED']);
    expect(await pairing).to.equal(undefined);
  });
});

describe('suppressions that this process knows', () => {
  it('apply until all gateways know them, and then only to calls that began before', () => {
    const here = new LocalSuppressions();
    const isShared = here.change('+1', STOP, NOW);
    expect(here.of('+1', NOW, NOW + 1)).to.have.lengthOf(1);
    isShared();
    expect(here.of('+1', NOW, NOW + 1)).to.deep.equal([]);
    expect(here.of('+1', NOW, NOW)).to.have.lengthOf(1);
    expect(here.of('+2', NOW)).to.deep.equal([]);
  });

  it('apply to a number as soon as it is paired with the user id that sent STOP', () => {
    const here = new LocalSuppressions();
    const reasonsOf = (recipient: string): readonly string[] =>
      here.of(recipient, NOW + 5).map(({ reason }) => reason);
    here.change('US.1', STOP, NOW);
    here.pair('US.1', '+1', NOW + 1);
    expect(reasonsOf('+1')).to.deep.equal(['STOPPED']);
    expect(here.of('US.1', NOW + 1)).to.deep.include({
      ...{ channel: '', reason: 'PAIRED', number: '+1', atMs: NOW + 1, sharing: { isShared: false } },
      ...{ untilMs: NOW + 1 + SUPPRESSED_MS.STOPPED, count: 0, learntMs: NOW + 1 },
    });
    // A second pairing does not repeat the STOP.
    here.change('+1', START, NOW + 2);
    here.pair('US.1', '+1', NOW + 3);
    expect(reasonsOf('+1')).to.deep.equal(['STARTED']);
    // A START from the number that is newer than the STOP from the user id stays.
    here.change('US.2', STOP, NOW);
    here.change('+2', START, NOW + 1);
    here.pair('US.2', '+2', NOW + 2);
    expect(reasonsOf('+2')).to.deep.equal(['STARTED']);
  });
});
