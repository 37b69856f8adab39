import { expect } from 'chai';
import fc from 'fast-check';
import type { AttemptReport } from '#lib/core/events.js';
import { messageKey, withAccepted, type FinalReport } from '#lib/delivery/messages/receipt.js';
import type { Receipt, AttemptRecord, MessageRecord, Known, Next } from '#lib/delivery/records.js';
import {
  attemptAfterEnd,
  attemptAfterNaming,
  messageAfter,
  messageAfterNaming,
  type MessageNews,
} from '#lib/delivery/messages/transitions.js';
import { makeReceipt } from './receipts.js';

/** By the steady clock of this process. */
const NOW = 1_000_000;
const LIFE_MS = 300_000;
const MINUTE_MS = 60_000;
/** How long the records in these tables still live. */
const LEFT_MS = 30_000;
/** How much longer the record of a failed message lives than its code. */
const OUTLIVES_MS = 10_000;

const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No' };
const EARLIER: FinalReport = { status: 'failed', code: '63016', reason: 'Earlier' };
const DELIVERED: FinalReport = { status: 'delivered' };
const KEY = messageKey('acme', 'SM1');
const REFERENCE = 'a-reference';

const UNKNOWN = { channel: 'whatsapp', provider: 'TWILIO', durationMs: 9, outcome: 'unknown' } as const;
const receiptOf = (change: Partial<Receipt> = {}): Receipt =>
  makeReceipt({ expiresAtMs: NOW + LIFE_MS, ...change });
/** The receipt by another gateway, whose steady clock has nothing to do with this one's. */
const OF_OTHER = receiptOf({ expiresAtMs: 77 });
const OF_UNKNOWN = receiptOf({ expiresAtMs: 77, attempts: [UNKNOWN] });

const known = <Value>(value: Value, leftMs = LEFT_MS): Known<Value> => ({ value, leftMs });
/** A record as the next transition sees it. */
const after = <Value>(
  before: Known<Value> | undefined,
  next: Next<Value> | undefined,
): Known<Value> | undefined => (next === undefined ? before : { value: next.value, leftMs: next.lifeMs });

const MESSAGES = {
  none: undefined,
  waiting: known({ status: 'waiting', receipt: OF_OTHER }),
  early: known({ status: 'early', failure: EARLIER }),
  failed: known({
    status: 'failed',
    followToken: 'first',
    failure: EARLIER,
    receipt: OF_OTHER,
    outlivesCodeMs: OUTLIVES_MS,
  }),
  delivered: known({ status: 'delivered' }),
} as const satisfies Record<string, Known<MessageRecord> | undefined>;
type MessageState = keyof typeof MESSAGES;

const newsOf = (what: 'accepted' | 'failed' | 'delivered', token: string): MessageNews =>
  what === 'accepted'
    ? { token, accepted: receiptOf() }
    : { token, report: what === 'failed' ? FAILED : DELIVERED };

