import { expect } from 'chai';
import type { LearnedCode, LearningState, LearnVerdict } from '#lib/delivery/learning.js';
import type { StatePort } from '#lib/delivery/state.js';
import { MemoryLearning } from '#lib/state/memory/memory-learning.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { Closers } from '#harness/closers.js';
import { eventClaim } from '#harness/event-claim.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, Traffic } from '#harness/learned.js';
import { useRedis, type RedisServer } from '#harness/redis-server.js';
import { patientTimes } from '#harness/redis-times.js';
import { runs } from '#harness/thoroughness.js';
import { between, chanceOf } from '../../chaos/chance.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
const NEW_KEY = Buffer.alloc(32, 2).toString('base64');

describe('the counts of the guard that learns, at several gateways on one Redis', () => {
  let redis: RedisServer;
  const closers = new Closers();
  useRedis((server) => {
    redis = server;
  });
  afterEach(() => closers.closeAll());

  const open = (encryptionKeys: readonly string[] = [KEY]): StatePort => {
    const state = openRedisState({ connection: redis.url, encryptionKeys }, patientTimes());
    return closers.add(state, () => state.close());
  };
  const gateways = (count: number): readonly Traffic[] =>
    Array.from({ length: count }, () => new Traffic(open().learning));
  const isBlocked = ({ blocks }: LearnVerdict): boolean => blocks.length > 0;

  it('are the same, also if their codes come at the same time', async () => {
    const [one, two] = gateways(2);
    const sent = Array.from({ length: 75 }, (_, at) => (at % 2 === 0 ? one : two)?.send());
    const verdicts = (await Promise.all(sent)).flatMap((verdict) => verdict ?? []);
    expect(verdicts.filter((verdict) => !isBlocked(verdict))).to.have.length(5);
    expect(await two?.blocks()).to.deep.equal(['learn.prefix']);
  });

  it('take a code back, and note a use, for all', async () => {
    const [one, two] = gateways(2);
    const code = one?.codeOf();
    if (one === undefined || two === undefined || code === undefined) throw new Error('no gateway');
    for (let sent = 0; sent < 4; sent += 1) await one.send();
    await one.count(code);
    expect(await two.blocks()).to.deep.equal(['learn.prefix']);
    two.giveBack(code);
    await two.use();
    one.nowMs += 30 * MINUTE_MS;
    expect(await one.passing(50)).to.be.within(4, 5);
  });

  it('come in the same command as the claim', async () => {
    const state = open();
    const traffic = new Traffic(state.learning);
    const scripts = async (): Promise<number> => {
      const stats = await redis.admin.info('commandstats');
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const claimAndCount = () => Promise.all([state.claim(eventClaim(undefined)), traffic.send()]);
    await claimAndCount();
    const before = await scripts();
    await claimAndCount();
    expect((await scripts()) - before).to.equal(1);
  });

  it('hold no number, no prefix and no address, and expire', async () => {
    const traffic = new Traffic(open().learning);
    await traffic.convert({ number: '+447700900123', network: '198.51.100.7' });
    const code = traffic.codeOf({ number: '+447700900124', network: '198.51.100.7' });
    await traffic.count(code);
    const dump = await redis.dump();
    expect(dump.filter(({ name }) => name.includes(':learned:'))).to.have.length(7);
    for (const { name, value, expiresInMs } of dump) {
      expect(`${name} ${value.toString()}`).not.to.match(/7700900|198\.51/);
      expect(expiresInMs, name).to.be.above(0);
    }
  });

  it('go on in the process if Redis is lost, with the warm-up that has begun', async () => {
    const traffic = new Traffic(open().learning, { warmUpMs: 30 * DAY_MS });
    expect((await traffic.send()).isActing).to.equal(false);
    await redis.kill();
    traffic.nowMs += 30 * DAY_MS;
    expect((await traffic.send()).isActing).to.equal(true);
    expect(await traffic.passing(50)).to.equal(4);
    await redis.restart();
  });

  it('let numbers pass that used a code, while Redis is lost, if a code went to them before', async () => {
    const [one, two] = gateways(2);
    if (one === undefined || two === undefined) throw new Error('no gateway');
    const users = Array.from({ length: 10 }, (_, user) => ({ number: `user ${user}` }));
    for (const user of users) {
      await one.send(user);
      await two.use(user);
      one.nowMs += MINUTE_MS;
      await one.send(user);
    }
    await redis.kill();
    for (const user of users) expect(await one.blocks(user)).to.deep.equal([]);
    const passed = await one.passing(50);
    await redis.restart();
    expect(passed).to.equal(5);
  });

  it('stay blind while Redis is lost, until a use is reported', async () => {
    const traffic = new Traffic(open().learning);
    for (let sent = 0; sent < 50; sent += 1) await traffic.send({ country: `C${sent}`, prefix: `+${sent}` });
    expect((await traffic.send()).isBlind).to.equal(true);
    await redis.kill();
    const { isBlind } = await traffic.send();
    expect(isBlind).to.equal(true);
    expect(await traffic.passing(50)).to.equal(50);
    void traffic.use({ country: 'FR', prefix: '+33' });
    traffic.nowMs += MINUTE_MS;
    expect(await traffic.passing(50)).to.equal(5);
    await redis.restart();
  });

  it('go on with a new encryption key, for what is counted while both are listed', async () => {
    const old = new Traffic(open([KEY]).learning);
    await old.convert({ number: 'number of Ana' });
    await old.convert({ number: 'number of Bob' });
    const both = new Traffic(open([NEW_KEY, KEY]).learning);
    await both.send({ number: 'number of Ana' });
    const next = new Traffic(open([NEW_KEY]).learning);
    expect(await next.passing(50)).to.be.within(4, 6);
    expect(await next.blocks({ number: 'number of Ana' })).to.deep.equal([]);
    expect(await next.blocks({ number: 'number of Bob' })).to.deep.equal(['learn.prefix']);
  });

  it('follow the same rules as in memory, with one and two encryption keys, whatever comes', async () => {
    for (let seed = 1; seed <= runs(6, 60); seed += 1) {
      await redis.admin.flushall();
      const chance = chanceOf(seed, 'learning');
      const { learning } = open(seed % 2 === 0 ? [KEY] : [KEY, NEW_KEY]);
      const states: readonly LearningState[] = [learning, new MemoryLearning()];
      const traffics = states.map((state) => new Traffic(state, { warmUpMs: DAY_MS }));
      const word = (name: string, most: number): string => `${name}${between(chance, 1, most)}`;
      const givenBack: LearnedCode[] = [];
      for (let step = 0; step < 150; step += 1) {
        const passedMs =
          between(chance, 0, 9) < 8 ? between(chance, 0, MINUTE_MS) : between(chance, 0, 9 * HOUR_MS);
        const person = word('person', 12);
        const around = {
          person,
          number: `number of ${person}`,
          prefix: word('+', 6),
          country: word('C', 6),
          network: between(chance, 0, 3) === 0 ? '' : word('10.0.0.', 3),
        };
        const code = {
          ...around,
          token: `token ${seed} ${step}`,
          isCounted: between(chance, 0, 9) > 0,
          isAllowed: between(chance, 0, 19) === 0,
          isEnforced: between(chance, 0, 4) > 0,
          ratio: seed % 2 === 0 ? 1 : 0.7,
        };
        const what = between(chance, 0, 9);
        const isPaid = between(chance, 0, 4) > 0;
        const results = await Promise.all(
          traffics.map(async (traffic, at) => {
            traffic.nowMs += passedMs;
            const state = states[at];
            if (what < 2) {
              // Other codes of the person may come before it is given back: within the deadline of its call.
              const given = traffic.codeOf(code);
              const earlier = givenBack[at];
              if (earlier !== undefined && traffic.nowMs - earlier.nowMs < MINUTE_MS)
                traffic.giveBack(earlier);
              givenBack[at] = given;
              return traffic.count(given);
            }
            if (what < 4 && seed % 3 > 0) {
              const { token, number, prefix, country, network, ratio } = code;
              await traffic.use({ token, number, prefix, country, network, ratio, isPaid });
              return 'used';
            }
            if (what === 9 && step % 10 === 0)
              return state?.lift(code.country, traffic.nowMs + HOUR_MS, {
                ratio: code.ratio,
                nowMs: traffic.nowMs,
              });
            return traffic.send(code);
          }),
        );
        expectSame(results, `seed ${seed}, step ${step}`);
      }
    }
  });
});

type Result = LearnVerdict | string | boolean | undefined;

/** Redis keeps 14 digits of a number, so shares may differ in the last ones. */
function expectSame([one, other]: readonly Result[], message: string): void {
  if (typeof one !== 'object' || typeof other !== 'object') {
    expect(one, message).to.equal(other);
    return;
  }
  const { shares, ...verdict } = one;
  const { shares: otherShares, ...otherVerdict } = other;
  expect(verdict, message).to.deep.equal(otherVerdict);
  const flat = (all: LearnVerdict['shares']): number[] => all.flatMap(({ hour, day }) => [hour, day]);
  const others = flat(otherShares);
  for (const [at, share] of flat(shares).entries())
    expect(share, message).to.be.closeTo(others[at] ?? 0, 1e-9);
}
