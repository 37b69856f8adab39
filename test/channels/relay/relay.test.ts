import { expect } from 'chai';
import type sinon from 'sinon';
import { relayChannel, type RelayChannelOptions } from '#lib/channels/index.js';
import type { ConnectedChannel } from '#lib/core/channel.js';
import { twilioMessages } from '#lib/index.js';
import { judgeAnswer } from '#lib/testing/okta/hooks/verdict.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import {
  ANA,
  channelOf,
  CODE,
  commandOf,
  errorOf,
  HOOK_SECRET,
  scenes,
  type HookOptions,
  type Scene,
} from '#harness/scene.js';
import { stopTime } from '#harness/stopped-time.js';
import { mustNotShow } from '#harness/witness.js';
import { until } from '#harness/until.js';
import { messageOf } from '../message.js';
import { problemsOf } from '../options.js';
import { commandWith, startOtherHook, type OtherHook } from './other-hook.js';

const OK = { status: 'SUCCESSFUL', provider: 'ACME', transactionId: 'acme-1' };
const ERROR = { error: { errorSummary: 'No provider took the code' } };

describe('a relay to another telephony hook', () => {
  let other: OtherHook;
  let scene: Scene;
  let clock: sinon.SinonFakeTimers | undefined;
  beforeEach(async () => {
    other = await startOtherHook();
  });
  afterEach(() => {
    clock?.restore();
    clock = undefined;
    return other.close();
  });
  const startScene = scenes();

  const relay = (options: Partial<RelayChannelOptions> = {}): ReturnType<typeof relayChannel> =>
    relayChannel({ url: other.url, headers: other.headers, ...options });
  /** A gateway that relays SMS, with Twilio behind it. */
  const start = async (options: Partial<RelayChannelOptions> = {}, hook: HookOptions = {}): Promise<void> => {
    scene = await startScene({
      hook: { sandboxNumber: undefined, channels: { sms: [relay(options), twilioMessages()] }, ...hook },
    });
  };
  const texts = (): number => scene.twilio.messages.length;

  it("posts Okta's request as it came, with the headers that the other hook wants", async () => {
    await start();
    const call = await scene.call({
      change: (payload) => {
        payload['aFieldOfTomorrow'] = [1, { two: null }];
      },
    });
    const [request] = other.requests;
    expect(request).to.include({ method: 'POST', path: '/flow/invoke?client=okta' });
    expect(JSON.parse(request?.body ?? '')).to.deep.equal(call.payload);
    expect(call.payload).to.have.property('aFieldOfTomorrow');
    expect(request?.headers).to.include({
      ...other.headers,
      'content-type': 'application/json',
      'user-agent': 'okta-telephony-hook',
    });
    expect(texts()).to.equal(0);
  });

  it('answers Okta with the provider and the id of the other hook', async () => {
    other.answerWith(commandWith(OK));
    await start();
    const command = commandOf(await scene.call());
    expect(command).to.include(OK);
    expect(scene.of('attempt.ended')[0]).to.include({ provider: 'ACME', transactionId: 'acme-1' });
  });

  it('has its own name if the other hook names no provider, and the id of the event if it gives none', async () => {
    other.answerWith(commandWith({ status: 'SUCCESSFUL' }));
    await start();
    const command = commandOf(await scene.call({ eventId: 'event-1' }));
    expect(command).to.include({ provider: 'RELAY', transactionId: 'event-1' });
    await start({ provider: 'WORKFLOWS' });
    expect(commandOf(await scene.call())).to.include({ provider: 'WORKFLOWS' });
  });

  it('shows no number or code that the other hook gives as its provider or id', async () => {
    other.answerWith(commandWith({ ...OK, provider: `for ${ANA.phone}`, transactionId: ANA.phone }));
    await start();
    const command = commandOf(await scene.call({ eventId: 'event-1' }));
    expect(command).to.include({ provider: 'RELAY', transactionId: 'event-1' });
  });

  it('reaches another gateway, whose channels send the code by text, call or WhatsApp', async () => {
    const older = await startScene();
    const byRelay = relayChannel({ url: older.url, headers: { authorization: HOOK_SECRET } });
    scene = await startScene({
      hook: { sandboxNumber: undefined, channels: { whatsapp: byRelay, sms: byRelay, voice: byRelay } },
    });
    const call = await scene.call();
    expect(channelOf(call)).to.equal('whatsapp');
    expect(commandOf(call)).to.include({ provider: 'TWILIO', transactionId: older.twilio.messages[0]?.sid });
    expect(older.twilio.messages.map(({ channel }) => channel)).to.deep.equal(['whatsapp']);
    const spoken = await scene.call({ deliveryChannel: 'CALL' });
    expect(commandOf(spoken)).to.include({ transactionId: older.twilio.calls[0]?.sid });
    expect(texts()).to.equal(0);
  });

  const PENDING = commandWith({ status: 'PENDING', provider: 'ACME', transactionId: 'acme-1' });
  const FAILED = commandWith({ status: 'FAILED', provider: 'ACME' });
  for (const [title, body, code] of [
    ['an error', ERROR, 'RELAY_ERROR'],
    ['FAILED', FAILED, 'RELAY_FAILED'],
  ] as const) {
    it(`sends nothing else after ${title}, unless its refusals are trusted`, async () => {
      other.answerWith(body);
      await start();
      expect(commandOf(await scene.call())).to.include({ status: 'PENDING', provider: 'RELAY' });
      expect(texts()).to.equal(0);
      await start({ refusals: 'trusted' });
      const command = commandOf(await scene.call());
      expect(command).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
      expect(command?.['transactionMetadata']).to.match(new RegExp(`;refused=sms:${code}$`));
      expect(texts()).to.equal(1);
    });
  }

  it('sends nothing else after PENDING, even if refusals are trusted', async () => {
    other.answerWith(PENDING);
    await start({ refusals: 'trusted' });
    expect(commandOf(await scene.call())).to.include({ status: 'PENDING' });
    expect(scene.of('attempt.ended')[0]).to.include({ outcome: 'unknown' });
    expect(texts()).to.equal(0);
  });

  it('lets another provider follow if the other hook does not accept the headers', async () => {
    await start({ refusals: 'trusted', headers: { authorization: 'wrong' } });
    const [, second] = [await scene.call(), await scene.call()];
    expect(commandOf(second)).to.include({ provider: 'TWILIO' });
    expect(scene.of('attempt.ended')[0]).to.include({ code: 'HTTP_401' }).and.have.property('remedy');
    await start({ headers: {} });
    expect(commandOf(await scene.call())).to.include({ status: 'PENDING' });
  });

  it('shows nothing of an error of the other hook', async () => {
    other.answerWith({ error: { errorSummary: `No route for ${ANA.phone} and ${CODE}` } });
    await start({ refusals: 'trusted' }, { channels: { sms: relay({ refusals: 'trusted' }) } });
    expect(errorOf(await scene.call())?.errorCauses?.[0]?.['reason']).to.equal(
      'RELAY_ERROR: The other hook answered with an error',
    );
  });

  it('takes an answer as Okta does', async () => {
    const channel = connectChannel(relay({ refusals: 'trusted' }), { channel: 'sms' });
    const asOutcome = {
      sent: 'accepted',
      pending: 'unknown',
      // Okta also takes what it cannot read for a failure. Here a proxy may have made it.
      failover: 'unknown',
      error: 'refused',
    } as const;
    const command = (value: object, type = 'com.okta.telephony.action'): object => ({
      commands: [{ type, value: [value] }],
    });
    for (const [body, status] of [
      [commandWith(OK)],
      [{ ...commandWith(OK), error: null }],
      [{ ...commandWith(OK), ...ERROR }],
      [{ error: {} }],
      [ERROR],
      [PENDING],
      [command(OK, 'com.okta.other')],
      [command({ ...OK, transactionId: 7 })],
      [command({ ...OK, provider: 7 })],
      [command({ ...OK, status: 'SENT' })],
      [{ commands: [] }],
      [{ commands: [null] }],
      [[]],
      [null],
      [commandWith(OK), 201],
    ] as const) {
      other.answerWith(body, status);
      const { action } = judgeAnswer(status ?? 200, JSON.stringify(body));
      const outcome = await channel.send(messageOf(), contextOf());
      expect(outcome.status, JSON.stringify([body, status])).to.equal(asOutcome[action]);
    }
  });

  it("makes Okta's request again of its fields if a code is sent late without it", async () => {
    const channel: ConnectedChannel = connectChannel(relay(), { channel: 'sms' });
    const sent = async (fields: object): Promise<unknown> => {
      await channel.send(messageOf(fields), contextOf());
      return JSON.parse(other.requests.at(-1)?.body ?? '') as unknown;
    };
    expect(await sent({ deliveryChannel: 'voice' })).to.have.nested.property(
      'data.messageProfile.deliveryChannel',
      'voice call',
    );
    const body = await sent({});
    expect(body).to.deep.include({
      eventId: 'event-1',
      requestType: 'com.okta.user.telephony.mfa-verification',
    });
    // Another gateway reads it.
    const older = await startScene();
    const answered = await fetch(older.url, {
      method: 'POST',
      headers: { authorization: HOOK_SECRET, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(judgeAnswer(answered.status, await answered.text()).action).to.equal('sent');
    expect(older.twilio.messages[0]).to.deep.include({ channel: 'whatsapp' });
  });

  it('keeps its name in the history if the answer comes after the deadline', async () => {
    other.answerWith(commandWith(OK));
    await start({}, { deadlineMs: 1000 });
    other.fault({ kind: 'slow', delayMs: 1200 });
    clock = stopTime();
    const calling = scene.call();
    await until(() => other.requests.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    clock.tick(1000);
    expect(commandOf(await calling)).to.include({ status: 'PENDING', provider: 'RELAY' });
    clock.tick(1200);
    await until(() => scene.of('attempt.settled').length === 1);
    expect(scene.of('attempt.settled')[0]).to.include({ provider: 'RELAY', transactionId: 'acme-1' });
  });
});

describe('the options of relayChannel', () => {
  const SECRET = 'relay-secret-1f7a';
  const good = {
    url: 'https://flow.example/invoke?client=okta',
    headers: { authorization: `Basic ${SECRET}` },
  };
  beforeEach(() => {
    mustNotShow(SECRET);
  });

  const urlProblem = 'url must be the whole URL of the other telephony hook; https, or http on loopback';
  const headersProblem =
    "headers must be an object of headers and their values, such as { authorization: 'secret' }";
  const rows: readonly (readonly [problems: readonly string[], ...options: unknown[]])[] = [
    [
      [],
      good,
      { ...good, headers: {} },
      { ...good, url: 'http://127.0.0.1:8080/hook', provider: undefined, refusals: undefined },
      { ...good, provider: 'SINCH', refusals: 'trusted' },
    ],
    [['The options must be an object'], undefined, null, SECRET],
    [
      [`${urlProblem}. It is undefined: is the variable that it comes from set?`],
      { ...good, url: undefined },
    ],
    [
      [urlProblem],
      ...['http://flow.example', '', 1, `https://a:${SECRET}@b.example`].map((url) => ({ ...good, url })),
    ],
    [[headersProblem], ...[SECRET, [], null, 1].map((headers) => ({ ...good, headers }))],
    [
      ["headers.authorization must be a header's value: one line of visible characters and spaces"],
      ...['', `${SECRET}\n`, ` ${SECRET}`, 1].map((authorization) => ({
        ...good,
        headers: { authorization },
      })),
    ],
    [
      [
        'headers.Content-Length is not a header that can be set',
        'headers.a b is not a header that can be set',
      ],
      { ...good, headers: { 'Content-Length': '1', 'a b': '1' } },
    ],
    [
      ["provider must be a word of at most 64 letters, digits, '.', ':', '-' and '_', or be left out"],
      ...['', 'two words', 1].map((provider) => ({ ...good, provider })),
    ],
    [["refusals must be 'unknown' or 'trusted', or be left out"], { ...good, refusals: 'never' }],
    [
      ['header is not an option; did you mean headers?', headersProblem],
      { url: good.url, header: good.headers },
    ],
  ];
  it('are accepted if valid, otherwise refused with every problem, its remedy and no value', () => {
    for (const [expected, ...given] of rows) {
      for (const [index, options] of given.entries()) {
        const problems = problemsOf(() => relayChannel(options as RelayChannelOptions));
        expect(problems, `${expected.join()} ${index}`).to.deep.equal(expected);
      }
    }
  });
});
