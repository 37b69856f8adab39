import { expect } from 'chai';
import type sinon from 'sinon';
import type { StatePort } from '#lib/delivery/state.js';
import type { Receipt } from '#lib/delivery/records.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type {
  ConnectedChannel,
  DeliveryReport,
  HookEventOf,
  Message,
  Outcome,
  TelephonyRequest,
} from '#lib/index.js';
import { startRawCall } from '#harness/raw-call.js';
import { openRaw, rawRequest } from '#harness/raw-http.js';
import { watchRecords } from '#harness/records.js';
import { ANA, BOB, CODE, HOOK_SECRET, scenes, type HookOptions, type Scene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { defer, held, until } from '#harness/until.js';

type Attempt = (message: Message) => Outcome | Promise<Outcome>;

const FAILED: DeliveryReport = { status: 'failed', code: 'GONE', reason: 'No' };
const REFUSED: Outcome = { status: 'refused', code: 'C1', reason: 'No' };

/** What a late send gets from its call and from earlier late sends. Custom channels record it. */
describe('a late send', () => {
  let scene: Scene;
  let clock: sinon.SinonFakeTimers | undefined;
  let messages: [channel: string, message: Message][];
  let reports: Map<string, DeliveryReport>;
  let asked: string[];
  before(warmUp);
  beforeEach(() => {
    messages = [];
    reports = new Map();
    asked = [];
  });
  afterEach(() => {
    clock?.restore();
    clock = undefined;
  });
  const startScene = scenes();

  const accept: Attempt = () => ({ status: 'accepted', transactionId: `SM${messages.length}` });
  /** A channel whose lookUp returns what the test has put into `reports`. */
  const channel = (name: string, attempt: Attempt = accept): ConnectedChannel => ({
    // The callbacks below are about messages of this channel.
    idNamespace: 'twilio',
    send: async (message) => {
      messages.push([name, message]);
      return attempt(message);
    },
    lookUp: (transactionId) => {
      asked.push(transactionId);
      return Promise.resolve(reports.get(transactionId) ?? { status: 'pending' });
    },
  });
  const start = async (hook: HookOptions): Promise<void> => {
    scene = await startScene({ hasCallbacks: true, hook });
    await scene.hook.ready();
  };
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const channels = (): string[] => messages.map(([name]) => name);
  const ended = (): HookEventOf<'failover.ended'>[] => scene.of('failover.ended');

  describe('along three channels', () => {
    let composing: ReturnType<typeof held<string>>;
    /** Lets the first two channels fail, and stops while the text for the third one is composed. */
    const failTwice = async (): Promise<void> => {
      composing = held<string>();
      await start({
        chooseChannels: () => ['first', 'second'],
        channels: { first: channel('first'), second: channel('second'), sms: channel('sms') },
        composeText: (_request, _profile, name) =>
          name === 'sms' ? composing.run() : `Your code is ${CODE}`,
      });
      clock = stopTime();
      reports.set('SM1', FAILED).set('SM2', FAILED);
      await scene.call({ eventId: 'event-1' });
      clock.tick(3_000);
      await until(() => channels().length === 2);
      await turns();
      clock.tick(3_000);
      await composing.called;
    };

    it('reports every attempt, also those of earlier late sends', async () => {
      await failTwice();
      composing.resolve(`Your code is ${CODE}`);
      await until(() => ended().length === 2);
      expect(ended().map(({ attempts }) => attempts.map((attempt) => attempt.channel))).to.deep.equal([
        ['first', 'second'],
        ['first', 'second', 'sms'],
      ]);
      expect(channels()).to.deep.equal(['first', 'second', 'sms']);
    });

    for (const [what, preview, ends] of [
      ['stops if the user requests a newer code', false, ['accepted', 'SUPERSEDED']],
      ['goes on if an administrator previews a code for the user', true, ['accepted', 'accepted']],
    ] as const) {
      it(what, async () => {
        await failTwice();
        await scene.call({ eventId: 'event-2', preview, deliveryChannel: 'VOICE' });
        composing.resolve(`Your code is ${CODE}`);
        await until(() => ended().length === 2);
        expect(ended().map(({ code, outcome }) => code ?? outcome)).to.deep.equal(ends);
      });
    }

    it('stops if the first message arrives after the second has failed', async () => {
      await failTwice();
      expect(await scene.report('SM1', 'delivered')).to.equal(204);
      composing.resolve(`Your code is ${CODE}`);
      await until(() => ended().length === 2);
      expect(ended()[1]).to.include({ fromChannel: 'second', outcome: 'dropped', code: 'DELIVERED' });
      expect(channels()).to.deep.equal(['first', 'second']);
    });
  });

  it('uses the number of its channel, and the profile and locale of its call', async () => {
    const composed: unknown[] = [];
    await start({
      chooseChannels: () => ['line', 'whatsapp'],
      channels: { line: channel('line'), whatsapp: channel('whatsapp'), sms: channel('sms') },
      profile: { unverifiedPhoneAttribute: 'mobilePhone' },
      composeText: (request, profile) => {
        composed.push([request.locale, profile?.['mobilePhone'], profile?.['whatsAppOptIn']]);
        return `Your code is ${CODE}`;
      },
    });
    scene.okta.updateUser(ANA.id, { mobilePhone: BOB.phone });
    clock = stopTime();
    reports.set('SM1', FAILED).set('SM2', FAILED);
    await scene.call({ eventId: 'event-1', locale: 'pt-BR' });
    for (const sends of [2, 3]) {
      clock.tick(3_000);
      await until(() => messages.length === sends);
      await turns();
    }
    expect(messages.map(([name, { to, locale }]) => [name, to, locale])).to.deep.equal([
      ['line', ANA.phone, 'pt-BR'],
      ['whatsapp', BOB.phone, 'pt-BR'],
      ['sms', ANA.phone, 'pt-BR'],
    ]);
    expect(composed).to.deep.equal(Array(3).fill(['pt-BR', BOB.phone, true]));
    for (const [, { profile }] of messages) expect(profile).to.deep.equal(messages[0]?.[1].profile);
  });

  it('uses the text of its call, with the minutes that are left then even if the clock jumps', async () => {
    let now = Date.now();
    await start({
      clock: () => now,
      chooseChannels: () => ['line'],
      channels: { line: channel('line'), sms: channel('sms') },
      texts: {
        sms: {
          'password-reset': { pt: '{firstName}: {code} ({minutes})' },
          default: { default: 'no {code}' },
        },
        webOtpDomain: 'acme.com',
      },
    });
    clock = stopTime();
    reports.set('SM1', FAILED);
    await scene.call({ eventId: 'event-1', locale: 'pt-BR', requestType: 'password-reset' });
    // The wall clock goes back an hour. The minutes do not depend on it.
    now -= 3_600_000;
    clock.tick(20_000);
    await until(() => messages.length === 2);
    expect(messages.map(([name, { text }]) => [name, text])).to.deep.equal([
      ['line', `${ANA.firstName}: ${CODE} (5)`],
      ['sms', `${ANA.firstName}: ${CODE} (4)\n\n@acme.com #${CODE}`],
    ]);
  });

  /** A state that also adds each receipt that it keeps to a list. */
  const keepingIn = (receipts: Receipt[]): StatePort =>
    watchRecords(openMemoryState(), ({ kind, next }) => {
      if (kind === 'message' && next?.value.status === 'waiting') receipts.push(next.value.receipt);
    });

  describe('is stored', () => {
    const NEITHER = [undefined, 'as read'];
    const BOTH = [true, 'as Okta sent it'];
    /** The address and the raw request are for the user's own functions only. */
    const readAs = (ipAddress: unknown, raw: unknown): string => {
      if (ipAddress === undefined && raw === undefined) return 'as read';
      return ipAddress === undefined || raw === undefined ? 'in part' : 'as Okta sent it';
    };
    const withName = { sms: { default: 'Hi {firstName}, {code}' } };
    const line = channel('line');
    const bad = channel('bad', () => Promise.resolve(REFUSED));
    const noId = channel('line', () => Promise.resolve({ status: 'accepted', transactionId: '' }));
    for (const { what, hook = {}, profile, stored } of [
      { what: 'without the profile and the raw request if nothing reads them', stored: [NEITHER, ['sms']] },
      {
        what: 'with both for composeText',
        hook: { composeText: () => `Your code is ${CODE}` },
        stored: [BOTH, ['sms']],
      },
      {
        what: 'without both for a text with the name that Okta sent',
        hook: { texts: withName },
        stored: [NEITHER, ['sms']],
      },
      {
        what: 'with the profile for a text with a name that Okta did not send',
        hook: { texts: withName },
        profile: { firstName: '4711' },
        stored: [[true, 'as read'], ['sms']],
      },
      {
        what: 'not for a message without an id',
        hook: { channels: { line: noId }, chooseChannels: () => ['line'] },
      },
      {
        what: 'with both if a custom channel may be next',
        hook: { channels: { line }, chooseChannels: () => ['whatsapp', 'line'] },
        stored: [BOTH, ['line', 'sms']],
      },
      {
        what: 'without both if all custom channels of the plan were tried',
        hook: { channels: { bad, line }, chooseChannels: () => ['bad', 'line'] },
        stored: [NEITHER, ['sms']],
      },
      {
        what: 'without both if the custom channel is not in the plan',
        hook: { channels: { line }, chooseChannels: () => ['whatsapp'] },
        stored: [NEITHER, ['sms']],
      },
    ] as readonly { what: string; hook?: HookOptions; profile?: object; stored?: readonly unknown[] }[]) {
      it(what, async () => {
        const receipts: Receipt[] = [];
        await start({ state: keepingIn(receipts), ...hook });
        scene.okta.updateUser(ANA.id, { ...profile });
        await scene.call({ eventId: 'event-1', ipAddress: '198.51.100.1' });
        const found = receipts.map(({ profile: kept, request: { ipAddress, raw }, untried }) => [
          [kept?.['whatsAppOptIn'], readAs(ipAddress, raw)],
          untried.map((step) => step.channel),
        ]);
        expect(found).to.deep.equal(stored === undefined ? [] : [stored]);
      });
    }
  });

  it('is stored with every field of its call that its text and its masks need', async () => {
    const receipts: Receipt[] = [];
    await start({ channels: { whatsapp: channel('whatsapp') }, state: keepingIn(receipts) });
    await scene.call({ eventId: 'event-1', ipAddress: '198.51.100.1' });
    const read = messages[0]?.[1].request as TelephonyRequest;
    expect(Object.values(read)).to.not.include(undefined);
    const { expiresAt: _, ...kept } = read;
    expect(receipts.map(({ request }) => request)).to.deep.equal([
      { ...kept, ipAddress: undefined, raw: undefined },
    ]);
  });

  it('skips a channel that the user stops while its text is composed', async () => {
    const composing = held<string>();
    await start({
      chooseChannels: () => ['line', 'whatsapp'],
      channels: { line: channel('line'), whatsapp: channel('whatsapp'), sms: channel('sms') },
      composeText: (_request, _profile, name) =>
        name === 'whatsapp' ? composing.run() : `Your code is ${CODE}`,
    });
    clock = stopTime();
    reports.set('SM1', FAILED);
    await scene.call({ eventId: 'event-1' });
    clock.tick(3_000);
    await composing.called;
    await scene.write('STOP');
    composing.resolve(`Your code is ${CODE}`);
    await until(() => ended().length === 1);
    expect(channels()).to.deep.equal(['line', 'sms']);
  });

  it('uses the next provider of the channel if it has several', async () => {
    await start({
      channels: {
        sms: [
          { ...channel('one'), provider: 'ONE' },
          { ...channel('two'), provider: 'TWO' },
          { ...channel('three'), provider: 'THREE' },
        ],
      },
    });
    clock = stopTime();
    reports.set('SM1', FAILED);
    await scene.call({ eventId: 'event-1', userId: 'nobody' });
    clock.tick(3_000);
    await until(() => ended().length === 1);
    expect(ended()[0]).to.include({ outcome: 'accepted', channel: 'sms', provider: 'TWO' });
    expect(channels()).to.deep.equal(['one', 'two']);
  });

  describe('after a late outcome', () => {
    let sending: ReturnType<typeof defer<Outcome>>;
    const startSending = async (): Promise<void> => {
      sending = defer<Outcome>();
      await start({
        chooseChannels: () => ['line'],
        channels: { line: channel('line', () => sending.promise), sms: channel('sms') },
      });
      clock = stopTime();
    };
    /** Lets the caller hang up before the answer. */
    const hangUp = async (): Promise<void> => {
      await startSending();
      const call = startRawCall(scene, { eventId: 'event-1' });
      await until(() => messages.length === 1);
      await call.hangUp();
      clock?.tick(2_200);
      await until(() => scene.of('request.answered').length === 1);
      expect(scene.of('request.answered')[0]).to.include({ hasHungUp: true });
    };
    const settle = async (outcome: Outcome): Promise<void> => {
      sending.resolve(outcome);
      await until(() => scene.of('attempt.settled').length === 1);
      await turns();
    };

    it('does not happen if the caller hung up before the answer and the provider refuses', async () => {
      await hangUp();
      await settle(REFUSED);
      expect(channels()).to.deep.equal(['line']);
      expect(ended()).to.be.empty;
    });

    it('does not happen if the caller hung up before the answer and the message fails', async () => {
      await hangUp();
      reports.set('SM1', FAILED);
      await settle({ status: 'accepted', transactionId: 'SM1' });
      await scene.report('SM1', 'undelivered');
      clock?.tick(3_000);
      await turns();
      expect(asked).to.be.empty;
      expect(channels()).to.deep.equal(['line']);
      expect(ended()).to.be.empty;
    });

    it('happens if the caller disconnects after the answer', async () => {
      await startSending();
      const connection = await openRaw(scene.server);
      const messageProfile = { phoneNumber: ANA.phone, otpCode: CODE, deliveryChannel: 'SMS' };
      const body = JSON.stringify({ eventId: 'event-1', data: { messageProfile } });
      const headers = [
        ['Authorization', HOOK_SECRET],
        ['Content-Type', 'application/json'],
        ['Content-Length', String(body.length)],
      ] as const;
      connection.socket.write(rawRequest('/okta/telephony', headers, body));
      await until(() => messages.length === 1);
      clock?.tick(2_200);
      expect((await connection.waitFor(1))[0]?.status).to.equal(200);
      connection.socket.end();
      await connection.closed;
      await settle(REFUSED);
      await until(() => ended().length === 1);
      expect(channels()).to.deep.equal(['line', 'sms']);
    });

    it('happens if the failure callback comes before the provider accepts the message', async () => {
      await startSending();
      const calling = scene.call();
      await until(() => messages.length === 1);
      clock?.tick(2_200);
      expect((await calling).okta.action).to.equal('pending');
      await scene.report('SM1', 'undelivered');
      await turns();
      expect(scene.of('callback.unmatched').length).to.equal(0);
      await settle({ status: 'accepted', transactionId: 'SM1' });
      await until(() => ended().length === 1);
      expect(channels()).to.deep.equal(['line', 'sms']);
      expect(scene.of('callback.unmatched').length).to.equal(0);
    });
  });

  describe('while calls are in flight', () => {
    let sending: ReturnType<typeof defer<Outcome>>;
    let calls: Promise<unknown>[];
    /** One message is sent, and its look-up is due in 1 ms. `others` calls are still sending. */
    const startBeside = async (others: number): Promise<void> => {
      sending = defer<Outcome>();
      await start({
        chooseChannels: () => ['line'],
        channels: {
          line: channel('line', (message) => (messages.length === 1 ? accept(message) : sending.promise)),
        },
      });
      clock = stopTime();
      reports.set('SM1', FAILED);
      await scene.call({ eventId: 'event-1' });
      clock.tick(2_999);
      calls = Array.from({ length: others }, (_value, index) => scene.call({ userId: `other${index}` }));
      await until(() => messages.length === 1 + others);
    };
    const settle = async (): Promise<void> => {
      sending.resolve({ status: 'accepted', transactionId: '' });
      await Promise.all(calls);
    };

    it('looks up its message beside 31 of them', async () => {
      await startBeside(31);
      clock?.tick(1);
      await until(() => ended().length === 1);
      expect(asked).to.deep.equal(['SM1']);
      await settle();
    });

    it('looks up its message later beside 32 of them, which need the connections', async () => {
      await startBeside(32);
      clock?.tick(1);
      await turns();
      expect(asked).to.be.empty;
      await settle();
      clock?.tick(5_000);
      await until(() => ended().length === 1);
      expect(asked).to.deep.equal(['SM1']);
    });

    it('does not happen for an unknown message, which counts as unmatched only after these calls', async () => {
      await startBeside(1);
      await scene.report('SM2', 'undelivered');
      await turns();
      expect(scene.of('callback.unmatched').length).to.equal(0);
      await settle();
      await scene.report('SM3', 'undelivered');
      await until(() => scene.of('callback.unmatched').length === 1);
    });

    it('does not happen after close(), even while it waits for calls', async () => {
      await startBeside(1);
      const closing = scene.hook.close();
      clock?.tick(1);
      await turns();
      expect(asked).to.be.empty;
      await settle();
      await closing;
      await scene.report('SM1', 'undelivered');
      clock?.tick(60_000);
      await turns();
      expect(asked).to.be.empty;
      expect(channels()).to.deep.equal(['line', 'line']);
      expect(scene.twilio.messages).to.be.empty;
      expect(ended()).to.be.empty;
    });
  });
});
