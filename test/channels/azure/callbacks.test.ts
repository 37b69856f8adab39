import { expect } from 'chai';
import { azureSms } from '#lib/channels/index.js';
import { ERRORS } from '#lib/channels/azure/error-codes.js';
import { eventGridReceiver } from '#lib/channels/azure/callbacks.js';
import { effectOf, type CallbackAnswer } from '#lib/core/channel.js';
import { twilioMessages } from '#lib/index.js';
import type { AzureEmulator } from '#lib/testing/index.js';
import { contextOf } from '#harness/channels.js';
import { ANA, channelOf, commandOf, scenes, type Scene } from '#harness/scene.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';
import { REPORT_SECRET, startAzure } from './emulator.js';

const NEXT_SECRET = 'event-grid-secret-next-81';
const REPORT = 'Microsoft.Communication.SMSDeliveryReportReceived';

describe('what Event Grid sends for Azure', () => {
  let azure: AzureEmulator;
  let scene: Scene;
  beforeEach(async () => {
    mustNotShow(NEXT_SECRET);
    azure = await startAzure();
    scene = await startScene({
      hasCallbacks: true,
      hook: {
        sandboxNumber: undefined,
        channels: {
          sms: [
            azureSms({
              ...azure.credential,
              from: azure.number,
              reportSecret: [REPORT_SECRET, NEXT_SECRET],
            }),
            twilioMessages(),
          ],
        },
      },
    });
  });
  afterEach(() => azure.close());
  const startScene = scenes();

  const urlWith = (secret: string): string => `${scene.url}/callbacks/sms?secret=${secret}`;
  const url = (): string => urlWith(REPORT_SECRET);
  const post = async (body: unknown, to = url()): Promise<number> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return (await fetch(to, { method: 'POST', body: text })).status;
  };
  /** A delivery report of the newest message. */
  const report = (deliveryStatus: string, fields: object = {}): object => {
    const { messageId, to, tag } = azure.messages.at(-1) ?? {};
    return {
      eventType: REPORT,
      data: { messageId, from: azure.number, to, tag, deliveryStatus, ...fields },
    };
  };
  /** STOP from a user. */
  const stop = (fields: object): object => ({
    eventType: 'Microsoft.Communication.SMSReceived',
    data: { messageId: 'Incoming_1', from: ANA.phone, to: azure.number, message: 'STOP', ...fields },
  });
  /** The same event with a capital at the start of each name in its data. */
  const withCapitals = (event: object): object => {
    const { data, ...others } = event as { readonly data: object };
    const names = Object.entries(data).map(([name, value]: [string, unknown]): [string, unknown] => [
      name.charAt(0).toUpperCase() + name.slice(1),
      value,
    ]);
    return { ...others, data: Object.fromEntries(names) };
  };
  const texts = (): number => scene.twilio.messages.length;
  /** The reported statuses of Azure's messages. Twilio's are in lower case. */
  const statuses = (): string[] =>
    scene.of('message.reported').flatMap(({ status }) => (/^[A-Z]/.test(status) ? [status] : []));
  const settled = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

  it('begins with a validation, for whoever has the secret', async () => {
    await azure.subscribe(url());
    await azure.subscribe(urlWith(NEXT_SECRET));
    const refused = await azure.subscribe(urlWith('event-grid-secret-old')).then(
      () => 'subscribed',
      (error: unknown) => String(error),
    );
    expect(refused).to.include('401');
    expect(scene.of('request.rejected')[0]).to.include({
      status: 401,
      code: 'BAD_SIGNATURE',
      channel: 'sms',
    });
  });

  it('tells of a delivery, and of a message that failed: the next provider follows', async () => {
    await azure.subscribe(url());
    await scene.call();
    await until(() => statuses().length === 1);
    expect(statuses()).to.deep.equal(['Delivered']);
    expect(texts()).to.equal(0);
    azure.failLater({ code: 4006 });
    await scene.call();
    await until(() => scene.of('failover.ended').length === 1);
    expect(texts()).to.equal(1);
    expect(scene.of('message.reported')[1]).to.include({
      status: 'Failed',
      report: 'failed',
      code: '4006',
      reason: 'The phone cannot be reached',
      toEnding: '23',
    });
  });

  it('resolves an unknown outcome by the tag', async () => {
    await azure.subscribe(url());
    azure.faultCallbacks({ isHeld: true });
    azure.fault({ kind: 'reset', delivered: true });
    expect(commandOf(await scene.call())).to.include({ status: 'PENDING' });
    expect(azure.messages).to.have.length(1);
    await until(() => azure.messages[0]?.deliveryStatus === 'Delivered');
    await azure.releaseCallbacks();
    await until(() => scene.of('attempt.settled').length === 1);
    expect(scene.of('attempt.settled')[0]).to.include({
      outcome: 'accepted',
      transactionId: azure.messages[0]?.messageId,
    });
    await settled();
    expect(statuses()).to.deep.equal(['Delivered']);
  });

  it('counts only with the secret', async () => {
    await scene.call();
    const body = [report('Failed')];
    for (const secret of ['', 'event-grid-secret-old', REPORT_SECRET.slice(1), `${REPORT_SECRET}1`]) {
      expect(await post(body, urlWith(secret))).to.equal(401);
    }
    expect(await post(body, `${scene.url}/callbacks/sms`)).to.equal(401);
    await settled();
    expect(statuses()).to.be.empty;
    expect(scene.of('request.rejected')).to.have.length(1);
    expect(await post(body, urlWith(NEXT_SECRET))).to.equal(200);
    await until(() => texts() === 1);
  });

  it('is refused if it cannot be read, and passed over if it is of another kind', async () => {
    await scene.call();
    for (const [body, status] of [
      ['not JSON', 400],
      ['1', 400],
      ['[]', 200],
      [[null, 1, 'x', {}], 200],
      [[{ eventType: 'Microsoft.Communication.ChatMessageReceived', data: {} }], 200],
      [[{ eventType: REPORT }], 200],
      [[{ eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: {} }], 400],
      [[report('Expired')], 200],
    ] as const) {
      expect(await post(body), JSON.stringify(body)).to.equal(status);
    }
    await settled();
    expect(statuses()).to.deep.equal(['Expired']);
    expect(scene.of('extension.failed')).to.be.empty;
    expect(texts()).to.equal(0);
  });

  it('counts for the sender of the channel only, whose number comes with and without a plus', async () => {
    await scene.call();
    const other = '18005550000';
    const marketing = [
      report('Failed', { from: other, deliveryStatusDetails: '4007' }),
      report('Failed', { from: `+${other}`, deliveryStatusDetails: '4007' }),
      report('Failed', { from: undefined, deliveryStatusDetails: '4007' }),
      stop({ to: other }),
      stop({ to: `+${other}` }),
      stop({ to: undefined }),
    ];
    expect(await post(marketing)).to.equal(200);
    await settled();
    expect(scene.of('message.reported')).to.be.empty;
    expect(scene.of('inbound.received')).to.be.empty;
    expect(await scene.hook.suppressions(ANA.phone)).to.be.empty;
    expect(texts()).to.equal(0);
    const plain = azure.number.slice(1);
    await post([report('Failed', { from: plain, to: ANA.phone.slice(1), deliveryStatusDetails: '4006' })]);
    await until(() => texts() === 1);
    await post([stop({ to: plain, from: ANA.phone.slice(1) })]);
    expect((await scene.hook.suppressions(ANA.phone))[0]).to.include({ channel: 'sms', reason: 'stopped' });
    expect(scene.of('extension.failed')).to.be.empty;
  });

  it("has capitals in its names too, as the examples of Azure's specification", async () => {
    azure.fault({ kind: 'reset', delivered: true });
    await scene.call();
    const { tag } = azure.messages.at(-1) ?? {};
    await post([withCapitals(report('Failed', { tag, deliveryStatusDetails: '5001' }))]);
    await until(() => scene.of('failover.ended').length === 1);
    expect(texts()).to.equal(1);
    await post([withCapitals(stop({}))]);
    expect((await scene.hook.suppressions(ANA.phone))[0]).to.include({ channel: 'sms', reason: 'stopped' });
  });

  it('turns the channel off by STOP and on by START', async () => {
    await azure.subscribe(url());
    expect(await azure.receive({ from: ANA.phone, text: 'Stop' })).to.equal(200);
    expect((await scene.hook.suppressions(ANA.phone))[0]).to.include({ channel: 'sms', reason: 'stopped' });
    expect(channelOf(await scene.call())).to.equal(undefined);
    await azure.receive({ from: ANA.phone, text: 'START' });
    expect(channelOf(await scene.call())).to.equal('sms');
    expect(azure.messages).to.have.length(1);
  });

  it('has the meaning of each code of a report, and shows no other', async () => {
    const { handle } = eventGridReceiver({ secrets: [REPORT_SECRET], from: azure.number });
    const reportWith = async (deliveryStatusDetails: unknown): Promise<CallbackAnswer['reports']> => {
      const { number: from } = azure;
      const data = { messageId: 'Outgoing_1', from, deliveryStatus: 'Failed', deliveryStatusDetails };
      const { reports } = await handle(
        {
          ...{ method: 'POST', url: '', query: { secret: REPORT_SECRET }, headers: {} },
          rawBody: Buffer.from(JSON.stringify({ eventType: REPORT, data })),
        },
        contextOf(),
      );
      return reports;
    };
    const codes = Object.entries(Object.values(ERRORS)[2] ?? {});
    expect(codes).to.have.length.above(10);
    for (const [code, { reason, cause }] of codes) {
      for (const details of [code, `${code}: ${ANA.phone}`, `[${code}] No`]) {
        expect((await reportWith(details))?.[0], details).to.deep.include({
          ...{ status: 'failed', code, reason },
          ...effectOf(cause),
        });
      }
    }
    for (const details of ['4999', '', undefined, 4007, ANA.phone, 'Unknown']) {
      expect((await reportWith(details))?.[0]).to.include({ status: 'failed', code: 'FAILED' });
    }
  });
});