describe('a message', () => {
  const STAYS = undefined;
  for (const [state, what, token, becomes, lifeMs, follows] of [
    ['none', 'accepted', 'new', 'waiting', LIFE_MS, false],
    ['none', 'failed', 'new', 'early', MINUTE_MS, false],
    ['none', 'delivered', 'new', 'delivered', MINUTE_MS, false],

    ['waiting', 'accepted', 'new', STAYS, 0, false],
    ['waiting', 'failed', 'new', 'failed', MINUTE_MS, true],
    ['waiting', 'delivered', 'new', 'delivered', MINUTE_MS, false],

    ['early', 'accepted', 'new', 'failed', LIFE_MS, true],
    ['early', 'failed', 'new', STAYS, 0, false],
    ['early', 'delivered', 'new', 'delivered', MINUTE_MS, false],

    ['failed', 'accepted', 'new', STAYS, 0, false],
    ['failed', 'accepted', 'first', STAYS, 0, true],
    ['failed', 'failed', 'new', STAYS, 0, false],
    ['failed', 'failed', 'first', STAYS, 0, true],
    ['failed', 'delivered', 'new', 'delivered', MINUTE_MS, false],
    ['failed', 'delivered', 'first', 'delivered', MINUTE_MS, false],

    ['delivered', 'accepted', 'new', STAYS, 0, false],
    ['delivered', 'failed', 'new', STAYS, 0, false],
    ['delivered', 'delivered', 'new', STAYS, 0, false],
  ] as const) {
    const by = token === 'first' ? ' by the news that let something follow' : '';
    const then = `${becomes === STAYS ? 'stays' : `becomes ${becomes}`}${follows ? ', and something follows' : ''}`;
    it(`of status ${state} that is ${what}${by}: ${then}`, () => {
      const { next, reply } = messageAfter(MESSAGES[state], newsOf(what, token), NOW);
      expect(next?.value.status).to.equal(becomes);
      if (next !== undefined) expect(next.lifeMs).to.equal(lifeMs);
      expect(reply.before).to.equal(state === 'none' ? undefined : state);
      expect(reply.follow !== undefined).to.equal(follows);
    });
  }

  it('has a cell for each status and news', () => {
    // `Record` has them all: a new status needs new lines above.
    const all: Record<MessageRecord['status'] | 'none', unknown> = MESSAGES;
    expect(Object.keys(all)).to.have.length(5);
  });

  for (const state of Object.keys(MESSAGES) as MessageState[]) {
    for (const what of ['accepted', 'failed', 'delivered'] as const) {
      it(`of status ${state} that is ${what} twice with one token gets the same reply, and changes once`, () => {
        const news = newsOf(what, 'mine');
        const once = messageAfter(MESSAGES[state], news, NOW);
        const record = after(MESSAGES[state], once.next);
        const twice = messageAfter(record, news, NOW);
        expect(twice.reply.follow).to.deep.equal(once.reply.follow);
        expect(after(record, twice.next)?.value).to.deep.equal(record?.value);
        // The same news of others let nothing follow.
        expect(messageAfter(record, newsOf(what, 'theirs'), NOW).reply.follow).to.equal(undefined);
      });
    }
  }

  it('fails with what was reported, and with what was reported first if that came before its acceptance', () => {
    for (const [state, what, failure] of [
      ['waiting', 'failed', FAILED],
      ['early', 'accepted', EARLIER],
      ['failed', 'failed', EARLIER],
    ] as const) {
      const { reply } = messageAfter(MESSAGES[state], newsOf(what, 'first'), NOW);
      expect(reply.follow?.failure, state).to.equal(failure);
    }
  });

  it('has receipts in replies that end by the clock of this process', () => {
    for (const [state, what, endsInMs] of [
      ['waiting', 'failed', LEFT_MS],
      ['waiting', 'delivered', LEFT_MS],
      ['early', 'accepted', LIFE_MS],
      ['failed', 'accepted', LEFT_MS - OUTLIVES_MS],
      ['failed', 'failed', LEFT_MS - OUTLIVES_MS],
      ['failed', 'delivered', LEFT_MS - OUTLIVES_MS],
    ] as const) {
      const { receipt, follow } = messageAfter(MESSAGES[state], newsOf(what, 'first'), NOW).reply;
      expect(receipt?.expiresAtMs, `${state} ${what}`).to.equal(NOW + endsInMs);
      if (follow !== undefined) expect(follow.receipt).to.deep.equal(receipt);
    }
  });

  for (const leftMs of [10_000, MINUTE_MS, 200_000]) {
    it(`that failed lives as long as its code, at least a minute: ${leftMs} ms. Replies that come again have the end of the code`, () => {
      const waiting = known({ status: 'waiting', receipt: OF_OTHER } as const, leftMs);
      const { next } = messageAfter(waiting, newsOf('failed', 'mine'), NOW);
      expect(next?.lifeMs).to.equal(Math.max(MINUTE_MS, leftMs));
      // At another gateway, five seconds later.
      const record = next && { value: next.value, leftMs: next.lifeMs - 5_000 };
      const again = messageAfter(record, newsOf('failed', 'mine'), 42);
      expect(again.reply.follow?.receipt.expiresAtMs).to.equal(42 + leftMs - 5_000);
    });
  }

  it('is not kept if it is accepted after its code has ended', () => {
    for (const lateMs of [0, 1]) {
      const news = { token: 'mine', accepted: receiptOf({ expiresAtMs: NOW - lateMs }) };
      expect(messageAfter(undefined, news, NOW)).to.deep.equal({
        next: undefined,
        reply: { before: undefined },
      });
    }
  });
});

