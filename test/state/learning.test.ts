import { expect } from 'chai';
import type { LearningState, LearnVerdict } from '#lib/delivery/learning.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { MemoryLearning } from '#lib/state/memory/memory-learning.js';
import { Closers } from '#harness/closers.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, Traffic } from '#harness/learned.js';
import { useRedis, type RedisServer } from '#harness/redis-server.js';
import { patientTimes } from '#harness/redis-times.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 2).toString('base64');

/** Every state that learns does the same. */
const STATES = ['in memory', 'in Redis'] as const;

for (const name of STATES) {
  describe(`the counts of the guard that learns, ${name}`, () => {
    const closers = new Closers();
    afterEach(() => closers.closeAll());
    let redis: RedisServer;
    if (name !== 'in memory') {
      useRedis((started) => {
        redis = started;
      });
    }
    let opened = 0;
    const open = (): LearningState => {
      if (name === 'in memory') return new MemoryLearning();
      const encryptionKeys = [KEY, OTHER_KEY];
      const keyPrefix = `learned-${(opened += 1)}`;
      const shared = openRedisState({ connection: redis.url, encryptionKeys, keyPrefix }, patientTimes());
      return closers.add(shared, () => shared.close()).learning;
    };
    let state: LearningState;
    let traffic: Traffic;
    beforeEach(() => {
      state = open();
      traffic = new Traffic(state);
    });
    /** Somebody elsewhere uses a code: the guard is not blind. */
    const seeing = (): Promise<void> => traffic.use({ country: 'CH', prefix: '+41', isPaid: false });
    const isBlocked = ({ blocks }: LearnVerdict): boolean => blocks.length > 0;
    let prefixes = 0;
    /** Another prefix for each code. */
    const anywhere = (): { readonly prefix: string } => ({ prefix: `+447700${(prefixes += 1)}` });

    it('block a prefix after five codes in an hour without a use, and ten in a day', async () => {
      expect(await traffic.passing(500)).to.equal(5);
      const { blocks, hasCounted } = await traffic.send();
      expect(hasCounted).to.equal(false);
      expect(blocks).to.deep.equal([{ rule: 'learn.prefix', level: 5, points: 5, seconds: 3600 }]);
      const slow = new Traffic(open());
      let passed = 0;
      for (; passed < 100 && (await slow.blocks()).length === 0; passed += 1) slow.nowMs += 20 * MINUTE_MS;
      expect(passed).to.be.within(10, 12);
    });

    it('block a country after 20 codes in an hour, whatever their prefixes', async () => {
      expect(await traffic.passing(5_000, anywhere)).to.equal(20);
      expect((await traffic.send(anywhere())).blocks).to.deep.equal([
        { rule: 'learn.country', level: 20, points: 20, seconds: 3600 },
      ]);
      expect(await traffic.blocks({ ...anywhere(), country: 'FR' })).to.deep.equal([]);
    });

    it('do not rise by a gateway whose clock is behind', async () => {
      for (let code = 0; code < 3; code += 1) await traffic.send();
      const behind = new Traffic(state);
      behind.nowMs -= 30 * MINUTE_MS;
      expect(await behind.passing(500)).to.equal(2);
    });

    it('fall by one with each use', async () => {
      for (let code = 0; code < 20; code += 1) await traffic.convert();
      expect(await traffic.passing(500)).to.be.at.least(20);
    });

    it('allow a country in an hour a sixth of the codes that it used on its largest day', async () => {
      for (let code = 0; code < 300; code += 1) await traffic.use(anywhere());
      traffic.nowMs += 2 * DAY_MS;
      await seeing();
      expect(await traffic.passing(500, anywhere)).to.equal(50);
      traffic.nowMs += 14 * DAY_MS;
      await seeing();
      expect(await traffic.passing(500, anywhere)).to.equal(20);
    });

    it('scale with the ratio, but not below the floors', async () => {
      for (let code = 0; code < 300; code += 1) await traffic.use(anywhere());
      traffic.nowMs += 2 * DAY_MS;
      const half = new Traffic(state, { ratio: 0.5 });
      half.nowMs = traffic.nowMs;
      await half.use({ country: 'CH', prefix: '+41' });
      expect(await half.passing(500, anywhere)).to.equal(25);
      const fresh = new Traffic(open(), { ratio: 0.1 });
      expect(await fresh.passing(500, anywhere)).to.equal(20);
    });

    it('drain with time', async () => {
      expect(await traffic.passing(500)).to.equal(5);
      traffic.nowMs += HOUR_MS;
      expect(await traffic.passing(500)).to.equal(5);
    });

    it('block an address that requests codes for a fourth country, unless one of its codes was used', async () => {
      const from = (country: string, network = '198.51.100.7') => ({ ...anywhere(), country, network });
      for (const country of ['GB', 'FR', 'DE', 'GB'])
        expect(await traffic.blocks(from(country))).to.deep.equal([]);
      expect((await traffic.send(from('IT'))).blocks).to.deep.equal([
        { rule: 'learn.ip', level: 4, points: 3, seconds: 86_400 },
      ]);
      const office = '203.0.113.9';
      await traffic.convert(from('GB', office));
      for (const country of ['FR', 'DE', 'IT', 'ES'])
        expect(await traffic.blocks(from(country, office))).to.deep.equal([]);
    });

    it('count countries of an address for a day', async () => {
      const from = (country: string) => ({ ...anywhere(), country, network: '198.51.100.7' });
      for (const country of ['GB', 'FR', 'DE']) await traffic.send(from(country));
      traffic.nowMs += DAY_MS;
      expect(await traffic.blocks(from('IT'))).to.deep.equal([]);
    });

    describe('a block', () => {
      it('lasts 30 minutes, and twice as long each time while the level stays above the limit, up to 12 hours, with five codes in between', async () => {
        const busy = async (): Promise<number> => traffic.passing(500);
        expect(await busy()).to.equal(5);
        traffic.nowMs += 30 * MINUTE_MS - 1;
        expect(await busy()).to.equal(0);
        const lengths: number[] = [];
        const passed: number[] = [];
        for (let blocks = 0; blocks < 9; blocks += 1) {
          const beganMs = traffic.nowMs;
          while ((await traffic.blocks()).length > 0) traffic.nowMs += 10 * MINUTE_MS;
          lengths.push((traffic.nowMs - beganMs) / MINUTE_MS);
          passed.push((await busy()) + 1);
        }
        expect(Math.max(...lengths)).to.equal(720);
        expect(lengths.slice(-1)).to.deep.equal([720]);
        expect(passed.slice(-3)).to.deep.equal([5, 5, 5]);
        for (const [at, length] of lengths.slice(2).entries())
          expect(length).to.be.within(lengths[at + 1] ?? 0, (lengths[at + 1] ?? 0) * 2);
      });

      it('ends early if the codes that pass after it are used', async () => {
        expect(await traffic.passing(500)).to.equal(5);
        for (let code = 0; code < 5; code += 1) await traffic.use();
        traffic.nowMs += 30 * MINUTE_MS;
        expect(await traffic.passing(500)).to.be.at.least(5);
      });

      it('gets back only the probes that it gave', async () => {
        const ana = { number: 'number of Ana' };
        await traffic.convert(ana);
        // Slowly, so that the level of the day is still above its limit when the block ends.
        while ((await traffic.blocks()).length === 0) traffic.nowMs += 20 * MINUTE_MS;
        traffic.nowMs += 30 * MINUTE_MS;
        const passed: boolean[] = [];
        for (let code = 0; code < 8; code += 1) {
          // None of these takes a probe. They go by WhatsApp.
          for (const given of [ana, { isAllowed: true }, { isCounted: false }]) {
            const free = traffic.codeOf(given);
            await traffic.count(free);
            traffic.giveBack(free);
          }
          const probe = traffic.codeOf();
          if (!isBlocked(await traffic.count(probe))) traffic.giveBack(probe);
          passed.push((await traffic.blocks()).length === 0);
        }
        expect(passed).to.deep.equal([true, true, true, true, true, false, false, false]);
      });

      it('does not end by the codes that it blocks, and these do not count', async () => {
        await traffic.passing(500);
        for (let code = 0; code < 30; code += 1) await traffic.send();
        traffic.nowMs += HOUR_MS;
        expect(await traffic.passing(500)).to.equal(5);
      });

      it('also blocks codes that do not count', async () => {
        await traffic.passing(500);
        expect(await traffic.blocks({ isCounted: false })).to.deep.equal(['learn.prefix']);
      });

      it('of a country is lifted with those of its prefixes', async () => {
        await seeing();
        await traffic.passing(500, anywhere);
        await traffic.passing(500);
        const at = { ratio: 1, nowMs: traffic.nowMs };
        expect(await state.lift('GB', traffic.nowMs + HOUR_MS, at)).to.equal(true);
        expect(await traffic.passing(30)).to.equal(30);
        traffic.nowMs += HOUR_MS;
        expect(await traffic.blocks()).not.to.deep.equal([]);
      });
    });

    describe('let pass', () => {
      it('a number that used a code in the last 90 days', async () => {
        const number = 'number of Ana';
        await traffic.convert({ number });
        await traffic.passing(500);
        traffic.nowMs += 29 * MINUTE_MS;
        expect(await traffic.blocks({ number })).to.deep.equal([]);
        expect(await traffic.blocks()).to.deep.equal(['learn.prefix']);
        traffic.nowMs += 90 * DAY_MS;
        await traffic.passing(500);
        expect(await traffic.blocks({ number })).to.deep.equal(['learn.prefix']);
      });

      it('a number that used a code by WhatsApp', async () => {
        await traffic.use({ number: 'number of Ana', isPaid: false });
        await traffic.passing(500);
        expect(await traffic.blocks({ number: 'number of Ana' })).to.deep.equal([]);
      });

      it('what is allowed', async () => {
        expect(await traffic.passing(50, { isAllowed: true })).to.equal(50);
      });
    });

    describe('do not count', () => {
      const unchanged = async (): Promise<void> => {
        expect(await traffic.passing(500)).to.equal(5);
      };

      it('a code that another one of the same person and number precedes by less than 60 seconds', async () => {
        const resend = { person: 'Ana', number: 'number of Ana' };
        await traffic.send(resend);
        traffic.nowMs += 59_999;
        for (let code = 0; code < 30; code += 1) await traffic.send(resend);
        expect(await traffic.passing(500)).to.equal(4);
      });

      it('a pair of codes of which the first is not sent, as one: the count stays for the second', async () => {
        for (let pair = 0; pair < 4; pair += 1) {
          const user = { person: `user ${pair}`, number: `number of user ${pair}` };
          const [first, second] = [traffic.codeOf(user), traffic.codeOf(user)];
          await traffic.count(first);
          expect((await traffic.count(second)).hasCounted).to.equal(true);
          traffic.giveBack(first);
          traffic.giveBack(first);
        }
        const neither = { person: 'Ana', number: 'number of Ana' };
        const [first, second] = [traffic.codeOf(neither), traffic.codeOf(neither)];
        await traffic.count(first);
        await traffic.count(second);
        traffic.giveBack(second);
        traffic.giveBack(first);
        expect(await traffic.passing(500)).to.equal(1);
      });

      it('but a code 60 seconds later does, and one to another number', async () => {
        await traffic.send({ person: 'Ana', number: 'number of Ana' });
        traffic.nowMs += 60_000;
        await traffic.send({ person: 'Ana', number: 'number of Ana' });
        await traffic.send({ person: 'Ana', number: 'other number' });
        expect(await traffic.passing(500)).to.equal(2);
      });

      it('a code without a use that Okta reports', async () => {
        for (let code = 0; code < 20; code += 1) await traffic.send({ isCounted: false });
        await unchanged();
      });

      it('a code to a number that used one in the last 90 days, nor its next use', async () => {
        const known = { person: 'ana', number: 'number of ana' };
        await traffic.convert(known);
        for (let code = 0; code < 20; code += 1) {
          traffic.nowMs += MINUTE_MS;
          await traffic.send(known);
          await seeing();
        }
        for (let sent = 0; sent < 3; sent += 1) await traffic.send();
        await traffic.use(known);
        expect(await traffic.passing(500)).to.equal(2);
      });

      it('a code that is given back, once', async () => {
        const code = traffic.codeOf();
        for (let sent = 0; sent < 3; sent += 1) await traffic.send();
        await traffic.count(code);
        traffic.giveBack(code);
        traffic.giveBack(code);
        expect(await traffic.passing(500)).to.equal(2);
      });

      it('the successor of a code that was given back, twice', async () => {
        const first = traffic.codeOf({ person: 'Ana', number: 'number of Ana' });
        await traffic.count(first);
        traffic.giveBack(first);
        expect((await traffic.send({ person: 'Ana', number: 'number of Ana' })).hasCounted).to.equal(true);
        expect(await traffic.passing(500)).to.equal(4);
      });

      it('the country of an address whose code was given back', async () => {
        const from = (country: string) => ({ ...anywhere(), country, network: '198.51.100.7' });
        for (const country of ['GB', 'FR', 'DE']) {
          const code = traffic.codeOf(from(country));
          await traffic.count(code);
          traffic.giveBack(code);
        }
        for (const country of ['IT', 'ES', 'PT'])
          expect(await traffic.blocks(from(country))).to.deep.equal([]);
      });

      it('the same code twice', async () => {
        const code = traffic.codeOf();
        for (let sent = 0; sent < 10; sent += 1)
          expect((await traffic.count(code)).hasCounted).to.equal(true);
        expect(await traffic.passing(500)).to.equal(4);
      });

      it('the same use twice', async () => {
        await traffic.passing(500);
        traffic.nowMs += 30 * MINUTE_MS;
        for (let use = 0; use < 10; use += 1) await traffic.use({ token: 'use 1', number: 'number of Ana' });
        expect(await traffic.passing(500)).to.equal(3);
      });

      it('the use of a code that went by another channel', async () => {
        expect(await traffic.passing(4)).to.equal(4);
        for (let use = 0; use < 4; use += 1) await traffic.use({ isPaid: false });
        expect(await traffic.passing(500)).to.equal(1);
      });
    });

    describe('are blind', () => {
      const manyCountries = (): { readonly country: string; readonly prefix: string } => {
        const at = (prefixes += 1);
        return { country: `C${at % 10}`, prefix: `+${at}` };
      };

      it('once 50 codes were sent, and none was used in 6 hours: then they block nothing', async () => {
        for (let sent = 1; sent < 50; sent += 1)
          expect((await traffic.send(manyCountries())).isBlind).to.equal(false);
        expect((await traffic.send(manyCountries())).isBlind).to.equal(true);
        expect(await traffic.passing(50)).to.equal(50);
      });

      it('until a use is reported: then they count from zero', async () => {
        for (let sent = 0; sent < 50; sent += 1) await traffic.send(manyCountries());
        await traffic.passing(50);
        traffic.nowMs += 1;
        await traffic.use({ country: 'FR', prefix: '+33' });
        traffic.nowMs += 1;
        expect((await traffic.send()).isBlind).to.equal(false);
        expect(await traffic.passing(500)).to.equal(4);
      });

      it('not at a gateway whose clock is ahead, if another one hears of uses', async () => {
        const ahead = new Traffic(state);
        for (let user = 0; user < 10; user += 1)
          await traffic.convert({ ...anywhere(), number: `user ${user}` });
        ahead.nowMs += 15 * MINUTE_MS;
        await ahead.send();
        await traffic.use({ ...anywhere(), number: 'user 1', token: 'use 2' });
        for (let user = 0; user < 10; user += 1) {
          const { isBlind } = await ahead.send({ ...anywhere(), number: `user ${user}` });
          expect(isBlind).to.equal(false);
        }
      });

      it('until a use is reported: then they count, also at a gateway whose clock is behind', async () => {
        const behind = new Traffic(state);
        behind.nowMs -= 15 * MINUTE_MS;
        for (let sent = 0; sent < 50; sent += 1) await traffic.send(manyCountries());
        await traffic.use({ country: 'FR', prefix: '+33' });
        expect(await behind.passing(500)).to.be.within(4, 5);
      });

      it('not within 6 hours of a use', async () => {
        await traffic.use();
        traffic.nowMs += 6 * HOUR_MS - 1;
        for (let sent = 0; sent < 60; sent += 1) await traffic.send(manyCountries());
        expect((await traffic.send(manyCountries())).isBlind).to.equal(false);
        traffic.nowMs += 1;
        expect((await traffic.send(manyCountries())).isBlind).to.equal(true);
      });

      it('not if the codes that count were sent earlier', async () => {
        for (let sent = 0; sent < 49; sent += 1) await traffic.send(manyCountries());
        traffic.nowMs += 7 * HOUR_MS;
        expect((await traffic.send(manyCountries())).isBlind).to.equal(false);
      });

      it('once ten codes in a row to numbers that used codes were not used for ten minutes', async () => {
        for (let user = 0; user < 10; user += 1)
          await traffic.convert({ ...anywhere(), number: `user ${user}` });
        traffic.nowMs += 10 * MINUTE_MS;
        const again = async (user: number) => traffic.send({ ...anywhere(), number: `user ${user}` });
        for (let user = 0; user < 9; user += 1) expect((await again(user)).isBlind).to.equal(false);
        expect((await again(9)).isBlind).to.equal(true);
      });

      it('also by the codes that mode record would have blocked', async () => {
        const recording = new Traffic(state, { isEnforced: false });
        for (let sent = 0; sent < 49; sent += 1) await recording.send();
        expect((await recording.send()).isBlind).to.equal(true);
      });
    });

    it('act in mode enforce, after the warm-up', async () => {
      const warming = { warmUpMs: 30 * DAY_MS };
      expect((await traffic.send(warming)).isActing).to.equal(false);
      traffic.nowMs += 30 * DAY_MS;
      expect((await traffic.send(warming)).isActing).to.equal(true);
      expect((await traffic.send({ ...warming, isEnforced: false })).isActing).to.equal(false);
    });

    it('tell how full they are', async () => {
      await traffic.send();
      const { shares } = await traffic.send();
      expect(shares).to.deep.equal([
        { rule: 'learn.country', country: 'GB', hour: 0.1, day: 0.04 },
        { rule: 'learn.prefix', country: 'GB', hour: 0.4, day: 0.2 },
      ]);
    });

    it('list the countries with their codes', async () => {
      const startedAt = traffic.nowMs;
      for (let code = 0; code < 3; code += 1) await traffic.convert();
      await traffic.passing(500);
      const at = { ratio: 1, nowMs: traffic.nowMs };
      const { isBlind, beganAtMs, countries = [] } = (await state.list(at)) ?? {};
      expect({ isBlind, beganAtMs }).to.deep.equal({ isBlind: false, beganAtMs: startedAt });
      const [country, ...others] = countries;
      expect(others).to.deep.equal([]);
      expect(country).to.deep.include({ country: 'GB', sent: 8, used: 3, hourLimit: 20, dayLimit: 50 });
      expect(country?.blockedUntilMs).to.equal(undefined);
      expect(country?.partBlockedUntilMs).to.equal(traffic.nowMs + 30 * MINUTE_MS);
    });

    it('list a country as blocked in part while an address that requests its codes is blocked, and let them pass once the country is lifted', async () => {
      const from = (country: string) => ({ ...anywhere(), country, network: '198.51.100.7' });
      for (const country of ['GB', 'FR', 'DE', 'IT']) await traffic.send(from(country));
      const untilMs = traffic.nowMs + 30 * MINUTE_MS;
      const at = { ratio: 1, nowMs: traffic.nowMs };
      const { countries = [] } = (await state.list(at)) ?? {};
      expect(
        countries.flatMap((one) => (one.partBlockedUntilMs === untilMs ? one.country : [])),
      ).to.deep.equal(['IT']);
      expect(await traffic.blocks(from('IT'))).to.deep.equal(['learn.ip']);
      await state.lift('IT', traffic.nowMs + HOUR_MS, at);
      expect(await traffic.blocks(from('IT'))).to.deep.equal([]);
    });
  });
}
