import { expect } from 'chai';
import { relayChannel } from '#lib/channels/index.js';
import { twilioMessages } from '#lib/index.js';
import { ANA, commandOf, HOOK_SECRET, scenes, TO_BOB, type Scene } from '#harness/scene.js';
import { startOtherHook, type OtherHook } from './other-hook.js';

/** The steps of docs/start/moving-over.md. */
describe('moving over from another telephony hook', () => {
  let old: OtherHook;
  let scene: Scene;
  let percent: number;
  const startScene = scenes();
  beforeEach(async () => {
    old = await startOtherHook();
    percent = 0;
    const relay = relayChannel({ url: old.url, headers: old.headers });
    scene = await startScene({
      hook: {
        channels: { direct: twilioMessages(), sms: relay, voice: relay },
        chooseChannels: () => ['direct'],
        rollout: () => ({ direct: percent }),
      },
    });
  });
  afterEach(() => old.close());

  /** How many codes each side has sent. */
  const counts = (): { old: number; direct: number } => ({
    old: old.sent,
    direct: scene.twilio.messages.length + scene.twilio.calls.length,
  });
  const signIn = async (of: object = {}): Promise<void> => {
    expect(commandOf(await scene.call(of))).to.include({ status: 'SUCCESSFUL' });
  };

  it('sends each code by the old hook, then a share of them itself, and goes back at once', async () => {
    // Steps 1 and 2: Okta calls the old hook, and an administrator calls the gateway.
    const { okta } = scene;
    const asBefore = await okta.callHook({ url: old.url, headers: old.headers, phoneNumber: ANA.phone });
    expect(asBefore.okta.action).to.equal('sent');
    await signIn();
    expect(counts()).to.deep.equal({ old: 2, direct: 0 });
    // Step 3: Okta calls the gateway.
    const after = await okta.callHook({
      url: scene.url,
      headers: { authorization: HOOK_SECRET },
      phoneNumber: ANA.phone,
    });
    expect(after.okta.action).to.equal('sent');
    expect(counts()).to.deep.equal({ old: 3, direct: 0 });
    // Step 4: the same users stay in the percentage.
    percent = 50;
    for (const user of [{}, TO_BOB, {}, TO_BOB]) await signIn(user);
    expect(counts().direct % 2).to.equal(0);
    expect(counts().old + counts().direct).to.equal(7);
    percent = 100;
    const half = counts();
    await signIn();
    await signIn(TO_BOB);
    expect(counts()).to.deep.equal({ old: half.old, direct: half.direct + 2 });
    // Calls stay at the old hook.
    await signIn({ deliveryChannel: 'CALL' });
    expect(counts().old).to.equal(half.old + 1);
    // The way back.
    percent = 0;
    await signIn();
    expect(counts()).to.deep.equal({ old: half.old + 2, direct: half.direct + 2 });
  });

  it('sends a code by the old hook if its own provider refuses it', async () => {
    percent = 100;
    scene.twilio.refuseWith({ code: 21606 });
    await signIn();
    expect(counts()).to.deep.equal({ old: 1, direct: 0 });
  });
});
