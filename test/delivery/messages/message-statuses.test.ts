import { expect } from 'chai';
import type sinon from 'sinon';
import { MessageStatuses } from '#lib/delivery/messages/message-statuses.js';
import { isFinal, type FinalReport } from '#lib/delivery/messages/receipt.js';
import { fakeClock } from '#harness/fake-clock.js';
import { endTime } from '#harness/stopped-time.js';

const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No' };
const DELIVERED: FinalReport = { status: 'delivered' };

const OWNER = { eventId: 'event-1', oktaRequestId: undefined, userId: '00u1', toEnding: '23' };

describe('the store of message statuses', () => {
  let clock: sinon.SinonFakeTimers;
  let unknown: string[];
  let messages: MessageStatuses;
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
    unknown = [];
    messages = new MessageStatuses((transactionId) => unknown.push(transactionId));
  });
  afterEach(() => {
    messages.close();
    expect(endTime(clock), 'timers left').to.deep.equal([]);
  });

  it('knows the owner of a message, also after a report, but not of an unknown one', () => {
    messages.record('SM1', FAILED);
    expect(messages.ownerOf('SM1')).to.equal(undefined);
    messages.know('SM1', true, OWNER);
    messages.record('SM1', DELIVERED);
    messages.know('SM2', false, { ...OWNER, eventId: 'event-2' });
    expect(messages.ownerOf('SM1')).to.equal(OWNER);
    expect(messages.ownerOf('SM2')).to.include({ eventId: 'event-2' });
  });

  it('changes a status from failed to delivered, and never back', () => {
    messages.know('SM1', true, OWNER);
    expect(messages.record('SM1', FAILED)).to.equal('first');
    expect(messages.record('SM1', FAILED)).to.equal('none');
    expect(messages.isDelivered('SM1')).to.equal(false);
    expect(messages.record('SM1', DELIVERED)).to.equal('arrived');
    for (const report of [DELIVERED, FAILED]) expect(messages.record('SM1', report)).to.equal('none');
    expect(messages.isDelivered('SM1')).to.equal(true);
  });

  it('returns idle for the failure of a message without a receipt', () => {
    messages.know('SM1', false, OWNER);
    expect(messages.record('SM1', FAILED)).to.equal('idle');
    messages.know('SM2', true, OWNER);
    expect(messages.record('SM2', DELIVERED)).to.equal('first');
  });

  it('stores a report of an unknown message at once, and returns it when that is known', () => {
    expect(messages.record('SM1', FAILED)).to.equal('early');
    expect(messages.record('SM1', FAILED)).to.equal('none');
    expect(messages.know('SM1', true, OWNER)).to.equal(FAILED);
    expect(messages.record('SM1', FAILED)).to.equal('none');
    expect(messages.record('SM1', DELIVERED)).to.equal('arrived');
    expect(messages.know('SM2', true, OWNER)).to.equal(undefined);
    expect(unknown).to.be.empty;
  });

  it('stores the delivery of an unknown message after its failure', () => {
    messages.record('SM1', FAILED);
    expect(messages.record('SM1', DELIVERED)).to.equal('arrived');
    expect(messages.isDelivered('SM1')).to.equal(true);
    expect(messages.record('SM1', FAILED)).to.equal('none');
    expect(messages.know('SM1', true, OWNER)).to.equal(DELIVERED);
    expect(messages.isDelivered('SM1')).to.equal(true);
    expect(messages.isDelivered('SM2')).to.equal(false);
  });

  it('gives up an unknown message after 15 s, with one timer for all', () => {
    for (const [id, afterMs] of [
      ['SM1', 0],
      ['SM2', 1],
      ['SM3', 9_000],
      ['SM4', 0],
    ] as const) {
      clock.tick(afterMs);
      messages.record(id, FAILED);
    }
    messages.know('SM4', true, OWNER);
    expect(clock.countTimers()).to.equal(1);
    clock.tick(15_000 - 9_001);
    expect(unknown).to.deep.equal(['SM1']);
    clock.tick(15_000);
    expect(unknown).to.deep.equal(['SM1', 'SM2', 'SM3']);
    expect(clock.countTimers()).to.equal(0);
    expect(messages.record('SM1', FAILED)).to.equal('early');
    messages.giveUp('SM1');
    messages.giveUp('SM1');
    // SM1 was reported before.
    expect(unknown).to.deep.equal(['SM1', 'SM2', 'SM3']);
  });

  it('reports each message that it gives up once, and remembers 1,000 of them', () => {
    const giveUp = (id: string): void => {
      messages.record(id, FAILED);
      messages.giveUp(id);
    };
    for (let copies = 0; copies < 3; copies += 1) giveUp('SM0');
    expect(unknown).to.deep.equal(['SM0']);
    for (let count = 1; count <= 1_000; count += 1) giveUp(`SM${count}`);
    giveUp('SM1000');
    expect(unknown).to.have.length(1_001);
    giveUp('SM0');
    expect(unknown.at(-1)).to.equal('SM0');
  });

  it('keeps reports of at most 1,000 unknown messages', () => {
    for (let count = 0; count <= 1_000; count += 1) messages.record(`SM${count}`, FAILED);
    expect(unknown).to.deep.equal(['SM0']);
    expect(clock.countTimers()).to.equal(1);
    expect(messages.know('SM1', true, OWNER)).to.equal(FAILED);
  });

  it('knows the last 8,000 messages, and at most a fifth more', () => {
    for (let count = 0; count <= 16_000; count += 1) messages.know(`SM${count}`, true, OWNER);
    expect(messages.record('SM6400', FAILED)).to.equal('early');
    expect(messages.record('SM8001', FAILED)).to.equal('first');
  });

  it('reports no unknown message after close()', () => {
    messages.record('SM1', FAILED);
    messages.close();
    clock.tick(60_000);
    expect(unknown).to.be.empty;
  });
});

describe('a report', () => {
  it('is final if its status is delivered or failed', () => {
    expect([FAILED, DELIVERED, { status: 'pending' } as const].map(isFinal)).to.deep.equal([
      true,
      true,
      false,
    ]);
  });
});
