import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import express from 'express';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { Agent } from 'undici';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { Outcome } from '#lib/index.js';
import type { StateEvent, StatePort } from '#lib/delivery/state.js';
import {
  ANA,
  BOB,
  HOOK_SECRET,
  commandOf,
  scenes,
  TO_BOB,
  type Scene,
  type SceneOptions,
} from '#harness/scene.js';
import { runBeside } from '#harness/own-process.js';
import { startRawCall } from '#harness/raw-call.js';
import { openRaw } from '#harness/raw-http.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { defer, held, until } from '#harness/until.js';

const start = scenes();

describe('the hook, when Okta hangs up early,', () => {
  const isAnswered = (scene: Scene) => (): boolean => scene.of('request.answered').length > 0;

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
    await until(() => scene.of('channels.planned').length > 0);
    await call.hangUp();
    refusal.resolve(undefined);
    await until(isAnswered(scene));
    expect(scene.events.at(-1)).to.include({ status: 'ERROR', hasHungUp: true });
    expect(scene.twilio.requests).to.be.empty;
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
    const sending = held<Outcome>();
    const sms = { send: sending.run };
    const scene = await start({ hook: { chooseChannels: () => ['sms'], channels: { sms } } });
    const inFlight = (): number => scene.hook.status().inFlight;
    await scene.call({ headers: { Authorization: 'no' } });
    expect(inFlight()).to.equal(0);
    await scene.call({ change: () => 'no JSON' });
    expect(inFlight()).to.equal(0);
    const hungUp = startRawCall(scene);
    await sending.called;
    expect(inFlight()).to.equal(1);
    await hungUp.hangUp();
    sending.resolve({ status: 'accepted', transactionId: 'T1' });
    await scene.call({ userId: BOB.id });
    expect(scene.of('request.answered').map(({ hasHungUp }) => hasHungUp)).to.deep.equal([true, false]);
    expect(inFlight()).to.equal(0);
  });

  /** A hook whose state tells what the test says. */
  const startWatched = async (): Promise<{ scene: Scene; tell: (news: StateEvent) => void }> => {
    let tell: (news: StateEvent) => void = () => undefined;
    const watch: StatePort['watch'] = (onNews) => {
      tell = onNews;
      return undefined;
    };
    const scene = await start({ hook: { state: { ...openMemoryState(), watch } } });
    return { scene, tell };
  };

  it('turns news of the state into events and log lines', async () => {
    const { scene, tell } = await startWatched();
    tell({ type: 'lost', reason: 'ECONNREFUSED', remedy: 'See whether it runs.' });
    tell({ type: 'recovered', reason: 'ECONNREFUSED', lostMs: 7 });
    tell({ type: 'warned', reason: 'EVICTION', remedy: 'Do this.' });
    const told = scene.events.filter(({ type }) => type.startsWith('state.'));
    expect(told.map(({ at: _, ...event }) => event)).to.deep.equal([
      { type: 'state.lost', reason: 'ECONNREFUSED', remedy: 'See whether it runs.' },
      { type: 'state.recovered', reason: 'ECONNREFUSED', lostMs: 7 },
      { type: 'state.warned', reason: 'EVICTION', remedy: 'Do this.' },
    ]);
    const lines = scene.log.filter(({ message }) => message.includes('The shared state store'));
    expect(lines.map(({ level }) => level)).to.deep.equal(['error', 'info', 'warn']);
  });

  it('reports records that the state cannot read once a minute, with a count', async () => {
    const { scene, tell } = await startWatched();
    for (let told = 0; told < 3; told += 1) tell({ type: 'unreadable' });
    await scene.hook.close();
    const failed = scene.of('extension.failed');
    expect(failed.map(({ count }) => count)).to.deep.equal([1, 2]);
    for (const event of failed)
      expect(event).to.include({ extension: 'state', reason: 'a record cannot be read' });
  });
});

describe('close()', () => {
  it('answers new calls with 503, waits for running calls, and returns the same promise on a second call', async () => {
    const sending = held<Outcome>();
    const sms = { send: sending.run };
    const scene = await start({ hook: { chooseChannels: () => ['sms'], channels: { sms } } });
    const under = scene.call();
    await sending.called;
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
    sending.resolve({ status: 'accepted', transactionId: 'T1' });
    expect(commandOf(await under)).to.include({ status: 'SUCCESSFUL' });
    await closing;
    expect(sending.count()).to.equal(1);
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
    const sending = held<Outcome>();
    const sms = { send: sending.run };
    const scene = await start({
      hook: { deadlineMs: 500, chooseChannels: () => ['sms'], channels: { sms } },
    });
    await warmUp();
    const clock = stopTime();
    try {
      const calling = scene.call({ eventId: 'event-1' });
      await sending.called;
      clock.tick(500);
      expect(commandOf(await calling)).to.include({ status: 'PENDING' });
      expect(scene.hook.status()).to.include({ detached: 1 });
      let isClosed = false;
      const closing = scene.hook.close().then(() => (isClosed = true));
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(isClosed).to.equal(false);
      sending.resolve({ status: 'accepted', transactionId: 'T1' });
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
  type Mount = SceneOptions['mount'];
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
  const statuses = (scene: Scene) => scene.of('message.reported');

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

  it('report the result of a call, with a warning if it failed', async () => {
    const scene = await startWithCallbacks();
    const calls = [
      ['no-answer', 'failed', 'warn'],
      ['busy', 'failed', 'warn'],
      ['ringing', 'pending', undefined],
      ['completed', 'delivered', undefined],
    ] as const;
    for (const [at, [CallStatus]] of calls.entries())
      await report(scene, { params: { CallSid: `CA${String(at).repeat(32)}`, CallStatus, To: ANA.phone } });
    await until(() => statuses(scene).length === calls.length);
    expect(
      statuses(scene).map(({ channel, status, report: meaning }) => [channel, status, meaning]),
    ).to.deep.equal(calls.map(([status, meaning]) => ['voice', status, meaning]));
    const reported = scene.log.filter(({ fields }) => fields['event'] === 'message.reported');
    expect(reported.map(({ level }) => level)).to.deep.equal(['warn', 'warn']);
  });

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
    await scene.call(TO_BOB);
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
});