const ATTEMPTS = {
  none: undefined,
  unknown: known({ status: 'unknown', receipt: OF_UNKNOWN }),
  named: known({ status: 'named', messageKey: KEY, recogniseToken: undefined }),
  /** Its end has recognised the message. */
  'recognised by its end': known({ status: 'named', messageKey: KEY, recogniseToken: 'first' }),
  /** A report has recognised the message. */
  'recognised by a report': known({
    status: 'named',
    messageKey: KEY,
    recogniseToken: 'first',
    kept: { receipt: OF_UNKNOWN, outlivesCodeMs: OUTLIVES_MS },
  }),
} as const satisfies Record<string, Known<AttemptRecord> | undefined>;

describe('an attempt', () => {
  const STAYS = undefined;
  for (const [state, what, token, becomes, lifeMs, isRecognised] of [
    ['none', 'ends', 'new', 'unknown', LIFE_MS, false],
    ['none', 'is named', 'new', 'named', MINUTE_MS, false],

    ['unknown', 'ends', 'new', STAYS, 0, false],
    ['unknown', 'is named', 'new', 'named', MINUTE_MS, true],

    ['named', 'ends', 'new', 'named', MINUTE_MS, true],
    ['named', 'is named', 'new', STAYS, 0, false],

    ['recognised by its end', 'ends', 'first', STAYS, 0, true],
    ['recognised by its end', 'ends', 'new', STAYS, 0, false],
    ['recognised by its end', 'is named', 'new', STAYS, 0, false],

    ['recognised by a report', 'is named', 'first', STAYS, 0, true],
    ['recognised by a report', 'is named', 'new', STAYS, 0, false],
    ['recognised by a report', 'ends', 'new', STAYS, 0, false],
  ] as const) {
    const by = token === 'first' ? ' with the token that recognised its message' : '';
    const then = `${becomes === STAYS ? 'stays' : `becomes ${becomes}`}${isRecognised ? ', and its message is recognised' : ''}`;
    it(`of status ${state} that ${what}${by}: ${then}`, () => {
      const news = { token, messageKey: KEY, receipt: receiptOf({ attempts: [UNKNOWN] }) };
      const transition = what === 'ends' ? attemptAfterEnd : attemptAfterNaming;
      const { next, reply } = transition(ATTEMPTS[state], news, NOW);
      expect(next?.value.status).to.equal(becomes);
      if (next !== undefined) expect(next.lifeMs).to.equal(lifeMs);
      expect(reply !== undefined).to.equal(isRecognised);
    });
  }

  it('that ends replies the key of the message, one that is named its receipt by the clock of this process', () => {
    const end = { token: 'mine', receipt: receiptOf() };
    expect(attemptAfterEnd(ATTEMPTS.named, end, NOW).reply).to.equal(KEY);
    const report = { token: 'first', messageKey: KEY };
    expect(attemptAfterNaming(ATTEMPTS.unknown, report, NOW).reply).to.deep.equal({
      ...OF_UNKNOWN,
      expiresAtMs: NOW + LEFT_MS,
    });
    expect(attemptAfterNaming(ATTEMPTS['recognised by a report'], report, NOW).reply?.expiresAtMs).to.equal(
      NOW + LEFT_MS - OUTLIVES_MS,
    );
  });

  it('that is recognised lives as long as its code, at least a minute', () => {
    for (const leftMs of [10_000, 200_000]) {
      const unknown = known({ status: 'unknown', receipt: OF_UNKNOWN } as const, leftMs);
      const { next } = attemptAfterNaming(unknown, { token: 'mine', messageKey: KEY }, NOW);
      expect(next?.lifeMs).to.equal(Math.max(MINUTE_MS, leftMs));
    }
  });

  it('gets the same reply if its end, or the report, comes twice with one token', () => {
    for (const state of ['none', 'unknown', 'named'] as const) {
      const end = { token: 'mine', receipt: receiptOf() };
      const ended = attemptAfterEnd(ATTEMPTS[state], end, NOW);
      expect(attemptAfterEnd(after(ATTEMPTS[state], ended.next), end, NOW).reply).to.equal(ended.reply);
      const report = { token: 'mine', messageKey: KEY };
      const named = attemptAfterNaming(ATTEMPTS[state], report, NOW);
      const again = attemptAfterNaming(after(ATTEMPTS[state], named.next), report, NOW);
      expect(again.reply).to.deep.equal(named.reply);
    }
  });

  it('is not kept if it ends after its code', () => {
    const end = { token: 'mine', receipt: receiptOf({ expiresAtMs: NOW }) };
    expect(attemptAfterEnd(undefined, end, NOW)).to.deep.equal({ next: undefined, reply: undefined });
  });
});

