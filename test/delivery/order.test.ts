import { expect } from 'chai';
import {
  isAfter,
  isCurrent,
  LocalOrder,
  NOBODY,
  takePlace,
  UNKNOWN,
  useNewest,
  type ClaimingEvent,
  type OrderRecord,
} from '#lib/delivery/order.js';

const event = (eventKey: string, given: Partial<ClaimingEvent> = {}): ClaimingEvent => ({
  eventKey,
  place: undefined,
  isPreview: false,
  passes: true,
  requestedAtMs: 1_000,
  token: `token of ${eventKey}`,
  ...given,
});
const ORDER: OrderRecord = {
  count: 7,
  epoch: 'e',
  newestPlace: 5,
  newestEvent: 'five',
  requestedAtMs: 1_000,
};

describe('the order within a process', () => {
  it('knows of a newer call of the same person once the guard has allowed it', () => {
    const order = new LocalOrder();
    const [one, two, three] = [order.arrive(), order.arrive(), order.arrive()];
    expect(order.hasNewer('ana', one)).to.equal(false);
    order.pass('ana', two);
    expect([one, two, three].map((call) => order.hasNewer('ana', call))).to.deep.equal([true, false, false]);
    // A call that passes late is older, and stays so.
    order.pass('ana', one);
    expect(order.hasNewer('ana', one)).to.equal(true);
    expect(order.hasNewer('bea', one)).to.equal(false);
  });

  it('is known of the last 8,000 people and of one who requests codes repeatedly', () => {
    const order = new LocalOrder();
    const early = order.arrive();
    for (let at = 0; at < 20_000; at += 1) {
      order.pass(`person-${at}`, order.arrive());
      if (at % 1_000 === 0) order.pass('ana', order.arrive());
    }
    const isKnown = (at: number): boolean => order.hasNewer(`person-${at}`, early);
    expect([19_999, 12_001].map(isKnown)).to.deep.equal([true, true]);
    expect(isKnown(12_000)).to.equal(false);
    expect(order.hasNewer('ana', early)).to.equal(true);
  });
});

describe("the place of an event among its person's codes", () => {
  it('says nothing of an event that the state learned of late, if another one has the same place, or one before', () => {
    // Redis failed over to a replica without the newest event. That one is learned of again after the late one.
    const replica: OrderRecord = { ...ORDER, count: 5 };
    const late = takePlace(replica, event('late', { wasAlone: true }));
    expect(late).to.include({ place: '6.e~', isCurrent: 'unknown' });
    const { order } = takePlace(late.order, event('six', { place: '6.e' }));
    expect(order).to.include({ newestPlace: 6, newestEvent: 'six' });
    const asked = { eventKey: 'late', place: '6.e~', isPreview: false };
    expect(isCurrent(order, asked)).to.equal('unknown');
    expect(isCurrent(order, { ...asked, place: '6.e' })).to.equal(false);
    expect(isCurrent({ ...order, newestEvent: NOBODY }, asked)).to.equal(false);
    expect(isCurrent({ ...order, newestPlace: 7 }, asked)).to.equal(false);
    expect(isCurrent({ ...order, newestPlace: 5 }, asked)).to.equal('unknown');
  });

  it('makes no event the newest that had it before one of a process that decided alone', () => {
    // The guard blocked the event then, and a gateway without Redis has allowed it since.
    const blocked = takePlace(ORDER, event('eight', { passes: false }));
    const { order } = takePlace(blocked.order, event('alone', { wasAlone: true }));
    const allowed = takePlace(order, event('eight', { place: blocked.place }));
    expect(allowed).to.include({ place: '8.e', isCurrent: 'unknown' });
    expect(allowed.order).to.include({ newestPlace: 5, newestEvent: UNKNOWN });
    expect(takePlace(allowed.order, event('ten')).order).to.include({ newestPlace: 10, newestEvent: 'ten' });
  });

  it('is the next one; the first event makes the order', () => {
    const first = takePlace(undefined, event('one'));
    expect(first).to.deep.equal({
      order: {
        count: 1,
        epoch: 'token of one',
        newestPlace: 1,
        newestEvent: 'one',
        requestedAtMs: 1_000,
      },
      place: '1.token of one',
      isCurrent: true,
    });
    const second = takePlace(first.order, event('two', { requestedAtMs: 900 }));
    expect(second).to.deep.include({ place: '2.token of one', isCurrent: true });
    // Whatever a clock says.
    expect(second.order).to.include({ newestEvent: 'two', requestedAtMs: 900 });
  });

  for (const [what, change, expected] of [
    [
      'is the newest although it has had its place before',
      { place: '6.e' },
      { place: '6.e', isCurrent: true, newest: 'x' },
    ],
    [
      'is not the newest if a newer one has passed',
      { place: '4.e' },
      { place: '4.e', isCurrent: false, newest: 'five' },
    ],
    [
      'is not the newest if another event has the same place',
      { place: '5.e' },
      { place: '5.e', isCurrent: false, newest: 'five' },
    ],
    [
      'is not the newest if its place is of another order',
      { place: '9.other' },
      { place: '9.other', isCurrent: false, newest: 'five' },
    ],
    [
      'takes a place if it does not pass, and is not the newest',
      { passes: false },
      { place: '8.e', isCurrent: 'unknown', newest: 'five' },
    ],
    [
      'takes a place as a preview, and is not the newest',
      { isPreview: true },
      { place: '8.e', isCurrent: true, newest: 'five' },
    ],
    [
      'is not current as a preview if a code is newer',
      { isPreview: true, place: '3.e' },
      { place: '3.e', isCurrent: false, newest: 'five' },
    ],
  ] as const) {
    it(what, () => {
      const { order, place, isCurrent: current } = takePlace(ORDER, event('x', change));
      expect({ place, isCurrent: current, newest: order.newestEvent }).to.deep.equal(expected);
    });
  }

  it('makes an order again that is gone', () => {
    const { order, place, isCurrent: current } = takePlace(undefined, event('four', { place: '4.e' }));
    expect([place, current]).to.deep.equal(['4.e', true]);
    expect(order).to.include({ count: 4, epoch: 'e', newestPlace: 4, newestEvent: 'four' });
    const { order: blocked } = takePlace(undefined, event('four', { place: '4.e', passes: false }));
    expect(blocked).to.include({ count: 4, newestPlace: 0, newestEvent: UNKNOWN });
  });

  it('is after another one only of the same order', () => {
    expect(isAfter('10.e', '9.e')).to.equal(true);
    for (const [one, two] of [
      ['9.e', '9.e'],
      ['9.e', '10.e'],
      ['10.e', '9.f'],
      [undefined, '9.e'],
      ['9.e', undefined],
    ] as const) {
      expect(isAfter(one, two)).to.equal(false);
    }
  });

  it('is the same if its claim comes again', () => {
    const once = takePlace(ORDER, event('x'));
    expect(takePlace(once.order, event('x', { place: once.place }))).to.deep.equal(once);
  });
});

