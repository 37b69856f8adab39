import { expect } from 'chai';
import { WAIT_FOR_WINDOW } from '#lib/okta/api-error.js';
import type { ProfileReader, ProfileReading } from '#lib/okta/user-profile.js';
import { fakeClock } from '#harness/fake-clock.js';
import { closeReaders, readerOf } from './known-user.js';
import { failureOf, httpDate, makeGate, NOW, startScriptedOkta, type ScriptedOkta } from './scripted-okta.js';

const SECOND_MS = 1_000;

interface LimitHeaders {
  readonly limit?: number | string | string[];
  readonly remaining?: number | string;
  /** Seconds from the time of Okta's clock. */
  readonly resetIn?: number;
  readonly reset?: string | string[];
  readonly date?: string;
}

function headersOf({
  limit,
  remaining,
  resetIn,
  reset,
  date,
}: LimitHeaders): Record<string, string | string[]> {
  const resetsAt = reset ?? (resetIn === undefined ? undefined : String(NOW / 1000 + resetIn));
  return {
    ...(limit === undefined ? {} : { 'X-Rate-Limit-Limit': Array.isArray(limit) ? limit : String(limit) }),
    ...(remaining === undefined ? {} : { 'X-Rate-Limit-Remaining': String(remaining) }),
    ...(resetsAt === undefined ? {} : { 'X-Rate-Limit-Reset': resetsAt }),
    ...(date === undefined ? {} : { Date: date }),
  };
}

