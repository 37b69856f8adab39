import { expect } from 'chai';
import { Registry } from 'prom-client';
import { twilioVerify } from '#lib/index.js';
import { readPage } from '#harness/metrics-page.js';
import { ANA, BOB, channelOf, scenes, TO_BOB, type Scene, type SceneOptions } from '#harness/scene.js';
import { until } from '#harness/until.js';

describe('a hook with options of Twilio', () => {
  let scene: Scene;
  const startScene = scenes();
  const reports = () => scene.of('message.reported');

  describe('that sends by RCS', () => {
    const registry = new Registry();
    const start = async (rcsPhones: readonly string[]): Promise<void> => {
      scene = await startScene({
        hasCallbacks: true,
        twilio: { rcsPhones },
        hook: ({ twilio }) => ({
          metrics: registry,
          senders: {
            sms: { service: twilio.messagingServiceSid, fallbackFrom: twilio.voiceNumber },
            voice: twilio.voiceNumber,
          },
        }),
      });
    };

    it('reports and counts its deliveries under rcs, while the plan and the answer say sms', async () => {
      await start([BOB.phone]);
      expect(channelOf(await scene.call(TO_BOB))).to.equal('sms');
      await until(() => reports().length === 2);
      expect(reports().map(({ channel, status }) => [channel, status])).to.deep.equal([
        ['rcs', 'sent'],
        ['rcs', 'delivered'],
      ]);
      const page = readPage(await registry.metrics());
      expect(page.sum('message_statuses_total', { channel: 'rcs', status: 'delivered' })).to.equal(1);
      expect(page.sum('attempts_total', { channel: 'sms', outcome: 'accepted' })).to.equal(1);
      expect(page.values('attempts_total', 'channel')).to.not.include('rcs');
    });

    it('reports an SMS from fallbackFrom under sms', async () => {
      await start([]);
      await scene.call(TO_BOB);
      await until(() => reports().length === 2);
      expect(reports().map(({ channel }) => channel)).to.deep.equal(['sms', 'sms']);
      expect(scene.twilio.messages[0]).to.include({ channel: 'sms', from: scene.twilio.voiceNumber });
    });

    it('sends no more SMS to a number that blocks its RCS', async () => {
      await start([BOB.phone]);
      scene.twilio.failLater({ code: 30004, times: 1 });
      await scene.call(TO_BOB);
      await until(() => reports().some(({ report }) => report === 'failed'));
      expect(scene.log.map(({ message }) => message).join()).to.match(/The message by RCS .* \(30004\)\./);
      const suppressed = await scene.hook.suppressions(BOB.phone);
      expect(suppressed.map(({ channel, reason }) => [channel, reason])).to.deep.equal([['sms', 'stopped']]);
    });
  });

  const privacy: SceneOptions = {
    hook: { twilio: { contentRetention: 'discard', addressRetention: 'obfuscate' } },
  };

  it('has Twilio discard texts and obfuscate numbers, and still learns of a failure without callbacks', async () => {
    scene = await startScene(privacy);
    scene.twilio.failLater({ code: 63024, times: 1 });
    await scene.call();
    await until(() => scene.twilio.messages.length === 2);
    expect(scene.twilio.messages.map(({ channel }) => channel)).to.deep.equal(['whatsapp', 'sms']);
    for (const message of scene.twilio.messages) {
      expect(message).to.include({ contentRetention: 'discard', addressRetention: 'obfuscate' });
    }
    expect(scene.twilio.inbox(ANA.phone)).to.have.lengthOf(1);
  });

  it('learns no number from a reply to a message whose number Twilio has obfuscated', async () => {
    scene = await startScene({ ...privacy, hasCallbacks: true });
    await scene.call();
    await until(() => scene.twilio.messages[0]?.status === 'delivered');
    await scene.write('STOP', {
      externalUserId: 'US.13491208655302741918',
      isNumberHidden: true,
      repliesTo: scene.twilio.messages[0]?.sid,
    });
    expect(scene.of('inbound.received')[0]).to.include({ keyword: 'stop', fromEnding: undefined });
  });

  for (const [deviceIp, expected] of [
    [undefined, '203.0.113.7'],
    [false, undefined],
  ] as const) {
    it(`passes Verify ${expected === undefined ? 'no address' : "the user's address"} with deviceIp ${deviceIp}`, async () => {
      scene = await startScene({
        hook: ({ twilio }) => ({
          twilio: { deviceIp },
          channels: { sms: twilioVerify({ serviceSid: twilio.verifyServiceSid }) },
        }),
      });
      await scene.call(TO_BOB);
      expect(scene.twilio.verifications[0]).to.include({ deviceIp: expected });
    });
  }
});