describe('the reports of a sender that is no number', () => {
  for (const [from, given, others] of [
    ['ACME', ['ACME', 'acme'], ['ACME2', 'AC']],
    ['12345', ['12345', '+12345'], ['123456', '1234']],
  ] as const) {
    it(`count for ${from} alone`, async () => {
      const { handle } = eventGridReceiver({ secrets: [REPORT_SECRET], from });
      const data = { messageId: 'Outgoing_1', deliveryStatus: 'Delivered' };
      const { reports } = await handle(
        {
          ...{ method: 'POST', url: '', query: { secret: REPORT_SECRET }, headers: {} },
          rawBody: Buffer.from(
            JSON.stringify(
              [...given, ...others].map((sender) => ({ eventType: REPORT, data: { ...data, from: sender } })),
            ),
          ),
        },
        contextOf(),
      );
      expect(reports).to.have.length(given.length);
    });
  }
});

describe('Azure without a secret for reports', () => {
  const startScene = scenes();
  it('has no route for them', async () => {
    const azure = await startAzure();
    const sms = azureSms({ ...azure.credential, from: azure.number });
    const scene = await startScene({
      hasCallbacks: true,
      hook: { sandboxNumber: undefined, channels: { sms } },
    });
    expect((await fetch(`${scene.url}/callbacks/sms`, { method: 'POST', body: '[]' })).status).to.equal(404);
    await azure.close();
  });
});
