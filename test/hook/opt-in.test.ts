import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { HookEvent } from '#lib/index.js';
import { ANA, scenes, TO_BOB, type Scene, type SceneOptions } from '#harness/scene.js';

describe('the opt-in of a call', () => {
  let scene: Scene;
  const startScene = scenes();

  const start = async (hook: NonNullable<SceneOptions['hook']> = {}): Promise<void> => {
    scene = await startScene({ hook });
  };
  const say = (value: unknown): void => {
    scene.okta.updateUser(ANA.id, { whatsAppOptIn: value });
  };
  /** What the plan and the answer of the last call say. */
  const told = (): readonly (readonly unknown[])[] => {
    const last = [scene.of('channels.planned').at(-1), scene.of('request.answered').at(-1)];
    return last.map((event) => [event?.optIn, event?.optInAttribute]);
  };
  const warnings = (): readonly HookEvent[] =>
    scene.of('configuration.warned').filter(({ option }) => option === 'optInAttribute');

  const table: readonly (readonly [value: unknown, optIn: string, attribute: string | undefined])[] = [
    [true, 'yes', undefined],
    [false, 'no', 'whatsAppOptIn'],
    ['true', 'unusable', 'whatsAppOptIn'],
  ];
  for (const [value, optIn, attribute] of table) {
    it(`is ${optIn} for ${JSON.stringify(value)} in the plan and in the answer`, async () => {
      await start();
      say(value);
      await scene.call();
      expect(told()).to.deep.equal([
        [optIn, attribute],
        [optIn, attribute],
      ]);
    });
  }

  it('names no attribute where it decided nothing: for a call, and if SMS is the only channel', async () => {
    await start({ sandboxNumber: undefined });
    await scene.call({ ...TO_BOB, deliveryChannel: 'voice call' });
    expect(told()[1]).to.deep.equal(['absent', undefined]);
    await scene.call(TO_BOB);
    expect(told()[1]).to.deep.equal(['absent', undefined]);
    expect(scene.log.at(-1)?.message).to.equal('okta-telephony-hook: The code was sent by SMS.');
    expect(scene.log.at(-1)?.fields).to.not.have.property('remedy');
  });

  it('warns of no value if SMS is the only channel', async () => {
    await start({ sandboxNumber: undefined });
    say('true');
    await scene.call();
    expect(told()[1]).to.deep.equal(['unusable', undefined]);
    expect(warnings()).to.have.length(0);
  });

  it('is not told with chooseChannels, even if it replaces a failed choice', async () => {
    await start({
      chooseChannels: () => {
        throw new Error('no choice');
      },
    });
    await scene.call(TO_BOB);
    expect(told()).to.deep.equal([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('warns once of values that cannot be used, with the remedy and without the value', async () => {
    await start({ profile: { cache: false } });
    for (const value of ['telegram', 'true', 'pigeon']) {
      say(value);
      await scene.call();
    }
    expect(warnings()).to.have.length(1);
    const [line, ...others] = scene.log.filter(({ fields }) => fields['option'] === 'optInAttribute');
    expect(others).to.have.length(0);
    expect(line?.level).to.equal('warn');
    expect(line?.message).to.equal(
      'okta-telephony-hook: optInAttribute (whatsAppOptIn): the value of a user names no channel. It does not count as an opt-in, so the user gets codes by SMS.',
    );
    expect(line?.fields['remedy']).to.match(/^Check that its values are names in optInChannels/);
    expect(JSON.stringify([scene.log, scene.events])).to.not.match(/telegram|pigeon|"true"/);
  });

  it('does not warn of a user who never chose, or chose SMS', async () => {
    await start({ profile: { cache: false } });
    await scene.call(TO_BOB);
    for (const value of [false, '', 'sms', null]) {
      say(value);
      await scene.call();
    }
    expect(warnings()).to.have.length(0);
  });

  it('counts in the metrics by the channel that decided, without previews and repeats', async () => {
    const metrics = new Registry();
    await start({ metrics });
    await scene.call();
    await scene.call({ ...TO_BOB, eventId: 'event-1' });
    await scene.call({ ...TO_BOB, eventId: 'event-1' });
    expect(
      (await metrics.metrics()).split('\n').filter((line) => /^okta_telephony_hook_opt_in/.test(line)),
    ).to.have.members([
      'okta_telephony_hook_opt_in_total{opt_in="yes",channel="whatsapp"} 1',
      'okta_telephony_hook_opt_in_total{opt_in="absent",channel="sms"} 1',
    ]);
  });
});
