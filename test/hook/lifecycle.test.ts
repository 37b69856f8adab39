import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'chai';
import express from 'express';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { Agent } from 'undici';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import {
  ProviderError,
  TelephonyHookError,
  twilioMessages,
  type Outcome,
  type Readiness,
} from '#lib/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import type { StateEvent, StatePort } from '#lib/delivery/state.js';
import {
  ANA,
  BOB,
  HOOK_SECRET,
  commandOf,
  startScene,
  usualCredentials,
  type Scene,
} from '#harness/scene.js';
import { runBeside } from '#harness/own-process.js';
import { startRawCall } from '#harness/raw-call.js';
import { openRaw } from '#harness/raw-http.js';
import { watchRecords } from '#harness/records.js';
import { passTime, stopTime, warmUp } from '#harness/stopped-time.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { defer, until } from '#harness/until.js';
import { rsaKeys } from '#harness/rsa-keys.js';

const scenes: Scene[] = [];
const start = async (...args: Parameters<typeof startScene>): Promise<Scene> => {
  const scene = await startScene(...args);
  scenes.push(scene);
  return scene;
};
afterEach(async () => {
  await Promise.all(scenes.splice(0).map((scene) => scene.close()));
});

describe('the hook, when Okta hangs up early,', () => {
  const isAnswered = (scene: Scene) => (): boolean =>
    scene.events.some(({ type }) => type === 'request.answered');

  it('sends nothing if the profile request was running', async () => {
    const scene = await start();
    scene.okta.fault({ kind: 'slow', delayMs: 100 });
    const call = startRawCall(scene);
    await until(() => scene.okta.requests.length === 1);
    call.destroy();
    await until(isAnswered(scene));
    expect(scene.events.at(-1)).to.include({ type: 'request.answered', status: 'ERROR', hasHungUp: true });
    expect(scene.twilio.requests).to.be.empty;
    expect(scene.hook.status()).to.include({ inFlight: 0, detached: 0 });
  });

  it('makes no further attempt after the one that was running', async () => {
    const refusal = defer<undefined>();
    const scene = await start({
      hook: {
        channels: {
          whatsapp: {
            send: async () => {
              await refusal.promise;
              return { status: 'refused', code: 'C1', reason: 'No' };
            },
          },
        },
      },
    });
    const call = startRawCall(scene);
    await until(() => scene.events.some(({ type }) => type === 'channels.planned'));
    call.destroy();
    // Wait until the server has noticed the closed connection.
    await until(() => call.destroyed && openConnections(scene) === 0);
    refusal.resolve(undefined);
    await until(isAnswered(scene));
    expect(scene.events.at(-1)).to.include({ status: 'ERROR', hasHungUp: true });
    expect(scene.twilio.requests).to.be.empty;
  });

  it('waits for a request to the provider that has left, and reports the code as sent', async () => {
    const scene = await start();
    scene.twilio.fault({ kind: 'slow', delayMs: 100 });
    const call = startRawCall(scene);
    await until(() => scene.twilio.requests.length === 1);
    call.destroy();
    await until(isAnswered(scene));
    expect(scene.events.at(-1)).to.include({ status: 'SUCCESSFUL', hasHungUp: true, channel: 'whatsapp' });
    expect(scene.twilio.requests).to.have.length(1);
  });

  it('sends nothing if an earlier middleware was still running', async () => {
    let isHeld = false;
    const scene = await start({
      mount: (app, hook) => {
        app.use(express.json());
        app.use((_req, res, next) => {
          isHeld = true;
          res.once('close', () => {
            next();
          });
        });
        app.use(hook);
      },
    });
    const call = startRawCall(scene);
    await until(() => isHeld);
    call.destroy();
    await until(isAnswered(scene));
    expect(scene.events.at(-1)).to.include({ status: 'ERROR', hasHungUp: true });
    expect(scene.twilio.requests).to.be.empty;
  });

  it('sends nothing if an earlier middleware had already answered', async () => {
    const scene = await start({
      mount: (app, hook) => {
        app.use(express.json());
        app.use((_req, res, next) => {
          res.once('close', () => {
            next();
          });
          // Okta keeps the connection, and sends the code itself.
          res.status(503).end();
        });
        app.use(hook);
      },
    });
    expect((await scene.call()).httpStatus).to.equal(503);
    await until(isAnswered(scene));
    expect(scene.events.at(-1)).to.include({ status: 'ERROR', hasHungUp: true });
    expect(scene.twilio.requests).to.be.empty;
  });

  const connections = new WeakMap<Scene, number>();
  function openConnections(scene: Scene): number {
    scene.server.getConnections((_error, count) => connections.set(scene, count));
    return connections.get(scene) ?? -1;
  }
});

