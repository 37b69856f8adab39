import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buildIfStale } from './consumer.js';
import { usualCredentials, type Scene } from './scene.js';
import { witness } from './witness.js';

/**
 * Runs a script with the emulators of a scene, in its own process with its own `hook`. Resolves to its exit code and
 * output once it has exited. `listen()` serves the hook at an address, `hookCall()` makes the request of a call.
 *
 * @param missing - the libraries that the process cannot import.
 */
export async function runBeside(scene: Scene, script: string): Promise<{ code: unknown; output: string }> {
  const options = {
    credentials: usualCredentials(scene.okta, scene.twilio),
    sandboxNumber: scene.twilio.sandboxNumber,
    senders: { sms: scene.twilio.smsNumber, voice: scene.twilio.voiceNumber },
  };
  const child = spawn(process.execPath, [...BUILT, '--input-type=module', '-e', PRELUDE + script + END], {
    env: { ...process.env, OPTIONS: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), PROCESS_MS);
  const [code] = (await once(child, 'close')) as [unknown];
  clearTimeout(timer);
  witness(output);
  return { code, output };
}

/**
 * Node's options for a process that runs the build: `#lib` is dist/ there. Without a compiler it takes half of the CPU
 * that tsx takes.
 */
export const BUILT = ['--conditions=built'];

/** The command line, as built. */
export const PROGRAM = 'dist/cli/main.js';

buildIfStale();

/** The time-out of a test that waits for such a process, on a busy machine, milliseconds. */
export const PROCESS_MS = 60_000;

/** After this time, the process reports what keeps it alive. Shorter than servers and pools keep connections. */
const END = `
  setTimeout(() => {
    console.log('kept alive by', process.getActiveResourcesInfo());
    process.exit(1);
  }, 4_000).unref();
`;

/** Statements that make `hook`, `listen()` and `hookCall()` from the environment. `DEFAULT_LOG=1` logs to stdout. */
export const PRELUDE = `
  import express from 'express';
  import { once } from 'node:events';
  import { oktaTelephonyHook } from '#lib/index.js';
  import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
  if (process.env.SLOW_TIME === '1') (await import('#harness/slow-time.js')).slowTime();
  const say = () => undefined;
  const redis = JSON.parse(process.env.REDIS_STATE ?? 'null');
  const hook = oktaTelephonyHook({
    ...JSON.parse(process.env.OPTIONS),
    ...(redis === null ? {} : { state: (await import('#lib/state/redis/index.js')).redisState(redis) }),
    ...(process.env.DEFAULT_LOG === '1' ? {} : { logger: { info: say, warn: say, error: say } }),
  });
  const server = express();
  server.use(hook);
  const listen = async () => {
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    return {
      url: 'http://127.0.0.1:' + listening.address().port + '/okta/telephony',
      stop: () => {
        listening.close();
        listening.closeAllConnections();
      },
    };
  };
  const hookCall = (message, authorization) => ({
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(makeHookPayload(message, undefined, { orgUrl: '', now: Date.now() })),
  });
`;
