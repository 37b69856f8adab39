import { expect } from 'chai';
import { GuardedState } from '#lib/delivery/guarded-state.js';
import type { MessageOwner, Receipt } from '#lib/delivery/messages/receipt.js';
import { UnknownAttempts, withAccepted } from '#lib/delivery/messages/unknown-attempts.js';
import type { StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { makeReceipt } from './receipts.js';

const ATTEMPT = 'a-reference';
const KEY = 'twilio SM1';

describe('attempts with an unknown outcome', () => {
  let state: StatePort;
  /** Which gateway recognised which message. */
  let recognised: [gateway: string, key: string, receipt: Receipt][];
  let found: string[];
  const onFound = ({ eventId }: MessageOwner): void => {
    found.push(eventId);
    expect(recognised, 'recognised before').to.have.length(found.length - 1);
  };
  const gateway = (name: string, of: StatePort = state): UnknownAttempts =>
    new UnknownAttempts(new GuardedState(of, () => undefined), (key, receipt) => {
      recognised.push([name, key, receipt]);
    });
  const recognisedBy = (): unknown => recognised.map(([name, key]) => [name, key]);
  beforeEach(() => {
    state = openMemoryState();
    recognised = [];
    found = [];
  });

  it('are recognised by one of two gateways that ask for them, with the kept receipt', async () => {
    const [one, other] = [gateway('one'), gateway('other')];
    const receipt = makeReceipt();
    await one.keep(ATTEMPT, receipt);
    await Promise.all([other, one, other].map((asking) => asking.take(ATTEMPT, KEY, onFound)));
    expect(recognised).to.deep.equal([['other', KEY, receipt]]);
    expect(found).to.deep.equal([receipt.request.eventId]);
  });

  it('are recognised by their own gateway if the report came to another one before', async () => {
    const [one, other] = [gateway('one'), gateway('other')];
    await other.take(ATTEMPT, KEY, onFound);
    expect(recognised).to.be.empty;
    await one.keep(ATTEMPT, makeReceipt());
    await other.take(ATTEMPT, KEY, onFound);
    expect(recognisedBy()).to.deep.equal([['one', KEY]]);
  });

  it('are recognised at once, and not kept, if the report came to this gateway before', async () => {
    const one = gateway('one');
    one.name(ATTEMPT, KEY, onFound);
    void one.keep(ATTEMPT, makeReceipt());
    expect(recognisedBy()).to.deep.equal([['one', KEY]]);
    await one.take(ATTEMPT, KEY, onFound);
    expect(recognised).to.have.length(1);
  });

  it('are recognised when the state is back if it was lost at the report', async () => {
    let bring: ((receipt: Receipt) => void) | undefined;
    const lost: StatePort['takeReceipt'] = (_key, _nowMs, _report, onLate) => void (bring = onLate);
    const one = gateway('one', { ...state, takeReceipt: lost });
    await one.take(ATTEMPT, KEY, onFound);
    expect(recognised).to.be.empty;
    bring?.(makeReceipt());
    expect(recognisedBy()).to.deep.equal([['one', KEY]]);
  });

  it('store no report under the message key, and isHere() is true until they are taken', async () => {
    const [one, other] = [gateway('one'), gateway('other')];
    await other.take(ATTEMPT, KEY, onFound);
    expect(await state.isDelivered([KEY], performance.now())).to.equal(false);
    await one.keep('another', makeReceipt());
    expect([one.isHere('another'), other.isHere('another')]).to.deep.equal([true, false]);
    await one.take('another', KEY, onFound);
    expect(one.isHere('another')).to.equal(false);
  });

  it('are reported as accepted under the masked id', () => {
    const attempt = { channel: 'sms', provider: 'TWILIO', durationMs: 9, providerRequestId: 'RQ1' };
    const receipt = makeReceipt({ attempts: [{ ...attempt, outcome: 'unknown', reason: 'No answer' }] });
    expect(withAccepted(receipt, 'SM1').attempts).to.deep.equal([
      { ...attempt, outcome: 'accepted', transactionId: 'SM1' },
    ]);
    const { phoneNumber } = receipt.request;
    expect(JSON.stringify(withAccepted(receipt, `id-${phoneNumber}`).attempts)).to.not.include(
      phoneNumber.slice(1),
    );
  });
});
