import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { expect } from 'chai';
import { startScene, type Scene } from '#harness/scene.js';
import { witness } from '#harness/witness.js';

const NAME = 'okta-telephony-hook:event';

describe('the diagnostics channel', () => {
  let scene: Scene;
  const published: unknown[] = [];
  const receive = (message: unknown): void => {
    published.push(message);
    witness(message);
  };
  beforeEach(async () => {
    published.length = 0;
    scene = await startScene();
  });
  afterEach(async () => {
    unsubscribe(NAME, receive);
    await scene.close();
  });

  it('has every event of a call that listeners get, the steps too', async () => {
    subscribe(NAME, receive);
    scene.events.length = 0;
    await scene.call();
    expect(published).to.deep.equal(scene.events);
    expect(scene.events.map(({ type }) => type)).to.include.members([
      'request.received',
      'profile.read',
      'channels.planned',
      'attempt.ended',
      'request.answered',
    ]);
  });

  it('lets the code out if a subscriber throws: Node raises the error outside of the call', async () => {
    const fail = (): never => {
      throw new Error('a mistake');
    };
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const raised = once(process, 'uncaughtException');
    const ignore = (): void => undefined;
    process.on('uncaughtException', ignore);
    subscribe(NAME, fail);
    try {
      const call = await scene.call();
      expect(call.okta.action).to.equal('sent');
      expect(await raised).to.have.nested.property('[0].message', 'a mistake');
    } finally {
      unsubscribe(NAME, fail);
      // Errors that wait are raised in the next turn.
      await new Promise((resolve) => setImmediate(resolve));
      process.off('uncaughtException', ignore);
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });
});
