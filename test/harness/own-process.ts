import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { OktaTelephonyHookOptions } from '#lib/index.js';
import { usualCredentials, type Scene } from './scene.js';
import { witness } from './witness.js';

/** What stands in the way of a library in that process. */
export type Hindrance = 'missing' | 'slow' | 'held' | 'hanging';

export interface ProcessOptions {
  /** Options of the hook over the usual ones, as JSON has them; its log is silent unless `logger` is `'default'`. */
  readonly hook?: Partial<Omit<OktaTelephonyHookOptions, 'logger'>>;
  readonly logger?: 'default';
  /** By what is imported. */
  readonly libraries?: Readonly<Record<string, Hindrance>>;
}

/**
 * Runs a script beside the emulators of a scene, in a process of its own with a `hook` of its own; resolves to its exit
 * code once it has ended by itself. `listen()` serves the hook at an address, `hookCall()` makes the request of a call,
 * `release()` lets the libraries come that are held.
 */
export async function runBeside(
  scene: Scene,
  script: string,
  { hook, logger, libraries = {} }: ProcessOptions = {},
): Promise<{ code: unknown; output: string }> {
  const options = {
    credentials: usualCredentials(scene.okta, scene.twilio),
    sandboxNumber: scene.twilio.sandboxNumber,
    senders: { sms: scene.twilio.smsNumber, voice: scene.twilio.voiceNumber },
    ...hook,
  };
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--import', hindering(libraries), '--input-type=module', '-e', PRELUDE + script],
    {
      env: { ...process.env, OPTIONS: JSON.stringify(options), LOGGER: logger ?? 'silent' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  // Shorter than any pool keeps its connections.
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const [code] = (await once(child, 'close')) as [unknown];
  clearTimeout(timer);
  witness(output);
  return { code, output };
}

/** Statements that make `hook`, `listen()` and `hookCall()`, from what the environment says. */
export const PRELUDE = `
  import express from 'express';
  import { once } from 'node:events';
  import { oktaTelephonyHook } from '#lib/index.js';
  import { makeHookPayload } from '#lib/testing/okta-hook-payload.js';
  if (process.env.SLOW_TIME === '1') (await import('#harness/slow-time.js')).slowTime();
  const say = () => undefined;
  const redis = JSON.parse(process.env.REDIS_STATE ?? 'null');
  const hook = oktaTelephonyHook({
    ...JSON.parse(process.env.OPTIONS),
    ...(redis === null ? {} : { state: (await import('#lib/state/redis.js')).redisState(redis) }),
    ...(process.env.LOGGER === 'silent' ? { logger: { info: say, warn: say, error: say } } : {}),
  });
  const server = express().use(hook);
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

const dataUrl = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

/** A module that registers hooks of Node's loader. */
function hindering(libraries: Readonly<Record<string, Hindrance>>): string {
  const hooks = `
    const libraries = ${JSON.stringify(libraries)};
    let gate;
    export function initialize(data) { gate = data; }
    export async function resolve(specifier, context, next) {
      const hindrance = libraries[specifier];
      if (hindrance === 'missing') throw new Error('no library of this name');
      if (hindrance === 'hanging') await new Promise(() => undefined);
      while (hindrance === 'held' && Atomics.load(gate, 0) === 0)
        await new Promise((resolve) => { setTimeout(resolve, 5); });
      if (hindrance === 'slow') await new Promise((resolve) => { setTimeout(resolve, 2_500); });
      return next(specifier, context);
    }
  `;
  return dataUrl(`
    import { register } from 'node:module';
    const gate = new Int32Array(new SharedArrayBuffer(4));
    globalThis.release = () => { Atomics.store(gate, 0, 1); };
    register(${JSON.stringify(dataUrl(hooks))}, { data: gate });
  `);
}
