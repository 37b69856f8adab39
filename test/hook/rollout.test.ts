import { expect } from 'chai';
import { ConfigurationError, oktaTelephonyHook, type HookEventOf, type Rollout } from '#lib/index.js';
import {
  channelOf as channelIn,
  errorOf,
  scenes,
  TO_BOB,
  usualCredentials,
  type Scene,
} from '#harness/scene.js';

describe('a rollout', () => {
  let scene: Scene;
  let rollout: () => Rollout;
  const startScene = scenes();
  const channelOf = async (): Promise<string | undefined> => channelIn(await scene.call());
  const failed = (): HookEventOf<'extension.failed'>[] => scene.of('extension.failed');
  beforeEach(async () => {
    rollout = () => ({});
    scene = await startScene({ hook: { rollout: () => rollout() } });
  });

  it('turns a channel off and on without a restart', async () => {
    expect(await channelOf()).to.equal('whatsapp');
    rollout = () => ({ whatsapp: 0 });
    expect(await channelOf()).to.equal('sms');
    rollout = () => ({ whatsapp: 100 });
    expect(await channelOf()).to.equal('whatsapp');
  });

  it('keeps the last percentages in force if the function fails, and reports it once a minute', async () => {
    rollout = () => ({ whatsapp: 0 });
    await channelOf();
    rollout = () => ({ whatsap: 0 });
    expect(await channelOf()).to.equal('sms');
    expect(await channelOf()).to.equal('sms');
    expect(failed()).to.have.length(1);
    expect(failed()[0]).to.deep.include({
      extension: 'rollout',
      reason: 'named the channel whatsap, which is not configured',
      count: 1,
      percentages: { whatsapp: 0 },
    });
    expect(failed()[0])
      .to.have.property('remedy')
      .that.matches(/^Fix the option rollout/);
    const line = scene.log.find(({ fields }) => fields['event'] === 'extension.failed');
    expect(line?.message).to.match(/the percentages that it last gave stay in force\.$/);

    // The event at the end of the minute belongs to no call, and other percentages are in force by then.
    rollout = () => ({ whatsapp: 100 });
    await channelOf();
    await scene.hook.close();
    expect(failed()[1]).to.include({ extension: 'rollout', count: 1 });
    for (const name of ['eventId', 'oktaRequestId', 'userId', 'percentages'])
      expect(failed()[1]).to.have.property(name, undefined);
  });

  it('is read when the hook is made, which throws if the function returns a promise', () => {
    const make = (): unknown =>
      oktaTelephonyHook({
        credentials: usualCredentials(scene.okta, scene.twilio),
        senders: { sms: scene.twilio.smsNumber },
        rollout: () => Promise.resolve({}) as unknown as Rollout,
      });
    expect(make)
      .to.throw(ConfigurationError)
      .with.property('problems')
      .that.deep.equals([
        'rollout: the function returned a promise; let it not be async: keep the percentages at hand',
      ]);
  });

  for (const [title, off, call] of [
    ['sms', { sms: 0 }, TO_BOB],
    ['voice', { voice: 0 }, { deliveryChannel: 'VOICE' }],
    ['whatsapp and sms', { whatsapp: 0, sms: 0 }, {}],
  ] as const) {
    it(`leaves the code to Okta if it is 0 for ${title} and no other channel is left`, async () => {
      rollout = () => off;
      const answered = await scene.call(call);
      expect(answered.httpStatus).to.equal(200);
      expect(errorOf(answered)?.errorCauses?.[0]?.['reason']).to.equal(
        'ROLLED_BACK: The rollout leaves this user no channel',
      );
      expect(scene.twilio.requests).to.be.empty;
      expect(scene.events.at(-1)).to.include({
        type: 'request.answered',
        code: 'ROLLED_BACK',
        remedy: 'Raise rollout for the channel that Okta requested, or leave the code to Okta.',
      });
    });
  }

  it('is not named as the reason if no sender is configured', async () => {
    const other = await startScene({
      hook: { senders: { sms: '+15005550006' }, rollout: { voice: 0, sms: 100 } },
    });
    const answered = await other.call({ deliveryChannel: 'VOICE' });
    expect(errorOf(answered)?.errorCauses?.[0]?.['reason']).to.match(/^CHANNEL_NOT_CONFIGURED/);
  });
});
