#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from './program.js';

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever has closed the pipe (`| head`) has read enough; what a full disk lacks is a failure.
    if (error.code !== 'EPIPE') process.exitCode = 1;
  });
}

const exitCode = await runProgram({
  args: process.argv.slice(2),
  env: process.env,
  streams: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
  time: {
    now: Date.now,
    sleep: async (ms) => {
      await sleep(ms);
    },
  },
  signals: process,
});
process.exitCode ??= exitCode;
