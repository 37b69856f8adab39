#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from './program.js';

process.exitCode = await runProgram({
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
