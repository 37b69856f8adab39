import { makeAccount } from '../account/account.js';
import { timelinesOf, describeProblem } from '../account/report.js';
import { findingsOf } from './findings.js';
import { SimulatedRedis } from './redis.js';
import { SimulatedTime } from './time.js';
import { makeScript } from './script.js';
import { describeStep } from './steps.js';
import { play } from './play.js';
const redis = await SimulatedRedis.start();
const hr = process.hrtime.bigint.bind(process.hrtime);
const time = new SimulatedTime(redis);
const n = Number(process.argv[2] ?? 20), from = Number(process.argv[3] ?? 1);
const only = process.argv[4];
const t0 = hr();
const counts: Record<string, number[]> = {};
let shown = 0;
for (let seed = from; seed < from + n; seed++) {
  const script = makeScript(seed, 3);
  const kindsOn = process.env['KINDS'];
  if (kindsOn !== undefined) (script as any).steps = script.steps.filter((s) => ['code', 'word', 'use', ...kindsOn.split(',')].includes(s.kind));
  const facts = await play(script, { redis, time });
  const account = makeAccount(facts);
  const kinds = findingsOf(account);
  for (const k of kinds) (counts[k] ??= []).push(seed);
  if ((only && kinds.has(only) && shown++ < Number(process.argv[5] ?? 1)) || n === 1) {
    console.log('SEED', seed, JSON.stringify({ ...script, steps: undefined }));
    console.log(script.steps.map(describeStep).join('\n'));
    console.log(account.problems.map(describeProblem).join('\n'));
    console.log(timelinesOf(account, facts, (v) => !only || v.kind === only).join('\n'));
    const base = facts.events[0]!.calls[0]!.at;
    if (process.argv[6]) {
      for (const h of facts.hookEvents) console.log(h.at - base, h.gateway, h.type, h.eventId, h.outcome, h.text, h.attempts ? JSON.stringify(h.attempts.map((a) => [a.channel, a.outcome])) : '');
      console.log(facts.messages.map((m) => [m.sid.slice(0, 8), m.code, m.channel, m.at - base, 'g' + m.gateway, m.status, m.acceptedAt && m.acceptedAt - base, m.knewAt! - base].join(' ')).join('\n'));
      console.log(JSON.stringify([facts.words?.map((w) => [w.word, w.at - base, w.answeredAt - base, w.gateway, w.isTaken]), facts.uses?.map((w) => [w.usedAt - base, w.at - base, w.gateway, w.isTaken]), facts.felt?.map((f) => [f.gateway, f.life, f.at - base]), facts.wipes?.map((w) => w - base), facts.callbacks.map((c) => [c.at - base, c.gateway, c.status, c.isTaken, c.sid.slice(0, 8)])]));
    }
  }
}
for (const [k, seeds] of Object.entries(counts)) console.log(k.padEnd(14), seeds.length, seeds.slice(0, 12).join(' '));
console.log('ms each', Number(hr() - t0) / 1e6 / n);
process.exit(0);