describe('a message whose attempt a report names', () => {
  const STAYS = undefined;
  const NOTHING = undefined;
  const unwanted = known({ status: 'unknown', receipt: { ...OF_UNKNOWN, isUnwanted: true } } as const);
  const attempts = { ...ATTEMPTS, unwanted };
  for (const [message, attempt, told, becomes, attemptBecomes, isRecognised, follows] of [
    ['none', 'none', 'pending', STAYS, 'named', false, false],
    ['none', 'none', 'failed', 'early', 'named', false, false],
    ['none', 'none', 'delivered', 'delivered', 'named', false, false],

    ['none', 'unknown', 'pending', 'waiting', 'named', true, false],
    ['none', 'unknown', 'failed', 'failed', 'named', true, true],
    ['none', 'unknown', 'delivered', 'delivered', 'named', true, false],

    ['none', 'named', 'pending', STAYS, STAYS, false, false],
    ['none', 'named', 'failed', 'early', STAYS, false, false],
    ['none', 'named', 'delivered', 'delivered', STAYS, false, false],

    // Another gateway has heard a report without the reference.
    ['early', 'unknown', 'pending', 'failed', 'named', true, true],
    ['early', 'unknown', 'failed', 'failed', 'named', true, true],
    ['early', 'unknown', 'delivered', 'delivered', 'named', true, false],

    // A message that is known needs no attempt.
    ['waiting', 'none', 'pending', STAYS, STAYS, false, false],
    ['waiting', 'none', 'failed', 'failed', STAYS, false, true],
    ['failed', 'none', 'failed', STAYS, STAYS, false, false],
    ['failed', 'none', 'delivered', 'delivered', STAYS, false, false],
    ['delivered', 'none', 'failed', STAYS, STAYS, false, false],

    ['waiting', 'unknown', 'failed', 'failed', 'named', true, true],
    ['delivered', 'unknown', 'failed', STAYS, 'named', true, false],

    // Nothing may follow: only whose message it is counts.
    ['none', 'unwanted', 'pending', STAYS, 'named', true, false],
    ['none', 'unwanted', 'failed', STAYS, 'named', true, false],
    ['early', 'unwanted', 'failed', STAYS, 'named', true, false],
  ] as const) {
    const then = [
      becomes === STAYS ? 'stays' : `becomes ${becomes}`,
      ...(isRecognised ? ['is recognised'] : []),
      ...(follows ? ['something follows'] : []),
    ].join(', ');
    it(`of status ${message}, attempt ${attempt}, that is ${told}: ${then}`, () => {
      const report = told === 'pending' ? undefined : told === 'failed' ? FAILED : DELIVERED;
      const news = { token: 'new', reference: REFERENCE, report };
      const before = [MESSAGES[message], attempts[attempt]] as const;
      const { next, reply } = messageAfterNaming(before, news, KEY, NOW);
      expect(next.map((one) => one?.value.status)).to.deep.equal([becomes, attemptBecomes]);
      expect(reply.before).to.equal(message === 'none' ? NOTHING : message);
      expect(reply.recognised !== undefined).to.equal(isRecognised);
      expect(reply.follow !== undefined).to.equal(follows);

      // The same news again: the same reply, and nothing changes.
      const now = [after(before[0], next[0]), after(before[1], next[1])] as const;
      const again = messageAfterNaming(now, news, KEY, NOW);
      expect(again.reply.recognised).to.deep.equal(reply.recognised);
      expect(again.reply.follow).to.deep.equal(reply.follow);
      expect(after(now[0], again.next[0])?.value).to.deep.equal(now[0]?.value);
      // Another gateway recognises nothing, and lets nothing follow.
      const theirs = messageAfterNaming(now, { ...news, token: 'theirs' }, KEY, NOW).reply;
      expect([theirs.recognised, theirs.follow]).to.deep.equal([NOTHING, NOTHING]);
    });
  }

  it('is looked for under the key that the attempt has, if that is another one', () => {
    const named = known({ status: 'named', messageKey: 'acme R1', recogniseToken: 'x' } as const);
    const reported = { token: 'new', reference: REFERENCE, report: FAILED };
    const accepted = { token: 'new', accepted: receiptOf() };
    for (const { next, reply } of [
      messageAfterNaming([undefined, named], reported, KEY, NOW),
      messageAfterNaming([undefined, named], accepted, KEY, NOW),
    ]) {
      expect(next).to.deep.equal([undefined, undefined]);
      expect(reply).to.deep.equal({ before: undefined, elsewhere: 'acme R1' });
    }
  });

  it('is named by its attempt once it is accepted, for as long as the code lives', () => {
    const news = { token: 'new', accepted: receiptOf() };
    const { next } = messageAfterNaming([undefined, undefined], news, KEY, NOW);
    expect(next).to.deep.equal([
      { value: { status: 'waiting', receipt: receiptOf() }, lifeMs: LIFE_MS },
      { value: { status: 'named', messageKey: KEY, recogniseToken: 'new' }, lifeMs: LIFE_MS },
    ]);
    // The same news again, as after a lost answer: nothing changes.
    const kept = [
      after<MessageRecord>(undefined, next[0]),
      after<AttemptRecord>(undefined, next[1]),
    ] as const;
    expect(messageAfterNaming(kept, news, KEY, NOW).next).to.deep.equal([undefined, undefined]);
  });

  it('is recognised with its attempt as accepted, under the masked id', () => {
    const attempt: AttemptReport = { ...UNKNOWN, providerRequestId: 'RQ1', reason: 'No answer' };
    const { outcome: _outcome, reason: _reason, ...stays } = attempt;
    const kept = receiptOf({ attempts: [attempt] });
    expect(withAccepted(kept, 'SM1').attempts).to.deep.equal([
      { ...stays, outcome: 'accepted', transactionId: 'SM1' },
    ]);
    const { phoneNumber } = kept.request;
    expect(JSON.stringify(withAccepted(kept, `id-${phoneNumber}`).attempts)).to.not.include(
      phoneNumber.slice(1),
    );
    const news = { token: 'mine', reference: REFERENCE, report: FAILED };
    const { reply } = messageAfterNaming([undefined, ATTEMPTS.unknown], news, KEY, NOW);
    expect(reply.recognised?.attempts.at(-1)).to.include({ outcome: 'accepted', transactionId: 'SM1' });
    // What follows shows it, too.
    expect(reply.follow?.receipt.attempts).to.deep.equal(reply.recognised?.attempts);
  });
});

