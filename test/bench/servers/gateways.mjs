import { spawnSync } from 'node:child_process';
import cluster from 'node:cluster';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

/**
 * Gateways behind one port, each in its own process. This process passes each connection to the next gateway, and
 * answers its parent's questions with the sum of all processes.
 *
 * @type {{ processes: number, cores?: readonly number[] }}
 */
const { processes, cores = [] } = JSON.parse(process.argv[2] ?? '{}');

cluster.setupPrimary({
  exec: fileURLToPath(new URL('ours.mjs', import.meta.url)),
  args: process.argv.slice(2),
});
cluster.on('exit', () => process.exit(1));

const nextMessage = (worker) => new Promise((resolve) => worker.once('message', resolve));
const workers = Array.from({ length: processes }, () => cluster.fork());
const [{ port }] = await Promise.all(workers.map(nextMessage));
// Like `keepTo` of cores.ts.
for (const [at, core] of cores.slice(0, processes).entries())
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(workers[at].process.pid)]);

process.on('message', async ({ id, question }) => {
  const replies = await Promise.all(
    workers.map((worker) => {
      const reply = nextMessage(worker);
      worker.send({ id, question });
      return reply;
    }),
  );
  const { user, system } = process.cpuUsage();
  const total = { cpuMicroseconds: user + system, waits: 0 };
  for (const { answer } of replies) for (const name of Object.keys(total)) total[name] += answer[name];
  process.send({ id, answer: total });
});
// The gateways exit with this process.
process.on('disconnect', () => process.exit());
process.send({ port });
