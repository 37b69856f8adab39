import { expect } from 'chai';
import { needRedis } from '#harness/redis-server.js';
import { play, type World } from './play.js';
import { SimulatedRedis } from './redis.js';
import { commandOf } from '../resp.js';
import { makeScript, type Script } from './script.js';
import type { Step } from './steps.js';
import { SimulatedTime } from './time.js';

describe('a schedule in simulated time', () => {
  let world: World;
  before(async function () {
    needRedis(this);
    const redis = await SimulatedRedis.start();
    world = { redis, time: new SimulatedTime(redis) };
  });
  after(async () => {
    if ((world as World | undefined) === undefined) return;
    world.time.end();
    await world.redis.close();
  });

  const scriptOf = (...steps: readonly Step[]): Script => ({
    ...{
      seed: 3,
      isInMemory: false,
      gateways: 3,
      isProfileCached: false,
      whatsApp: 'twilio',
      clocksAheadMs: [0, 0, 0],
    },
    ...{ users: [{ isOptedIn: true, oktaSlowForMs: 0, isWhatsAppDown: false }] },
    ...{ afterSeconds: undefined, limit: undefined, keyLists: [[0]], steps },
  });
  const SIZE = { gateways: 3, users: 2, state: undefined };
  const code = (atMs: number, more: Partial<Extract<Step, { kind: 'code' }>> = {}): Step => ({
    ...{ kind: 'code', user: 0, atMs, event: 0, gateway: 0, hangUpMs: 3_000 },
    ...more,
  });
  const redisSays = async (...words: readonly string[]): Promise<string> =>
    (await world.redis.run(commandOf(words))).toString();

  it('has the same records for the same seed', async () => {
    // It kills a gateway, slows a way, sets a clock and freezes Redis.
    const script = makeScript(13, SIZE);
    const [one, other] = [await play(script, world), await play(script, world)];
    const from = (facts: typeof one): number => facts.events[0]?.calls[0]?.at ?? 0;
    const calls = (facts: typeof one): object =>
      facts.events.map((event) => event.calls.map(({ at, ...call }) => ({ ...call, at: at - from(facts) })));
    expect(calls(one)).to.deep.equal(calls(other));
    const told = (facts: typeof one): object =>
      facts.hookEvents.map(({ at, type, gateway, text, transactionId = '' }) => {
        // It may be the reference of an attempt, which is random.
        return [at - from(facts), type, gateway, text.replace(transactionId, '')];
      });
    expect(told(one)).to.deep.equal(told(other));
  });

  it('lets the keys and the scripts of Redis live by its time', async () => {
    const { time } = world;
    await redisSays('SET', 'key', 'value', 'PX', '1000');
    const clock = "local time = redis.call('TIME') return time[1] * 1000 + math.floor(time[2] / 1000)";
    expect(await redisSays('EVAL', clock, '0')).to.equal(`:${Date.now()}\r\n`);
    await time.pass(60_000);
    expect(await redisSays('EVAL', clock, '0')).to.equal(`:${Date.now()}\r\n`);
    expect(await redisSays('EXISTS', 'key')).to.equal(':0\r\n');
    await redisSays('SET', 'key', 'value', 'PX', '90000');
    await time.pass(60_000);
    const again = "return redis.call('SET', KEYS[1], 'other', 'PX', 90000, 'NX')";
    expect(await redisSays('EVAL', again, '1', 'key')).to.match(/^(?:_|\$-1)\r/);
    await time.pass(40_000);
    expect(await redisSays('EVAL', again, '1', 'key')).to.equal('+OK\r\n');
    expect(await redisSays('EVAL', "return redis.call('EXPIRE', KEYS[1], 1)", '1', 'key')).to.match(/^-/);
  });

  it('sends a code once, also if its event comes again at each gateway', async () => {
    const again = [1, 2].map((gateway) => code(1_000, { gateway }));
    const { events, messages } = await play(scriptOf(code(0), ...again), world);
    const ofEvent = messages.filter(({ code: sent }) => sent === events[0]?.code);
    expect(ofEvent.filter(({ channel }) => channel === 'whatsapp')).to.have.length.at.most(1);
    expect(events[0]?.calls.map(({ gateway }) => gateway)).to.include.members([0, 1, 2]);
    expect(new Set(events[0]?.calls.map(({ answer }) => answer)).size).to.equal(1);
  });

  it('loses what a killed gateway has not answered, and starts another process', async () => {
    const kill: Step = { kind: 'kill at a command', atMs: 0, gateway: 0, skip: 0, cut: 'after', forMs: 500 };
    const { events, outages, hookEvents } = await play(scriptOf(kill, code(0)), world);
    expect(events[0]?.calls[0]).to.deep.include({ gateway: 0, life: 1, problem: 'connection lost' });
    expect(outages.map(({ gateway, from, to }) => [gateway, to - from])).to.deep.equal([[0, 500]]);
    expect(hookEvents.some(({ gateway, life }) => gateway === 0 && life === 2)).to.equal(true);
  });

  it('forgets everything with the process if it remembers in memory', async () => {
    const kill: Step = { kind: 'kill', atMs: 1_500, gateway: 0, forMs: 500 };
    const inMemory = (...steps: readonly Step[]): Script => ({
      ...scriptOf(...steps),
      ...{ seed: 5, isInMemory: true, gateways: 1 },
    });
    const once = await play(inMemory(code(0), code(3_000)), world);
    const sent = (facts: typeof once): number => facts.sendRequests.get(facts.events[0]?.code ?? '') ?? 0;
    expect([sent(once), once.wipes?.length]).to.deep.equal([1, 0]);
    const again = await play(inMemory(code(0), kill, code(3_000)), world);
    expect(sent(again)).to.be.above(1);
    expect(again.wipes).to.have.length(1);
  });

  it('fails over to a replica that knows what had come before', async () => {
    const failover = (atMs: number): Step => ({ kind: 'failover', atMs, behindMs: 1_500, forMs: 300 });
    const sent = async (step: Step): Promise<number> => {
      const facts = await play({ ...scriptOf(step, code(500), code(5_000, { gateway: 1 })), seed: 5 }, world);
      expect(facts.wipes).to.have.length(1);
      return facts.sendRequests.get(facts.events[0]?.code ?? '') ?? 0;
    };
    expect(await sent(failover(2_000))).to.equal(1);
    expect(await sent(failover(0))).to.be.above(1);
  });

  it('refuses writes of scripts while Redis is full, and runs what only reads', async () => {
    const { redis } = world;
    const write = "return redis.call('SET', KEYS[1], '1')";
    redis.refusal = 'OOM no memory';
    expect(await redisSays('EVAL', write, '1', 'full')).to.match(/^-OOM no memory/);
    expect(await redisSays('EVAL', "return redis.call('EXISTS', KEYS[1])", '1', 'full')).to.equal(':0\r\n');
    redis.refusal = '';
    expect(await redisSays('EVAL', write, '1', 'full')).to.equal('+OK\r\n');
  });

  it('notes a command that was lost, and no idle connection that ended', async () => {
    const cut = { kind: 'cut at a command', atMs: 2_000, gateway: 0, skip: 0, cut: 'before' } as const;
    const felt = (await play(scriptOf(cut, code(2_000)), world)).felt ?? [];
    expect(felt.map(({ gateway }) => gateway)).to.deep.equal([0]);
    const idle = await play(scriptOf({ kind: 'cut', atMs: 2_000, gateway: 0 }, code(3_000)), world);
    expect(idle.felt).to.deep.equal([]);
  });

  it('knows who sent a message, and what that process had read of Redis', async () => {
    const slow: Step = {
      ...{ kind: 'slow way', atMs: 0, gateway: 1, forMs: 9_000, delayMs: { to: 0, from: 100 } },
    };
    const { messages, events } = await play(scriptOf(slow, code(100, { gateway: 1 })), world);
    const [message] = messages;
    const came = events[0]?.calls[0]?.at ?? 0;
    expect(message).to.deep.include({ gateway: 1, life: 1 });
    expect(message?.knewAt).to.be.at.least(came);
    expect(message?.knewAt).to.be.at.most(message?.at ?? 0);
  });
});