describe('news of one message at two gateways, in any order and more than once', () => {
  /** Each gateway has its own steady clock. */
  const CLOCKS = [1_000_000, 7] as const;
  const gateways = fc.constantFrom(0, 1);
  const repeated = <News>(news: fc.Arbitrary<News>): fc.Arbitrary<(readonly [token: string, news: News])[]> =>
    fc
      .array(news, { minLength: 1, maxLength: 5 })
      .chain((all) =>
        fc
          .array(fc.nat({ max: all.length - 1 }), { minLength: all.length, maxLength: 15 })
          .map((order) => order.map((at) => [`news-${at}`, all[at] as News] as const)),
      );
  const numRuns = 2_000;

  it('let something follow for one token if it was accepted and failed, and for none after it is delivered', () => {
    const news = fc.record({
      what: fc.constantFrom('accepted', 'failed', 'failed', 'delivered'),
      at: gateways,
    });
    fc.assert(
      fc.property(repeated(news), (sequence) => {
        let record: Known<MessageRecord> | undefined;
        const followed = new Set<string>();
        const heard = new Set<string>();
        for (const [token, { what, at }] of sequence) {
          const { next, reply } = messageAfter(record, newsOf(what, token), CLOCKS[at] ?? 0);
          record = after(record, next);
          heard.add(what);
          if (reply.follow === undefined) continue;
          expect([...heard]).to.not.include('delivered');
          followed.add(token);
        }
        expect(followed.size).to.be.at.most(1);
        const isDue = heard.has('accepted') && heard.has('failed') && !heard.has('delivered');
        if (isDue) expect(followed.size).to.equal(1);
      }),
      { numRuns },
    );
  });

  it('recognise a message of unknown outcome for one token, and let something follow for one', () => {
    const news = fc.record({
      what: fc.constantFrom('end', 'end', 'failed', 'failed', 'delivered', 'pending'),
      isNaming: fc.boolean(),
      at: gateways,
    });
    fc.assert(
      fc.property(repeated(news), (sequence) => {
        let message: Known<MessageRecord> | undefined;
        let attempt: Known<AttemptRecord> | undefined;
        const [recognised, followed, heard] = [new Set<string>(), new Set<string>(), new Set<string>()];
        const note = (token: string, follow: unknown): void => {
          if (follow === undefined) return;
          expect([...heard]).to.not.include('delivered');
          followed.add(token);
        };
        const hear = (one: MessageNews, nowMs: number): void => {
          const { next, reply } = messageAfter(message, one, nowMs);
          message = after(message, next);
          note(one.token, reply.follow);
        };
        for (const [token, { what, isNaming, at }] of sequence) {
          const nowMs = CLOCKS[at] ?? 0;
          const receipt = receiptOf({ expiresAtMs: nowMs + LIFE_MS, attempts: [UNKNOWN] });
          if (what === 'end') {
            // An attempt ends once. Its write may come twice.
            const { next, reply } = attemptAfterEnd(attempt, { token: 'end', receipt }, nowMs);
            attempt = after(attempt, next);
            heard.add('end');
            if (reply === undefined) continue;
            recognised.add('end');
            hear({ token: 'accepted', accepted: withAccepted(receipt, 'SM1') }, nowMs);
            continue;
          }
          const report = what === 'pending' ? undefined : what === 'failed' ? FAILED : DELIVERED;
          heard.add(what);
          if (isNaming) {
            heard.add('name');
            const { next, reply } = messageAfterNaming(
              [message, attempt],
              { token, reference: REFERENCE, report },
              KEY,
              nowMs,
            );
            [message, attempt] = [after(message, next[0]), after(attempt, next[1])];
            if (reply.recognised !== undefined) recognised.add(token);
            note(token, reply.follow);
          } else if (report !== undefined) hear({ token, report }, nowMs);
        }
        expect(recognised.size).to.be.at.most(1);
        expect(followed.size).to.be.at.most(1);
        if (heard.has('end') && heard.has('name') && !heard.has('delivered')) {
          expect(recognised.size).to.equal(1);
          if (heard.has('failed')) expect(followed.size).to.equal(1);
        }
      }),
      { numRuns },
    );
  });
});
