import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import {
  ProviderError,
  TelephonyHookError,
  twilioMessages,
  type HookEventOf,
  type Outcome,
  type Readiness,
} from '#lib/index.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { ANA, scenes, usualCredentials, type Scene, type SceneOptions } from '#harness/scene.js';
import { passTime, stopTime, warmUp } from '#harness/stopped-time.js';
import { witness } from '#harness/witness.js';

const WRONG_TOKEN = 'wrong-token-8812';

const oauth2 = (issuer: string) =>
  ({
    scheme: 'oauth2',
    issuer,
    audience: 'api://default',
    clientId: '0oahookclient0001d7',
    scope: 'telephony',
  }) as const;

describe('ready()', () => {
  let scene: Scene;
  before(warmUp);
  const startScene = scenes();
  const start = async (hook?: SceneOptions['hook']): Promise<void> => {
    scene = await startScene(hook === undefined ? {} : { hook });
  };
  /** A service app that Okta may know. */
  const startServiceApp = async (scopes?: readonly string[]): Promise<void> => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await start(({ okta }) => ({
      credentials: { okta: { orgUrl: okta.orgUrl, clientId: '0oaServiceApp', privateKey: pem } },
    }));
    const publicJwk = publicKey.export({ format: 'jwk' });
    if (scopes !== undefined) scene.okta.registerServiceApp({ clientId: '0oaServiceApp', publicJwk, scopes });
  };
  const check = async (): Promise<Readiness> => {
    const found = await scene.hook.ready();
    for (const result of Object.values(found)) witness(result);
    return found;
  };
  const expectFailure = (result: 'ok' | Error | undefined, code: string, remedy: RegExp): void => {
    expect(result).to.be.instanceOf(TelephonyHookError);
    expect(result).to.have.property('code', code);
    expect(result).to.have.property('remedy').that.matches(remedy);
  };
  const failures = (): HookEventOf<'readiness.failed'>[] => scene.of('readiness.failed');
  const errorLines = (): Scene['log'] => scene.log.filter(({ level }) => level === 'error');
  const send = (): Promise<Outcome> => Promise.resolve({ status: 'refused', code: 'NO', reason: 'Not sent' });
  const never = (): Promise<never> => new Promise(() => undefined);

  it('reports every part as ok, fetches the keys of access tokens, and sends nothing', async () => {
    await start(({ okta }) => ({ credentials: { hook: oauth2(okta.issuer) } }));
    expect(await check()).to.deep.equal({
      ...{ okta: 'ok', twilio: 'ok', hookKeys: 'ok', state: 'ok' },
      channels: {},
    });
    expect(scene.okta.jwksHits).to.equal(1);
    expect(scene.twilio.messages).to.be.empty;
    expect(failures()).to.be.empty;
    expect(errorLines()).to.be.empty;
  });

  it('names the scope that Okta did not grant to a service app, also on a second check', async () => {
    await startServiceApp(['okta.logs.read']);
    for (let count = 1; count <= 2; count += 1)
      expectFailure((await check()).okta, 'OKTA_HTTP_ERROR', /scope okta\.users\.read/);
  });

  it('reports a service app that Okta does not know, with a remedy', async () => {
    await startServiceApp();
    const remedy = /clientId.*register the public half of privateKey/;
    expectFailure((await check()).okta, 'OKTA_UNAUTHORIZED', remedy);
  });

  it('names the role that lets an administrator read users if Okta answers 403', async () => {
    await start();
    scene.okta.fault({ kind: 'status', status: 403, body: { errorCode: 'E0000006' } });
    expectFailure((await check()).okta, 'OKTA_FORBIDDEN', /role.*Read-Only Administrator/);
  });

  it('resolves within 5 s if every part hangs', async () => {
    await start(({ okta }) => ({
      credentials: { hook: oauth2(okta.issuer) },
      state: { ...openMemoryState(), check: never },
      channels: { sms: [twilioMessages(), { send, check: never }] },
    }));
    for (const hang of [{ kind: 'hang' } as const]) {
      scene.okta.fault(hang);
      scene.okta.faultKeys(hang);
      scene.twilio.fault(hang);
    }
    const clock = stopTime();
    let found: Readiness;
    try {
      found = await passTime(clock, scene.hook.ready(), 5000);
    } finally {
      clock.restore();
    }
    const { channels, ...parts } = found;
    expect(Object.keys(channels)).to.deep.equal(['sms[1]']);
    for (const result of [...Object.values(parts), channels['sms[1]']]) {
      witness(result);
      expect(result).to.be.instanceOf(TelephonyHookError);
    }
    expectFailure(found.hookKeys, 'PROOF_UNAVAILABLE', /issuer/);
    expectFailure(found.state, 'NOT_READY_IN_TIME', /egress.+call ready\(\) again/);
  });

  it('says after close() that the hook is closed, with the remedy, and calls nobody', async () => {
    await start();
    await scene.hook.close();
    const asked = scene.okta.requests.length;
    const { channels, ...parts } = await scene.hook.ready();
    expect(channels).to.deep.equal({});
    expect(Object.keys(parts)).to.have.members(['okta', 'twilio', 'hookKeys', 'state']);
    for (const result of Object.values(parts)) {
      expect(result).to.include({
        code: 'NOT_READY',
        message: 'The hook is closed.',
        remedy: 'Call ready() before close(), or make a new hook.',
      });
    }
    expect(scene.okta.requests).to.have.length(asked);
    expect(failures().map(({ part }) => part)).to.deep.equal(['hook']);
    expect(errorLines().map(({ message }) => message)).to.deep.equal([
      'okta-telephony-hook: ready() found that the hook is closed.',
    ]);
  });

  it('emits an event and writes an error line for each part that does not work, at each call', async () => {
    const remedy = 'Look at the key.';
    await start(({ okta, twilio }) => ({
      credentials: {
        hook: oauth2(`${REFUSING_ORIGIN}/oauth2/default`),
        okta: { orgUrl: okta.orgUrl, apiToken: WRONG_TOKEN },
        twilio: { ...usualCredentials(okta, twilio).twilio, baseUrl: REFUSING_ORIGIN },
      },
      state: { ...openMemoryState(), check: () => Promise.reject(new Error('ECONNREFUSED')) },
      channels: {
        line: { send, check: () => Promise.reject(new Error('fetch failed')) },
        push: {
          send,
          check: () => {
            const quoted = { remedy: `Ask ${ANA.login}.` };
            throw new TelephonyHookError('NOT_READY', `No device of ${ANA.phone}`, quoted);
          },
        },
        sms: [
          { send, check: () => Promise.resolve() },
          {
            send,
            check: () => {
              const details = { providerCode: 'BAD_KEY', remedy };
              throw new ProviderError('PROVIDER_REFUSED', 'The key is not taken', details);
            },
          },
        ],
      },
    }));
    const { host } = new URL(scene.okta.orgUrl);
    const { channels, ...parts } = await scene.hook.ready();
    expect(channels['sms[0]']).to.equal('ok');
    expectFailure(channels['sms[1]'], 'PROVIDER_REFUSED', /^Look at the key/);
    expect(channels['sms[1]']).to.include({ providerCode: 'BAD_KEY' });
    expect(channels['line']).to.have.property('code', 'NOT_READY');
    expectFailure(parts.twilio, 'TWILIO_UNREACHABLE', /egress/);
    expect((parts.state as Error).cause).to.include({ message: 'ECONNREFUSED' });
    const found = failures();
    expect(found.map(({ part, code }) => `${part} ${code}`)).to.deep.equal([
      'okta OKTA_UNAUTHORIZED',
      'twilio TWILIO_UNREACHABLE',
      'hookKeys PROOF_UNAVAILABLE',
      'state NOT_READY',
      'channels.sms[1] BAD_KEY',
      'channels.line NOT_READY',
      'channels.push NOT_READY',
    ]);
    const [okta, , hookKeys, state, sms, line, push] = found;
    // The words of a custom channel may contain personal data.
    expect(push).to.include({ reason: 'No device of …', remedy: 'Ask …' });
    expect(okta?.reason.startsWith(`${host}: Okta's API answered 401`), okta?.reason).to.equal(true);
    expect(okta?.remedy).to.match(/API token ends with its owner/);
    expect(hookKeys?.reason).to.match(/are not there: the issuer's keys could not be fetched/);
    expect(hookKeys?.remedy).to.match(/issuer.*credentials\.hook/);
    expect(state?.reason).to.equal('The check failed: ECONNREFUSED');
    expect(line?.reason).to.equal('The check failed: fetch failed');
    expect(sms).to.include({ reason: 'The key is not taken', remedy });

    const lines = errorLines();
    expect(lines.map(({ fields }) => fields['part'])).to.deep.equal(found.map(({ part }) => part));
    for (const [index, { message, fields }] of lines.entries()) {
      const {
        type: event,
        part,
        code,
        reason,
        remedy: advice,
      } = found[index] as HookEventOf<'readiness.failed'>;
      expect(message).to.include(part);
      expect(fields).to.include({ event, part, code, reason });
      expect(fields['remedy']).to.equal(advice);
    }

    await scene.hook.ready();
    expect(failures()).to.have.length(2 * found.length);
    expect(errorLines()).to.have.length(2 * lines.length);
  });
});

describe('status().isReady', () => {
  let scene: Scene;
  const startScene = scenes();
  const isReady = (): boolean => scene.hook.status().isReady;

  it('turns true when ready() has ended, and false after drain()', async () => {
    scene = await startScene();
    expect(isReady()).to.equal(false);
    const checking = scene.hook.ready();
    expect(isReady()).to.equal(false);
    await checking;
    expect(isReady()).to.equal(true);
    scene.hook.drain();
    expect(isReady()).to.equal(false);
    await scene.hook.ready();
    expect(isReady()).to.equal(false);
  });

  it('turns true even if ready() found a fault, and false after close()', async () => {
    scene = await startScene();
    scene.twilio.fault({ kind: 'status', status: 401 });
    expect((await scene.hook.ready()).twilio).to.not.equal('ok');
    expect(isReady()).to.equal(true);
    const closing = scene.hook.close();
    expect(isReady()).to.equal(false);
    await closing;
  });
});
