import { expect } from 'chai';
import { validateRequest } from 'twilio/lib/webhooks/webhooks.js';
import { startTwilioEmulator, type DeliveredItem, type TwilioEmulator } from '#lib/testing/index.js';
import { startTestServer, type ReceivedRequest, type TestServer } from '../local.js';
import { until } from '#harness/until.js';
import { PHONE, restOf, type TwilioAnswer } from './rest.js';

describe('startTwilioEmulator: status callbacks', () => {
  let twilio: TwilioEmulator;
  let gateway: TestServer;
  const rest = restOf(() => twilio);
  const callbackUrl = (): string => `${gateway.url}/okta/telephony/twilio/status?a=1`;
  const sms = (form: Readonly<Record<string, string>> = {}): Promise<TwilioAnswer> =>
    rest.message({ StatusCallback: callbackUrl(), ...form });
  const whatsApp = (): Promise<TwilioAnswer> => rest.whatsApp({ StatusCallback: callbackUrl() });
  const call = (events?: string): Promise<TwilioAnswer> =>
    rest.call({
      StatusCallback: callbackUrl(),
      ...(events === undefined ? {} : { StatusCallbackEvent: events }),
    });
  const paramsOf = (request: ReceivedRequest | undefined): Record<string, string> =>
    Object.fromEntries(new URLSearchParams(request?.body ?? ''));
  const field = (name: string): string[] => gateway.received.map((request) => paramsOf(request)[name] ?? '');

  beforeEach(async () => {
    twilio = await startTwilioEmulator({ callbackDelayMs: 1 });
    gateway = await startTestServer();
  });
  afterEach(async () => {
    gateway.close();
    await twilio.close();
  });

  it('posts sent, then delivered, each signed over the exact URL', async () => {
    await sms();
    for (const request of await gateway.waitFor(2)) {
      const signature = String(request.headers['x-twilio-signature']);
      const params = paramsOf(request);
      expect(request.url).to.equal('/okta/telephony/twilio/status?a=1');
      expect(validateRequest(twilio.authToken, signature, callbackUrl(), params)).to.equal(true);
      expect(validateRequest('other', signature, callbackUrl(), params)).to.equal(false);
      expect(params).to.include({
        AccountSid: twilio.accountSid,
        MessageSid: twilio.messages[0]?.sid,
        SmsSid: twilio.messages[0]?.sid,
        From: twilio.smsNumber,
        To: PHONE,
      });
      expect(params).to.not.have.property('ErrorCode');
    }
    expect(field('MessageStatus')).to.deep.equal(['sent', 'delivered']);
    expect(field('SmsStatus')).to.deep.equal(['sent', 'delivered']);
    expect(twilio.messages[0]?.status).to.equal('delivered');
    expect(twilio.callbacks.map((callback) => callback.url)).to.deep.equal([callbackUrl(), callbackUrl()]);
  });

  it('signs the URL without its fragment, and posts the Messaging Service and its number', async () => {
    const service = { MessagingServiceSid: twilio.messagingServiceSid, From: '' };
    await sms({ ...service, StatusCallback: `${callbackUrl()}#rc=2` });
    const [request] = await gateway.waitFor(1);
    const signature = String(request?.headers['x-twilio-signature']);
    const params = paramsOf(request);
    expect(validateRequest(twilio.authToken, signature, callbackUrl(), params)).to.equal(true);
    expect(params).to.include({ MessagingServiceSid: twilio.messagingServiceSid, From: twilio.smsNumber });
  });

  describe('by RCS', () => {
    const byService = (form: Readonly<Record<string, string>> = {}): Promise<TwilioAnswer> =>
      sms({ MessagingServiceSid: twilio.messagingServiceSid, From: '', ...form });
    beforeEach(async () => {
      await twilio.close();
      twilio = await startTwilioEmulator({ callbackDelayMs: 1, rcsPhones: [PHONE] });
    });

    it('sends to a phone with RCS from the RCS sender, and posts addresses with the prefix', async () => {
      expect((await byService()).body['to']).to.equal(`rcs:${PHONE}`);
      const [request] = await gateway.waitFor(2);
      expect(paramsOf(request)).to.include({
        From: 'rcs:emulated_agent',
        To: `rcs:${PHONE}`,
        ChannelPrefix: 'rcs',
        ChannelToAddress: PHONE,
        MessagingServiceSid: twilio.messagingServiceSid,
      });
      expect(paramsOf(request)).to.not.have.property('RawDlrDoneDate');
      const [message] = twilio.messages;
      expect(message).to.include({ channel: 'rcs', from: 'emulated_agent', to: PHONE, status: 'delivered' });
      expect(twilio.inbox(PHONE).map(({ channel }) => channel)).to.deep.equal(['sms']);
      twilio.markRead(message?.sid ?? '');
      const [, , read] = await gateway.waitFor(3);
      expect(paramsOf(read)).to.include({ MessageStatus: 'read', EventType: 'READ', To: `rcs:${PHONE}` });
    });

    it('sends an SMS from the number, and from FallbackFrom to another phone', async () => {
      const other = { To: '+4915112345679', FallbackFrom: twilio.voiceNumber };
      const sent = [await sms(), await byService(other), await byService({ To: other.To })];
      expect(sent.map(({ status }) => status)).to.deep.equal([201, 201, 201]);
      expect(twilio.messages.map(({ channel, from }) => [channel, from])).to.deep.equal([
        ['sms', twilio.smsNumber],
        ['sms', twilio.voiceNumber],
        ['sms', twilio.smsNumber],
      ]);
      expect(twilio.messages.map(({ fallbackFrom }) => fallbackFrom)).to.deep.equal([
        undefined,
        twilio.voiceNumber,
        undefined,
      ]);
    });

    it('reports a message by RCS as undelivered by a failLater() rule', async () => {
      twilio.failLater({ code: 30008 });
      await byService();
      await gateway.waitFor(2);
      expect(field('MessageStatus')).to.deep.equal(['sent', 'undelivered']);
      expect(field('To')).to.deep.equal([`rcs:${PHONE}`, `rcs:${PHONE}`]);
      expect(twilio.inbox(PHONE)).to.deep.equal([]);
    });
  });

  it('posts failed with code 63015 for a WhatsApp message to a phone outside the sandbox', async () => {
    await whatsApp();
    const [request] = await gateway.waitFor(1);
    expect(paramsOf(request)).to.include({
      MessageStatus: 'failed',
      ErrorCode: '63015',
      To: `whatsapp:${PHONE}`,
      ChannelPrefix: 'whatsapp',
    });
    expect(twilio.messages[0]).to.include({ status: 'failed', errorCode: 63015 });
  });

  it('reports an accepted message as undelivered or failed by a failLater() rule and delivers none', async () => {
    twilio.failLater({ code: 30003, times: 1 });
    twilio.failLater({ code: 30007, status: 'failed', times: 1 });
    expect((await sms()).status).to.equal(201);
    await gateway.waitFor(2);
    expect(field('MessageStatus')).to.deep.equal(['sent', 'undelivered']);
    expect(field('ErrorCode')).to.deep.equal(['', '30003']);
    await sms();
    await gateway.waitFor(3);
    expect(field('MessageStatus').at(-1)).to.equal('failed');
    expect(field('ErrorCode').at(-1)).to.equal('30007');
    expect(twilio.inbox(PHONE)).to.deep.equal([]);
    await sms();
    expect(twilio.inbox(PHONE)).to.have.length(1);
  });

  it('posts only the call events that the request names, by default only the last status', async () => {
    await call();
    const [request] = await gateway.waitFor(1);
    expect(paramsOf(request)).to.include({
      CallSid: twilio.calls[0]?.sid,
      CallStatus: 'completed',
      Duration: '1',
    });
    await call('initiated ringing answered completed');
    await gateway.waitFor(5);
    expect(field('CallStatus').slice(1)).to.deep.equal(['initiated', 'ringing', 'in-progress', 'completed']);
    twilio.failLater({ code: 13227 });
    await call();
    await gateway.waitFor(6);
    expect(field('CallStatus').at(-1)).to.equal('failed');
    expect(twilio.calls[2]).to.include({ status: 'failed', errorCode: 13227 });
  });

  it('records the HTTP status of each callback, and undefined if the server is closed', async () => {
    await sms();
    await gateway.waitFor(2);
    await until(() => twilio.callbacks[1]?.httpStatus === 204);
    gateway.close();
    await sms();
    await until(() => twilio.messages[1]?.status === 'delivered');
    expect(twilio.callbacks[3]?.httpStatus).to.equal(undefined);
  });

  it('posts read after markRead(), which throws for a failed message and for an SMS', async () => {
    twilio.joinSandbox(PHONE);
    await whatsApp();
    await gateway.waitFor(2);
    twilio.markRead(twilio.messages[0]?.sid ?? '');
    await gateway.waitFor(3);
    expect(paramsOf(gateway.received[2])).to.include({ MessageStatus: 'read', EventType: 'READ' });
    expect(twilio.messages[0]?.status).to.equal('read');
    // A failed message never reached the phone.
    await rest.whatsApp({ To: 'whatsapp:+12025550199' });
    await until(() => twilio.messages[1]?.status === 'failed');
    expect(() => {
      twilio.markRead(twilio.messages[1]?.sid ?? '');
    }).to.throw('was not delivered');
    await sms();
    expect(() => {
      twilio.markRead(twilio.messages[2]?.sid ?? '');
    }).to.throw('no WhatsApp message');
  });

  describe('with faultCallbacks()', () => {
    it('posts each callback three times for copies: 3, and once again after times: 1 is used up', async () => {
      twilio.faultCallbacks({ copies: 3, times: 1 });
      await sms();
      await gateway.waitFor(6);
      const thrice = (status: string): string[] => [status, status, status];
      expect(field('MessageStatus').sort()).to.deep.equal([...thrice('delivered'), ...thrice('sent')]);
      await sms();
      await gateway.waitFor(8);
      expect(twilio.callbacks).to.have.length(8);
    });

    it('posts the callbacks in reverse order for isReversed', async () => {
      twilio.faultCallbacks({ isReversed: true });
      await sms();
      await gateway.waitFor(2);
      expect(field('MessageStatus')).to.deep.equal(['delivered', 'sent']);
      await call('initiated ringing');
      await gateway.waitFor(4);
      expect(field('CallStatus').slice(2)).to.deep.equal(['ringing', 'initiated']);
    });

    it('delivers a matching message without any callback for copies: 0', async () => {
      twilio.faultCallbacks({ copies: 0, match: ({ to }) => to === PHONE });
      await sms();
      await until(() => twilio.messages[0]?.status === 'delivered');
      await sms({ To: '+12025550142' });
      await gateway.waitFor(2);
      expect(new Set(field('To'))).to.deep.equal(new Set(['+12025550142']));
      expect(twilio.callbacks).to.have.length(2);
    });

    it('still posts sent and delivered with delayMs', async () => {
      twilio.faultCallbacks({ delayMs: 5 });
      await sms();
      await gateway.waitFor(2);
      expect(new Set(field('MessageStatus'))).to.deep.equal(new Set(['sent', 'delivered']));
    });

    it('posts no callback for isHeld until releaseCallbacks() posts each once, in order', async () => {
      twilio.faultCallbacks({ isHeld: true });
      await sms();
      await until(() => twilio.messages[0]?.status === 'delivered');
      expect(gateway.received).to.have.length(0);
      await twilio.releaseCallbacks();
      expect(field('MessageStatus')).to.deep.equal(['sent', 'delivered']);
      expect(twilio.callbacks.map(({ httpStatus }) => httpStatus)).to.deep.equal([204, 204]);
      await twilio.releaseCallbacks();
      expect(gateway.received).to.have.length(2);
      twilio.clearFaults();
      await sms();
      await gateway.waitFor(4);
    });
  });

  it('reports each delivered item to the listeners of onDelivered()', async () => {
    const delivered: DeliveredItem[] = [];
    twilio.onDelivered((item) => delivered.push(item));
    await sms();
    expect(delivered).to.have.length(1);
    expect(delivered[0]).to.include({ to: PHONE, channel: 'sms', text: 'Your code is 204981' });
  });

  it('posts no callback after close()', async () => {
    await twilio.close();
    twilio = await startTwilioEmulator({ callbackDelayMs: 60_000 });
    await sms();
    await twilio.close();
    expect(gateway.received).to.have.length(0);
  });
});
