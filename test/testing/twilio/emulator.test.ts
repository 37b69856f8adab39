import { expect } from 'chai';
import { startTwilioEmulator, type TwilioEmulator } from '#lib/testing/index.js';
import { until } from '#harness/until.js';
import { jsonOf } from '../local.js';
import { PHONE, restOf } from './rest.js';

const CONTENT = `HX${'a'.repeat(32)}`;
/** A Messaging Service without an RCS sender. */
const SMS_SERVICE = `MG${'5'.repeat(32)}`;
const HOUR_MS = 3600 * 1000;

describe('startTwilioEmulator: the REST API', () => {
  let now = Date.UTC(2026, 2, 1);
  let twilio: TwilioEmulator;
  const rest = restOf(() => twilio);
  const { get, message, whatsApp, call, at } = rest;

  beforeEach(async () => {
    twilio = await startTwilioEmulator({
      clock: () => now,
      senders: ['ACME', SMS_SERVICE, 'whatsapp:+4930123456'],
    });
  });
  afterEach(() => twilio.close());

  it('accepts an SMS from a number, a Messaging Service or an alphanumeric sender, and delivers it', async () => {
    const { status, body } = await message({ ValidityPeriod: '300', ProvideFeedback: 'true' });
    expect(status).to.equal(201);
    expect(body).to.include({ status: 'queued', from: twilio.smsNumber, num_segments: '1' });
    const sent = { sid: body['sid'], channel: 'sms', to: PHONE, validityPeriod: 300, provideFeedback: true };
    expect(twilio.messages[0]).to.include(sent);
    expect(twilio.inbox(PHONE)).to.deep.equal([
      { channel: 'sms', text: 'Your code is 204981', at: now, sid: body['sid'] },
    ]);
    expect(twilio.requests[0]?.form).to.include({ To: PHONE, ValidityPeriod: '300' });
    const service = { MessagingServiceSid: twilio.messagingServiceSid, From: '' };
    expect((await message(service)).body).to.include({ status: 'accepted', from: null, num_segments: '0' });
    await message({ From: 'ACME' });
    expect(twilio.messages.map(({ from }) => from)).to.deep.equal([
      ...[twilio.smsNumber, twilio.smsNumber, 'ACME'],
    ]);
  });

  it('returns each item of a phone once by nextItem(), oldest first, also one that arrives later', async () => {
    await message({ Body: 'one' });
    const first = await twilio.nextItem(PHONE);
    const later = [twilio.nextItem(PHONE), twilio.nextItem(PHONE)];
    await message({ Body: 'two' });
    await message({ Body: 'three' });
    const items = [first, ...(await Promise.all(later))];
    expect(items.map(({ text }) => text)).to.deep.equal(['one', 'two', 'three']);
    const problem = await twilio.nextItem(PHONE, { timeoutMs: 1 }).catch((error: unknown) => error);
    expect(problem)
      .to.be.instanceOf(Error)
      .with.property('message', 'Nothing arrived on the phone that ends in 78 within 1 ms.');
    await message({ Body: 'late' });
    expect(await twilio.nextItem(PHONE)).to.include({ text: 'late' });
  });

  it('accepts its own API key and auth token, for the account only the token, and answers 401 to others', async () => {
    const { accountSid, authToken, apiKeySid, apiKeySecret, baseUrl } = twilio;
    const message = at(`Messages/SM${'0'.repeat(32)}.json`);
    const account = `/2010-04-01/Accounts/${accountSid}.json`;
    for (const [path, username, password, status] of [
      [message, apiKeySid, apiKeySecret, 404],
      [message, accountSid, authToken, 404],
      [account, accountSid, authToken, 200],
      [account, apiKeySid, apiKeySecret, 401],
      [message, '', '', 401],
      [message, apiKeySid, 'wrong', 401],
      [message, accountSid, apiKeySecret, 401],
    ] as const) {
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const response = await fetch(baseUrl + path, { headers: { authorization } });
      expect(response.status).to.equal(status);
      if (status === 401) expect(await jsonOf(response)).to.include({ code: 20003, status });
    }
  });

  it('refuses each invalid message with the error code of Twilio and delivers none', async () => {
    const byService = { From: '', MessagingServiceSid: twilio.messagingServiceSid };
    const cases: [Record<string, string>, number][] = [
      [{ To: '' }, 21604],
      [{ From: '' }, 21603],
      [{ Body: '' }, 21602],
      [{ Body: 'x'.repeat(1601) }, 21617],
      [{ Body: '', ContentSid: 'HX1' }, 21655],
      [{ Body: '', ContentSid: CONTENT, ContentVariables: '{1:' }, 21656],
      [{ Body: '', ContentSid: CONTENT, ContentVariables: '["1"]' }, 21656],
      [{ To: `whatsapp:${PHONE}` }, 21910],
      [{ From: `whatsapp:${twilio.sandboxNumber}` }, 21910],
      [{ To: '4915112345678' }, 21211],
      [{ To: '+0151' }, 21211],
      [{ From: '+4930999999' }, 21606],
      [{ From: 'OTHER' }, 21606],
      [{ To: `whatsapp:${PHONE}`, From: `whatsapp:${twilio.smsNumber}` }, 63007],
      [{ From: '', MessagingServiceSid: `MG${'0'.repeat(32)}` }, 21701],
      [{ From: '', MessagingServiceSid: twilio.messagingServiceSid, To: `whatsapp:${PHONE}` }, 21703],
      [{ FallbackFrom: twilio.smsNumber }, 21664],
      [{ ...byService, From: twilio.smsNumber, FallbackFrom: twilio.smsNumber }, 21664],
      [{ From: '', FallbackFrom: twilio.smsNumber }, 21666],
      [{ ...byService, FallbackFrom: '+4930999999' }, 21665],
      [{ ...byService, FallbackFrom: 'rcs:emulated_agent' }, 21665],
      [{ ...byService, FallbackFrom: twilio.messagingServiceSid }, 21665],
      [{ ...byService, MessagingServiceSid: SMS_SERVICE, FallbackFrom: twilio.smsNumber }, 21667],
      [{ ContentRetention: 'forget' }, 30029],
      [{ AddressRetention: 'discard' }, 30030],
      [{ To: twilio.smsNumber }, 21266],
      [{ StatusCallback: 'ftp://example.com' }, 21609],
      [{ StatusCallback: 'https://under_score.example.com' }, 21609],
      [{ StatusCallback: 'nowhere' }, 21609],
      [{ ValidityPeriod: '0' }, 21624],
      [{ ValidityPeriod: '36001' }, 21624],
      [{ ValidityPeriod: '1.5' }, 21624],
    ];
    for (const [form, code] of cases) {
      const { status, body } = await message(form);
      expect([status, body['code']], JSON.stringify(form)).to.deep.equal([400, code]);
    }
    expect(twilio.messages).to.have.length(0);
    expect(twilio.inbox(PHONE)).to.deep.equal([]);
  });

  it('keeps a text and a number only until they were sent, if the message says so', async () => {
    const { body } = await message({ ContentRetention: 'discard', AddressRetention: 'obfuscate' });
    expect(body).to.include({ body: 'Your code is 204981', to: PHONE });
    await until(() => twilio.messages[0]?.status === 'delivered');
    const kept = await get(at(`Messages/${String(body['sid'])}.json`));
    expect(kept.body).to.include({ body: '', to: '+491511234XXXX', status: 'delivered' });
    expect(twilio.messages[0]).to.include({ contentRetention: 'discard', addressRetention: 'obfuscate' });
    expect(twilio.messages[0]).to.include({ to: PHONE, text: 'Your code is 204981', smartEncoded: false });
    await message({ SmartEncoded: 'true' });
    expect(twilio.messages[1]).to.include({ smartEncoded: true, contentRetention: undefined });
  });

  it('accepts a body of 1600 characters and a ValidityPeriod of 1 or 36000 seconds', async () => {
    expect((await message({ Body: 'x'.repeat(1600), ValidityPeriod: '1' })).status).to.equal(201);
    expect((await message({ ValidityPeriod: '36000' })).status).to.equal(201);
  });

  it('refuses each invalid call with the error code of Twilio and makes none', async () => {
    const cases: [Record<string, string>, number][] = [
      [{ To: '' }, 21201],
      [{ From: '' }, 21213],
      [{ Twiml: '' }, 21205],
      [{ Twiml: '', Url: 'nowhere' }, 21205],
      [{ Twiml: `<Response><Say>${'x'.repeat(4000)}</Say></Response>` }, 32018],
      [{ Twiml: '<Response><Say>1</Response>' }, 12100],
      [{ To: '12' }, 21217],
      [{ From: twilio.smsNumber.replace('0100', '9999') }, 21210],
      [{ StatusCallback: 'nowhere' }, 21609],
    ];
    for (const [form, code] of cases) {
      const { status, body } = await call(form);
      expect([status, body['code']], JSON.stringify(form)).to.deep.equal([400, code]);
    }
    expect(twilio.calls).to.have.length(0);
  });

  it('speaks the TwiML of a call on the phone and keeps it out of the REST response', async () => {
    const Twiml = '<Response><Pause length="1"/><Say language="pt-BR" loop="2">1, 2 &amp; 3</Say></Response>';
    const { status, body } = await call({ Twiml, Timeout: '25' });
    expect(status).to.equal(201);
    expect(JSON.stringify(body)).to.not.include('1, 2');
    expect(twilio.inbox(PHONE)).to.deep.equal([
      {
        channel: 'voice',
        text: '1, 2 & 3 1, 2 & 3',
        spoken: '1, 2 & 3 1, 2 & 3',
        at: now,
        sid: body['sid'],
      },
    ]);
    expect(twilio.calls[0]).to.include({ channel: 'voice', to: PHONE, twiml: Twiml, timeout: 25 });
  });

  it('treats magic numbers like the test credentials do, unless magicNumbers is false', async () => {
    const magic = (suffix: string): string => `+1500555${suffix}`;
    expect((await message({ From: magic('0006') })).status).to.equal(201);
    expect((await call({ From: magic('0006') })).status).to.equal(201);
    const cases: [typeof message, Record<string, string>, number][] = [
      [message, { From: magic('0001') }, 21212],
      [message, { From: magic('0007') }, 21606],
      [message, { From: magic('0008') }, 21611],
      [message, { To: magic('0001') }, 21211],
      [message, { To: magic('0002') }, 21612],
      [message, { To: magic('0003') }, 21408],
      [message, { To: magic('0004') }, 21610],
      [message, { To: magic('0009') }, 21614],
      [call, { From: magic('0001') }, 21212],
      [call, { To: magic('0001') }, 21217],
      [call, { To: magic('0004') }, 21216],
    ];
    for (const [send, form, code] of cases) expect((await send(form)).body['code']).to.equal(code);
    await twilio.close();
    twilio = await startTwilioEmulator({ magicNumbers: false });
    expect((await message({ From: magic('0006') })).body['code']).to.equal(21606);
    expect((await message({ To: magic('0004') })).status).to.equal(201);
  });

  it('refuses messages and calls by refuseWith() rules, with their match, times and status', async () => {
    twilio.refuseWith({
      code: 20429,
      times: 1,
      match: (request) => request.form?.['To'] === `whatsapp:${PHONE}`,
    });
    twilio.refuseWith({ code: 21610, times: 1, message: 'unsubscribed' });
    expect((await message()).body['code']).to.equal(21610);
    const limited = await whatsApp();
    expect([limited.status, limited.body['code']]).to.deep.equal([429, 20429]);
    expect((await message()).status).to.equal(201);
    twilio.refuseWith({ code: 30001, status: 503 });
    expect((await call()).status).to.equal(503);
    twilio.clearFaults();
    expect((await call()).status).to.equal(201);
  });

  describe('WhatsApp', () => {
    const isDelivered = async (form: Record<string, string>): Promise<boolean> => {
      const before = twilio.inbox(PHONE).length;
      expect((await whatsApp(form)).status).to.equal(201);
      return twilio.inbox(PHONE).length > before;
    };
    const template = { ContentSid: CONTENT, ContentVariables: '{"1":"204981"}' };

    it('delivers free text for 24 hours and the template for 72 hours after a phone joins the sandbox', async () => {
      expect(await isDelivered({})).to.equal(false);
      twilio.joinSandbox(PHONE);
      now += 24 * HOUR_MS;
      expect(await isDelivered({})).to.equal(true);
      expect(await isDelivered(template)).to.equal(true);
      now += 1;
      expect(await isDelivered({})).to.equal(false);
      expect(await isDelivered(template)).to.equal(true);
      now += 48 * HOUR_MS;
      expect(await isDelivered(template)).to.equal(false);
      twilio.joinSandbox(PHONE);
      expect(await isDelivered({})).to.equal(true);
      twilio.leaveSandbox(PHONE);
      expect(await isDelivered({})).to.equal(false);
    });

    it('records channel, addresses and variables separately and shows the code of a template', async () => {
      twilio.joinSandbox(PHONE);
      expect((await whatsApp(template)).body).to.include({
        from: `whatsapp:${twilio.sandboxNumber}`,
        to: `whatsapp:${PHONE}`,
      });
      expect(twilio.messages[0]).to.include({
        channel: 'whatsapp',
        from: twilio.sandboxNumber,
        to: PHONE,
        body: undefined,
        contentSid: CONTENT,
      });
      expect(twilio.messages[0]?.contentVariables).to.deep.equal({ '1': '204981' });
      expect(twilio.inbox(PHONE)[0]?.text).to.match(/^204981 is your verification code/);
    });

    it('delivers a template, but no free text, from an approved sender to a phone outside the sandbox', async () => {
      expect(await isDelivered({ ...template, From: 'whatsapp:+4930123456' })).to.equal(true);
      expect(await isDelivered({ From: 'whatsapp:+4930123456' })).to.equal(false);
    });
  });
});