describe("Okta's rate limit", () => {
  let okta: ScriptedOkta;
  let now: number;
  let users = 0;
  let reader: ProfileReader;
  let pauses: { reason: string; untilMs: number }[];
  let ends: { reason: string; pausedMs: number }[];
  before(async () => {
    okta = await startScriptedOkta();
  });
  after(() => okta.close());
  beforeEach(() => {
    now = NOW;
    pauses = [];
    ends = [];
    reader = readerOf(
      okta,
      () => now,
      {},
      (event) => {
        if (event.type === 'okta.paused') pauses.push({ reason: event.reason, untilMs: event.untilMs });
        if (event.type === 'okta.resumed') ends.push({ reason: event.reason, pausedMs: event.pausedMs });
      },
    );
  });
  afterEach(closeReaders);
  const read = (userId: string): Promise<ProfileReading> => reader.read({ userId, login: undefined }, 2_000);
  const answerWith = (limits: LimitHeaders, status = 200): void => {
    okta.answerWith(({ path }) => ({
      status,
      headers: headersOf(limits),
      body: { id: path.split('/').at(-1), profile: {} },
    }));
  };
  /** How long one answer pauses requests, in milliseconds; 0 if it does not. */
  const pauseAfter = async (limits: LimitHeaders, status = 200): Promise<number> => {
    answerWith(limits, status);
    const known = pauses.length;
    users += 1;
    await read(`u${users}`);
    const pause = pauses[known];
    return pause === undefined ? 0 : pause.untilMs - now;
  };

  it('pauses requests when less than a tenth of it remains, until its window ends', async () => {
    answerWith({ limit: 600, remaining: 59, resetIn: 20 });
    expect((await read('a')).source).to.equal('okta');
    expect(pauses).to.deep.equal([{ reason: 'LOW', untilMs: NOW + 21 * SECOND_MS }]);
    answerWith({});
    expect(await read('b')).to.deep.equal({ profile: undefined, source: 'none', reason: 'PAUSED' });
    now += 21 * SECOND_MS - 1;
    expect((await read('b')).reason).to.equal('PAUSED');
    expect(okta.requests).to.have.length(0);
    now += 1;
    expect((await read('b')).source).to.equal('okta');
  });

  it('causes no pause while a tenth of it remains', async () => {
    expect(await pauseAfter({ limit: 600, remaining: 60, resetIn: 20 })).to.equal(0);
  });

  it('lets cached profiles serve during a pause, fresh or stale', async () => {
    answerWith({});
    await read('a');
    now += 30 * SECOND_MS;
    answerWith({ limit: 600, remaining: 0, resetIn: 60 });
    await read('b');
    expect((await read('a')).source).to.equal('cache');
    now += 31 * SECOND_MS;
    expect(await read('a')).to.include({ source: 'stale', reason: 'PAUSED' });
    expect(okta.requests).to.have.length(1);
  });

  it('pauses requests after a 429, and a stale profile serves', async () => {
    answerWith({});
    await read('a');
    now += 60 * SECOND_MS;
    answerWith({ limit: 600, remaining: 0, resetIn: 30 }, 429);
    expect(await read('a')).to.include({ source: 'stale', reason: 'OKTA_RATE_LIMITED' });
    expect(pauses).to.deep.equal([{ reason: 'RATE_LIMITED', untilMs: now + 31 * SECOND_MS }]);
    expect(await read('a')).to.include({ source: 'stale', reason: 'PAUSED' });
    expect(okta.requests).to.have.length(1);
  });

  it('pauses requests for two seconds after a 429 for concurrency or without a window', async () => {
    expect(await pauseAfter({ limit: 0, remaining: 0, resetIn: 60 }, 429)).to.equal(2 * SECOND_MS);
    now += 60 * SECOND_MS;
    expect(await pauseAfter({}, 429)).to.equal(2 * SECOND_MS);
  });

  it('is read from error answers too', async () => {
    expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: 10 }, 404)).to.equal(11 * SECOND_MS);
    now += 60 * SECOND_MS;
    expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: 10 }, 500)).to.equal(11 * SECOND_MS);
  });

  it("ends a pause by Okta's clock, even if the gateway's is ten minutes off", async () => {
    for (const skewMs of [-600_000, 600_000]) {
      now = NOW + skewMs;
      expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: 10 })).to.equal(11 * SECOND_MS);
    }
    now = NOW;
    expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: 10, date: 'no date' })).to.equal(
      11 * SECOND_MS,
    );
  });

  it('pauses requests for at most 61 s, and not at all if the window is over', async () => {
    expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: 86_400 })).to.equal(61 * SECOND_MS);
    now += 120 * SECOND_MS;
    expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: -2 })).to.equal(0);
    expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: -1 })).to.equal(0);
    expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: -2 }, 429)).to.equal(SECOND_MS);
  });

  it('is not read from a header that comes twice or is not a number', async () => {
    const low = { limit: 600, remaining: 1, resetIn: 10 };
    for (const header of [
      { limit: ['600', '600'] },
      { limit: 'many' },
      { remaining: '-1' },
      { remaining: '' },
      { remaining: '1.5' },
      { reset: [String(NOW / 1000 + 10), String(NOW / 1000 + 10)] },
      { reset: httpDate(NOW) },
    ]) {
      expect(await pauseAfter({ ...low, ...header }), JSON.stringify(header)).to.equal(0);
      now += SECOND_MS;
    }
  });

  it('is reported once per pause, even by several answers, of which the longest pause counts', async () => {
    const gates = new Map(['40', '10'].map((id) => [id, makeGate()]));
    okta.answerWith(async ({ path }) => {
      const id = path.split('/').at(-1) ?? '';
      await gates.get(id)?.opened;
      return {
        status: 200,
        headers: headersOf({ limit: 600, remaining: 1, resetIn: Number(id) }),
        body: { id, profile: {} },
      };
    });
    const late = [...gates.keys()].map((id) => ({ id, reading: read(id) }));
    await read('20');
    for (const { id, reading } of late) {
      gates.get(id)?.open();
      await reading;
    }
    expect(pauses).to.deep.equal([{ reason: 'LOW', untilMs: NOW + 21 * SECOND_MS }]);
    now += 41 * SECOND_MS - 1;
    expect((await read('20b')).reason).to.equal('PAUSED');
    now += 1;
    expect(ends).to.be.empty;
    await read('30');
    expect(pauses).to.have.length(2);
    expect(ends).to.deep.equal([{ reason: 'LOW', pausedMs: 41 * SECOND_MS }]);
  });

  it('reports the end of a pause once, also without a request, and not early by the clock', async () => {
    const timers = fakeClock(['setTimeout', 'clearTimeout']);
    try {
      await pauseAfter({ limit: 600, remaining: 1, resetIn: 10 });
      // The clock is slower than the timer.
      now += 10 * SECOND_MS;
      timers.tick(11 * SECOND_MS);
      expect(ends).to.be.empty;
      // The clock stands still a millisecond before the end: it is asked once a second.
      now += SECOND_MS - 1;
      timers.tick(SECOND_MS);
      now += 1;
      timers.tick(SECOND_MS - 1);
      expect(ends).to.be.empty;
      timers.tick(1);
      expect(ends).to.deep.equal([{ reason: 'LOW', pausedMs: 11 * SECOND_MS }]);
      answerWith({});
      await read('a');
      timers.tick(60 * SECOND_MS);
      expect(ends).to.have.length(1);
    } finally {
      timers.restore();
    }
  });

  it('reports neither the end nor the start of a pause after close()', async () => {
    const timers = fakeClock(['setTimeout', 'clearTimeout']);
    try {
      await pauseAfter({ limit: 600, remaining: 1, resetIn: 10 });
      reader.close();
      now += 11 * SECOND_MS;
      timers.tick(11 * SECOND_MS);
      expect(ends).to.be.empty;
    } finally {
      timers.restore();
    }
    // A read from before close() may still get an answer.
    now += SECOND_MS;
    expect(await pauseAfter({ limit: 600, remaining: 1, resetIn: 10 })).to.equal(0);
    expect(pauses).to.have.length(1);
  });

  it('ends its pause if the clock is set back by an hour', async () => {
    await pauseAfter({ limit: 600, remaining: 1, resetIn: 10 });
    now -= 3_600 * SECOND_MS;
    answerWith({});
    expect((await read('a')).source).to.equal('okta');
  });

  it('lets check() fail without a request during a pause', async () => {
    await pauseAfter({ limit: 600, remaining: 1, resetIn: 10 });
    okta.answerWith(() => ({ status: 404, body: { errorCode: 'E0000007' } }));
    expect(await failureOf(reader.check(2_000))).to.include({
      code: 'OKTA_RATE_LIMITED',
      message: "Okta's rate limit is nearly used up: no request was sent",
      remedy: WAIT_FOR_WINDOW,
    });
    expect(okta.requests).to.have.length(0);
    now += 11 * SECOND_MS;
    await reader.check(2_000);
  });
});
