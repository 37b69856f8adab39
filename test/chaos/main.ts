import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { startRedis } from '#harness/redis-server.js';
import { makeAccount, type Account } from './account.js';
import { Balancer } from './balancer.js';
import { startCallbackWay } from './callbacks.js';
import { chanceOf } from './chance.js';
import type { RunFacts } from './facts.js';
import { Ending } from './ending.js';
import { playFaults } from './faults.js';
import { Fleet } from './fleet.js';
import type { VendorCredentials } from './gateway.js';
import { bringCodes } from './okta.js';
import { readChaosOptions, USAGE, type ChaosOptions } from './options.js';
import { peopleOf, Wishes } from './people.js';
import { firstMessage, leaveNothingBehind, nextMessage, startScript } from './processes.js';
import { tableOf, timelinesOf } from './report.js';
import { runSchedules } from './schedules/run.js';
import { clocksOf, describeFault, makeSchedule } from './schedule.js';
import { readLosses, watchForShortage } from './shortage.js';
import type { VendorFacts, VendorCommand } from './vendors.js';

/** Set in half of the runs. With it, a second message follows even without a report of the failure. */
const AFTER_SECONDS = 5;
/** The time for callbacks and late sends after the last call, without overdue messages, milliseconds. */
const SETTLE_MS = 4_000;

/** The longest time of a run beside the load: the start, the last faults, the drains, milliseconds. */
const LONGEST_AFTER_MS = 180_000;

/** A schedule takes a tenth of this on a machine with nothing else to do, milliseconds. */
const LONGEST_SCHEDULE_MS = 1_000;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs several gateways, both vendors and a Redis under load and faults. Returns all records. */
async function runChaos(options: ChaosOptions): Promise<{ facts: RunFacts; problems: readonly string[] }> {
  const { seed, rate, events, gateways } = options;
  const lengthMs = (events / rate) * 1000;
  const schedule = makeSchedule({ seed, lengthMs, gateways });
  const afterSeconds = chanceOf(seed, 'options')() < 0.5 ? AFTER_SECONDS : undefined;
  const lateAfter = afterSeconds === undefined ? 'by callbacks alone' : `after ${afterSeconds} s too`;
  print(`${events} events, ${rate} a second, ${gateways} gateways; late failover ${lateAfter}`);
  print(`To replay: ${replayOf(options)}`);
  print(schedule.map(describeFault).join('\n'));

  const redis = await startRedis('--maxmemory-policy', 'noeviction');
  const vendors = startScript('vendors.ts', { seed, rate, lengthMs });
  const credentials = await firstMessage<VendorCredentials>(vendors, 'the vendors');
  const callbackWay = await startCallbackWay(seed);
  const hookSecret = randomBytes(24).toString('base64url');
  const clocks = clocksOf(seed, gateways);
  print(`Their clocks are off by ${clocks.map((ms) => Math.round(ms / 1000)).join(', ')} s`);
  const fleet = await Fleet.start(clocks, {
    vendors: credentials,
    hookSecret,
    publicUrl: callbackWay.publicUrl,
    redisUrl: redis.url,
    encryptionKey: randomBytes(32).toString('base64'),
    afterSeconds,
  });
  const balancer = new Balancer(fleet);
  callbackWay.lead(balancer);
  const probing = balancer.probe();

  const { shortages } = fleet;
  watchForShortage((shortage) => shortages.push({ gateway: undefined, ...shortage }));
  // If the vendors have exited, the wait for their next message fails.
  const send = (command: VendorCommand): boolean => vendors.send(command, () => undefined);
  send('begin');
  const [eventFacts, redisOutages] = await Promise.all([
    bringCodes({
      ...{ balancer, hookSecret, events, rate },
      wishes: new Wishes(seed, peopleOf(seed, rate)),
      onProgress: (number) => {
        print(`${number} events`);
      },
    }),
    playFaults(schedule, { fleet, redis }),
  ]);
  await wait(SETTLE_MS + (afterSeconds ?? 0) * 1000);
  await fleet.drainAll();
  balancer.end();
  await probing;
  const pendingReport = nextMessage<VendorFacts>(vendors, 'the vendors');
  send('report');
  const outages = [...fleet.outages, ...redisOutages];
  const losses = readLosses({ hookEvents: fleet.hookEvents, outages, shortages });
  const seen = await pendingReport;
  await redis.close();
  return {
    facts: {
      events: eventFacts,
      messages: seen.messages,
      callbacks: callbackWay.facts,
      outages: [...outages, ...losses.outages],
      shortages,
      hookEvents: fleet.hookEvents,
      sendRequests: new Map(seen.sendRequests),
      afterSeconds,
    },
    problems: [...fleet.problems, ...losses.problems],
  };
}

/** The schedule depends on all of these. */
function replayOf({ seed, events, rate, gateways, schedules }: ChaosOptions): string {
  if (schedules !== undefined) {
    return `npm run chaos -- --seed ${seed} --schedules ${schedules} --gateways ${gateways}`;
  }
  return `npm run chaos -- --seed ${seed} --events ${events} --rate ${rate} --gateways ${gateways}`;
}

function report(account: Account, facts: RunFacts, problems: readonly string[]): boolean {
  print(`\n${tableOf(account)}`);
  for (const problem of problems) print(`\n${problem}`);
  const { violations } = account;
  for (const timeline of timelinesOf(account, facts)) print(`\n${timeline}`);
  const isGood = violations.length === 0 && problems.length === 0;
  print(isGood ? '\nNothing happened that must not.' : `\nTo replay: ${replayOf(options)}`);
  return isGood;
}

async function run(options: ChaosOptions): Promise<boolean> {
  const { schedules } = options;
  if (schedules !== undefined) return runSchedules({ ...options, schedules }, print);
  const { facts, problems } = await runChaos(options);
  return report(makeAccount(facts), facts, problems);
}

function longestMsOf({ schedules, events, rate }: ChaosOptions): number {
  if (schedules !== undefined) return schedules * LONGEST_SCHEDULE_MS + LONGEST_AFTER_MS;
  return (events / rate) * 1000 + LONGEST_AFTER_MS;
}

function readOptions(): ChaosOptions {
  try {
    return readChaosOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const options = readOptions();
if (options.isHelp) {
  print(USAGE);
} else {
  leaveNothingBehind();
  const ending = new Ending((why) => {
    print(`\nThe run failed: ${why}\n\nTo replay: ${replayOf(options)}`);
  });
  ending.watch(longestMsOf(options));
  const isGood = await run(options);
  ending.isReported = true;
  process.exit(isGood ? 0 : 1);
}
