import { expect } from 'chai';
import { startTwilioEmulator, type TwilioEmulator } from '#lib/testing/index.js';
import { jsonOf } from '../local.js';

const PHONE = '+4915112345678';
const CONTENT = `HX${'a'.repeat(32)}`;
const HOUR_MS = 3600 * 1000;

describe('startTwilioEmulator: the REST API', () => {
  let now = Date.UTC(2026, 2, 1);
  let twilio: TwilioEmulator;
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const asKey = (): string => basic(twilio.apiKeySid, twilio.apiKeySecret);
  const asAccount = (): string => basic(twilio.accountSid, twilio.authToken);
  const call = (path: string, authorization = asKey()): Promise<Response> =>
    fetch(`${twilio.baseUrl}/2010-04-01/Accounts/${path}`, { headers: { authorization } });
  const post = (resource: string, form: Record<string, string>, authorization = asKey()): Promise<Response> =>
    fetch(`${twilio.baseUrl}/2010-04-01/Accounts/${twilio.accountSid}/${resource}`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams(form),
    });
  const sms = (form: Record<string, string> = {}): Promise<Response> =>
    post('Messages.json', { To: PHONE, From: twilio.smsNumber, Body: 'Your code is 204981', ...form });
  const whatsApp = (form: Record<string, string> = {}): Promise<Response> =>
    sms({ To: `whatsapp:${PHONE}`, From: `whatsapp:${twilio.sandboxNumber}`, ...form });
  const voice = (form: Record<string, string> = {}): Promise<Response> =>
    post('Calls.json', {
      To: PHONE,
      From: twilio.voiceNumber,
      Twiml: '<Response><Say>1, 2</Say></Response>',
      ...form,
    });
  const codeOf = async (response: Response): Promise<unknown> => (await jsonOf(response))['code'];

  beforeEach(async () => {
    twilio = await startTwilioEmulator({ clock: () => now, senders: ['ACME', 'whatsapp:+4930123456'] });
  });
  afterEach(() => twilio.close());

  it('accepts an SMS, answers with the whole message resource and delivers it to the phone', async () => {
    const response = await sms({ ValidityPeriod: '300', ProvideFeedback: 'true' });
    expect(response.status).to.equal(201);
    expect(response.headers.get('twilio-request-id')).to.match(/^RQ[\da-f]{32}$/);
    const body = await jsonOf(response);
    expect(body).to.include({
      account_sid: twilio.accountSid,
      body: 'Your code is 204981',
      status: 'queued',
      from: twilio.smsNumber,
      to: PHONE,
      date_created: 'Sun, 01 Mar 2026 00:00:00 +0000',
      error_code: null,
      num_segments: '1',
    });
    expect(body['sid']).to.match(/^SM[\da-f]{32}$/);
    expect(twilio.messages).to.have.length(1);
    expect(twilio.messages[0]).to.include({
      sid: body['sid'],
      channel: 'sms',
      to: PHONE,
      validityPeriod: 300,
      provideFeedback: true,
    });
    expect(twilio.inbox(PHONE)).to.deep.equal([
      { channel: 'sms', text: 'Your code is 204981', at: now, sid: body['sid'] },
    ]);
    expect(twilio.requests[0]?.form).to.include({ To: PHONE, ValidityPeriod: '300' });
  });

  it('accepts an SMS from a Messaging Service and from an alphanumeric sender', async () => {
    const service = { MessagingServiceSid: twilio.messagingServiceSid, From: '' };
    expect(await jsonOf(await sms(service))).to.include({
      status: 'accepted',
      from: null,
      messaging_service_sid: twilio.messagingServiceSid,
      num_segments: '0',
    });
    expect(await jsonOf(await sms({ From: 'ACME' }))).to.include({ from: 'ACME', status: 'queued' });
    expect(twilio.messages.map((message) => message.from)).to.deep.equal([twilio.smsNumber, 'ACME']);
  });

  it('accepts its own API key and auth token, and answers 401 with code 20003 to other credentials', async () => {
    const path = `${twilio.accountSid}/Messages/SM${'0'.repeat(32)}.json`;
    expect((await call(path, asKey())).status).to.equal(404);
    expect((await call(path, asAccount())).status).to.equal(404);
    for (const authorization of [
      '',
      basic(twilio.apiKeySid, 'wrong'),
      basic(twilio.accountSid, twilio.apiKeySecret),
    ]) {
      const response = await call(path, authorization);
      expect(response.status).to.equal(401);
      expect(await jsonOf(response)).to.deep.equal({
        code: 20003,
        message: 'Authenticate',
        more_info: 'https://www.twilio.com/docs/errors/20003',
        status: 401,
      });
    }
  });

  it('returns the account for the auth token, but answers 401 to a standard API key', async () => {
    const response = await call(`${twilio.accountSid}.json`, asAccount());
    expect(await jsonOf(response)).to.include({ sid: twilio.accountSid, status: 'active' });
    expect((await call(`${twilio.accountSid}.json`)).status).to.equal(401);
    const other = await call(`AC${'0'.repeat(32)}.json`, asAccount());
    expect(other.status).to.equal(404);
    expect(await codeOf(other)).to.equal(20404);
  });

  it('refuses each invalid message with the error code of Twilio and delivers none', async () => {
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
      [{ To: twilio.smsNumber }, 21266],
      [{ StatusCallback: 'ftp://example.com' }, 21609],
      [{ StatusCallback: 'https://under_score.example.com' }, 21609],
      [{ StatusCallback: 'nowhere' }, 21609],
      [{ ValidityPeriod: '0' }, 21624],
      [{ ValidityPeriod: '36001' }, 21624],
      [{ ValidityPeriod: '1.5' }, 21624],
    ];
    for (const [form, code] of cases) {
      const response = await sms(form);
      expect(response.status, JSON.stringify(form)).to.equal(400);
      expect(await codeOf(response), JSON.stringify(form)).to.equal(code);
    }
    const json = await fetch(`${twilio.baseUrl}/2010-04-01/Accounts/${twilio.accountSid}/Messages.json`, {
      method: 'POST',
      headers: { authorization: asKey(), 'content-type': 'application/json' },
      body: JSON.stringify({ To: PHONE, From: twilio.smsNumber, Body: 'x' }),
    });
    expect(await codeOf(json)).to.equal(21604);
    expect(twilio.messages).to.have.length(0);
    expect(twilio.inbox(PHONE)).to.deep.equal([]);
  });

  it('accepts a body of 1600 characters and a ValidityPeriod of 1 or 36000 seconds', async () => {
    expect((await sms({ Body: 'x'.repeat(1600), ValidityPeriod: '1' })).status).to.equal(201);
    expect((await sms({ ValidityPeriod: '36000' })).status).to.equal(201);
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
      const response = await voice(form);
      expect(response.status, JSON.stringify(form)).to.equal(400);
      expect(await codeOf(response), JSON.stringify(form)).to.equal(code);
    }
    expect(twilio.calls).to.have.length(0);
  });

  it('speaks the TwiML of a call on the phone and keeps it out of the REST response', async () => {
    const Twiml = '<Response><Pause length="1"/><Say language="pt-BR" loop="2">1, 2 &amp; 3</Say></Response>';
    const response = await voice({ Twiml, Timeout: '25' });
    expect(response.status).to.equal(201);
    const body = await jsonOf(response);
    expect(body['sid']).to.match(/^CA[\da-f]{32}$/);
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
    const fetched = await jsonOf(await call(`${twilio.accountSid}/Calls/${String(body['sid'])}.json`));
    expect(fetched).to.include({ sid: body['sid'], to: PHONE });
  });

  it('treats magic numbers like the test credentials do, unless magicNumbers is false', async () => {
    const magic = (suffix: string): string => `+1500555${suffix}`;
    expect((await sms({ From: magic('0006') })).status).to.equal(201);
    expect((await voice({ From: magic('0006') })).status).to.equal(201);
    const cases: [Promise<Response>, number][] = [
      [sms({ From: magic('0001') }), 21212],
      [sms({ From: magic('0007') }), 21606],
      [sms({ From: magic('0008') }), 21611],
      [sms({ To: magic('0001') }), 21211],
      [sms({ To: magic('0002') }), 21612],
      [sms({ To: magic('0003') }), 21408],
      [sms({ To: magic('0004') }), 21610],
      [sms({ To: magic('0009') }), 21614],
      [voice({ From: magic('0001') }), 21212],
      [voice({ To: magic('0001') }), 21217],
      [voice({ To: magic('0004') }), 21216],
    ];
    for (const [response, code] of cases) expect(await codeOf(await response)).to.equal(code);
    await twilio.close();
    twilio = await startTwilioEmulator({ magicNumbers: false });
    expect(await codeOf(await sms({ From: magic('0006') }))).to.equal(21606);
    expect((await sms({ To: magic('0004') })).status).to.equal(201);
  });

  it('keeps the valid feedback for a message and refuses an unknown outcome or message', async () => {
    const { sid } = await jsonOf(await sms());
    const path = `Messages/${String(sid)}/Feedback.json`;
    expect(await codeOf(await post(path, { Outcome: 'great' }))).to.equal(20001);
    const response = await post(path, { Outcome: 'confirmed' });
    expect(await jsonOf(response)).to.include({ message_sid: sid, outcome: 'confirmed' });
    expect(twilio.messages[0]?.feedback).to.equal('confirmed');
    expect((await post('Messages/SMnone/Feedback.json', {})).status).to.equal(404);
  });

  it('refuses messages and calls by refuseWith() rules, with their match, times and status', async () => {
    twilio.refuseWith({
      code: 20429,
      times: 1,
      match: (request) => request.form?.['To'] === `whatsapp:${PHONE}`,
    });
    twilio.refuseWith({ code: 21610, times: 1, message: 'unsubscribed' });
    expect(await codeOf(await sms())).to.equal(21610);
    const limited = await whatsApp();
    expect(limited.status).to.equal(429);
    expect(await codeOf(limited)).to.equal(20429);
    expect((await sms()).status).to.equal(201);
    twilio.refuseWith({ code: 30001, status: 503 });
    expect((await voice()).status).to.equal(503);
    twilio.clearFaults();
    expect((await voice()).status).to.equal(201);
  });

  describe('WhatsApp', () => {
    const isDelivered = async (form: Record<string, string>): Promise<boolean> => {
      const before = twilio.inbox(PHONE).length;
      expect((await whatsApp(form)).status).to.equal(201);
      return twilio.inbox(PHONE).length > before;
    };
    const template = { Body: '', ContentSid: CONTENT, ContentVariables: '{"1":"204981"}' };

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
      expect(await jsonOf(await whatsApp(template))).to.include({
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
