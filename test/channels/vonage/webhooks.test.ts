import { expect } from 'chai';
import type { VonageChannelOptions } from '#lib/channels/index.js';
import { vonageChannel } from '#lib/channels/index.js';
import type { CallbackAnswer, CallbackReceiver } from '#lib/core/channel.js';
import type { VonageLateFailureRule } from '#lib/testing/index.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import { ANA, channelOf, CODE, commandOf, scenes, type HookOptions, type Scene } from '#harness/scene.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { until } from '#harness/until.js';
import { startVonageEmulator, type VonageEmulator } from './emulator.js';

const NEXT_SECRET = 'vonage-next-signature-secret-7d21';
const UUID = 'c2b5b6a0-8f0e-4b66-9b5e-0d7c7f6f3a11';

describe('webhooks of Vonage', () => {
  let vonage: VonageEmulator;
  beforeEach(async () => {
    mustNotShow(NEXT_SECRET);
    vonage = await startVonageEmulator();
  });
  afterEach(() => vonage.close());

  const options = (changed: Partial<VonageChannelOptions> = {}): VonageChannelOptions =>
    ({ ...vonage.credential, from: vonage.number, ...changed }) as VonageChannelOptions;
  const byKey = (changed: Partial<VonageChannelOptions> = {}): VonageChannelOptions => {
    const { apiKey, apiSecret, baseUrl, signatureSecret, number } = vonage;
    return { apiKey, apiSecret, baseUrl, signatureSecret, from: number, ...changed } as VonageChannelOptions;
  };
  const connect = (given: VonageChannelOptions, channel = 'sms') =>
    connectChannel(vonageChannel(given), { channel });
  const handle = async (
    body: string,
    authorization: string | undefined = vonage.sign(body),
    { receive }: { receive?: CallbackReceiver | undefined } = connect(options()),
  ): Promise<CallbackAnswer | undefined> => {
    const url = 'https://id.acme.com/okta/telephony/callbacks/sms';
    const request = { method: 'POST', url, query: {}, headers: { authorization } } as const;
    const answer = await receive?.handle({ ...request, rawBody: Buffer.from(body) }, contextOf());
    witness({ status: answer?.status, body: answer?.body });
    return answer;
  };

  describe('are proven', () => {
    const body = JSON.stringify({ message_uuid: UUID, status: 'delivered' });
    const nowSeconds = (): number => Math.floor(Date.now() / 1000);

    it('by a token with the hash of the body', async () => {
      expect((await handle(body))?.status).to.equal(200);
      expect((await handle(body, vonage.sign(body, { iat: nowSeconds() - 290 })))?.status).to.equal(200);
      expect((await handle(body, vonage.sign(body, { iat: nowSeconds() + 50 })))?.status).to.equal(200);
    });

    it('not by another token, body, time or account', async () => {
      const [head = '', claims = ''] = vonage.sign(body).replace('Bearer ', '').split('.');
      const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`;
      const wrong: [string, string | undefined][] = [
        ['none', ''],
        ['of another scheme', vonage.sign(body).replace('Bearer', 'Basic')],
        ['unsigned', `Bearer ${unsigned}`],
        ['without a signature', `Bearer ${head}.${claims}.`],
        ['of another body', vonage.sign(`${body} `)],
        ['without a hash', vonage.sign(body, { payload_hash: undefined })],
        ['without a time', vonage.sign(body, { iat: undefined })],
        ['that is old', vonage.sign(body, { iat: nowSeconds() - 400 })],
        ['of the future', vonage.sign(body, { iat: nowSeconds() + 300 })],
      ];
      for (const [title, authorization] of wrong) {
        expect(await handle(body, authorization), title).to.deep.equal({ status: 401 });
      }
      vonage.rotateSignatureSecret(NEXT_SECRET);
      expect(await handle(body)).to.deep.equal({ status: 401 });
    });

    it('by the current and the next secret', async () => {
      const both = connect(options({ signatureSecret: [vonage.signatureSecret, NEXT_SECRET] }));
      expect((await handle(body, undefined, both))?.status).to.equal(200);
      vonage.rotateSignatureSecret(NEXT_SECRET);
      expect((await handle(body, undefined, both))?.status).to.equal(200);
      vonage.rotateSignatureSecret('vonage-third-signature-secret');
      expect((await handle(body, undefined, both))?.status).to.equal(401);
    });

    it('by the account of the key, if it is known', async () => {
      const other = vonage.sign(body, { api_key: 'ffffffff' });
      expect((await handle(body, other, connect(byKey())))?.status).to.equal(401);
      const none = vonage.sign(body, { api_key: undefined });
      expect((await handle(body, none, connect(byKey())))?.status).to.equal(401);
      expect((await handle(body, none))?.status).to.equal(200);
      expect((await handle(body, undefined, connect(byKey())))?.status).to.equal(200);
      expect((await handle(body, other))?.status).to.equal(200);
    });
  });

  describe('of statuses', () => {
    const reportOf = async (fields: object): Promise<unknown> => {
      const answer = await handle(
        JSON.stringify({ message_uuid: UUID, client_ref: 'ref-1', to: ANA.phone.slice(1), ...fields }),
      );
      expect(answer?.status).to.equal(200);
      return answer?.reports?.[0];
    };
    const error = (number: string): object => ({
      type: `https://developer.vonage.com/api-errors/messages#${number}`,
      title: number,
      detail: `Failed for ${ANA.phone}`,
    });

    it('say what became of the message', async () => {
      for (const [status, expected] of [
        ['submitted', 'pending'],
        ['a-new-one', 'pending'],
        ['delivered', 'delivered'],
        ['read', 'delivered'],
      ] as const) {
        expect(await reportOf({ status })).to.deep.equal({
          transactionId: UUID,
          reference: 'ref-1',
          providerStatus: status,
          to: ANA.phone,
          status: expected,
        });
      }
    });

    it('say why a message has failed, with its effect on the plan', async () => {
      for (const [status, given, code, moveOn] of [
        ['rejected', undefined, 'REJECTED', true],
        ['undeliverable', undefined, 'UNDELIVERABLE', true],
        ['undeliverable', { type: 'about:blank', title: `${ANA.phone}` }, 'UNDELIVERABLE', true],
        ['undeliverable', error('1260'), '1260', true],
        ['rejected', error('1999'), '1999', true],
        ['rejected', error('1170'), '1170', false],
        ['rejected', error('1240'), '1240', 'other-channel'],
        ['rejected', error('1070'), '1070', 'other-provider'],
        ['rejected', { title: '1000' }, '1000', true],
      ] as const) {
        const report = await reportOf({ status, error: given });
        witness(report === undefined ? '' : { ...report, to: undefined });
        expect(report, code).to.deep.include({ status: 'failed', code, moveOn, providerStatus: status });
        expect(report).to.have.property('remedy');
      }
      expect(await reportOf({ status: 'rejected', error: error('1470') })).to.include({
        moveOn: false,
        isFraudBlock: true,
      });
    });

    it('are accepted and dropped if they cannot be read', async () => {
      for (const body of ['', 'text', '[]', 'null', '{}', '{"status":"delivered"}', '{"status":1}']) {
        const answer = await handle(body);
        expect(answer?.status, body).to.equal(200);
        expect([...(answer?.reports ?? []), ...(answer?.inbound ?? [])], body).to.be.empty;
      }
    });
  });

  describe('of messages of users', () => {
    const inboundOf = async (fields: object, channel = 'sms'): Promise<unknown> => {
      const message = { channel, message_uuid: UUID, message_type: 'text', to: vonage.number };
      const body = JSON.stringify({ ...message, ...fields });
      return (await handle(body, undefined, connect(options(), channel)))?.inbound;
    };

    it('are read, with a number or another id of the sender', async () => {
      const from = ANA.phone.slice(1);
      expect(await inboundOf({ from, text: 'Stop' })).to.deep.equal([
        { messageId: UUID, from: ANA.phone, externalUserId: undefined, text: 'Stop' },
      ]);
      expect(await inboundOf({ from: 'US.13491208655302741918', text: 'STOP' }, 'whatsapp')).to.deep.equal([
        { messageId: UUID, from: undefined, externalUserId: 'US.13491208655302741918', text: 'STOP' },
      ]);
      const tap = { message_type: 'button', button: { payload: 'x', text: 'Stop' } };
      expect(await inboundOf({ from, ...tap }, 'whatsapp')).to.have.nested.property('[0].text', 'Stop');
      expect(await inboundOf({ from, message_type: 'image' })).to.have.nested.property('[0].text', '');
      expect(await inboundOf({ text: 'STOP' })).to.be.empty;
    });

    it('of the other kind are not taken: STOP of WhatsApp does not end SMS', async () => {
      const fields = { channel: 'whatsapp', from: ANA.phone.slice(1), text: 'STOP' };
      expect(await inboundOf(fields)).to.be.empty;
    });

    it('to another number of the account are not taken: STOP to it does not end codes', async () => {
      const fields = { from: ANA.phone.slice(1), text: 'STOP' };
      for (const to of ['14155550177', undefined, '', 7]) {
        expect(await inboundOf({ ...fields, to }), String(to)).to.be.empty;
        expect(await inboundOf({ ...fields, to }, 'whatsapp'), String(to)).to.be.empty;
      }
      expect(await inboundOf({ ...fields, to: `+${vonage.number}` })).to.have.length(1);
      const named = connect(options({ from: 'ACME' }));
      const body = JSON.stringify({ channel: 'sms', message_uuid: UUID, to: 'ACME', ...fields });
      expect((await handle(body, undefined, named))?.inbound).to.be.empty;
    });
  });

  it('come if there is a secret: of deliveries for WhatsApp', () => {
    const partsOf = (given: VonageChannelOptions, channel: string) => {
      const { reports, receive } = connect(given, channel);
      return [reports, receive !== undefined];
    };
    expect(partsOf(options(), 'sms')).to.deep.equal(['failures', true]);
    expect(partsOf(options(), 'whatsapp')).to.deep.equal(['deliveries', true]);
    expect(partsOf(byKey(), 'whatsapp')).to.deep.equal(['deliveries', true]);
    expect(partsOf(options({ signatureSecret: undefined }), 'whatsapp')).to.deep.equal([undefined, false]);
  });

  describe('behind a hook', () => {
    let scene: Scene;
    const startScene = scenes();
    const start = async (channels: HookOptions['channels'], hasCallbacks = true): Promise<void> => {
      scene = await startScene({
        hasCallbacks,
        hook: { sandboxNumber: undefined, channels, resend: { nextRoute: false } },
      });
    };
    const whatsapp = (): HookOptions['channels'] => ({ whatsapp: vonageChannel(options()) });
    const statuses = (): unknown[] =>
      scene.of('message.reported').flatMap(({ channel, status }) => (channel === 'whatsapp' ? [status] : []));
    const failed = (rule: VonageLateFailureRule = {}): void =>
      vonage.failLater({ status: 'rejected', ...rule });
    const ended = (): Promise<void> => until(() => scene.of('failover.ended').length > 0);

    it('are asked for with each message, which has the reference of its attempt', async () => {
      await start(whatsapp());
      await scene.call({ eventId: 'event-1' });
      const [message] = vonage.messages;
      expect(message?.statusCallback).to.equal(`${scene.url}/callbacks/whatsapp`);
      expect(message?.client_ref).to.match(/^[\w-]{36}$/);
      expect(JSON.parse(vonage.requests[0]?.body ?? '')).to.include({ webhook_version: 'v1' });
      await until(() => statuses().length === 2);
      // On a busy machine the second one may come first.
      expect(statuses()).to.have.members(['submitted', 'delivered']);
      const delivered = scene.of('message.reported').find(({ status }) => status === 'delivered');
      expect(delivered).to.include({
        eventId: 'event-1',
        transactionId: message?.id,
        report: 'delivered',
        toEnding: ANA.phone.slice(-2),
      });
    });

    for (const [title, changed, hasCallbacks] of [
      ['the secret', { signatureSecret: undefined }, true],
      ['publicUrl', {}, false],
    ] as const) {
      it(`are not asked for without ${title}`, async () => {
        await start({ whatsapp: vonageChannel(options(changed)) }, hasCallbacks);
        await scene.call({ eventId: 'event-1' });
        expect(vonage.messages[0]).to.include({ statusCallback: undefined, client_ref: 'event-1' });
        expect(vonage.requests[0]?.body).to.not.include('webhook');
      });
    }

    it('start late failover by a failure, with the code of its error', async () => {
      failed({ error: '1300' });
      await start(whatsapp());
      expect(channelOf(await scene.call())).to.equal('whatsapp');
      await ended();
      expect(scene.of('failover.ended')[0]).to.deep.nested.include({
        fromChannel: 'whatsapp',
        'cause.code': '1300',
        outcome: 'accepted',
        channel: 'sms',
      });
      expect(scene.twilio.messages.map(({ text }) => text)).to.deep.equal([`Your code is ${CODE}`]);
    });

    it('resolve an unknown outcome', async () => {
      vonage.fault({ kind: 'reset', delivered: true });
      vonage.faultCallbacks({ isHeld: true });
      await start(whatsapp());
      expect(commandOf(await scene.call())).to.include({ status: 'PENDING', provider: 'VONAGE' });
      await until(() => vonage.messages[0]?.status === 'delivered');
      await vonage.releaseCallbacks();
      expect(scene.of('attempt.settled')[0]).to.include({
        outcome: 'accepted',
        transactionId: vonage.messages[0]?.id,
      });
      expect(scene.twilio.messages).to.be.empty;
    });

    it('turn the channel off by STOP and on by START, and are refused if forged', async () => {
      await start(whatsapp());
      const url = `${scene.url}/callbacks/whatsapp`;
      const write = (text: string): Promise<number | undefined> =>
        vonage.receive({ url, channel: 'whatsapp', from: ANA.phone, text });
      expect(await write('Stop')).to.equal(200);
      expect(channelOf(await scene.call())).to.equal('sms');
      expect(await write('START')).to.equal(200);
      expect(channelOf(await scene.call())).to.equal('whatsapp');
      vonage.rotateSignatureSecret(NEXT_SECRET);
      expect(await write('STOP')).to.equal(401);
      expect(channelOf(await scene.call())).to.equal('whatsapp');
      expect(scene.of('request.rejected')[0]).to.include({ code: 'BAD_SIGNATURE', channel: 'whatsapp' });
    });
  });
});
