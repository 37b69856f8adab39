import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import express from 'express';
import { ConfigurationError, oktaTelephonyHook, type Channel, type Rollout } from '#lib/index.js';
import {
  causesOf,
  CODE,
  HOOK_SECRET,
  commandOf,
  scenes,
  usualCredentials,
  type Scene,
} from '#harness/scene.js';
import { witness } from '#harness/witness.js';

/** Functions and objects of the options may fail in any way. A code that is sent stays sent. */
describe('the hook', () => {
  let scene: Scene;
  const startScene = scenes();

  it('sends the code and answers SUCCESSFUL if the clock throws', async () => {
    let isBroken = false;
    const clock = (): number => {
      if (isBroken) throw new Error('no time');
      return Date.now();
    };
    scene = await startScene({ hook: { clock } });
    isBroken = true;
    const call = await scene.call();
    expect(commandOf(call)?.['status']).to.equal('SUCCESSFUL');
    expect(scene.twilio.messages).to.have.length(1);
  });

  for (const message of [{ detail: 'an object' }, undefined, 4711]) {
    it(`sends the code if functions of the options throw errors whose message is ${typeof message}`, async () => {
      const fail = (): never => {
        throw Object.assign(new Error('?'), { message });
      };
      scene = await startScene({ hook: { chooseChannels: fail, composeText: fail } });
      const call = await scene.call();
      expect(commandOf(call)?.['status']).to.equal('SUCCESSFUL');
      expect(scene.twilio.messages[0]).to.include({ body: `Your code is ${CODE}` });
    });
  }

  it('reports each extension that always fails once a minute by name, with a count', async () => {
    let now = Date.now();
    const fail = (): never => {
      throw new Error('broken');
    };
    let rollout = (): Rollout => ({});
    scene = await startScene({
      hook: { clock: () => now, chooseChannels: fail, composeText: fail, rollout: () => rollout() },
    });
    rollout = fail;
    for (let made = 0; made < 3; made += 1) await scene.call();
    now += 60_000;
    await scene.call();
    expect(scene.of('extension.failed').map(({ extension, count }) => `${extension} ${count}`)).to.deep.equal(
      ['chooseChannels 1', 'rollout 1', 'composeText 1', 'chooseChannels 3', 'rollout 3', 'composeText 3'],
    );
    expect(scene.twilio.messages).to.have.length(4);
  });

  it('sends nothing if a function of the options blocks the process past the deadline', async () => {
    scene = await startScene({
      hook: {
        deadlineMs: 500,
        chooseChannels: () => {
          // The time passes and no timer runs, as during a long synchronous task.
          const startedAt = performance.now();
          performance.now = () => startedAt + 600;
          return ['sms'];
        },
      },
    });
    const call = await scene.call().finally(() => Reflect.deleteProperty(performance, 'now'));
    expect(causesOf(call)).to.deep.equal(['DEADLINE']);
    expect(scene.twilio.requests).to.be.empty;
  });

  it('answers 500 if a channel throws undefined', async () => {
    const sms: Channel = {
      get usesText(): boolean {
        throw undefined as unknown as Error;
      },
      send: () => Promise.resolve({ status: 'accepted', transactionId: 'never' }),
    };
    scene = await startScene({ hook: { chooseChannels: () => ['sms'], channels: { sms } } });
    expect((await scene.call()).httpStatus).to.equal(500);
    expect(scene.events.at(-1)).to.include({ type: 'request.rejected', code: 'INTERNAL_ERROR' });
  });

  for (const failure of [new Error('a listener failed'), undefined])
    it(`answers SUCCESSFUL and sends the code once if writeHead() throws ${failure === undefined ? 'undefined' : 'an error'}`, async () => {
      let isBroken = true;
      scene = await startScene({
        mount: (app, hook) => {
          app.use((_req, res, next) => {
            const writeHead = res.writeHead.bind(res);
            if (isBroken)
              res.writeHead = () => {
                res.writeHead = writeHead;
                throw failure as Error;
              };
            next();
          });
          app.use(hook);
        },
      });
      const first = await scene.call({ eventId: 'event-1' });
      expect(commandOf(first)).to.include({ status: 'SUCCESSFUL' });
      isBroken = false;
      const repeat = await scene.call({ eventId: 'event-1' });
      expect(commandOf(repeat)).to.deep.include({ transactionId: commandOf(first)?.['transactionId'] });
      expect(scene.twilio.messages).to.have.length(1);
      expect(scene.events.map(({ type }) => type)).to.include.members([
        'request.answered',
        'request.rejected',
      ]);
    });

  it('names a channel whose connect() throws in the error of the factory', async () => {
    scene = await startScene();
    const connect = (): never => {
      throw new Error('no key');
    };
    const channels = { acme: { send: () => Promise.reject(new Error('unused')), connect } };
    expect(() => oktaTelephonyHook({ credentials: usualCredentials(scene.okta, scene.twilio), channels }))
      .to.throw(ConfigurationError)
      .with.property('problems')
      .that.deep.equals(['channels.acme: its connect() threw; see the cause']);
  });

  it('reads a body that another handler has inflated', async () => {
    scene = await startScene({
      mount: (app, hook) => {
        app.use(express.json());
        app.use(hook);
      },
    });
    const payload = {
      data: { messageProfile: { phoneNumber: '+12025550142', otpCode: CODE, deliveryChannel: 'SMS' } },
    };
    const response = await fetch(scene.url, {
      method: 'POST',
      headers: { authorization: HOOK_SECRET, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify(payload)),
    });
    expect(response.status).to.equal(200);
    witness(await response.text());
    expect(scene.twilio.messages).to.have.length(1);
  });

  it('reports once a minute that another handler has read the bodies of unverified callbacks', async () => {
    scene = await startScene({
      hook: { publicUrl: 'https://id.example.com/okta/telephony' },
      mount: (app, hook) => {
        app.use((req, _res, next) => {
          req.resume();
          req.on('end', () => {
            next();
          });
        });
        app.use(hook);
      },
    });
    const headers = { 'x-twilio-signature': `${'A'.repeat(27)}=` };
    for (let count = 0; count < 5; count += 1) {
      const response = await fetch(`${scene.url}/twilio/status`, { method: 'POST', headers, body: 'a=b' });
      expect(response.status).to.equal(400);
    }
    expect(scene.of('request.rejected')).to.have.length(1);
  });

  it('ignores an undefined option of another version', async () => {
    scene = await startScene({ hook: { metrics: undefined } as object });
    expect(commandOf(await scene.call())?.['status']).to.equal('SUCCESSFUL');
  });

  it('answers SUCCESSFUL if a channel fails after it has accepted a code, and reports it', async () => {
    let isBroken = false;
    const sms: Channel = {
      send: () => {
        isBroken = true;
        return Promise.resolve({ status: 'accepted', transactionId: 'T1' });
      },
      get reports(): 'failures' {
        if (isBroken) throw new Error('no reports any more');
        return 'failures';
      },
    };
    scene = await startScene({
      hook: { chooseChannels: () => ['sms', 'whatsapp'], channels: { sms } },
    });
    const call = await scene.call();
    expect(commandOf(call)?.['status']).to.equal('SUCCESSFUL');
    expect(scene.of('extension.failed')[0]).to.include({
      extension: 'lateFailover',
      reason: 'no reports any more',
      remedy:
        'Fix the channel that the reason is about: what it says of its deliveries could not be followed.',
    });
  });
});
