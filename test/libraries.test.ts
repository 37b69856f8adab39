import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { ANA, BOB, CODE, HOOK_SECRET, startScene, usualCredentials, type Scene } from './harness/scene.js';
import { witness } from './harness/witness.js';

/** Loads a library late, or not at all, in whatever process registers it. */
const LIBRARY_FAULT = `
  let broken, lateMs;
  export function initialize(fault) { ({ broken, lateMs } = fault); }
  export async function resolve(specifier, context, next) {
    if (specifier === broken && lateMs === undefined) throw new Error('cannot be loaded');
    if (specifier === broken) await new Promise((resolve) => setTimeout(resolve, lateMs));
    return next(specifier, context);
  }`;

/** One call of Okta's at a gateway of its own process; prints the answer, and whatever was left unhandled fails it. */
const GATEWAY = `
  import { register } from 'node:module';
  import { once } from 'node:events';
  import express from 'express';
  const { fault, settings, call } = JSON.parse(process.env.SCENE);
  register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(LIBRARY_FAULT)}), { data: fault });
  const { oktaTelephonyHook } = await import('./lib/index.ts');
  const { makeHookPayload } = await import('./lib/testing/okta-hook-payload.ts');
  const say = () => undefined;
  const hook = oktaTelephonyHook({ ...settings, logger: { info: say, warn: say, error: say } });
  const server = express().use(hook).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answer = await fetch('http://127.0.0.1:' + server.address().port + '/okta/telephony', {
    method: 'POST',
    headers: { authorization: '${HOOK_SECRET}', 'content-type': 'application/json' },
    body: JSON.stringify(makeHookPayload(call, undefined, { orgUrl: '', now: Date.now() })),
  });
  console.log(JSON.stringify(await answer.json()));
  server.close();
  server.closeAllConnections();
  await hook.close();`;

interface Answer {
  readonly commands?: readonly { readonly value: readonly { readonly status: string }[] }[];
  readonly error?: { readonly errorCauses: readonly { readonly reason: string }[] };
}

describe('a library that a hook loads when it is made', () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = await startScene();
  });
  afterEach(() => scene.close());

  /** Okta's call where a library is broken: its status, or the code of each cause. */
  const callWith = async (
    fault: { readonly broken: string; readonly lateMs?: number },
    parts: { readonly settings?: object; readonly call?: object } = {},
  ): Promise<string> => {
    const settings = {
      credentials: usualCredentials(scene.okta, scene.twilio),
      senders: { sms: scene.twilio.smsNumber, voice: scene.twilio.voiceNumber },
      deadlineMs: 700,
      ...parts.settings,
    };
    const call = { userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone, otpCode: CODE, ...parts.call };
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', GATEWAY], {
      env: { ...process.env, SCENE: JSON.stringify({ fault, settings, call }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    const [code] = (await once(child, 'close')) as [unknown];
    witness(output);
    expect(code, output).to.equal(0);
    const { commands, error } = JSON.parse(output) as Answer;
    return (
      commands?.[0]?.value[0]?.status ??
      (error?.errorCauses ?? []).map(({ reason }) => reason.split(':', 1)[0]).join()
    );
  };
  const texts = (): number => scene.twilio.messages.length + scene.twilio.calls.length;

  const LATE = 3_000;
  for (const broken of ['twilio', 'undici']) {
    for (const deliveryChannel of ['SMS', 'CALL']) {
      it(`is not waited for past the deadline, and nothing is sent later: ${broken}, ${deliveryChannel}`, async () => {
        const answer = await callWith({ broken, lateMs: LATE }, { call: { deliveryChannel } });
        // Not PENDING: nothing has left, so Okta may send the code itself.
        expect(answer).to.equal('UNREACHABLE');
        expect(texts()).to.equal(0);
      });
    }
    it(`sends nothing where it cannot be loaded, and says so: ${broken}`, async () => {
      for (const deliveryChannel of ['SMS', 'CALL']) {
        expect(await callWith({ broken }, { call: { deliveryChannel } })).to.equal('UNREACHABLE');
      }
      expect(texts()).to.equal(0);
    });
  }

  describe('the numbering plans', () => {
    const broken = 'libphonenumber-js/max';
    const senders = (): object => ({
      sms: { default: scene.twilio.smsNumber, GB: 'ACME' },
      voice: { default: scene.twilio.voiceNumber, GB: '+15005550009' },
    });
    for (const [title, fault] of [
      ['come late', { broken, lateMs: LATE }],
      ['cannot be loaded', { broken }],
    ] as const) {
      it(`leave the default sender where they ${title}`, async () => {
        const settings = { senders: senders() };
        for (const deliveryChannel of ['SMS', 'CALL']) {
          const call = { phoneNumber: ANA.phone, deliveryChannel };
          expect(await callWith(fault, { settings, call })).to.equal('SUCCESSFUL');
        }
        expect(scene.twilio.messages.map(({ from }) => from)).to.deep.equal([scene.twilio.smsNumber]);
        expect(scene.twilio.calls.map(({ from }) => from)).to.deep.equal([scene.twilio.voiceNumber]);
      });

      it(`leave a national number undialled where they ${title}`, async () => {
        const parts = { settings: { defaultCountry: 'US' }, call: { phoneNumber: '202 555 0142' } };
        expect(await callWith(fault, parts)).to.equal('NO_DIALABLE_NUMBER');
        expect(texts()).to.equal(0);
      });

      it(`leave WhatsApp to the enrolled number where they ${title}`, async () => {
        scene.okta.updateUser(ANA.id, { mobilePhone: '07700 900123' });
        scene.twilio.joinSandbox(BOB.phone);
        const settings = {
          sandboxNumber: scene.twilio.sandboxNumber,
          defaultCountry: 'GB',
          profile: { unverifiedPhoneAttribute: 'mobilePhone' },
        };
        const call = { userId: ANA.id, login: ANA.login, requestType: 'mfa-verification' };
        expect(await callWith(fault, { settings, call })).to.equal('SUCCESSFUL');
        expect(scene.twilio.messages.map(({ channel, to }) => [channel, to])).to.deep.equal([
          ['whatsapp', BOB.phone],
        ]);
      });
    }
  });
});
