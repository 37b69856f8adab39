#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from './program.js';

/** The executable of the package: runs the program with the streams and signals of this process. */

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // EPIPE: the reader of a pipe (`| head`) has read enough. Any other error, such as a full disk, is a failure.
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
