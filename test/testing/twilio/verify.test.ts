import { expect } from 'chai';
import { startTwilioEmulator, type TwilioEmulator, type VerifySettings } from '#lib/testing/index.js';
import { PHONE, restOf, type TwilioAnswer } from './rest.js';

const MINUTE_MS = 60 * 1000;
const LANDLINE = '+4930123456';

describe('startTwilioEmulator: Verify', () => {
  let now = Date.UTC(2026, 2, 1);
  let twilio: TwilioEmulator;
  const rest = restOf(() => twilio);
  const service = (): string => `/v2/Services/${twilio.verifyServiceSid}`;
  const begin = (form: Record<string, string> = {}): Promise<TwilioAnswer> =>
    rest.post(`${service()}/Verifications`, { To: PHONE, Channel: 'sms', CustomCode: '204981', ...form });
  const update = (name: string, status: string): Promise<TwilioAnswer> =>
    rest.post(`${service()}/Verifications/${encodeURIComponent(name)}`, { Status: status });
  const fetchIt = (name: string): Promise<TwilioAnswer> =>
    rest.get(`${service()}/Verifications/${encodeURIComponent(name)}`);

  beforeEach(async () => {
    twilio = await startTwilioEmulator({ clock: () => now, landlines: [LANDLINE] });
  });
  afterEach(() => twilio.close());

  it('delivers a custom code to the phone by SMS, call and WhatsApp, and keeps it out of the response', async () => {
    const { status, body } = await begin({ Locale: 'en-GB', RiskCheck: 'disable', DeviceIp: '2001:db8::7' });
    expect(status).to.equal(201);
    expect(body).to.include({
      account_sid: twilio.accountSid,
      service_sid: twilio.verifyServiceSid,
      to: PHONE,
      channel: 'sms',
      status: 'pending',
      valid: false,
      date_created: '2026-03-01T00:00:00Z',
    });
    expect(body['sid']).to.match(/^VE[\da-f]{32}$/);
    expect(JSON.stringify(body)).to.not.include('204981');
    expect(twilio.verifications).to.have.length(1);
    expect(twilio.verifications[0]).to.include({
      code: '204981',
      locale: 'en-GB',
      riskCheck: 'disable',
      deviceIp: '2001:db8::7',
      channel: 'sms',
    });
    await begin({ To: '+12025550142', Channel: 'call' });
    await begin({ To: '+12025550143', Channel: 'whatsapp' });
    expect(twilio.inbox(PHONE)).to.deep.equal([
      {
        channel: 'sms',
        text: 'Your Emulated service verification code is: 204981',
        at: now,
        sid: body['sid'],
      },
    ]);
    expect(twilio.inbox('+12025550142')[0]).to.include({
      channel: 'voice',
      spoken: 'Your verification code is: 2, 0, 4, 9, 8, 1.',
    });
    const [bubble] = twilio.inbox('+12025550143');
    expect(bubble?.text).to.match(/^204981 is your verification code\./);
    expect(bubble?.button).to.deep.equal({ text: 'Copy code', copies: '204981' });
    expect(twilio.requests.filter(({ path }) => path.startsWith('/v2/'))).to.have.length(3);
  });

  it('creates a code of the codeLength of the service for a request without one, and sends it again', async () => {
    twilio.configureVerify({ codeLength: 8 });
    await begin({ CustomCode: '' });
    const code = twilio.verifications[0]?.code;
    expect(code).to.match(/^\d{8}$/);
    expect(twilio.inbox(PHONE)[0]?.text).to.include(code);
    await begin({ CustomCode: '' });
    expect(twilio.verifications[0]?.code).to.equal(code);
  });

  it('keeps the SID of a pending verification for a new channel and code, but not for another number', async () => {
    const first = await begin();
    now += MINUTE_MS;
    const second = await begin({ Channel: 'call', CustomCode: '550077' });
    expect(second.body['sid']).to.equal(first.body['sid']);
    expect(second.body).to.include({ channel: 'call', date_updated: '2026-03-01T00:01:00Z' });
    expect(second.body['send_code_attempts']).to.have.length(2);
    expect(twilio.verifications).to.have.length(1);
    expect(twilio.verifications[0]?.code).to.equal('550077');
    expect(twilio.inbox(PHONE)).to.have.length(2);
    const other = await begin({ To: '+12025550142' });
    expect(other.body['sid']).to.not.equal(first.body['sid']);
  });

  it('answers 429 with 60203 after five sends, until the verification is approved or expires', async () => {
    for (let time = 0; time < 5; time += 1) expect((await begin()).status).to.equal(201);
    const limited = await begin();
    expect(limited.status).to.equal(429);
    expect(limited.body).to.include({ code: 60203, message: 'Max send attempts reached' });
    expect(twilio.inbox(PHONE)).to.have.length(5);
    await update(PHONE, 'approved');
    expect((await begin()).status).to.equal(201);
    for (let time = 1; time < 5; time += 1) await begin();
    expect((await begin()).status).to.equal(429);
    now += 10 * MINUTE_MS;
    expect((await begin()).status).to.equal(201);
    expect(twilio.verifications.map(({ status }) => status)).to.deep.equal([
      'approved',
      'expired',
      'pending',
    ]);
  });

  it('accepts approved or canceled once for a verification, by SID or by number', async () => {
    const { body } = await begin();
    const sid = String(body['sid']);
    expect((await update(sid, 'used')).body).to.include({
      code: 60200,
      message: 'Invalid parameter: Status',
    });
    const approved = await update(PHONE, 'approved');
    expect(approved.status).to.equal(200);
    expect(approved.body).to.include({ sid, status: 'approved', valid: true });
    expect((await update(PHONE, 'approved')).body['code']).to.equal(20404);
    expect((await update(sid, 'canceled')).body['code']).to.equal(20404);
    expect((await fetchIt(sid)).body).to.include({ status: 'approved' });
    expect((await fetchIt(PHONE)).status).to.equal(404);
    const next = await begin();
    expect((await update(String(next.body['sid']), 'canceled')).body).to.include({ status: 'canceled' });
  });

  it('expires a pending verification after ten minutes', async () => {
    const { body } = await begin();
    now += 10 * MINUTE_MS - 1;
    expect((await fetchIt(PHONE)).body).to.include({ status: 'pending' });
    now += 1;
    expect((await update(PHONE, 'approved')).status).to.equal(404);
    expect((await fetchIt(String(body['sid']))).body).to.include({ status: 'expired' });
    expect(twilio.verifications[0]?.status).to.equal('expired');
  });

  it('refuses each invalid verification with the status and error code of Verify, and sends no code', async () => {
    const cases: [Record<string, string>, VerifySettings, number, number, string?][] = [
      [{ To: '' }, {}, 400, 60200, 'Invalid parameter: To'],
      [{ To: '4915112345678' }, {}, 400, 60200, 'Invalid parameter: To'],
      [{ Channel: '' }, {}, 400, 60200, 'Invalid parameter: Channel'],
      [{ Channel: 'email' }, {}, 400, 60200, 'Invalid parameter: Channel'],
      [{ CustomCode: '123' }, {}, 400, 60200, 'Invalid parameter: CustomCode'],
      [{ CustomCode: '12345678901' }, {}, 400, 60200, 'Invalid parameter: CustomCode'],
      [{ RiskCheck: 'no' }, {}, 400, 60200, 'Invalid parameter: RiskCheck'],
      [{ DeviceIp: '203.0.113' }, {}, 400, 60200, 'Invalid parameter: DeviceIp'],
      [{}, { customCodeEnabled: false }, 403, 60204],
      [{ To: LANDLINE }, {}, 403, 60205],
      [{ To: '+8613912345678' }, {}, 400, 60220],
      [{ Channel: 'call' }, { disabledChannels: ['call'] }, 400, 60223],
      [{}, { blockedPrefixes: ['+4915'] }, 403, 60410],
      [{ Channel: 'whatsapp' }, { whatsAppFrom: null }, 400, 68008],
      [{ Channel: 'whatsapp', Locale: 'fr' }, { whatsAppLocales: ['en', 'de'] }, 400, 60242],
      [{ Locale: 'tlh' }, {}, 404, 20404],
      [{ Locale: 'EN-gb' }, {}, 404, 20404],
    ];
    for (const [form, settings, status, code, message] of cases) {
      await twilio.close();
      twilio = await startTwilioEmulator({ clock: () => now, landlines: [LANDLINE] });
      twilio.configureVerify(settings);
      const answer = await begin(form);
      expect(answer.status, JSON.stringify(form)).to.equal(status);
      expect(answer.body['code'], JSON.stringify(form)).to.equal(code);
      if (message !== undefined) expect(answer.body['message']).to.equal(message);
      expect(twilio.verifications).to.have.length(0);
    }
  });

  it('accepts codes of 4 to 10 digits, a call to a landline and other requests within the limits', async () => {
    twilio.configureVerify({
      disabledChannels: ['call'],
      blockedPrefixes: ['+4915'],
      whatsAppLocales: ['de'],
      isVettedForChina: true,
    });
    const forms: Record<string, string>[] = [
      { CustomCode: '1234', RiskCheck: 'disable' },
      { To: '+12025550140', CustomCode: '1234567890', RiskCheck: 'enable' },
      { Channel: 'whatsapp', Locale: 'de' },
      { To: '+8613912345678' },
    ];
    for (const form of forms) expect((await begin(form)).status, JSON.stringify(form)).to.equal(201);
    twilio.configureVerify({ disabledChannels: [], whatsAppLocales: null });
    expect((await begin({ To: LANDLINE, Channel: 'call' })).status).to.equal(201);
    expect((await begin({ Channel: 'whatsapp', Locale: 'fr' })).status).to.equal(201);
  });

  it('applies refuseWith(), failLater() and fault() to verifications', async () => {
    twilio.refuseWith({ code: 60212, times: 1 });
    const refused = await begin();
    expect(refused.status).to.equal(429);
    expect(refused.body).to.include({
      code: 60212,
      message: 'Too many concurrent requests for phone number',
    });
    twilio.failLater({ code: 30003, times: 1 });
    expect((await begin()).status).to.equal(201);
    expect(twilio.inbox(PHONE)).to.deep.equal([]);
    await begin();
    expect(twilio.inbox(PHONE)).to.have.length(1);
    twilio.fault({ kind: 'status', status: 503, body: {} });
    expect((await begin()).status).to.equal(503);
    expect(twilio.verifications[0]?.attempts).to.have.length(2);
  });

  it('refuses a number that a trial account has not verified with 21608', async () => {
    twilio.configureAccount({ type: 'Trial', verifiedNumbers: ['+12025550142'] });
    expect((await begin()).body['code']).to.equal(21608);
    expect((await begin({ To: '+12025550142' })).status).to.equal(201);
  });
});
