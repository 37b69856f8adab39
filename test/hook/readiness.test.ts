import { expect } from 'chai';
import {
  ProviderError,
  TelephonyHookError,
  type HookEvent,
  type HookEventOf,
  type Outcome,
} from '#lib/index.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { PROCESS_MS, runBeside } from '#harness/own-process.js';
import { ANA, startScene, usualCredentials, type Scene, type SceneOptions } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';

const WRONG_TOKEN = 'wrong-token-8812';
const WRONG_SECRET = 'wrong-secret-8812';

describe('ready()', () => {
  let scene: Scene;
  const start = async (options: SceneOptions = {}): Promise<void> => {
    scene = await startScene(options);
  };
  afterEach(() => scene.close());

  const isFailure = (event: HookEvent): event is HookEventOf<'readiness.failed'> =>
    event.type === 'readiness.failed';
  const errorLines = (): Scene['log'] => scene.log.filter(({ level }) => level === 'error');
  const send = (): Promise<Outcome> => Promise.resolve({ status: 'refused', code: 'NO', reason: 'Not sent' });

  it('emits no event and writes no error line if every part works', async () => {
    await start();
    await scene.hook.ready();
    expect(scene.events.filter(isFailure)).to.be.empty;
    expect(errorLines()).to.be.empty;
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
    expect(scene.events.filter(isFailure).map(({ part }) => part)).to.deep.equal(['hook']);
    expect(errorLines().map(({ message }) => message)).to.deep.equal([
      'okta-telephony-hook: ready() found that the hook is closed.',
    ]);
  });

  it('emits an event and writes an error line for each part that does not work, at each call', async () => {
    const remedy = 'Look at the key.';
    await start({
      hook: ({ okta, twilio }) => ({
        credentials: {
          hook: {
            scheme: 'oauth2',
            issuer: `${REFUSING_ORIGIN}/oauth2/default`,
            audience: 'api://default',
            clientId: '0oahookclient0001d7',
            scope: 'telephony',
          },
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
      }),
    });
    const { host } = new URL(scene.okta.orgUrl);
    await scene.hook.ready();
    const failures = scene.events.filter(isFailure);
    expect(failures.map(({ part, code }) => `${part} ${code}`)).to.deep.equal([
      'okta OKTA_UNAUTHORIZED',
      'twilio TWILIO_UNREACHABLE',
      'hookKeys PROOF_UNAVAILABLE',
      'state NOT_READY',
      'channels.sms[1] BAD_KEY',
      'channels.line NOT_READY',
      'channels.push NOT_READY',
    ]);
    const [okta, , hookKeys, state, sms, line, push] = failures;
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
    expect(lines.map(({ fields }) => fields['part'])).to.deep.equal(failures.map(({ part }) => part));
    for (const [index, { message, fields }] of lines.entries()) {
      const {
        type: event,
        part,
        code,
        reason,
        remedy: advice,
      } = failures[index] as HookEventOf<'readiness.failed'>;
      expect(message).to.include(part);
      expect(fields).to.include({ event, part, code, reason });
      expect(fields['remedy']).to.equal(advice);
    }

    await scene.hook.ready();
    expect(scene.events.filter(isFailure)).to.have.length(2 * failures.length);
    expect(errorLines()).to.have.length(2 * lines.length);
  });

  it('writes error lines for a wrong Okta token and a wrong Twilio secret by the default logger', async () => {
    await start();
    mustNotShow(WRONG_TOKEN, WRONG_SECRET);
    const { code, output } = await runBeside(
      scene,
      `
        const { credentials, ...options } = JSON.parse(process.env.OPTIONS);
        const wrong = oktaTelephonyHook({
          ...options,
          credentials: {
            ...credentials,
            okta: { ...credentials.okta, apiToken: '${WRONG_TOKEN}' },
            twilio: { ...credentials.twilio, apiKeySecret: '${WRONG_SECRET}' },
          },
        });
        await wrong.ready();
        await wrong.close();
        await hook.close();
      `,
    );
    expect(code, output).to.equal(0);
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ level }) => level === 'error');
    expect(lines.map(({ event, part, code: found }) => [event, part, found])).to.deep.equal([
      ['readiness.failed', 'okta', 'OKTA_UNAUTHORIZED'],
      ['readiness.failed', 'twilio', 'TWILIO_UNAUTHORIZED'],
    ]);
    expect(lines[0])
      .to.have.property('remedy')
      .that.matches(/credentials\.okta/);
    expect(lines[1])
      .to.have.property('remedy')
      .that.matches(/credentials\.twilio/);
  }).timeout(PROCESS_MS);
});

describe('status().isReady', () => {
  let scene: Scene;
  const isReady = (): boolean => scene.hook.status().isReady;
  afterEach(() => scene.close());

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
