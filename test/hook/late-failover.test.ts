import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type sinon from 'sinon';
import type { ConnectedChannel, DeliveryReport, HookEventOf, Outcome, TelephonyRequest } from '#lib/index.js';
import type { EmulatedMessage } from '#lib/testing/index.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import {
  ANA,
  CODE,
  commandOf,
  isWhatsApp,
  scenes,
  sidOf,
  TO_BOB,
  wamid,
  type HookOptions,
  type Scene,
} from '#harness/scene.js';
import { fakeClock } from '#harness/fake-clock.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { held, until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

/** The default of `deadlineMs`. */
const DEADLINE_MS = 2200;

describe('late failover', () => {
  let scene: Scene;
  let now: number;
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(() => {
    clock?.restore();
    clock = undefined;
  });
  const startScene = scenes();
  /** Starts a gateway that Twilio's callbacks reach. */
  const start = async (hook: HookOptions = {}): Promise<void> => {
    now = Date.now();
    // Resends have tests of their own.
    const usual = { clock: () => now, resend: { nextRoute: false } };
    scene = await startScene({ hasCallbacks: true, hook: { ...usual, ...hook } });
  };
  /** Twilio accepts every WhatsApp message and then reports that it failed. */
  const failWhatsApp = (code = 63024): void => {
    scene.twilio.failLater({ code, status: 'undelivered', match: isWhatsApp });
  };
  const sent = (channel: 'sms' | 'whatsapp'): EmulatedMessage[] =>
    scene.twilio.messages.filter((message) => message.channel === channel);
  const texts = (): (string | undefined)[] => sent('sms').map(({ body }) => body);
  const ended = (): HookEventOf<'failover.ended'>[] => scene.of('failover.ended');
  const unmatched = (): number => scene.of('callback.unmatched').length;
  const areAnswered = (callbacks: number) => (): boolean =>
    scene.twilio.callbacks.filter(({ httpStatus }) => httpStatus !== undefined).length === callbacks;
  const report = (sid: string | undefined, status: string, code?: string): Promise<number> =>
    scene.report(sid, status, code === undefined ? {} : { code });
  /** Makes a call without callbacks. Resolves to the message's id. */
  const callSilently = async (call: Parameters<Scene['call']>[0] = {}): Promise<string> => {
    scene.twilio.clearFaults();
    scene.twilio.faultCallbacks({ copies: 0 });
    return sidOf(await scene.call(call));
  };

  it('sends the code when the failure callback comes before Twilio accepts the message', async () => {
    await start();
    failWhatsApp();
    scene.twilio.fault({ fault: { kind: 'slow', delayMs: 400 }, match: isWhatsApp, times: 1 });
    clock = stopTime();
    const calling = scene.call();
    await until(() => scene.twilio.requests.length === 1);
    clock.tick(399);
    await until(areAnswered(1));
    expect(scene.of('request.answered').length).to.equal(0);
    clock.tick(1);
    await calling;
    await until(() => ended().length === 1);
    expect(sent('sms')).to.have.length(1);
    expect(unmatched()).to.equal(0);
  });

  it('sends nothing when the failure comes after the code has expired', async () => {
    await start();
    clock = stopTime();
    const sid = await callSilently();
    clock.tick(300_000);
    expect(await report(sid, 'undelivered', '63024')).to.equal(204);
    await scene.hook.close();
    expect(sent('sms')).to.be.empty;
  });

  it('sends nothing when a fraud filter blocked the message, and logs the reason with its remedy', async () => {
    await start();
    failWhatsApp(30450);
    await scene.call();
    await until(() => ended().length === 1);
    expect(ended()[0]).to.nested.include({
      'cause.code': '30450',
      outcome: 'dropped',
      code: 'FRAUD_BLOCK',
      channel: undefined,
    });
    const line = scene.log.find(({ fields }) => fields['event'] === 'failover.ended');
    expect(line).to.include({
      level: 'warn',
      message:
        'okta-telephony-hook: WhatsApp did not deliver the code (30450). A fraud filter blocked it, so no other channel sends it.',
    });
    expect(line?.fields).to.include({
      userId: ANA.id,
      toEnding: '23',
    });
    expect(line?.fields['cause']).to.deep.equal({
      code: '30450',
      reason: "Blocked by Twilio's protection against SMS pumping",
      remedy: "If it is a real user, put the number on Twilio's Safe List.",
    });
    expect(line?.fields['oktaRequestId']).to.match(/^req/);
    expect(sent('sms')).to.be.empty;
  });

  it('sends nothing when the error code applies to the next channel too (30038)', async () => {
    await start();
    failWhatsApp(30038);
    await scene.call();
    await until(() => ended().length === 1);
    expect(ended()[0]).to.nested.include({
      outcome: 'dropped',
      code: 'NO_CHANNEL_LEFT',
      'cause.code': '30038',
    });
    expect(sent('sms')).to.be.empty;
  });

  it('sends nothing when the failed channel is the last of the plan, and reports NO_CHANNEL_LEFT', async () => {
    await start();
    scene.twilio.failLater({ code: 30003 });
    await scene.call({ userId: 'nobody' });
    await scene.call({ deliveryChannel: 'VOICE' });
    await until(areAnswered(2 + 1));
    await scene.hook.close();
    expect([scene.twilio.messages.length, scene.twilio.calls.length]).to.deep.equal([1, 1]);
    expect(ended().map(({ fromChannel, code, cause }) => [fromChannel, code, cause.code])).to.deep.equal([
      ['sms', 'NO_CHANNEL_LEFT', '30003'],
      ['voice', 'NO_CHANNEL_LEFT', '30003'],
    ]);
    expect(unmatched()).to.equal(0);
  });

  describe('while it composes the text for the next channel', () => {
    let text: ReturnType<typeof held<string>>;
    const startComposing = async (): Promise<void> => {
      text = held<string>();
      await start({
        composeText: (_request, _profile, channel) =>
          channel === 'sms' ? text.run() : `Your code is ${CODE}`,
      });
    };
    /** Resolves to the id of the message that has failed. */
    const startFailing = async (call: Parameters<typeof callSilently>[0] = {}): Promise<string> => {
      await startComposing();
      const sid = await callSilently({ eventId: 'event-1', ...call });
      await report(sid, 'undelivered', '63032');
      await text.called;
      return sid;
    };

    it('counts as a call in flight', async () => {
      await startComposing();
      failWhatsApp();
      await scene.call();
      await text.called;
      expect(scene.hook.status()).to.include({ inFlight: 1 });
      text.resolve(`Your code is ${CODE}`);
      await until(() => ended().length === 1 && scene.hook.status().inFlight === 0);
    });

    it('sends nothing if the first message arrives after all', async () => {
      const sid = await startFailing();
      await report(sid, 'delivered');
      text.resolve(`Your code is ${CODE}`);
      await scene.hook.close();
      expect(sent('sms')).to.be.empty;
      expect(ended()[0]).to.include({ outcome: 'dropped', code: 'DELIVERED' });
    });

    it('sends nothing if the user requests a newer code', async () => {
      await startFailing();
      await scene.call({ eventId: 'event-2' });
      text.resolve(`Your code is ${CODE}`);
      await scene.hook.close();
      expect(sent('sms')).to.be.empty;
      expect(ended()[0]).to.include({ eventId: 'event-1', outcome: 'dropped', code: 'SUPERSEDED' });
    });

    it('sends nothing if the code expires', async () => {
      clock = stopTime();
      // The code expires within the time that a late send may take.
      await startFailing({
        eventTime: new Date(),
        otpExpires: new Date(Date.now() + 1_000),
      });
      clock.tick(1_000);
      text.resolve(`Your code is ${CODE}`);
      await scene.hook.close();
      expect(sent('sms')).to.be.empty;
      expect(ended()[0]).to.include({ outcome: 'dropped', code: 'CODE_EXPIRED' });
    });

    it('sends the code before close() resolves, while new calls get 503', async () => {
      await startFailing();
      let isClosed = false;
      const closing = scene.hook.close().then(() => {
        isClosed = true;
      });
      expect((await scene.call()).httpStatus).to.equal(503);
      expect(isClosed).to.equal(false);
      text.resolve(`Your code is ${CODE}`);
      await closing;
      expect(sent('sms')).to.have.length(1);
      expect(ended()[0]).to.include({ outcome: 'accepted' });
    });

    it('sends the text from Okta at the deadline if composeText hangs', async () => {
      await startFailing();
      await until(() => ended().length === 1);
      // Okta's text replaces the one that composeText did not return in time.
      expect(texts()).to.deep.equal([`Your code is ${CODE}`]);
    });
  });

  describe('for an event that a second event follows', () => {
    const newer = async (call: Parameters<Scene['call']>[0]): Promise<void> => {
      const sid = await callSilently({ eventId: 'event-1' });
      await callSilently({ eventId: 'event-2', ...call });
      await report(sid, 'undelivered', '63024');
      await scene.hook.close();
    };

    it('sends nothing: the newer code supersedes the older one', async () => {
      mustNotShow('771204');
      await start();
      await newer({ otpCode: '771204' });
      expect(sent('sms')).to.be.empty;
      expect(ended()[0]).to.include({ eventId: 'event-1', code: 'SUPERSEDED' });
    });

    it('sends the newer code if its message fails', async () => {
      mustNotShow('771204');
      await start();
      await callSilently({ eventId: 'event-1' });
      const sid = await callSilently({ eventId: 'event-2', otpCode: '771204' });
      await report(sid, 'undelivered', '63024');
      await scene.hook.close();
      expect(texts()).to.deep.equal(['Your code is 771204']);
    });

    for (const [title, call, hook] of [
      ['for another user', { userId: 'somebody-else' }, {}],
      ['an administrator’s preview', { preview: true }, {}],
      ['a repeat of the first', { eventId: 'event-1' }, {}],
      ['blocked by the guard', {}, { guard: { perUser: { points: 1, seconds: 60 } } }],
      ['rejected for its phone number', { phoneNumber: 'nonsense' }, {}],
    ] as const satisfies readonly (readonly [string, Parameters<Scene['call']>[0], HookOptions])[]) {
      it(`sends the first code if the second event is ${title}`, async () => {
        await start(hook);
        await newer(call);
        expect(ended()[0]).to.include({ eventId: 'event-1', outcome: 'accepted', channel: 'sms' });
      });
    }

    it('sends the code of a preview, too, if its message fails', async () => {
      await start();
      await callSilently({ eventId: 'event-1' });
      const sid = await callSilently({ eventId: 'event-2', preview: true });
      await report(sid, 'undelivered', '63024');
      await scene.hook.close();
      expect(ended()[0]).to.include({ eventId: 'event-2', outcome: 'accepted', channel: 'sms' });
    });
  });

  it('does not count against the rate limits', async () => {
    await start({ guard: { perUser: { points: 2, seconds: 60 } } });
    failWhatsApp();
    await scene.call();
    await until(() => ended().length === 1);
    expect((await scene.call()).okta.action).to.equal('sent');
  });

  it('sends nothing by a channel that the rollout has turned off since the call', async () => {
    let rollout: Record<string, number> = {};
    await start({ rollout: () => rollout });
    const sid = await callSilently();
    rollout = { sms: 0 };
    await report(sid, 'undelivered', '63024');
    await scene.hook.close();
    expect(sent('sms')).to.be.empty;
    expect(ended()[0]).to.include({ outcome: 'dropped', code: 'NO_CHANNEL_LEFT' });
  });

  it('skips a channel that has not reached the number since the call, and takes the one after it', async () => {
    const acme: ConnectedChannel = {
      send: () => Promise.resolve({ status: 'refused', code: 'GONE', reason: 'No', isNotReached: true }),
    };
    const chooseChannels = ({ userId }: TelephonyRequest): string[] =>
      userId === ANA.id ? ['whatsapp', 'acme', 'sms'] : ['acme', 'sms'];
    await start({ channels: { acme }, chooseChannels });
    const sid = await callSilently();
    await scene.call({ ...TO_BOB, phoneNumber: ANA.phone });
    await report(sid, 'undelivered', '63024');
    await until(() => ended().length === 1);
    expect(ended()[0]).to.include({ outcome: 'accepted', channel: 'sms' });
    expect(ended()[0]?.attempts.map(({ channel }) => channel)).to.deep.equal(['whatsapp', 'sms']);
  });

  it('sends nothing if lateFailover is false; reports still name user, event and request', async () => {
    await start({ lateFailover: false });
    failWhatsApp();
    await scene.call();
    await until(areAnswered(1));
    await scene.hook.close();
    expect(sent('sms')).to.be.empty;
    expect([ended().length, unmatched()]).to.deep.equal([0, 0]);
    const line = scene.log.find(({ fields }) => fields['event'] === 'message.reported');
    expect(line?.fields).to.include({ userId: ANA.id, toEnding: '23', code: '63024' });
    const [call] = scene.of('request.answered');
    expect(line?.fields).to.include({ eventId: call?.eventId, oktaRequestId: call?.oktaRequestId });
  });

  describe('for an attempt of unknown outcome', () => {
    /** The attempts that the end of the late failover reports. */
    const attempts = (): unknown[] =>
      (ended()[0]?.attempts ?? []).map(({ channel, outcome, transactionId }) => [
        channel,
        outcome,
        transactionId,
      ]);
    let sending: ReturnType<typeof held<Outcome>>;
    const startUnknown = async (): Promise<void> => {
      sending = held<Outcome>();
      await start({ channels: { whatsapp: { send: sending.run } } });
      clock = stopTime();
      const calling = scene.call();
      await sending.called;
      clock.tick(DEADLINE_MS);
      expect((await calling).okta.action).to.equal('pending');
    };

    it('sends the code by the next channel if the provider refuses it after the answer', async () => {
      await startUnknown();
      sending.resolve({ status: 'refused', code: 'C1', reason: 'No' });
      await until(() => ended().length === 1);
      expect(ended()[0]).to.nested.include({
        fromChannel: 'whatsapp',
        'cause.code': 'C1',
        outcome: 'accepted',
        channel: 'sms',
      });
      expect(texts()).to.deep.equal([`Your code is ${CODE}`]);
      expect(attempts()).to.deep.equal([
        ['whatsapp', 'refused', undefined],
        ['sms', 'accepted', sent('sms')[0]?.sid],
      ]);
    });

    for (const [title, outcome] of [
      ['is refused by a fraud filter', { status: 'refused', code: 'C1', reason: 'No', isFraudBlock: true }],
      ['is refused because of the number', { status: 'refused', code: 'C1', reason: 'No', moveOn: false }],
      ['is accepted', { status: 'accepted', transactionId: 'T1' }],
      ['stays unknown', { status: 'unknown', reason: 'Who knows' }],
    ] as const) {
      it(`sends nothing if the attempt ${title}`, async () => {
        await startUnknown();
        sending.resolve(outcome);
        await scene.hook.close();
        expect(scene.of('attempt.settled').length).to.equal(1);
        expect(sent('sms')).to.be.empty;
      });
    }

    it('sends nothing if the user has requested a newer code', async () => {
      await startUnknown();
      await scene.call({ userId: ANA.id, deliveryChannel: 'VOICE' });
      sending.resolve({ status: 'refused', code: 'C1', reason: 'No' });
      await scene.hook.close();
      expect(sent('sms')).to.be.empty;
      expect(ended()[0]).to.include({ code: 'SUPERSEDED' });
    });

    it('sends the code once if Twilio accepts the message late and then cannot deliver it', async () => {
      await start();
      failWhatsApp();
      clock = stopTime();
      scene.twilio.fault({ fault: { kind: 'slow', delayMs: DEADLINE_MS + 100 }, match: isWhatsApp });
      const calling = scene.call();
      await until(() => scene.twilio.requests.length === 1);
      clock.tick(DEADLINE_MS);
      expect((await calling).okta.action).to.equal('pending');
      clock.tick(100);
      await until(() => ended().length === 1);
      expect(scene.of('attempt.settled').length).to.equal(1);
      expect(sent('sms')).to.have.length(1);
      expect(attempts()).to.deep.equal([
        ['whatsapp', 'accepted', sent('whatsapp')[0]?.sid],
        ['sms', 'accepted', sent('sms')[0]?.sid],
      ]);
    });
  });

  describe('for a message that this process did not send', () => {
    const unknown = (): unknown[] => scene.of('callback.unmatched').map(({ count }) => count);

    it('sends nothing, and warns with a remedy at most once a minute', async () => {
      await start();
      for (const [sid, seconds] of [
        ['SMstranger1', 0],
        ['SMstranger2', 59],
        ['SMstranger3', 1],
      ] as const) {
        now += seconds * 1000;
        expect(await report(sid, 'undelivered', '63024')).to.equal(204);
        await until(() => scene.of('message.reported').length === Number(sid.at(-1)));
      }
      await until(() => unknown().length === 2);
      expect(unknown()).to.deep.equal([1, 2]);
      const lines = scene.log.filter(({ fields }) => fields['event'] === 'callback.unmatched');
      expect(lines.map(({ level }) => level)).to.deep.equal(['warn', 'warn']);
      const { remedy, ...fields } = lines[0]?.fields ?? {};
      expect(remedy).to.include('Give all gateways one shared state');
      expect(fields).to.deep.equal({
        event: 'callback.unmatched',
        count: 1,
        transactionId: 'SMstranger1',
      });
      expect(scene.twilio.messages).to.be.empty;
    });

    it('gives no warning for a status that is not final', async () => {
      await start();
      for (const status of ['queued', 'sent']) await report('SMstranger1', status);
      await scene.hook.close();
      expect(unknown()).to.deep.equal([]);
    });
  });

  describe('by timer', () => {
    /** Gives the hook time to read an answer that has arrived. */
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    /** Moves the test's clock and the gateway's clock together. */
    const pass = (ms: number): void => {
      now += ms;
      clock?.tick(ms);
    };
    /** Waits for the first callback: after it, the hook does not poll. */
    const trustCallbacks = async (): Promise<void> => {
      await scene.hook.ready();
      await scene.call();
      await until(() => scene.of('message.reported').length > 0);
    };
    const asked = (): number =>
      scene.twilio.requests.filter(
        ({ method, path }) => method === 'GET' && scene.twilio.messages.some(({ sid }) => path.includes(sid)),
      ).length;

    describe('without publicUrl', () => {
      const startPolling = async (hook: HookOptions = {}): Promise<void> => {
        await start({ publicUrl: undefined, ...hook });
        await scene.hook.ready();
        clock = stopTime();
      };

      for (const publicUrl of [undefined, 'http://127.0.0.1:9/okta/telephony']) {
        const url = publicUrl === undefined ? 'no publicUrl' : 'one that no callback reaches';
        it(`asks Twilio for the status once, after 3 s, and sends the code once if it failed: ${url}`, async () => {
          await startPolling({ publicUrl });
          failWhatsApp();
          await scene.call();
          pass(2_999);
          expect(asked()).to.equal(0);
          pass(1);
          await until(() => ended().length === 1);
          expect(ended()[0]).to.nested.include({
            fromChannel: 'whatsapp',
            'cause.code': '63024',
            outcome: 'accepted',
          });
          expect(scene.of('message.reported')[0]).to.include({
            channel: 'whatsapp',
            transactionId: sent('whatsapp')[0]?.sid,
            status: 'failed',
            code: '63024',
            reason: 'The recipient cannot get this on WhatsApp',
            userId: ANA.id,
          });
          pass(60_000);
          await scene.hook.close();
          expect([asked(), sent('sms').length]).to.deep.equal([1, 1]);
        });
      }

      it('asks again after an error of Twilio, and no more once the message is delivered', async () => {
        await startPolling();
        await scene.call();
        const isQuestion = ({ method }: RecordedRequest): boolean => method === 'GET';
        scene.twilio.fault({ fault: { kind: 'status', status: 500 }, match: isQuestion, times: 1 });
        for (const [ms, questions] of [
          [3_000, 1],
          [5_000, 2],
          [12_000, 2],
        ] as const) {
          pass(ms);
          await until(() => asked() === questions);
          await turns();
        }
        await scene.hook.close();
        expect([asked(), sent('sms').length]).to.deep.equal([2, 0]);
      });

      it('does not ask if the plan has no next channel', async () => {
        await startPolling();
        await scene.call({ userId: 'nobody' });
        pass(60_000);
        await scene.hook.close();
        expect(asked()).to.equal(0);
      });

      it('does not ask for a superseded code, nor after close()', async () => {
        await startPolling();
        await scene.call();
        await scene.call();
        pass(3_000);
        await until(() => asked() === 1);
        await scene.hook.close();
        pass(60_000);
        expect(asked()).to.equal(1);
      });
    });

    describe('with a publicUrl', () => {
      it('warns once if no callback comes, with a remedy that names publicUrl and the auth token', async () => {
        await start({ guard: { perUser: false } });
        clock = fakeClock(['performance']);
        for (let count = 0; count < 3; count += 1) await callSilently();
        clock.tick(20_000);
        for (let count = 0; count < 2; count += 1) await callSilently();
        const lines = scene.log.filter(({ fields }) => fields['event'] === 'callbacks.missing');
        expect(lines).to.have.length(1);
        expect(lines[0]?.fields).to.include({ count: 3 });
        expect(lines[0]?.fields['remedy']).to.match(/publicUrl.+credentials\.twilio\.authToken/);
      });

      it('does not ask any more after the first callback', async () => {
        await start();
        await trustCallbacks();
        clock = stopTime();
        await callSilently();
        pass(20_000);
        await turns();
        expect(asked()).to.equal(0);
      });
    });

    describe('with afterSeconds', () => {
      it('sends the code if no callback reports a delivery in that time', async () => {
        await start({ lateFailover: { afterSeconds: { whatsapp: 20 } } });
        await trustCallbacks();
        clock = stopTime();
        await callSilently();
        pass(19_999);
        pass(1);
        await until(() => ended().length === 1);
        expect(ended()[0]).to.nested.include({
          'cause.code': 'NOT_DELIVERED_IN_TIME',
          outcome: 'accepted',
          channel: 'sms',
        });
        expect(sent('sms')).to.have.length(1);
      });

      it('sends nothing if the message is delivered, or the gateway closes, in that time', async () => {
        await start({ lateFailover: { afterSeconds: { whatsapp: 20 } } });
        await trustCallbacks();
        clock = stopTime();
        await report(await callSilently(), 'delivered');
        pass(20_000);
        await callSilently();
        await scene.hook.close();
        pass(20_000);
        expect(sent('sms')).to.be.empty;
        expect(ended()).to.be.empty;
      });

      it('warns at the start about a channel that never reports a delivery', async () => {
        await start({ lateFailover: { afterSeconds: { sms: 20 } } });
        expect(scene.of('configuration.warned')[0]).to.deep.include({
          option: 'lateFailover.afterSeconds',
          where: ['lateFailover.afterSeconds.sms'],
        });
        expect(scene.log[0]?.message).to.include('lateFailover.afterSeconds.sms: ');
        expect(scene.log[0]?.message).to.include('it has no effect');
      });
    });

    it('looks up an id that contains the number in base64, and shows its hash in answer, events and log', async () => {
      const asked: string[] = [];
      const ids = ['7A717FACE7FA5C8052', '3EB0C431C26A1916E0'].map((random) =>
        wamid(ANA.phone.slice(1), undefined, random),
      );
      const whatsapp: ConnectedChannel = {
        send: () => Promise.resolve({ status: 'accepted', transactionId: ids[0] ?? '' }),
        lookUp: (transactionId) => {
          asked.push(transactionId);
          return Promise.resolve({ status: 'failed', code: '131026', reason: `No ${transactionId} there` });
        },
      };
      const sms: ConnectedChannel = {
        send: () => Promise.resolve({ status: 'accepted', transactionId: ids[1] ?? '' }),
      };
      await start({ channels: { whatsapp, sms } });
      await scene.hook.ready();
      clock = stopTime();
      const call = await scene.call();
      pass(3_000);
      await until(() => ended().length === 1);
      expect(asked).to.deep.equal([ids[0]]);
      mustNotShow(...ids);
      const [first = '', second = ''] = ids.map((id) => createHash('sha256').update(id).digest('base64url'));
      expect(commandOf(call)?.['transactionId']).to.equal(first);
      expect(scene.of('message.reported')[0]).to.include({
        transactionId: first,
      });
      expect(scene.log.map(({ fields }) => fields['transactionId'])).to.include.members([first, second]);
      expect(ended()[0]).to.include({
        fromChannel: 'whatsapp',
        transactionId: second,
      });
      expect(ended()[0]?.cause.reason).to.equal('No wamid.… there');
      expect(ended()[0]?.attempts.map(({ transactionId }) => transactionId)).to.deep.equal([first, second]);
    });

    it('sends the code to the right user if two custom channels use the same message id', async () => {
      const counting = (end: DeliveryReport): ConnectedChannel => ({
        send: () => Promise.resolve({ status: 'accepted', transactionId: '1' }),
        lookUp: () => Promise.resolve(end),
      });
      const line = counting({ status: 'failed', code: 'GONE', reason: 'No' });
      const acme = counting({ status: 'delivered' });
      const reported = (): unknown[] =>
        scene.events.flatMap((event) =>
          event.type === 'message.reported' && event.eventId !== undefined
            ? [[event.eventId, event.channel, event.transactionId, event.status]]
            : [],
        );
      const chooseChannels = ({ userId }: TelephonyRequest): string[] => [
        userId === ANA.id ? 'line' : 'acme',
      ];
      await start({ channels: { line, acme }, chooseChannels });
      await scene.hook.ready();
      clock = stopTime();
      await scene.call({ eventId: 'event-of-ana' });
      await scene.call({ ...TO_BOB, eventId: 'event-of-bob' });
      // The same id from Twilio belongs to neither channel.
      await report('1', 'undelivered', '63024');
      pass(3_000);
      await until(() => ended().length === 1 && reported().length === 2);
      await scene.hook.close();
      expect(ended()).to.have.length(1);
      expect(ended()[0]).to.include({ eventId: 'event-of-ana', fromChannel: 'line', outcome: 'accepted' });
      expect(sent('sms').map(({ to }) => to)).to.deep.equal([ANA.phone]);
      expect(reported()).to.have.deep.members([
        ['event-of-ana', 'line', '1', 'failed'],
        ['event-of-bob', 'acme', '1', 'delivered'],
      ]);
    });
  });
});