describe('ready()', () => {
  const { privateKey } = rsaKeys();
  const check = async (scene: Scene): Promise<Readiness> => {
    const found = await scene.hook.ready();
    for (const result of Object.values(found)) witness(result);
    return found;
  };
  const expectCode = (result: 'ok' | Error, code: string): void => {
    expect(result).to.be.instanceOf(TelephonyHookError);
    expect((result as TelephonyHookError).code).to.equal(code);
    expect((result as TelephonyHookError).message).to.not.equal('');
  };

  it('reports every part as ok, and sends nothing', async () => {
    const scene = await start();
    expect(await check(scene)).to.deep.equal({
      ...{ okta: 'ok', twilio: 'ok', hookKeys: 'ok', state: 'ok' },
      channels: {},
    });
    expect(scene.twilio.messages).to.be.empty;
  });

  it("fetches the keys that check Okta's tokens", async () => {
    const scene = await start({
      hook: ({ okta, twilio }) => ({
        credentials: { ...usualCredentials(okta, twilio), hook: oauth2(okta.issuer) },
      }),
    });
    expect(await check(scene)).to.include({ hookKeys: 'ok' });
    expect(scene.okta.jwksHits).to.equal(1);
  });

  it('reports credentials that Okta and Twilio reject, each with a remedy', async () => {
    mustNotShow('wrong-token-8812', 'wrong-secret-8812');
    const scene = await start({
      hook: ({ okta, twilio }) => ({
        credentials: {
          okta: { orgUrl: okta.orgUrl, apiToken: 'wrong-token-8812' },
          twilio: { ...usualCredentials(okta, twilio).twilio, apiKeySecret: 'wrong-secret-8812' } as never,
        },
      }),
    });
    const found = await check(scene);
    expectCode(found.okta, 'OKTA_UNAUTHORIZED');
    expect(remedyOf(found.okta)).to.match(/API token ends with its owner/);
    expectCode(found.twilio, 'TWILIO_UNAUTHORIZED');
    expect(remedyOf(found.twilio)).to.match(/^Check credentials\.twilio/);
  });

  const remedyOf = (result: 'ok' | Error): string | undefined => {
    expect(result).to.be.instanceOf(TelephonyHookError);
    return (result as TelephonyHookError).remedy;
  };

  it('names the scope that Okta did not grant to a service app, also on a second check', async () => {
    const { publicKey, privateKey: appKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const scene = await start({
      hook: ({ okta, twilio }) => ({
        credentials: {
          ...usualCredentials(okta, twilio),
          okta: {
            orgUrl: okta.orgUrl,
            clientId: '0oaServiceApp',
            privateKey: appKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
          },
        },
      }),
    });
    scene.okta.registerServiceApp({
      clientId: '0oaServiceApp',
      publicJwk: publicKey.export({ format: 'jwk' }),
      scopes: ['okta.logs.read'],
    });
    expect(remedyOf((await check(scene)).okta)).to.match(/scope okta\.users\.read/);
    expect(remedyOf((await check(scene)).okta)).to.match(/scope okta\.users\.read/);
  });

  it('names the role that lets an administrator read users if Okta answers 403', async () => {
    const scene = await start();
    scene.okta.fault({ kind: 'status', status: 403, body: { errorCode: 'E0000006' } });
    const { okta } = await check(scene);
    expectCode(okta, 'OKTA_FORBIDDEN');
    expect(remedyOf(okta)).to.match(/role.*Read-Only Administrator/);
  });

  it('reports a service app that Okta does not know, with a remedy', async () => {
    const scene = await start({
      hook: ({ okta, twilio }) => ({
        credentials: {
          ...usualCredentials(okta, twilio),
          okta: {
            orgUrl: okta.orgUrl,
            clientId: '0oaUnknown',
            privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
          },
        },
      }),
    });
    const { okta } = await check(scene);
    expectCode(okta, 'OKTA_UNAUTHORIZED');
    expect(remedyOf(okta)).to.match(/clientId.*register the public half of privateKey/);
  });

  it('reports each part that does not answer, with a remedy', async () => {
    const closed = REFUSING_ORIGIN;
    const scene = await start({
      hook: ({ okta, twilio }) => ({
        credentials: {
          hook: oauth2(`${closed}/oauth2/default`),
          okta: { orgUrl: closed, apiToken: okta.apiToken },
          twilio: { ...usualCredentials(okta, twilio).twilio, baseUrl: closed },
        },
        state: { ...openMemoryState(), check: () => Promise.reject(new Error('ECONNREFUSED')) },
      }),
    });
    const found = await check(scene);
    expectCode(found.okta, 'OKTA_UNREACHABLE');
    expectCode(found.twilio, 'TWILIO_UNREACHABLE');
    expectCode(found.hookKeys, 'PROOF_UNAVAILABLE');
    expect(remedyOf(found.okta)).to.match(/orgUrl.*egress/);
    expect(remedyOf(found.twilio)).to.match(/egress/);
    expect(remedyOf(found.hookKeys)).to.match(/issuer.*credentials\.hook/);
    expectCode(found.state, 'NOT_READY');
    expect((found.state as Error).cause).to.include({ message: 'ECONNREFUSED' });
  });

  const notSent = (): Promise<Outcome> =>
    Promise.resolve({ status: 'refused', code: 'NO', reason: 'Not sent' });

  it('checks each custom channel that has check()', async () => {
    const remedy = 'Look at the key.';
    const scene = await start({
      hook: {
        channels: {
          one: { send: notSent, check: () => Promise.resolve() },
          two: [
            { send: notSent },
            {
              send: notSent,
              check: () => {
                throw new ProviderError('PROVIDER_REFUSED', 'The key is not taken', {
                  providerCode: 'BAD_KEY',
                  remedy,
                });
              },
            },
            { send: notSent, check: () => Promise.reject(new Error('fetch failed')) },
          ],
        },
      },
    });
    const { channels } = await check(scene);
    expect(Object.keys(channels)).to.deep.equal(['one', 'two[1]', 'two[2]']);
    expect(channels['one']).to.equal('ok');
    expectCode(channels['two[1]'] ?? 'ok', 'PROVIDER_REFUSED');
    expect(channels['two[1]']).to.include({ providerCode: 'BAD_KEY' });
    expect(remedyOf(channels['two[1]'] ?? 'ok')).to.equal(remedy);
    expectCode(channels['two[2]'] ?? 'ok', 'NOT_READY');
  });

  it('resolves within 5 s if every part hangs', async () => {
    const scene = await start({
      hook: ({ okta, twilio }) => ({
        credentials: { ...usualCredentials(okta, twilio), hook: oauth2(okta.issuer) },
        state: { ...openMemoryState(), check: () => new Promise(() => undefined) },
        channels: {
          sms: [twilioMessages(), { send: notSent, check: () => new Promise(() => undefined) }],
        },
      }),
    });
    scene.okta.fault({ kind: 'hang' });
    scene.okta.faultKeys({ kind: 'hang' });
    scene.twilio.fault({ kind: 'hang' });
    const clock = stopTime();
    let found: Readiness;
    try {
      found = await passTime(clock, scene.hook.ready(), 5000);
    } finally {
      clock.restore();
    }
    const { channels, ...parts } = found;
    expect(Object.keys(parts)).to.have.members(['okta', 'twilio', 'hookKeys', 'state']);
    expect(Object.keys(channels)).to.deep.equal(['sms[1]']);
    for (const result of [...Object.values(parts), channels['sms[1]']]) {
      witness(result);
      expect(result).to.be.instanceOf(TelephonyHookError);
    }
    expectCode(found.hookKeys, 'PROOF_UNAVAILABLE');
    expectCode(found.state, 'NOT_READY_IN_TIME');
    expect(remedyOf(found.state)).to.match(/egress.+call ready\(\) again/);
  });

  function oauth2(issuer: string) {
    return {
      scheme: 'oauth2',
      issuer,
      audience: 'api://default',
      clientId: '0oahookclient0001d7',
      scope: 'telephony',
    } as const;
  }
});

describe('status()', () => {
  it('shows the calls in flight and the last success of each channel', async () => {
    const now = Date.parse('2026-11-25T12:00:00Z');
    const scene = await start({ hook: { clock: () => now } });
    expect(scene.hook.status()).to.deep.equal({
      isReady: false,
      inFlight: 0,
      detached: 0,
      closing: false,
      breakers: {
        [new URL(scene.okta.orgUrl).host]: 'closed',
        [new URL(scene.twilio.baseUrl).host]: 'closed',
      },
      state: 'ok',
      lastSuccess: {},
    });
    scene.okta.fault({ kind: 'slow', delayMs: 50 });
    const call = scene.call({ eventTime: new Date(now) });
    await until(() => scene.hook.status().inFlight === 1);
    await call;
    await scene.call({ eventTime: new Date(now), deliveryChannel: 'CALL' });
    expect(scene.hook.status()).to.deep.include({
      inFlight: 0,
      lastSuccess: { whatsapp: new Date(now), voice: new Date(now) },
    });
  });

  it('counts no rejected or hung-up call as in flight after its end', async () => {
    const outcome = defer<Outcome>();
    let sends = 0;
    const send = (): Promise<Outcome> => {
      sends += 1;
      return outcome.promise;
    };
    const scene = await start({ hook: { chooseChannels: () => ['sms'], channels: { sms: { send } } } });
    const inFlight = (): number => scene.hook.status().inFlight;
    await scene.call({ headers: { Authorization: 'no' } });
    expect(inFlight()).to.equal(0);
    await scene.call({ change: () => 'no JSON' });
    expect(inFlight()).to.equal(0);
    const gone = new Promise<void>((resolve) => {
      scene.server.once('request', (_req: IncomingMessage, res: ServerResponse) => {
        res.once('close', resolve);
      });
    });
    const hungUp = startRawCall(scene);
    await until(() => sends === 1);
    expect(inFlight()).to.equal(1);
    hungUp.destroy();
    await gone;
    outcome.resolve({ status: 'accepted', transactionId: 'T1' });
    await scene.call({ userId: BOB.id });
    const answers = scene.events.filter((event) => event.type === 'request.answered');
    expect(answers.map(({ hasHungUp }) => hasHungUp)).to.deep.equal([true, false]);
    expect(inFlight()).to.equal(0);
  });

  it('reports every rejected caller: the first at once, the others on closing at the latest', async () => {
    const scene = await start();
    for (let made = 0; made < 5; made += 1) await scene.call({ headers: { Authorization: 'no' } });
    const counts = (): readonly number[] =>
      scene.events.flatMap((event) => (event.type === 'caller.rejected' ? [event.count] : []));
    expect(counts()).to.deep.equal([1]);
    await scene.hook.close();
    expect(counts()).to.deep.equal([1, 4]);
    const lines = scene.log.filter(({ fields }) => fields['event'] === 'caller.rejected');
    expect(lines.map(({ fields }) => fields['count'])).to.deep.equal([1, 4]);
  });

  it('turns news of the state into events and log lines', async () => {
    let tell: Parameters<NonNullable<StatePort['watch']>>[0] = () => undefined;
    const watch: StatePort['watch'] = (onNews) => {
      tell = onNews;
      return undefined;
    };
    const scene = await start({ hook: { state: { ...openMemoryState(), watch } } });
    tell({ type: 'lost', reason: 'ECONNREFUSED', remedy: 'See whether it runs.' });
    tell({ type: 'recovered', reason: 'ECONNREFUSED', lostMs: 7 });
    tell({ type: 'warned', reason: 'EVICTION', remedy: 'Do this.' });
    const expected = scene.events.filter(({ type }) => type.startsWith('state.'));
    expect(expected.map(({ type }) => type)).to.deep.equal(['state.lost', 'state.recovered', 'state.warned']);
    expect(expected[0]).to.include({ reason: 'ECONNREFUSED', remedy: 'See whether it runs.' });
    expect(expected[1]).to.include({ reason: 'ECONNREFUSED', lostMs: 7 });
    expect(expected[2]).to.include({ reason: 'EVICTION', remedy: 'Do this.' });
    expect(
      scene.log.filter(({ message }) => message.includes('The shared state store')).map(({ level }) => level),
    )
      .to.deep //
      .equal(['error', 'info', 'warn']);
  });

  it('reports records that the state cannot read once a minute, with a count', async () => {
    let tell: Parameters<NonNullable<StatePort['watch']>>[0] = () => undefined;
    const watch: StatePort['watch'] = (onNews) => {
      tell = onNews;
      return undefined;
    };
    const scene = await start({ hook: { state: { ...openMemoryState(), watch } } });
    for (let told = 0; told < 3; told += 1) tell({ type: 'unreadable' });
    await scene.hook.close();
    const failed = scene.events.flatMap((event) => (event.type === 'extension.failed' ? [event] : []));
    expect(failed.map(({ count }) => count)).to.deep.equal([1, 2]);
    for (const event of failed)
      expect(event).to.include({ extension: 'state', reason: 'a record cannot be read' });
  });

  it('shows that the state is lost', async () => {
    const scene = await start({ hook: { state: { ...openMemoryState(), health: 'lost' } } });
    expect(scene.hook.status().state).to.equal('lost');
  });
});

describe('close()', () => {
  it('answers new calls with 503, waits for running calls, and returns the same promise on a second call', async () => {
    const outcome = defer<Outcome>();
    let sends = 0;
    const send = (): Promise<Outcome> => {
      sends += 1;
      return outcome.promise;
    };
    const scene = await start({ hook: { chooseChannels: () => ['sms'], channels: { sms: { send } } } });
    const under = scene.call();
    await until(() => sends === 1);
    let isClosed = false;
    const closing = scene.hook.close();
    void closing.then(() => {
      isClosed = true;
    });
    expect(scene.hook.close()).to.equal(closing);
    expect(scene.hook.status()).to.include({ closing: true, inFlight: 1 });
    const refused = await scene.call();
    expect(refused.httpStatus).to.equal(503);
    expect(refused.okta.action).to.equal('failover');
    expect(refused.body).to.have.nested.property('error.errorSummary');
    expect(isClosed).to.equal(false);
    outcome.resolve({ status: 'accepted', transactionId: 'T1' });
    expect(commandOf(await under)).to.include({ status: 'SUCCESSFUL' });
    await closing;
    expect(sends).to.equal(1);
    expect(scene.hook.status()).to.include({ closing: true, inFlight: 0 });
    expect((await scene.call()).httpStatus).to.equal(503);
  });

  it('gives a repeat the answer of its first call, running or answered, and sends nothing more', async () => {
    const outcomes = [defer<Outcome>(), defer<Outcome>()];
    let sends = 0;
    const send = (): Promise<Outcome> => {
      sends += 1;
      return outcomes[sends - 1]?.promise ?? Promise.reject(new Error('sent once too often'));
    };
    const scene = await start({ hook: { chooseChannels: () => ['sms'], channels: { sms: { send } } } });
    outcomes[0]?.resolve({ status: 'accepted', transactionId: 'T1' });
    const answered = await scene.call({ eventId: 'answered' });
    const running = scene.call({ eventId: 'running' });
    await until(() => sends === 2);
    const closing = scene.hook.close();
    expect((await scene.call({ eventId: 'answered' })).body).to.deep.equal(answered.body);
    const repeats = [scene.call({ eventId: 'running' }), scene.call({ eventId: 'running' })];
    await until(() => scene.hook.status().inFlight === 3);
    for (const eventId of ['new', undefined])
      expect((await scene.call({ eventId })).httpStatus, eventId).to.equal(503);
    const unproven = await scene.call({ eventId: 'answered', headers: { Authorization: 'no' } });
    expect(unproven.httpStatus).to.equal(401);

    outcomes[1]?.resolve({ status: 'accepted', transactionId: 'T2' });
    const { body } = await running;
    expect(body).to.not.deep.equal(answered.body);
    for (const repeat of repeats) expect((await repeat).body).to.deep.equal(body);
    await closing;
    // This process still has the answers.
    expect((await scene.call({ eventId: 'running' })).body).to.deep.equal(body);
    expect((await scene.call({ eventId: 'new' })).httpStatus).to.equal(503);
    expect(sends).to.equal(2);
    expect(scene.hook.status()).to.include({ inFlight: 0 });
  });

  it('closes the state only after a call that got 503 has released its claim', async () => {
    const memory = openMemoryState();
    const held = defer<undefined>();
    const sending = defer<Outcome>();
    const done: string[] = [];
    const state: StatePort = {
      ...memory,
      claim: async (...args) => {
        const claim = await memory.claim(...args);
        if (!claim.isFirst || !scene.hook.status().closing) return claim;
        done.push('claimed');
        await held.promise;
        return {
          ...claim,
          release: () => {
            done.push('given back');
            claim.release();
          },
        };
      },
      close: () => {
        done.push('closed');
        return memory.close();
      },
    };
    const channels = { sms: { send: () => sending.promise } };
    const scene = await start({ hook: { state, chooseChannels: () => ['sms'], channels } });
    const clock = stopTime();
    try {
      const running = scene.call();
      await until(() => scene.hook.status().inFlight === 1);
      const closing = scene.hook.close();
      const refused = scene.call();
      await until(() => done.length === 1);
      sending.resolve({ status: 'accepted', transactionId: 'T1' });
      expect((await running).okta.action).to.equal('sent');
      held.resolve(undefined);
      expect((await refused).httpStatus).to.equal(503);
      await closing;
      expect(done).to.deep.equal(['claimed', 'given back', 'closed']);
    } finally {
      clock.restore();
    }
  });

  it('waits for a send that goes on after the answer to Okta', async () => {
    const outcome = defer<Outcome>();
    const asked = defer<undefined>();
    const send = (): Promise<Outcome> => {
      asked.resolve(undefined);
      return outcome.promise;
    };
    const scene = await start({
      hook: { deadlineMs: 500, chooseChannels: () => ['sms'], channels: { sms: { send } } },
    });
    await warmUp();
    const clock = stopTime();
    try {
      const calling = scene.call({ eventId: 'event-1' });
      await asked.promise;
      clock.tick(500);
      expect(commandOf(await calling)).to.include({ status: 'PENDING' });
      expect(scene.hook.status()).to.include({ detached: 1 });
      const closing = scene.hook.close();
      outcome.resolve({ status: 'accepted', transactionId: 'T1' });
      await closing;
    } finally {
      clock.restore();
    }
    const late = { type: 'attempt.settled', eventId: 'event-1', channel: 'sms', outcome: 'accepted' };
    expect(scene.events.at(-1)).to.include(late);
    expect(scene.hook.status().lastSuccess).to.have.all.keys('sms');
    expect(scene.hook.status()).to.include({ detached: 0 });
  });

  it('waits for no timer if no call is running', async () => {
    const scene = await start();
    await scene.call();
    const clock = stopTime();
    try {
      await scene.hook.close();
      await scene.hook.close();
      expect(scene.hook.status()).to.include({ closing: true, inFlight: 0, detached: 0 });
    } finally {
      clock.restore();
    }
  });

  for (const [whose, hasOwn] of [
    ['its own connections', false],
    ['no connection of the dispatcher from the options', true],
  ] as const) {
    it(`closes ${whose}`, async () => {
      const dispatcher = hasOwn ? new Agent() : undefined;
      const sockets: Socket[] = [];
      const note = (message: unknown): void => {
        sockets.push((message as { readonly socket: Socket }).socket);
      };
      const scene = await start({ hook: { dispatcher } });
      // undici reports every connection of the process here. Nothing else connects meanwhile.
      diagnostics.subscribe('undici:client:connected', note);
      try {
        await scene.hook.ready();
      } finally {
        diagnostics.unsubscribe('undici:client:connected', note);
      }
      await scene.hook.close();
      expect(sockets).to.have.length.greaterThan(1);
      expect(new Set(sockets.map(({ destroyed }) => destroyed))).to.deep.equal(new Set([!hasOwn]));
      await dispatcher?.destroy();
    });
  }

  it('closes the state, and resolves even if that fails', async () => {
    const closed: string[] = [];
    for (const [title, close] of [
      ['rejects', () => Promise.reject(new Error('lost'))],
      [
        'throws',
        () => {
          throw new Error('lost');
        },
      ],
    ] as const) {
      const scene = await start({
        hook: {
          state: {
            ...openMemoryState(),
            close: () => {
              closed.push(title);
              return close();
            },
          },
        },
      });
      await scene.hook.close();
    }
    expect(closed).to.deep.equal(['rejects', 'throws']);
  });

  it('makes no request to the state after it has closed it', async () => {
    const memory = openMemoryState();
    const asked: string[] = [];
    const state: StatePort = {
      ...memory,
      claim: (...args) => {
        asked.push('claim');
        return memory.claim(...args);
      },
    };
    const scene = await start({
      hook: { state: watchRecords(state, ({ kind }) => asked.push(kind)) },
    });
    await scene.call({ eventId: 'before' });
    await scene.hook.close();
    for (const eventId of ['before', 'new']) await scene.call({ eventId });
    // A code is kept when its attempt starts, and again when it ends. Then its message is kept.
    expect(asked).to.deep.equal(['claim', 'lastCode', 'lastCode', 'message']);
  });

  it('leaves the state open if another hook uses it; the last hook closes it', async () => {
    let closed = 0;
    const tellers = new Set<(news: StateEvent) => void>();
    const lose = (): void => {
      for (const tell of tellers) tell({ type: 'lost', reason: 'TIMEOUT', remedy: 'See' });
    };
    const state: StatePort = {
      ...openMemoryState(),
      watch: (onNews) => {
        tellers.add(onNews);
        return () => void tellers.delete(onNews);
      },
      close: () => {
        closed += 1;
        for (const tell of tellers) tell({ type: 'warned', reason: 'WRITES_DROPPED', remedy: 'Wait' });
        lose();
        return Promise.resolve();
      },
    };
    const [one, two] = [await start({ hook: { state } }), await start({ hook: { state } })];
    await one.hook.close();
    await one.hook.close();
    expect(closed).to.equal(0);
    // The state has no reference to the closed hook any more.
    expect(tellers.size).to.equal(1);
    lose();
    await two.hook.close();
    expect(closed).to.equal(1);
    expect(tellers.size).to.equal(0);
    // A hook does not report a loss that its own close() causes, but what the state has to drop then.
    const countOf = (what: string): readonly number[] =>
      [one, two].map(({ events }) => events.filter(({ type }) => type === what).length);
    expect(countOf('state.lost')).to.deep.equal([0, 1]);
    expect(countOf('state.warned')).to.deep.equal([0, 1]);
  });
});

describe('a hook that is not closed', () => {
  it('does not keep the process alive, neither unused nor after ready() and a call', async () => {
    const scene = await start();
    const script = `
      oktaTelephonyHook({ ...JSON.parse(process.env.OPTIONS), logger: false });
      const { url, stop } = await listen();
      await hook.ready();
      const message = { userId: '${ANA.id}', phoneNumber: '${ANA.phone}', otpCode: '204981' };
      const answer = await fetch(url, hookCall(message, '${HOOK_SECRET}'));
      console.log((await answer.json()).commands[0].value[0].status);
      stop();
    `;
    expect(await runBeside(scene, script)).to.deep.equal({ code: 0, output: 'SUCCESSFUL\n' });
    expect(scene.twilio.messages).to.have.length(1);
  });
});

describe("Twilio's delivery callbacks", () => {
  const PUBLIC_URL = 'https://id.acme.example/okta/telephony';
  const SID = `SM${'0a'.repeat(16)}`;
  const PARAMS = {
    MessageSid: SID,
    MessageStatus: 'undelivered',
    ErrorCode: '63016',
    To: `whatsapp:${ANA.phone}`,
    From: 'whatsapp:+14155238886',
  };
  type Mount = NonNullable<Parameters<typeof startScene>[0]>['mount'];
  const startWithCallbacks = (mount?: Mount): Promise<Scene> =>
    start({ hook: { publicUrl: PUBLIC_URL }, ...(mount === undefined ? {} : { mount }) });
  const report = (
    scene: Scene,
    init: { params?: Record<string, string>; signedWith?: string; signature?: string; method?: string } = {},
  ): Promise<Response> => {
    const { params = PARAMS, signedWith = scene.twilio.authToken, method = 'POST' } = init;
    const signature =
      init.signature ?? getExpectedTwilioSignature(signedWith, `${PUBLIC_URL}/twilio/status`, params);
    return fetch(`${scene.url}/twilio/status`, {
      method,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(signature === '' ? {} : { 'x-twilio-signature': signature }),
      },
      ...(method === 'POST' ? { body: new URLSearchParams(params).toString() } : {}),
    });
  };
  const statuses = (scene: Scene): object[] =>
    scene.events.flatMap((event) => (event.type === 'message.reported' ? [event] : []));

  for (const [title, mount] of [
    ['', undefined],
    [
      ' after express.urlencoded',
      (app, hook) => {
        app.use(express.urlencoded({ extended: false }), hook);
      },
    ],
    [
      ' after express.urlencoded, extended',
      (app, hook) => {
        app.use(express.urlencoded({ extended: true }), hook);
      },
    ],
    [' after express.text', (app, hook) => app.use(express.text({ type: '*/*' }), hook)],
    [' after express.raw', (app, hook) => app.use(express.raw({ type: '*/*' }), hook)],
    [
      ' under a prefix, because the signature covers publicUrl',
      (app, hook) => {
        app.use((req, _res, next) => {
          req.url = `/gateway${req.url}`;
          next();
        });
        app.use('/gateway', hook);
      },
    ],
  ] as const satisfies readonly (readonly [string, Mount])[]) {
    it(`get 204 and are reported if they are signed${title}`, async () => {
      const scene = await startWithCallbacks(mount);
      const answer = await report(scene);
      expect(answer.status).to.equal(204);
      expect(answer.headers.get('cache-control')).to.equal('no-store, no-transform');
      expect(statuses(scene)).to.have.length(1);
      expect(statuses(scene)[0]).to.include({
        channel: 'whatsapp',
        transactionId: SID,
        status: 'undelivered',
        code: '63016',
      });
      expect(scene.log.filter(({ message }) => message.includes('was not delivered'))).to.have.length(1);
    });
  }

  for (const [status, expected, lines] of [
    ['no-answer', 'failed', ['warn']],
    ['busy', 'failed', ['warn']],
    ['ringing', 'pending', []],
    ['completed', 'delivered', []],
  ] as const) {
    it(`report a call that is ${status} as ${expected}`, async () => {
      const scene = await startWithCallbacks();
      await report(scene, { params: { CallSid: `CA${'1'.repeat(32)}`, CallStatus: status, To: ANA.phone } });
      await until(() => statuses(scene).length === 1);
      expect(statuses(scene)[0]).to.include({ channel: 'voice', report: expected, status });
      const reported = scene.log.filter(({ fields }) => fields['event'] === 'message.reported');
      expect(reported.map(({ level }) => level)).to.deep.equal(lines);
    });
  }

  for (const [title, init] of [
    ['are not signed', { signature: '' }],
    ['are signed with another token', { signedWith: 'f'.repeat(32) }],
    ['have a wrong signature', { signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
  ] as const) {
    it(`get 403 and are not reported if they ${title}`, async () => {
      const scene = await startWithCallbacks();
      const answer = await report(scene, init);
      expect(answer.status).to.equal(403);
      witness(await answer.text());
      expect(statuses(scene)).to.be.empty;
    });
  }

  it('get 403 before their body arrives if they are not signed', async () => {
    const scene = await startWithCallbacks();
    for (const signature of [[], ['X-Twilio-Signature: none']]) {
      const { socket, waitFor } = await openRaw(scene.server);
      const head = [
        'POST /okta/telephony/twilio/status HTTP/1.1',
        'Host: x',
        ...signature,
        'Content-Length: 9',
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      expect((await waitFor(1))[0]?.status).to.equal(403);
    }
  });

  it('get 403 and are not reported if the signed parameters are regrouped', async () => {
    const scene = await startWithCallbacks();
    const signature = getExpectedTwilioSignature(
      scene.twilio.authToken,
      `${PUBLIC_URL}/twilio/status`,
      PARAMS,
    );
    const { ErrorCode: code, From: from, ...rest } = PARAMS;
    for (const params of [
      { ...rest, [`ErrorCode${code}From`]: from },
      { ...rest, ErrorCode: `${code}From${from}` },
      { ...PARAMS, MessageStatus: `undeliveredTo${PARAMS.To}`, To: '' },
      { ...rest, Error: `Code${code}`, From: from },
    ] as Record<string, string>[]) {
      expect((await report(scene, { params, signature })).status).to.equal(403);
    }
    expect(statuses(scene)).to.be.empty;
  });

  it('get 413 if they are too large', async () => {
    const scene = await startWithCallbacks();
    const answer = await report(scene, { params: { ...PARAMS, Body: 'x'.repeat(65 * 1024) } });
    expect(answer.status).to.equal(413);
    expect(statuses(scene)).to.be.empty;
  });

  it('get 405 if the method is not POST', async () => {
    const scene = await startWithCallbacks();
    const answer = await report(scene, { method: 'GET' });
    expect(answer.status).to.equal(405);
    expect(answer.headers.get('allow')).to.equal('POST');
  });

  it('get 204 and are not reported if they are signed and about no message', async () => {
    const scene = await startWithCallbacks();
    expect((await report(scene, { params: { Hello: 'world' } })).status).to.equal(204);
    expect(statuses(scene)).to.be.empty;
  });

  it('go on to the next handler without publicUrl, and messages request none', async () => {
    const scene = await start({
      mount: (app, hook) => {
        app.use(hook);
        app.use((req, res) => {
          res.status(418).send(req.path);
        });
      },
    });
    const answer = await report(scene);
    expect(answer.status).to.equal(418);
    expect(await answer.text()).to.equal('/okta/telephony/twilio/status');
    await scene.call();
    expect(scene.twilio.requests[0]?.form).to.not.have.property('StatusCallback');
  });

  it('are requested with every message and call, each by its own reference', async () => {
    const scene = await startWithCallbacks();
    await scene.call();
    await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone });
    await scene.call({ deliveryChannel: 'CALL' });
    const urls = scene.twilio.requests.map(({ form }) => new URL(String(form?.['StatusCallback'])));
    expect(urls.map(({ origin, pathname }) => origin + pathname)).to.deep.equal(
      Array(3).fill(`${PUBLIC_URL}/twilio/status`),
    );
    // Each attempt has its own reference.
    const references = urls.map(({ searchParams }) => searchParams.get('attempt') ?? '');
    expect(new Set(references)).to.have.property('size', 3);
    for (const reference of references) expect(reference).to.match(/^[\da-f-]{36}$/);
  });

  it('reach the hook at its publicUrl: sent, then delivered', async () => {
    // The port must be known before the hook is made.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const scene = await start({
      hook: { publicUrl: `http://127.0.0.1:${port}/okta/telephony` },
      mount: (app, hook) => {
        app.use(hook);
        server.on('request', app as (...args: unknown[]) => void);
      },
    });
    await scene.call();
    await until(() => scene.twilio.callbacks.filter(({ httpStatus }) => httpStatus === 204).length === 2);
    expect(statuses(scene).map((event) => 'status' in event && event.status)).to.deep.equal([
      'sent',
      'delivered',
    ]);
    server.closeAllConnections();
    server.close();
  });
});