describe('whether an event is current', () => {
  const look = (order: OrderRecord | undefined, eventKey: string, place?: string, isPreview = false) =>
    isCurrent(order, { eventKey, place, isPreview });

  for (const [what, order, asked, expected] of [
    ['is unknown without an order', undefined, ['five', '5.e'], 'unknown'],
    ['is unknown for a preview without a place', ORDER, ['p', undefined, true], 'unknown'],
    ['is unknown if the newest is', { ...ORDER, newestEvent: UNKNOWN }, ['six', '6.e'], 'unknown'],
    [
      'is unknown for an event without a place if the newest is',
      { ...ORDER, newestEvent: UNKNOWN },
      ['x'],
      'unknown',
    ],
    [
      'is known for an event before the unknown newest',
      { ...ORDER, newestEvent: UNKNOWN },
      ['x', '4.e'],
      false,
    ],
    ['is true for the newest, also without a place', ORDER, ['five'], true],
    ['is false for any before it', ORDER, ['four', '4.e'], false],
    ['is not known for one without a place', ORDER, ['four'], 'unknown'],
    ['is not known for one after it, which its claim has not allowed', ORDER, ['six', '6.e'], 'unknown'],
    ['is false for all after a use', { ...ORDER, newestEvent: NOBODY }, ['five', '5.e'], false],
    ['is true for a preview after the newest', ORDER, ['p', '6.e', true], true],
    ['is false for a preview before the newest', ORDER, ['p', '4.e', true], false],
  ] as const) {
    it(what, () => {
      const [eventKey, place, isPreview] = asked as readonly [string, string?, boolean?];
      expect(look(order, eventKey, place, isPreview)).to.equal(expected);
    });
  }
});

describe('the use of a code', () => {
  it('leaves nobody current if the newest code was requested before, or at the same time', () => {
    expect(useNewest(ORDER, 999)).to.equal(ORDER);
    for (const usedAtMs of [1_000, 1_001]) {
      expect(useNewest(ORDER, usedAtMs)).to.deep.equal({ ...ORDER, newestEvent: NOBODY });
    }
  });

  it('says nothing if no code has passed', () => {
    const { order } = takePlace(undefined, event('preview', { isPreview: true }));
    expect(useNewest(order, 9_999)).to.equal(order);
  });
});
