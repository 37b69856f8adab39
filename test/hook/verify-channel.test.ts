import { expect } from 'chai';
import type sinon from 'sinon';
import { twilioMessages, twilioVerify, type OktaTelephonyHookOptions } from '#lib/index.js';
import type { Fault, TwilioEmulator } from '#lib/testing/index.js';
import {
  ANA,
  BOB,
  CODE,
  commandOf,
  errorOf,
  scenes,
  startScene as startUnclosed,
  TO_BOB,
  type Scene,
  type SceneOptions,
} from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

/** Verify in place of Messages and Calls, for WhatsApp to Ana and SMS to Bob. */
const byVerify: SceneOptions['hook'] = ({ twilio }) => ({
  sandboxNumber: undefined,
  senders: undefined,
  channels: everyChannel(twilio),
});

function everyChannel({ verifyServiceSid }: TwilioEmulator): OktaTelephonyHookOptions['channels'] {
  const verify = twilioVerify({ serviceSid: verifyServiceSid });
  return { whatsapp: verify, sms: verify, voice: verify };
}

const BY_BOB = { ...TO_BOB, locale: 'en-US' };

describe('a hook whose channels are Twilio Verify', () => {
  let scene: Scene;
  const startScene = scenes();
  /** Verify and then Messages for SMS. */
  const startWithNext = async (): Promise<void> => {
    scene = await startScene({
      hook: ({ twilio }) => ({
        channels: { sms: [twilioVerify({ serviceSid: twilio.verifyServiceSid }), twilioMessages()] },
      }),
    });
  };

  it('sends the code by WhatsApp, SMS and voice, and answers SUCCESSFUL', async () => {
    scene = await startScene({ hook: byVerify });
    const whatsapp = await scene.call();
    const sms = await scene.call(BY_BOB);
    const voice = await scene.call({ ...BY_BOB, deliveryChannel: 'VOICE' });
    for (const call of [whatsapp, sms, voice]) {
      expect(call.httpStatus).to.equal(200);
      expect(commandOf(call)).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO_VERIFY' });
    }
    const { verifications } = scene.twilio;
    expect(verifications.map(({ channel, code }) => [channel, code])).to.deep.equal([
      ['whatsapp', CODE],
      // The SMS verification is still pending, so the voice call belongs to it.
      ['call', CODE],
    ]);
    expect(commandOf(sms)?.['transactionId']).to.equal(verifications[1]?.sid);
  });

  it('checks in ready() that each Verify service exists and allows custom codes', async () => {
    scene = await startScene({
      hook: ({ twilio }) => ({
        channels: {
          sms: [
            twilioVerify({ serviceSid: twilio.verifyServiceSid }),
            twilioVerify({ serviceSid: `VA${'9'.repeat(32)}` }),
            twilioMessages(),
          ],
        },
      }),
    });
    const { channels } = await scene.hook.ready();
    expect(Object.keys(channels)).to.deep.equal(['sms[0]', 'sms[1]']);
    expect(channels['sms[0]']).to.equal('ok');
    expect(channels['sms[1]'])
      .to.include({ code: 'VERIFY_SERVICE_UNKNOWN', message: 'The account has no such Verify service.' })
      .and.to.have.property('remedy')
      .that.matches(/^Compare twilioVerify's serviceSid/);
    scene.twilio.configureVerify({ customCodeEnabled: false });
    const { 'sms[0]': withoutCodes } = (await scene.hook.ready()).channels;
    expect(withoutCodes).to.include({
      code: 'PROVIDER_REFUSED',
      providerCode: '60204',
      message: 'The Verify service does not allow custom codes.',
      remedy: 'Turn on custom verification codes in the Verify service.',
    });
    scene.twilio.fault({ kind: 'status', status: 401 });
    expect((await scene.hook.ready()).channels['sms[0]']).to.include({ code: 'TWILIO_UNAUTHORIZED' });
    expect(scene.twilio.verifications).to.be.empty;
  });

  it('sends by SMS if the service has no WhatsApp sender', async () => {
    scene = await startScene({ hook: byVerify });
    scene.twilio.configureVerify({ whatsAppFrom: null });
    const call = await scene.call();
    expect(commandOf(call)?.['transactionMetadata']).to.match(/channel=sms;.*refused=whatsapp:68008/);
    expect(scene.twilio.verifications.map(({ channel }) => channel)).to.deep.equal(['sms']);
  });

  it('answers PENDING if Fraud Guard blocks a code, and sends it by no other provider', async () => {
    await startWithNext();
    scene.twilio.configureVerify({ blockedPrefixes: [BOB.phone.slice(0, 5)] });
    const call = await scene.call(BY_BOB);
    expect(commandOf(call)).to.include({ status: 'PENDING' });
    expect(scene.twilio.inbox(BOB.phone)).to.deep.equal([]);
  });

  it('uses the next provider if the service does not allow custom codes, and reports the remedy', async () => {
    await startWithNext();
    scene.twilio.configureVerify({ customCodeEnabled: false });
    const call = await scene.call(BY_BOB);
    expect(commandOf(call)).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
    expect(scene.twilio.inbox(BOB.phone)).to.have.lengthOf(1);
    const [attempt] = scene.of('attempt.ended');
    expect(attempt).to.include({ provider: 'TWILIO_VERIFY', code: '60204' });
    expect(attempt?.remedy).to.contain('custom verification codes');
  });

  it('uses the next provider for the sixth code if none was used', async () => {
    await startWithNext();
    const providers: unknown[] = [];
    for (let count = 0; count < 6; count += 1) {
      const call = await scene.call(BY_BOB);
      providers.push(commandOf(call)?.['provider']);
    }
    expect(providers).to.deep.equal([...Array.from({ length: 5 }, () => 'TWILIO_VERIFY'), 'TWILIO']);
  });
});

describe('a used code of Verify', () => {
  let scene: Scene;
  const startScene = scenes();

  /** Number and status of each verification. */
  const states = (): readonly (readonly [to: string, status: string])[] =>
    scene.twilio.verifications.map(({ to, status }) => [to, status] as const);
  const start = async (): Promise<void> => {
    scene = await startScene({ hook: byVerify });
    await scene.registerEventHook();
  };

  it('leads to the approval of its verification, and of no other', async () => {
    await start();
    await scene.call();
    await scene.call(BY_BOB);
    await scene.okta.userSignedIn(BOB.id);
    await until(() => states().some(([, status]) => status === 'approved'));
    await scene.hook.close();
    expect(states()).to.deep.equal([
      [ANA.phone, 'pending'],
      [BOB.phone, 'approved'],
    ]);
    expect(scene.of('code.used')[0]).to.include({
      provider: 'TWILIO_VERIFY',
      country: 'US',
      userId: BOB.id,
    });
    expect(scene.of('feedback.failed')).to.be.empty;
  });

  it('lets Verify send more than five codes to the number', async () => {
    await start();
    for (let count = 1; count <= 7; count += 1) {
      expect(commandOf(await scene.call(BY_BOB))?.['provider'], String(count)).to.equal('TWILIO_VERIFY');
      await scene.okta.userSignedIn(BOB.id);
      await until(() => states().filter(([, status]) => status === 'approved').length === count);
    }
  });

  it('is reported once, without a remedy, if its verification is not pending any more', async () => {
    await start();
    await scene.call(BY_BOB);
    scene.twilio.fault({ kind: 'status', status: 404, body: { code: 20404 } });
    await scene.okta.userSignedIn(BOB.id);
    await until(() => scene.of('feedback.failed').length > 0);
    const failures = scene.of('feedback.failed');
    expect(failures.map(({ channel, provider, code }) => [channel, provider, code])).to.deep.equal([
      ['sms', 'TWILIO_VERIFY', '20404'],
    ]);
    expect(failures[0]?.reason).to.equal('The verification is not pending any more');
    expect(failures[0]?.remedy).to.equal(undefined);
  });
});

const DEADLINE_MS = 700;
const SLOW_MS = 20;

/** Faults of Verify, with the answer to Okta if Verify is the only provider. Others are in the tests of faults of messages. */
const FAULTS: readonly (readonly [title: string, fault: Fault, expected: string])[] = [
  ['400', { kind: 'status', status: 400, body: { code: 60200 } }, 'ERROR 60200'],
  ['401', { kind: 'status', status: 401, body: { code: 20003 } }, 'ERROR 20003'],
  ['404', { kind: 'status', status: 404, body: { code: 20404 } }, 'ERROR 20404'],
  ['429', { kind: 'status', status: 429, body: { code: 60203 } }, 'ERROR 60203'],
  ['503', { kind: 'status', status: 503, body: { code: 20503 } }, 'ERROR 20503'],
  ["a proxy's 404", { kind: 'html', status: 404 }, 'PENDING'],
  ["a proxy's 503", { kind: 'html', status: 503 }, 'PENDING'],
  ['a redirect', { kind: 'redirect' }, 'PENDING'],
  ['500', { kind: 'status', status: 500 }, 'PENDING'],
  ['a hang', { kind: 'hang' }, 'PENDING'],
  ['a reset', { kind: 'reset' }, 'PENDING'],
  ['an answer that is no JSON', { kind: 'malformed' }, 'PENDING'],
  ['an empty 201', { kind: 'empty', status: 201 }, 'PENDING'],
  ['a 201 without an id', { kind: 'status', status: 201, body: { status: 'pending' } }, 'PENDING'],
  [
    'a 201 that says canceled',
    { kind: 'status', status: 201, body: { status: 'canceled' } },
    'ERROR CANCELED',
  ],
  ['a slow answer', { kind: 'slow', delayMs: SLOW_MS }, 'SUCCESSFUL'],
];
describe('a faulty Verify', () => {
  let scenes: readonly Scene[] = [];
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(async () => {
    clock?.restore();
    await Promise.all(scenes.map((scene) => scene.close()));
  });

  it('leads to the right answer for each fault, and to no second send if a code may have left', async () => {
    scenes = await Promise.all(
      FAULTS.map(() =>
        startUnclosed({
          hook: (parts) => ({
            ...(typeof byVerify === 'function' ? byVerify(parts) : {}),
            deadlineMs: DEADLINE_MS,
          }),
        }),
      ),
    );
    clock = stopTime();
    const answered = new Set<string>();
    const answering = Promise.all(
      scenes.map(async (scene, index) => {
        const [title = '', fault] = FAULTS[index] ?? [];
        if (fault !== undefined) scene.twilio.fault(fault);
        const call = await scene.call(BY_BOB);
        answered.add(title);
        const reason = errorOf(call)?.errorCauses?.at(0)?.['reason']?.split(':')[0];
        const verdict = commandOf(call)?.['status'] ?? `ERROR ${reason ?? ''}`;
        const mayHaveLeft = !verdict.startsWith('ERROR');
        if (mayHaveLeft) expect(scene.twilio.requests, title).to.have.lengthOf(1);
        return [title, verdict];
      }),
    );
    const untilAll = (isThere: (title: string, scene: Scene | undefined) => boolean): Promise<void> =>
      until(() => FAULTS.every(([title], index) => answered.has(title) || isThere(title, scenes[index])));
    await untilAll((_, scene) => (scene?.twilio.requests.length ?? 0) > 0);
    clock.tick(SLOW_MS);
    await untilAll((title) => title === 'a hang');
    clock.tick(DEADLINE_MS);
    expect(await answering).to.deep.equal(FAULTS.map(([title, , expected]) => [title, expected]));
  });
});
