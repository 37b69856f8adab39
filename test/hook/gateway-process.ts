import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { OktaTelephonyHookOptions } from '#lib/index.js';
import type { RedisStateOptions } from '#lib/state/redis/index.js';
import { BUILT, PRELUDE } from '#harness/own-process.js';
import { usualCredentials, type Scene } from '#harness/scene.js';
import { witness } from '#harness/witness.js';

/** A gateway in its own process, which can die. */
export interface GatewayProcess {
  /** For `scene.call({ url })`. */
  readonly url: string;
  /** A call to this URL is the last one: the process kills itself as soon as it has written the answer to its socket. */
  readonly lastUrl: string;
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>;
  kill(): Promise<void>;
}

/** Serves with the emulators of a scene and its state in Redis. Time passes slowly in the process, see `slowTime()`. */
export async function startGatewayProcess(
  scene: Scene,
  redis: RedisStateOptions,
  hook: Partial<OktaTelephonyHookOptions> = {},
): Promise<GatewayProcess> {
  const options = {
    credentials: usualCredentials(scene.okta, scene.twilio),
    sandboxNumber: scene.twilio.sandboxNumber,
    senders: { sms: scene.twilio.smsNumber, voice: scene.twilio.voiceNumber },
    ...hook,
  };
  const script = `
    ${PRELUDE}
    const { url } = await listen();
    const dieAfterAnswer = (req, res, next) => {
      const end = res.end.bind(res);
      res.end = (...args) => {
        end(...args);
        process.kill(process.pid, 'SIGKILL');
      };
      next();
    };
    server.use('/last', dieAfterAnswer, hook);
    await hook.ready();
    console.log(url);
  `;
  const child = spawn(process.execPath, [...BUILT, '--input-type=module', '-e', script], {
    env: {
      ...process.env,
      OPTIONS: JSON.stringify(options),
      SLOW_TIME: '1',
      REDIS_STATE: JSON.stringify(redis),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const ended = once(child, 'close');
  const [printed] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown];
  if (!Buffer.isBuffer(printed)) throw new Error('the gateway exited before it listened');
  witness(printed.toString());
  const url = printed.toString().trim();
  return {
    url,
    lastUrl: new URL('/last/okta/telephony', url).href,
    ended,
    kill: async () => {
      process.off('exit', end);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await ended;
    },
  };
}
