import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { runBeside, type ProcessOptions } from '#harness/own-process.js';
import { ANA, BOB, CODE, HOOK_SECRET, startScene, usualCredentials, type Scene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';

const PUBLIC_URL = 'https://id.acme.example/okta/telephony';

describe('the libraries that are loaded with the hook that needs them', () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = await startScene();
  });
  afterEach(() => scene.close());

  /** What the script prints, as JSON, in its last line; the lines before it are its log. */
  const run = async (
    script: string,
    options: ProcessOptions,
  ): Promise<{ told: Record<string, unknown>; lines: string[] }> => {
    const { code, output } = await runBeside(scene, script, options);
    expect(code, output).to.equal(0);
    const lines = output.trimEnd().split('\n');
    return { told: JSON.parse(lines.pop() ?? '') as Record<string, unknown>, lines };
  };
  const message = (user: typeof ANA | typeof BOB, deliveryChannel = 'SMS'): string =>
    JSON.stringify({ userId: user.id, phoneNumber: user.phone, otpCode: CODE, deliveryChannel });
  /** Statements of a script that tell what became of a call. */
  const CALL = `
    const call = async (message, authorization = '${HOOK_SECRET}') => {
      const answer = await fetch(url, hookCall(message, authorization));
      const { commands, error } = await answer.json();
      return commands?.[0].value[0].status ?? [answer.status, error.errorSummary];
    };
    const readiness = async () =>
      Object.fromEntries(
        Object.entries(await hook.ready()).map(([name, found]) => [name, found.code ?? found]),
      );
  `;
  const callback = { MessageSid: `SM${'0a'.repeat(16)}`, MessageStatus: 'sent' };
  const report = (signature: string): string => `
    const reported = await fetch(url + '/twilio/status', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': ${JSON.stringify(signature)},
      },
      body: ${JSON.stringify(new URLSearchParams(callback).toString())},
    });
  `;
  const oauth2 = () =>
    ({
      scheme: 'oauth2',
      issuer: scene.okta.issuer,
      audience: 'api://default',
      clientId: '0oahookclient0001d7',
      scope: 'telephony',
    }) as const;
  const serviceApp = () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    scene.okta.registerServiceApp({
      clientId: '0oaServiceApp',
      publicJwk: publicKey.export({ format: 'jwk' }),
    });
    const jwk = { ...privateKey.export({ format: 'jwk' }) };
    mustNotShow(String(jwk.d));
    return { orgUrl: scene.okta.orgUrl, clientId: '0oaServiceApp', privateKey: jwk };
  };

  it('are all there after ready(), however long they take', async () => {
    const credentials = usualCredentials(scene.okta, scene.twilio);
    const signature = getExpectedTwilioSignature(
      scene.twilio.authToken,
      `${PUBLIC_URL}/twilio/status`,
      callback,
    );
    const { told, lines } = await run(
      `
        import { createRequire, register } from 'node:module';
        const { cache } = createRequire(import.meta.url);
        ${CALL}
        const { url, stop } = await listen();
        const ready = await readiness();
        const isThere = new Set(Object.keys(cache));
        // From here on nothing can be imported.
        register('data:text/javascript,export async function resolve() { throw new Error("too late"); }');
        const token = 'Bearer ' + ${JSON.stringify(await scene.okta.issueHookToken())};
        const answers = [
          await call(${message(ANA)}, token),
          await call(${message(BOB)}, token),
          await call(${message(BOB, 'CALL')}, token),
          await call({ ...${message(BOB)}, phoneNumber: '02025550142' }, token),
        ];
        ${report(signature)}
        // What builds TwiML loads two small files of its own with the first.
        const late = Object.keys(cache).filter((file) => !isThere.has(file) && !/xmlbuilder/.test(file));
        stop();
        await hook.close();
        console.log(JSON.stringify({ ready, answers, reported: reported.status, late }));
      `,
      {
        logger: 'default',
        hook: {
          credentials: { ...credentials, hook: oauth2(), okta: serviceApp() },
          senders: {
            sms: { default: scene.twilio.smsNumber, GB: scene.twilio.smsNumber },
            voice: scene.twilio.voiceNumber,
          },
          publicUrl: PUBLIC_URL,
          defaultCountry: 'US',
        },
        // The others are waited for by the calls that ready() makes.
        libraries: { winston: 'slow', 'libphonenumber-js/max': 'slow' },
      },
    );
    expect(told).to.deep.equal({
      ready: { okta: 'ok', twilio: 'ok', hookKeys: 'ok', state: 'ok' },
      answers: Array(4).fill('SUCCESSFUL'),
      reported: 204,
      late: [],
    });
    expect(lines).to.have.length(4);
  });

  it('take nothing of what is waited for tokens and keys, however long they take', async () => {
    const token = await scene.okta.issueHookToken();
    const { told } = await run(
      `
        ${CALL}
        const { url, stop } = await listen();
        const ready = await readiness();
        const answer = await call(${message(ANA)}, ${JSON.stringify(`Bearer ${token}`)});
        stop();
        await hook.close();
        console.log(JSON.stringify({ ready, answer }));
      `,
      {
        hook: {
          credentials: { ...usualCredentials(scene.okta, scene.twilio), hook: oauth2(), okta: serviceApp() },
        },
        libraries: { undici: 'slow', jose: 'slow' },
      },
    );
    expect(told).to.deep.equal({
      ready: { okta: 'ok', twilio: 'ok', hookKeys: 'ok', state: 'ok' },
      answer: 'SUCCESSFUL',
    });
    expect(scene.twilio.messages.map(({ channel }) => channel)).to.deep.equal(['whatsapp']);
  });

  it('lose no line of the log where winston is missing', async () => {
    const { told, lines } = await run(
      `
        ${CALL}
        const { url, stop } = await listen();
        const ready = await readiness();
        const answer = await call(${message(BOB)});
        stop();
        console.log(JSON.stringify({ ready, answer }));
      `,
      { logger: 'default', libraries: { winston: 'missing' } },
    );
    expect(told).to.deep.equal({
      ready: { okta: 'ok', twilio: 'ok', hookKeys: 'ok', state: 'ok' },
      answer: 'SUCCESSFUL',
    });
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(parsed.map(({ level, event }) => [level, event])).to.deep.equal([
      ['warn', 'configuration.warned'],
      ['info', 'request.answered'],
    ]);
    expect(parsed[1]).to.include({ message: 'okta-telephony-hook: a code was sent', channel: 'sms' });
    expect(Date.parse(String(parsed[1]?.['timestamp']))).to.be.greaterThan(0);
  });

  it('refuse no caller whose token cannot be checked where jose is missing', async () => {
    const token = await scene.okta.issueHookToken();
    const { told } = await run(
      `
        ${CALL}
        const { url, stop } = await listen();
        const answer = await call(${message(BOB)}, ${JSON.stringify(`Bearer ${token}`)});
        const ready = await readiness();
        stop();
        console.log(JSON.stringify({ ready, answer }));
      `,
      {
        hook: { credentials: { ...usualCredentials(scene.okta, scene.twilio), hook: oauth2() } },
        libraries: { jose: 'missing' },
      },
    );
    expect(told).to.deep.equal({
      ready: { okta: 'ok', twilio: 'ok', hookKeys: 'PROOF_UNAVAILABLE', state: 'ok' },
      answer: [503, 'The caller cannot be checked at the moment.'],
    });
    expect(scene.twilio.messages).to.be.empty;
  });

  it('stop no code where jose is missing for the private key of a service app', async () => {
    const { told } = await run(
      `
        ${CALL}
        const { url, stop } = await listen();
        const answer = await call(${message(ANA)});
        const ready = await readiness();
        stop();
        console.log(JSON.stringify({ ready, answer }));
      `,
      {
        hook: { credentials: { ...usualCredentials(scene.okta, scene.twilio), okta: serviceApp() } },
        libraries: { jose: 'missing' },
      },
    );
    expect(told).to.deep.equal({
      ready: { okta: 'NOT_READY', twilio: 'ok', hookKeys: 'ok', state: 'ok' },
      answer: 'SUCCESSFUL',
    });
    expect(scene.twilio.messages.map(({ channel }) => channel)).to.deep.equal(['sms']);
  });

  for (const hindrance of ['missing', 'hanging'] as const) {
    it(`let Twilio report again, in time, where its SDK is ${hindrance}`, async () => {
      const { told } = await run(
        `
          const { url, stop } = await listen();
          ${report('AAAAAAAAAAAAAAAAAAAAAAAAAAA=')}
          const { error } = await reported.json();
          stop();
          console.log(JSON.stringify([reported.status, error.errorSummary]));
          process.exit();
        `,
        { hook: { publicUrl: PUBLIC_URL, deadlineMs: 500 }, libraries: { twilio: hindrance } },
      );
      expect(told).to.deep.equal([503, 'The signature cannot be checked at the moment.']);
    });
  }

  it('are told by ready() where the numbering plans are missing', async () => {
    const { told } = await run(`${CALL} console.log(JSON.stringify(await readiness()));`, {
      hook: { defaultCountry: 'US' },
      libraries: { 'libphonenumber-js/max': 'missing' },
    });
    expect(told).to.deep.equal({ okta: 'ok', twilio: 'NOT_READY', hookKeys: 'ok', state: 'ok' });
  });

  it('do not keep close() from resolving where undici is missing', async () => {
    const { told } = await run(
      `await hook.close(); console.log(JSON.stringify({ closing: hook.status().closing }));`,
      { libraries: { undici: 'missing' } },
    );
    expect(told).to.deep.equal({ closing: true });
  });
});
