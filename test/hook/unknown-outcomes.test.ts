import { expect } from 'chai';
import type sinon from 'sinon';
import { letSocketsBeRead } from '#lib/core/time.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { EmulatedMessage } from '#lib/testing/index.js';
import type { Fault } from '#lib/testing/server/faults.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import { ANA, CODE, isWhatsApp, scenes, TO_BOB, type HookOptions, type Scene } from '#harness/scene.js';
import { beforeRecords } from '#harness/records.js';
import { startRawCall } from '#harness/raw-call.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

const isFor =
  (channel: 'whatsapp' | 'sms') =>
  (request: RecordedRequest): boolean =>
    isWhatsApp(request) === (channel === 'whatsapp');

/** Twilio accepts the message and its answer is lost, so Okta gets PENDING. */
describe('a message of unknown outcome', () => {
  let scene: Scene;
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(() => {
    clock?.restore();
    clock = undefined;
  });
  const startScene = scenes();

  const start = async (hook: HookOptions = {}): Promise<void> => {
    scene = await startScene({ hasCallbacks: true, hook });
  };
  const loseAnswer = (
    channel: 'whatsapp' | 'sms',
    fault: Fault = { kind: 'reset', delivered: true },
  ): void => {
    scene.twilio.fault({ fault, match: isFor(channel), times: 1 });
  };
  const fail = (channel: 'whatsapp' | 'sms', code = 63024): void => {
    scene.twilio.failLater({ code, status: 'undelivered', match: isFor(channel) });
  };
  const of: Scene['of'] = (type) => scene.of(type);
  const sent = (channel: 'whatsapp' | 'sms'): EmulatedMessage[] =>
    scene.twilio.messages.filter((message) => message.channel === channel);
  const areAnswered = (callbacks: number) => (): boolean =>
    scene.twilio.callbacks.filter(({ httpStatus }) => httpStatus === 204).length === callbacks;
  /** Makes a call that Okta gets PENDING for. */
  const callUnknown = async (call: Parameters<Scene['call']>[0] = {}): Promise<void> => {
    expect((await scene.call({ eventId: 'event-1', ...call })).okta.action).to.equal('pending');
  };
  /** Posts a callback to the URL that Twilio got with a message. */
  const report = async (
    message: EmulatedMessage | undefined,
    MessageStatus: string,
    { ErrorCode = '', ...urls }: { url?: string; signedUrl?: string; ErrorCode?: string } = {},
  ): Promise<number> => {
    const { url = message?.statusCallback ?? '', signedUrl = url } = urls;
    const params = {
      MessageSid: message?.sid ?? '',
      MessageStatus,
      To: (message?.channel === 'whatsapp' ? 'whatsapp:' : '') + (message?.to ?? ''),
      ...(ErrorCode === '' ? {} : { ErrorCode }),
    };
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'x-twilio-signature': scene.twilio.sign(signedUrl, params) },
      body: new URLSearchParams(params),
    });
    return answer.status;
  };

  it('counts as accepted after its callback', async () => {
    await start({ chooseChannels: () => ['sms', 'whatsapp'] });
    loseAnswer('sms');
    await callUnknown();
    await until(areAnswered(2));
    await scene.hook.close();
    const [message] = sent('sms');
    expect(of('attempt.settled')).to.have.length(1);
    expect(of('attempt.settled')[0]).to.include({
      eventId: 'event-1',
      channel: 'sms',
      provider: 'TWILIO',
      outcome: 'accepted',
      transactionId: message?.sid,
    });
    const owner = { eventId: 'event-1', userId: ANA.id, toEnding: '23' };
    for (const event of of('message.reported')) expect(event).to.include(owner);
    expect(of('callback.unmatched')).to.be.empty;
    expect(of('failover.ended')).to.be.empty;
    expect(scene.log.map(({ fields }) => fields['event'])).to.include('attempt.settled');
    expect(scene.twilio.messages.length + scene.twilio.calls.length).to.equal(1);
    // The reference must not appear in events or in the log.
    const [, reference = ''] = message?.statusCallback?.split('=') ?? [];
    expect(reference).to.have.length.within(20, 64);
    expect(JSON.stringify([scene.events, scene.log])).to.not.include(reference);
  });

  it('leads to one send by the next channel after 8 callbacks that report no delivery', async () => {
    await start();
    loseAnswer('whatsapp');
    fail('whatsapp');
    scene.twilio.faultCallbacks({ copies: 8, match: ({ channel }) => channel === 'whatsapp' });
    await callUnknown();
    await until(areAnswered(8 + 2));
    await scene.hook.close();
    expect(sent('sms').map(({ body }) => body)).to.deep.equal([`Your code is ${CODE}`]);
    expect(of('failover.ended')).to.have.length(1);
    const [ended] = of('failover.ended');
    expect(ended).to.nested.include({
      fromChannel: 'whatsapp',
      'cause.code': '63024',
      outcome: 'accepted',
      channel: 'sms',
      userId: ANA.id,
    });
    expect(ended?.attempts.map(({ channel, outcome }) => [channel, outcome])).to.deep.equal([
      ['whatsapp', 'accepted'],
      ['sms', 'accepted'],
    ]);
    expect([of('attempt.settled').length, of('callback.unmatched').length]).to.deep.equal([1, 0]);
  });

  it('leads along the plan if the next outcome is unknown, too', async () => {
    await start();
    loseAnswer('whatsapp');
    loseAnswer('sms');
    fail('whatsapp');
    fail('sms', 30003);
    await callUnknown();
    await until(() => of('failover.ended').length === 2);
    await scene.hook.close();
    expect(of('failover.ended').map(({ fromChannel, outcome }) => [fromChannel, outcome])).to.deep.equal([
      ['whatsapp', 'unknown'],
      ['sms', 'dropped'],
    ]);
    expect(of('attempt.settled').map(({ channel }) => channel)).to.deep.equal(['whatsapp', 'sms']);
    expect([sent('whatsapp').length, sent('sms').length]).to.deep.equal([1, 1]);
    expect(of('callback.unmatched')).to.be.empty;
  });

  /** Twilio sends an SMS and does not answer. Its callback comes after Okta got PENDING. */
  const reportWhileItRuns = async (status: string): Promise<void> => {
    loseAnswer('sms', { kind: 'hang', delivered: true });
    scene.twilio.faultCallbacks({ copies: 0 });
    clock = stopTime();
    const calling = scene.call({ eventId: 'event-1' });
    await until(() => sent('sms').length === 1);
    clock.tick(2_200);
    expect((await calling).okta.action).to.equal('pending');
    await report(sent('sms')[0], status);
  };

  for (const status of ['sent', 'undelivered'] as const) {
    it(`is recognized at once if “${status}” comes while the attempt still runs`, async () => {
      await start({ chooseChannels: () => ['sms', 'whatsapp'] });
      await reportWhileItRuns(status);
      await until(() => of('message.reported').length === 1);
      expect(of('message.reported')[0]).to.include({ eventId: 'event-1', userId: ANA.id });
      expect(of('attempt.settled').map(({ outcome }) => outcome)).to.deep.equal(['accepted']);
      const isFailed = status === 'undelivered';
      if (isFailed) await until(() => of('failover.ended').length === 1);
      await scene.hook.close();
      clock?.tick(60_000);
      expect(sent('whatsapp')).to.have.length(isFailed ? 1 : 0);
      expect(of('callback.unmatched')).to.be.empty;
    });
  }

  it('has a report with its user before what follows from it, also on a slow state', async () => {
    const state = beforeRecords(openMemoryState(), ['message'], letSocketsBeRead);
    await start({ chooseChannels: () => ['sms', 'whatsapp'], state });
    await reportWhileItRuns('undelivered');
    await until(() => of('failover.ended').length === 1);
    expect(of('message.reported')[0]).to.include({ eventId: 'event-1' });
    const types = scene.events.map(({ type }) => type);
    expect(types.indexOf('message.reported')).to.be.below(types.indexOf('failover.ended'));
    expect(types.indexOf('message.reported')).to.be.below(types.lastIndexOf('attempt.ended'));
  });

  it('leads to no further send if the caller hung up', async () => {
    await start();
    loseAnswer('whatsapp', { kind: 'hang', delivered: true });
    scene.twilio.faultCallbacks({ copies: 0 });
    clock = stopTime();
    const call = startRawCall(scene, { eventId: 'event-1', userId: ANA.id });
    await until(() => sent('whatsapp').length === 1);
    await call.hangUp();
    clock.tick(2_200);
    await until(() => of('request.answered').length === 1);
    clock.tick(10_000);
    await until(() => of('attempt.settled').length === 1);
    await report(sent('whatsapp')[0], 'undelivered');
    await until(() => of('attempt.settled').length === 2);
    await scene.hook.close();
    expect(of('request.answered')[0]).to.include({ hasHungUp: true });
    expect(sent('sms')).to.be.empty;
    expect([of('failover.ended').length, of('callback.unmatched').length]).to.deep.equal([0, 0]);
  });

  it('leads to no further send if lateFailover is false; its reports still name user, event and request', async () => {
    await start({ lateFailover: false });
    loseAnswer('whatsapp');
    scene.twilio.faultCallbacks({ copies: 0 });
    await callUnknown();
    const [message] = sent('whatsapp');
    for (const status of ['sent', 'undelivered']) expect(await report(message, status)).to.equal(204);
    await scene.hook.close();
    const [{ oktaRequestId } = {}] = of('request.answered');
    const owner = { eventId: 'event-1', oktaRequestId, userId: ANA.id, toEnding: '23' };
    expect(of('message.reported')).to.have.length(2);
    for (const event of of('message.reported')) expect(event).to.include(owner);
    expect(sent('sms')).to.be.empty;
    expect([of('attempt.settled').length, of('callback.unmatched').length]).to.deep.equal([0, 0]);
  });

  it('is recognized only by a callback that Twilio signed for the URL with its reference', async () => {
    await start();
    loseAnswer('whatsapp');
    scene.twilio.faultCallbacks({ copies: 0 });
    await callUnknown();
    const [message] = sent('whatsapp');
    const url = message?.statusCallback ?? '';
    const withOtherEnd = (id: string): string => id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const changed = withOtherEnd(url);
    const without = url.split('?')[0] ?? '';
    for (const [to, signedUrl] of [
      [changed, url],
      [url, changed],
      [without, url],
      [url, without],
      [`${url}A`, url],
      [`${url}&more=1`, `${url}&more=1`],
    ] as const) {
      expect(await report(message, 'undelivered', { url: to, signedUrl }), to).to.equal(403);
    }
    expect([of('message.reported').length, sent('sms').length]).to.deep.equal([0, 0]);
    // An unknown reference with a valid signature: the callback is unmatched.
    expect(await report(message, 'undelivered', { url: changed })).to.equal(204);
    await until(() => of('callback.unmatched').length === 1);
    // The receipt is still there for the right one.
    const other = { ...message!, sid: withOtherEnd(message!.sid) };
    expect(await report(other, 'undelivered', { url })).to.equal(204);
    await scene.hook.close();
    expect(sent('sms')).to.have.length(1);
  });

  it('is not settled by a callback about another message', async () => {
    await start();
    loseAnswer('whatsapp');
    scene.twilio.faultCallbacks({ copies: 0 });
    await callUnknown();
    await scene.call({ ...TO_BOB, eventId: 'event-2' });
    const [unknown] = sent('whatsapp');
    const [known] = sent('sms');
    // Twilio never sends the reference of one message with the id of another.
    expect(await report(known, 'delivered', { url: unknown?.statusCallback ?? '' })).to.equal(204);
    expect(of('attempt.settled')).to.be.empty;
    await report(unknown, 'delivered');
    await scene.hook.close();
    expect(of('attempt.settled').map(({ eventId }) => eventId)).to.deep.equal(['event-1']);
  });
});
