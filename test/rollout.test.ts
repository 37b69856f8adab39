import { expect } from 'chai';
import type { Rollout } from '../lib/index.js';
import { BOB, commandOf, errorOf, startScene, type Scene } from './harness/scene.js';

describe('a rollout', () => {
  let scene: Scene;
  let rollout: () => Rollout;
  const channelOf = async (call: object = {}): Promise<string | undefined> =>
    /channel=(\w+)/.exec(commandOf(await scene.call(call))?.['transactionMetadata'] ?? '')?.[1];
  beforeEach(async () => {
    rollout = () => ({});
    scene = await startScene({ hook: { rollout: () => rollout() } });
  });
  afterEach(() => scene.close());

  it('turns a channel off and on without a restart', async () => {
    expect(await channelOf()).to.equal('whatsapp');
    rollout = () => ({ whatsapp: 0 });
    expect(await channelOf()).to.equal('sms');
    rollout = () => ({ whatsapp: 100 });
    expect(await channelOf()).to.equal('whatsapp');
  });

  it('keeps a kill switch pulled where the function that pulled it fails, and tells', async () => {
    rollout = () => ({ whatsapp: 0 });
    await channelOf();
    rollout = () => {
      throw new Error('no database');
    };
    expect(await channelOf()).to.equal('sms');
    const failed = scene.events.filter(({ type }) => type === 'extension.failed');
    expect(failed).to.have.length(1);
    expect(failed[0]).to.include({ extension: 'rollout', reason: 'no database' });
  });

  it('has everything on where the function never worked', async () => {
    rollout = () => 0 as unknown as Rollout;
    expect(await channelOf()).to.equal('whatsapp');
  });

  for (const [title, off, call] of [
    ['sms', { sms: 0 }, { userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone }],
    ['voice', { voice: 0 }, { deliveryChannel: 'VOICE' }],
    ['whatsapp and sms', { whatsapp: 0, sms: 0 }, {}],
  ] as const) {
    it(`leaves the code to Okta where ${title} is off and nothing else is left`, async () => {
      rollout = () => off;
      const answered = await scene.call(call);
      expect(answered.httpStatus).to.equal(200);
      expect(errorOf(answered)?.errorCauses?.[0]?.['reason']).to.equal(
        'ROLLED_BACK: The rollout leaves this user no channel',
      );
      expect(scene.twilio.requests).to.be.empty;
      expect(scene.events.at(-1)).to.include({ type: 'request.answered', code: 'ROLLED_BACK' });
    });
  }

  it('is not blamed where no sender is configured', async () => {
    const other = await startScene({
      hook: { senders: { sms: '+15005550006' }, rollout: { voice: 0, sms: 100 } },
    });
    const answered = await other.call({ deliveryChannel: 'VOICE' });
    expect(errorOf(answered)?.errorCauses?.[0]?.['reason']).to.match(/^CHANNEL_NOT_CONFIGURED/);
    await other.close();
  });
});
