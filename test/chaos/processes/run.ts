import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { startRedis } from '#harness/redis-server.js';
import type { HookEventFact, MessageFact, RunFacts } from '../account/facts.js';
import { chanceOf } from '../chance.js';
import { providersBy } from '../pushing.js';
import type { ChaosOptions } from '../options.js';
import { Balancer } from './balancer.js';
import { startCallbackWay } from './callbacks.js';
import { firstMessage, nextMessage, startScript } from './children.js';
import { playFaults } from './faults.js';
import { Fleet } from './fleet.js';
import type { VendorCredentials } from './gateway.js';
import { describeGrowth, growthsOf, memoryProblems } from './memory.js';
import { bringCodes } from './okta.js';
import { peopleOf, Wishes } from './people.js';
import { bringWords } from './phones.js';
import { clocksOf, describeFault, makeSchedule } from './schedule.js';
import { readLosses, watchForShortage } from './shortage.js';
import type { Sending, VendorCommand, VendorFacts } from './vendors.js';

/** Set in half of the runs. With it, a second message follows even without a report of the failure. */
const AFTER_SECONDS = 5;
/** The time for callbacks and late sends after the last call, without overdue messages, milliseconds. */
const SETTLE_MS = 4_000;

/** Runs several gateways, the vendors and a Redis under load and faults. Returns all records. */
export async function runProcesses(
  options: ChaosOptions,
  print: (text: string) => void,
): Promise<{ facts: RunFacts; problems: readonly string[] }> {
  const { seed, rate, events, gateways, nodes } = options;
  const lengthMs = (events / rate) * 1000;
  const schedule = makeSchedule({ seed, lengthMs, gateways });
  const chance = chanceOf(seed, 'options');
  const afterSeconds = chance() < 0.5 ? AFTER_SECONDS : undefined;
  const whatsApp = providersBy(chanceOf(seed, 'providers'));
  const hasVonage = chanceOf(seed, 'sms')() < 0.5;
  const lateAfter = afterSeconds === undefined ? 'by callbacks alone' : `after ${afterSeconds} s too`;
  print(
    `${events} events, ${rate} a second, ${gateways} gateways; late failover ${lateAfter}; WhatsApp by ${whatsApp}, SMS by ${hasVonage ? 'vonage and twilio' : 'twilio'}`,
  );
  print(schedule.map(describeFault).join('\n'));

  const redis = await startRedis('--maxmemory-policy', 'noeviction');
  const vendors = startScript('vendors.ts', { seed, rate, lengthMs });
  const credentials = await firstMessage<VendorCredentials>(vendors, 'the vendors');
  const callbackWay = await startCallbackWay(seed);
  const hookSecret = randomBytes(24).toString('base64url');
  const clocks = clocksOf(seed, gateways);
  print(`Their clocks are off by ${clocks.map((ms) => Math.round(ms / 1000)).join(', ')} s`);
  const fleet = await Fleet.start({
    ...{ clocks, nodes, keyLists: keyListsBy(chance), redisPort: redis.port },
    settings: {
      ...{ vendors: credentials, whatsApp, hasVonage, hookSecret, afterSeconds },
      publicUrl: callbackWay.publicUrl,
    },
  });
  const balancer = new Balancer(fleet);
  callbackWay.lead(balancer);
  const probing = balancer.probe();

  const { shortages } = fleet;
  watchForShortage((shortage) => shortages.push({ gateway: undefined, ...shortage }));
  // If the vendors have exited, the wait for their next message fails.
  const send = (command: VendorCommand): boolean => vendors.send(command, () => undefined);
  send('begin');
  const people = peopleOf(seed, rate);
  const wishes = new Wishes(seed, people);
  /** By code: the gateway that got its last call. */
  const callees = new Map<string, number>();
  const nextSender = (): Promise<number | undefined> =>
    new Promise((resolve) => {
      const look = (message: object): void => {
        if (!isSending(message)) return;
        vendors.off('message', look);
        resolve(callees.get(message.sends));
      };
      vendors.on('message', look);
    });
  const [codes, faults, words] = await Promise.all([
    bringCodes({
      ...{ balancer, hookSecret, events, rate, wishes },
      onCall: (code, gateway) => void callees.set(code, gateway),
      onProgress: (number) => {
        print(`${number} events`);
      },
    }),
    playFaults(schedule, { fleet, redis, nextSender }),
    bringWords({
      ...{ ...credentials, whatsApp, seed, lengthMs, people, balancer, publicUrl: callbackWay.publicUrl },
      waiting: () => wishes.last,
    }),
  ]);
  await wait(SETTLE_MS + (afterSeconds ?? 0) * 1000);
  const endsAt = Date.now();
  await fleet.drainAll();
  balancer.end();
  await probing;
  const pendingReport = nextMessage<VendorFacts>(vendors, 'the vendors', (message) => !isSending(message));
  send('report');
  const losses = readLosses({
    ...{ hookEvents: fleet.hookEvents, disturbances: faults.disturbances, outages: fleet.outages, shortages },
  });
  const growths = growthsOf(fleet.memory);
  print(growths.map(describeGrowth).join('\n'));
  const seen = await pendingReport;
  await redis.close();
  return {
    facts: {
      events: codes.events,
      messages: withGateways(seen.messages, fleet.hookEvents),
      callbacks: callbackWay.facts,
      outages: [...fleet.outages, ...faults.outages, ...losses.outages],
      ...{ wipes: faults.wipes, felt: fleet.felt, shortages, hookEvents: fleet.hookEvents, endsAt },
      ...{ words, uses: codes.uses, sendRequests: new Map(seen.sendRequests), afterSeconds },
    },
    problems: [...fleet.problems, ...losses.problems, ...memoryProblems(growths)],
  };
}

function isSending(message: object): message is Sending {
  return 'sends' in message;
}

/** While a key is changed, gateways have one of several lists. Any two of them have a key in common. */
function keyListsBy(chance: () => number): readonly (readonly string[])[] {
  const [one, other] = [0, 1].map(() => randomBytes(32).toString('base64')) as [string, string];
  if (chance() < 0.5) return [[one]];
  return [[other, one], [one], [one, other]];
}

/** The messages with the gateways that have reported to have sent them. */
function withGateways(
  messages: readonly MessageFact[],
  hookEvents: readonly HookEventFact[],
): readonly MessageFact[] {
  const senders = new Map<string, HookEventFact>();
  for (const event of hookEvents)
    if (event.type === 'attempt.ended' && event.transactionId !== undefined)
      senders.set(event.transactionId, event);
  return messages.map((message) => {
    const { gateway, life } = senders.get(message.sid) ?? {};
    return { ...message, gateway, life };
  });
}
