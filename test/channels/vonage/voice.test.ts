import { expect } from 'chai';
import { vonageVoice, type VonageVoiceOptions } from '#lib/channels/index.js';
import type { CallbackAnswer } from '#lib/core/channel.js';
import { oktaTelephonyHook, twilioCalls } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import { ANA, commandOf, scenes, usualCredentials, type HookOptions, type Scene } from '#harness/scene.js';
import { rsaKeys } from '#harness/rsa-keys.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { until } from '#harness/until.js';
import { problemsOf } from '../options.js';
import { startVonageEmulator, type VonageEmulator } from './emulator.js';

const UUID = 'c2b5b6a0-8f0e-4b66-9b5e-0d7c7f6f3a11';

describe('vonageVoice', () => {
  let vonage: VonageEmulator;
  let scene: Scene;
  beforeEach(async () => {
    vonage = await startVonageEmulator();
  });
  afterEach(() => vonage.close());
  const startScene = scenes();

  const options = (changed: Partial<VonageVoiceOptions> = {}): VonageVoiceOptions => ({
    ...vonage.credential,
    from: vonage.number,
    ...changed,
  });
  /** A gateway that calls by Vonage, then by Twilio. */
  const start = async (changed: Partial<VonageVoiceOptions> = {}, hook: HookOptions = {}): Promise<void> => {
    scene = await startScene({
      hasCallbacks: true,
      hook: { channels: { voice: [vonageVoice(options(changed)), twilioCalls()] }, ...hook },
    });
  };
  const call = (changed: Parameters<Scene['call']>[0] = {}): Promise<HookCall> =>
    scene.call({ deliveryChannel: 'voice call', ...changed });
  const code = '2, 0, 4, 9, 8, 1';

  it('says the code twice, character by character, to a phone that rings for 25 s', async () => {
    await start();
    const command = commandOf(await call());
    expect(command).to.include({ status: 'SUCCESSFUL', provider: 'VONAGE' });
    const [made] = vonage.calls;
    expect(command?.['transactionId']).to.equal(made?.uuid);
    expect(made).to.deep.include({
      to: ANA.phone.slice(1),
      from: vonage.number,
      text: `Hello. Your verification code is: ${code}`,
      language: 'en-GB',
      loop: 2,
      ringingTimer: 25,
    });
    expect(vonage.inbox(ANA.phone)[0]).to.include({ channel: 'voice' });
    expect(vonage.requests[0]?.headers['user-agent']).to.equal('okta-telephony-hook');
    expect(scene.twilio.calls).to.be.empty;
  });

  it("speaks the user's language, by Vonage's name for it", async () => {
    await start();
    for (const locale of ['de-AT', 'ar', 'sv-SE', 'pt-PT']) await call({ locale });
    expect(vonage.calls.map(({ language }) => language)).to.deep.equal(['de-DE', 'ar', 'en-US', 'pt-PT']);
    expect(vonage.calls[0]?.text).to.equal(`Guten Tag. Ihr Bestätigungscode lautet: ${code}`);
  });

  it('says the text of the options, in its language', async () => {
    const voice = { default: 'Your code: {code}', nl: 'Uw code: {code}' };
    scene = await startScene({
      hook: { channels: { voice: vonageVoice(options()) }, texts: { voice } },
    });
    await call({ locale: 'nl-NL' });
    await call({ locale: 'sv' });
    expect(vonage.calls.map(({ text, language }) => [text, language])).to.deep.equal([
      [`Uw code: ${code}`, 'nl-NL'],
      [`Your code: ${code}`, 'en-US'],
    ]);
  });

  for (const [title, changed, hasCallbacks] of [
    ['the secret', { signatureSecret: undefined }, true],
    ['publicUrl', {}, false],
  ] as const) {
    it(`asks for no events without ${title}`, async () => {
      scene = await startScene({
        hasCallbacks,
        hook: { channels: { voice: vonageVoice(options(changed)) } },
      });
      await call();
      expect(vonage.requests[0]?.body).to.not.include('event_');
    });
  }

  describe('receives events', () => {
    const eventOf = async (fields: object, attempt?: string): Promise<CallbackAnswer | undefined> => {
      const body = JSON.stringify({ uuid: UUID, ...fields });
      const { receive } = connectChannel(vonageVoice(options()), { channel: 'voice' });
      const answer = await receive?.handle(
        {
          method: 'POST',
          url: 'https://id.acme.com/okta/telephony/callbacks/voice',
          query: { attempt },
          headers: { authorization: vonage.sign(body) },
          rawBody: Buffer.from(body),
        },
        contextOf(),
      );
      witness(answer);
      return answer;
    };

    it('that say what became of the call', async () => {
      for (const [status, expected] of [
        ...['started', 'ringing', 'answered', 'busy', 'unanswered', 'timeout', 'cancelled', 'machine'].map(
          (one) => [one, 'pending'] as const,
        ),
        ['completed', 'delivered'],
      ] as const) {
        expect((await eventOf({ status }, 'ref-1'))?.reports).to.deep.equal([
          { transactionId: UUID, reference: 'ref-1', providerStatus: status, status: expected },
        ]);
      }
      expect((await eventOf({ status: 'rejected', detail: 'declined' }))?.reports).to.have.nested.property(
        '[0].status',
        'pending',
      );
      for (const other of [{}, { status: 1 }, { status: 'completed', uuid: '' }]) {
        expect((await eventOf(other))?.reports, JSON.stringify(other)).to.be.empty;
      }
    });

    it('of failures, with their effect on the plan', async () => {
      for (const [status, detail, failure, moveOn] of [
        ['failed', undefined, 'FAILED', true],
        ['failed', 'a_new_detail', 'FAILED', true],
        ['failed', 'toString', 'FAILED', true],
        ['rejected', undefined, 'REJECTED', true],
        ['rejected', 'restricted', 'RESTRICTED', true],
        ['failed', 'invalid_number', 'INVALID_NUMBER', false],
        ['failed', 'cannot_route', 'CANNOT_ROUTE', true],
      ] as const) {
        const [report] = (await eventOf({ status, detail }))?.reports ?? [];
        expect(report, failure).to.include({ status: 'failed', code: failure, moveOn });
      }
    });

    it('and another provider calls after a failure, once', async () => {
      vonage.failLater({ detail: 'cannot_route' });
      vonage.faultCallbacks({ isReversed: true, copies: 2 });
      await start();
      expect(commandOf(await call())).to.include({ provider: 'VONAGE' });
      await until(() => scene.of('failover.ended').length > 0);
      expect(scene.of('failover.ended')[0]).to.deep.nested.include({
        fromChannel: 'voice',
        'cause.code': 'CANNOT_ROUTE',
        outcome: 'accepted',
        provider: 'TWILIO',
      });
      await until(() => vonage.callbacks.filter(({ httpStatus }) => httpStatus === 200).length === 4);
      expect(scene.twilio.calls).to.have.length(1);
    });

    it('that resolve an unknown outcome', async () => {
      vonage.fault({ kind: 'reset', delivered: true });
      vonage.faultCallbacks({ isHeld: true });
      await start();
      expect(commandOf(await call())).to.include({ status: 'PENDING', provider: 'VONAGE' });
      await until(() => vonage.calls[0]?.status === 'completed');
      await vonage.releaseCallbacks();
      expect(scene.of('attempt.settled')[0]).to.include({
        outcome: 'accepted',
        transactionId: vonage.calls[0]?.uuid,
      });
      expect(scene.twilio.calls).to.be.empty;
    });

    it('from Vonage alone', async () => {
      await start();
      vonage.rotateSignatureSecret('another-signature-secret');
      await call();
      await until(() => vonage.callbacks.length === 4);
      await until(() => vonage.callbacks.every(({ httpStatus }) => httpStatus === 401));
      expect(scene.of('message.reported')).to.be.empty;
    });
  });

  it('is asked by ready() if it accepts the credentials', async () => {
    await start({ applicationId: 'another-application' });
    expect((await scene.hook.ready()).channels['voice[0]']).to.include({
      code: 'PROVIDER_REFUSED',
      providerCode: 'HTTP_401',
    });
    await start();
    expect((await scene.hook.ready()).channels['voice[0]']).to.equal('ok');
    expect(vonage.calls).to.be.empty;
  });

  it('can be mounted as voice only', async () => {
    await start();
    const credentials = usualCredentials(scene.okta, scene.twilio);
    expect(
      problemsOf(() => oktaTelephonyHook({ credentials, channels: { sms: vonageVoice(options()) } })),
    ).to.deep.equal(['channels.sms: vonageVoice makes calls; mount it as voice only']);
  });

  it('refuses wrong options with every problem, its remedy and no value', () => {
    const privateKey = rsaKeys().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    mustNotShow('vonage-secret-8c1e', privateKey);
    const right = { applicationId: 'app-1', privateKey, from: '+447700900444' };
    const problems = (given: unknown): readonly string[] =>
      problemsOf(() => vonageVoice(given as VonageVoiceOptions));
    for (const given of [right, { ...right, from: '447700900444', signatureSecret: ['a', 'b'] }]) {
      expect(problems(given)).to.be.empty;
    }
    expect(problems({ from: 'ACME', apiKey: 'vonage-secret-8c1e', baseUrl: 'api.nexmo.com' })).to.deep.equal([
      'apiKey is not an option; remove it, or look for a misspelling',
      "applicationId must be the application's id, as text without spaces",
      "privateKey must be the application's private key: an RSA key of 2048 bits or more that is not encrypted, as PEM or JWK",
      'from must be a phone number in E.164 form; the value has letters or other characters that no number has',
      'baseUrl must be an origin without a path, such as https://api.nexmo.com; https, or http on loopback, or be left out. It has no scheme: write https://api.nexmo.com',
    ]);
  });
});
