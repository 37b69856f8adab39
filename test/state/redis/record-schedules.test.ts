import { expect } from 'chai';
import fc from 'fast-check';
import type { LastCode } from '#lib/delivery/records.js';
import type { MessageReply } from '#lib/delivery/messages/transitions.js';
import type { StatePort } from '#lib/delivery/state.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { Closers } from '#harness/closers.js';
import {
  accept,
  codeOf,
  DELIVERED,
  FAILED,
  keepCode,
  lift,
  NOW,
  report,
  suppress,
  suppressed,
  useCode,
} from '#harness/record-updates.js';
import { type RedisServer, useRedis } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { startTcpProxy, type TcpProxy } from '#harness/tcp-proxy.js';
import { check, PATIENCE_MS, withSeed } from '../../hostile/runs.js';

const A = Buffer.alloc(32, 1).toString('base64');
const B = Buffer.alloc(32, 2).toString('base64');
const KEY_LISTS = [
  [[A], [A]],
  [[A], [A, B]],
  [
    [B, A],
    [A, B],
  ],
] as const;

const gateway = fc.nat(1);
const id = fc.nat(2);
/** What happens: news at a gateway, or a fault of its connection or of Redis. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('accepted', 'failed', 'failed', 'delivered', 'kept', 'used', 'stop', 'start'),
      gateway,
      id,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('commands', 'answers', 'cut', 'pass'), gateway, id }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('freeze', 'thaw'), gateway, id }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), gateway, id }) },
);
const schedule = fc.record({
  keys: fc.constantFrom(...KEY_LISTS),
  steps: fc.array(step, { minLength: 5, maxLength: 40 }),
});

interface Gateway {
  readonly state: StatePort;
  readonly proxy: TcpProxy;
  readonly times: ReturnType<typeof patientTimes>;
}

describe(withSeed('two gateways that update records while connections fail'), function () {
  this.timeout(PATIENCE_MS);
  let redis: RedisServer;
  useRedis((server) => {
    redis = server;
  });

  const open = async (keys: readonly string[], closers: Closers): Promise<Gateway> => {
    const proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
    const times = patientTimes({ probeEveryMs: 5 });
    const connection = `redis://127.0.0.1:${proxy.port}`;
    const state = closers.add(openRedisState({ connection, encryptionKeys: keys }, times), (opened) =>
      opened.close(),
    );
    await state.check();
    return { state, proxy, times };
  };

  const play = async ({
    keys,
    steps,
  }: {
    readonly keys: (typeof KEY_LISTS)[number];
    readonly steps: readonly { readonly type: string; readonly gateway: number; readonly id: number }[];
  }): Promise<void> => {
    await redis.admin.flushall();
    const closers = new Closers();
    try {
      const gateways = [await open(keys[0], closers), await open(keys[1], closers)];
      const replies = new Map<number, Promise<MessageReply | undefined>[]>();
      const types = new Map<number, Set<string>>();
      const uses: Promise<LastCode | undefined>[] = [];
      const writes: Promise<unknown>[] = [];
      let lastKept: string | undefined;
      const heal = (): void => {
        redis.continue();
        for (const { proxy, times } of gateways) {
          bePatient(times);
          proxy.held = undefined;
        }
      };
      for (const [at, { type, gateway: index, id: which }] of steps.entries()) {
        const { state, proxy } = gateways[index]!;
        const key = `SM${which}`;
        const known = types.get(which) ?? new Set();
        types.set(which, known);
        const hear = (reply: Promise<MessageReply | undefined>): void => {
          known.add(type);
          replies.set(which, [...(replies.get(which) ?? []), reply]);
        };
        // A message is accepted once.
        if (type === 'accepted' && !known.has(type)) hear(accept(state, key));
        if (type === 'failed') hear(report(state, key, FAILED));
        if (type === 'delivered' && at % 3 === 0) hear(report(state, key, DELIVERED));
        if (type === 'kept') {
          lastKept = `code-${at}`;
          writes.push(keepCode(state, 'ana', codeOf(lastKept, NOW + at)));
        }
        if (type === 'used') uses.push(useCode(state, 'ana'));
        if (type === 'stop') writes.push(suppress(state, '+1'));
        if (type === 'start') writes.push(lift(state, '+1'));
        if (type === 'commands' || type === 'answers') proxy.held = type;
        if (type === 'pass') proxy.held = undefined;
        if (type === 'cut') {
          await proxy.endAll();
          proxy.held = undefined;
        }
        if (type === 'freeze') {
          redis.stop();
          for (const { times } of gateways) loseSoon(times);
        }
        if (type === 'thaw') heal();
        if (type === 'wait') for (let turns = 0; turns < 5; turns += 1) await new Promise(setImmediate);
      }
      heal();
      await Promise.all(writes);
      for (const [which, ofMessage] of replies) {
        const follows = (await Promise.all(ofMessage)).filter((reply) => reply?.follow !== undefined).length;
        const known = types.get(which)!;
        const hasFailed = known.has('accepted') && known.has('failed');
        if (known.has('delivered')) expect(follows).to.be.at.most(1);
        else expect(follows, `SM${which}`).to.equal(hasFailed ? 1 : 0);
      }
      await Promise.all(uses);
      for (const { state } of gateways) uses.push(useCode(state, 'ana'));
      const taken = (await Promise.all(uses)).flatMap((code) => code?.eventId ?? []);
      expect(new Set(taken).size).to.equal(taken.length);
      if (lastKept !== undefined) expect(taken).to.include(lastKept);
      const [one, two] = await Promise.all(gateways.map(({ state }) => suppressed(state, '+1')));
      expect(one).to.deep.equal(two);
    } finally {
      redis.continue();
      await closers.closeAll();
    }
  };

  it('let one caller follow each failed message, one use take each code, and agree about STOP', () =>
    check('records of two gateways', fc.asyncProperty(schedule, play), 100));
});
