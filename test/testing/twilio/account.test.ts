import { expect } from 'chai';
import { startTwilioEmulator, type TwilioEmulator } from '#lib/testing/index.js';
import { jsonOf } from '../local.js';
import { PHONE, restOf, type TwilioAnswer } from './rest.js';

const LANDLINE = '+4930123456';

describe('startTwilioEmulator: the account', () => {
  let now = Date.UTC(2026, 2, 1);
  let twilio: TwilioEmulator;
  const rest = restOf(() => twilio);
  const at = (resource: string): string => `/2010-04-01/Accounts/${twilio.accountSid}/${resource}`;
  const call = (form: Record<string, string> = {}): Promise<TwilioAnswer> =>
    rest.post(at('Calls.json'), {
      To: PHONE,
      From: twilio.voiceNumber,
      Twiml: '<Response><Say>1</Say></Response>',
      ...form,
    });

  beforeEach(async () => {
    twilio = await startTwilioEmulator({ clock: () => now, landlines: [LANDLINE] });
  });
  afterEach(() => twilio.close());

  it('returns its status, type and balance', async () => {
    twilio.configureAccount({ status: 'suspended', type: 'Trial', balance: '0.42', currency: 'EUR' });
    const response = await fetch(`${twilio.baseUrl}/2010-04-01/Accounts/${twilio.accountSid}.json`, {
      headers: {
        authorization: `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`,
      },
    });
    expect(await jsonOf(response)).to.include({ status: 'suspended', type: 'Trial' });
    const { body } = await rest.get(at('Balance.json'));
    expect(body).to.deep.equal({ account_sid: twilio.accountSid, balance: '0.42', currency: 'EUR' });
    twilio.configureAccount({ type: 'Full' });
    expect((await rest.get(at('Balance.json'))).body['balance']).to.equal('0.42');
  });

  it('lists its numbers with their capabilities, and refuses a message or call without the capability', async () => {
    twilio.setCapabilities(twilio.smsNumber, { sms: false });
    twilio.setCapabilities(twilio.voiceNumber, { voice: false });
    const { body } = await rest.get(at('IncomingPhoneNumbers.json'));
    const numbers = body['incoming_phone_numbers'] as Record<string, unknown>[];
    expect(numbers.map((number) => [number['phone_number'], number['capabilities']])).to.deep.equal([
      [twilio.smsNumber, { sms: false, voice: true, mms: true, fax: false }],
      [twilio.voiceNumber, { sms: true, voice: false, mms: true, fax: false }],
    ]);
    expect((await rest.message()).body['code']).to.equal(21606);
    expect((await call()).body['code']).to.equal(21210);
    twilio.setCapabilities(twilio.smsNumber, { sms: true });
    expect((await rest.message()).status).to.equal(201);
    const filter = `IncomingPhoneNumbers.json?PhoneNumber=${encodeURIComponent(twilio.voiceNumber)}`;
    const found = await rest.get(at(filter));
    expect(found.body['incoming_phone_numbers']).to.have.length(1);
    expect((found.body['incoming_phone_numbers'] as { sid: string }[])[0]?.sid).to.equal(numbers[1]?.['sid']);
  });

  it('returns its Messaging Service, with the numbers and their capabilities', async () => {
    const path = `/v1/Services/${twilio.messagingServiceSid}`;
    const { body } = await rest.get(path);
    expect(body).to.include({ sid: twilio.messagingServiceSid });
    twilio.setCapabilities(twilio.smsNumber, { mms: false });
    const numbers = await rest.get(`${path}/PhoneNumbers`);
    expect((numbers.body['phone_numbers'] as object[])[0]).to.deep.include({
      phone_number: twilio.smsNumber,
      service_sid: twilio.messagingServiceSid,
      capabilities: ['SMS', 'Voice'],
    });
    twilio.setCapabilities(twilio.smsNumber, { mms: true, sms: false, voice: false });
    const others = await rest.get(`${path}/PhoneNumbers`);
    expect((others.body['phone_numbers'] as object[])[0]).to.deep.include({ capabilities: ['MMS'] });
    expect((await rest.get(`/v1/Services/MG${'0'.repeat(32)}`)).status).to.equal(404);
    expect((await rest.get(`/v1/Services/${encodeURIComponent(twilio.smsNumber)}`)).status).to.equal(404);
    expect((await rest.get(`${path}/ShortCodes`)).status).to.equal(404);
    expect((await rest.send('DELETE', path)).status).to.equal(405);
  });

  it('sends only to verified numbers as a trial account', async () => {
    twilio.configureAccount({ type: 'Trial' });
    expect((await rest.message()).body['code']).to.equal(21608);
    expect((await call()).body['code']).to.equal(21219);
    twilio.configureAccount({ verifiedNumbers: [PHONE] });
    expect((await rest.message()).status).to.equal(201);
    expect((await call()).status).to.equal(201);
    expect((await rest.message({ To: '+12025550142' })).body['code']).to.equal(21608);
  });

  it('refuses an SMS to a landline with 21635, but calls it', async () => {
    expect((await rest.message({ To: LANDLINE })).body['code']).to.equal(21635);
    expect((await call({ To: LANDLINE })).status).to.equal(201);
  });

  it('lists messages and calls, newest first, by sender and recipient', async () => {
    await rest.message();
    await rest.message({ To: '+12025550142' });
    await rest.message({ To: `whatsapp:${PHONE}`, From: `whatsapp:${twilio.sandboxNumber}` });
    await call();
    const list = async (resource: string, key: string): Promise<unknown[]> => {
      const { status, body } = await rest.get(at(resource));
      expect(status).to.equal(200);
      return (body[key] as { to: string }[]).map(({ to }) => to);
    };
    expect(await list('Messages.json', 'messages')).to.deep.equal([
      `whatsapp:${PHONE}`,
      '+12025550142',
      PHONE,
    ]);
    const to = encodeURIComponent(PHONE);
    expect(await list(`Messages.json?To=${to}`, 'messages')).to.deep.equal([PHONE]);
    const from = encodeURIComponent(twilio.voiceNumber);
    expect(await list(`Calls.json?From=${from}`, 'calls')).to.deep.equal([PHONE]);
  });

  it('refuses the parameters of a list that it does not know, and names them', async () => {
    const service = `/v1/Services/${twilio.messagingServiceSid}/PhoneNumbers`;
    for (const [path, knows] of [
      [at('Messages.json?DateSent=2026-11-30'), 'only To, From'],
      [at(`Messages.json?To=${encodeURIComponent(PHONE)}&DateSent%3E=2026-11-30`), 'only To, From'],
      [at('Calls.json?Status=completed'), 'only To, From'],
      [at('IncomingPhoneNumbers.json?FriendlyName=x'), 'only PhoneNumber'],
      ['/v1/Content?Sid=x', 'no filter'],
      [`${service}?Sid=x`, 'no filter'],
    ] as const) {
      const { status, body } = await rest.get(path);
      expect([status, body['code']], path).to.deep.equal([400, 20001]);
      const name = new URLSearchParams(path.split('?')[1]);
      const [unknown = ''] = [...name.keys()].slice(-1);
      expect(body['message'], path).to.equal(
        `The emulated list does not know the parameter ${unknown}. It knows ${knows}.`,
      );
    }
    expect((await rest.get(at('Messages.json?To=&From='))).status).to.equal(200);
  });

  it('returns a list in pages of PageSize, and else in one page', async () => {
    for (let count = 0; count < 60; count += 1) await rest.message({ Body: String(count) });
    const bodiesOf = ({ body }: TwilioAnswer): string[] =>
      (body['messages'] as { body: string }[]).map((message) => message.body);
    const all = await rest.get(at('Messages.json'));
    expect(bodiesOf(all)).to.have.length(60);
    expect(all.body['next_page_uri']).to.equal(null);
    const seen: string[] = [];
    let next: unknown = at('Messages.json?PageSize=25');
    while (typeof next === 'string') {
      const page = await rest.get(next);
      expect(page.body).to.include({ page: Math.ceil(seen.length / 25), page_size: 25, start: seen.length });
      seen.push(...bodiesOf(page));
      next = page.body['next_page_uri'];
    }
    expect(seen).to.deep.equal(bodiesOf(all));
    for (const query of ['PageSize=0', 'PageSize=1001', 'PageSize=x', 'PageSize=5&Page=-1']) {
      expect((await rest.get(at(`Messages.json?${query}`))).status, query).to.equal(400);
    }
  });

  it('returns the current status of a message and a call', async () => {
    const { body } = await rest.message();
    const path = at(`Messages/${String(body['sid'])}.json`);
    now += 60_000;
    while ((await rest.get(path)).body['status'] !== 'delivered');
    expect((await rest.get(path)).body).to.include({
      date_created: 'Sun, 01 Mar 2026 00:00:00 +0000',
      date_updated: 'Sun, 01 Mar 2026 00:01:00 +0000',
    });
    const made = await call();
    while ((await rest.get(at(`Calls/${String(made.body['sid'])}.json`))).body['status'] !== 'completed');
  });

  it('keeps every feedback for a message in the order of the posts', async () => {
    const { body } = await rest.message({ ProvideFeedback: 'true' });
    const path = at(`Messages/${String(body['sid'])}/Feedback.json`);
    await rest.post(path, { Outcome: 'unconfirmed' });
    expect((await rest.post(path, { Outcome: 'confirmed' })).status).to.equal(200);
    expect(twilio.feedback.map(({ messageSid, outcome }) => [messageSid, outcome])).to.deep.equal([
      [body['sid'], 'unconfirmed'],
      [body['sid'], 'confirmed'],
    ]);
    expect(twilio.messages[0]?.feedback).to.equal('confirmed');
  });

  it('answers 20404 for any other resource, and 405 for another method', async () => {
    const wrongMethods = [
      ['DELETE', at('Messages.json')],
      ['DELETE', at('Calls.json')],
      ['POST', at('Balance.json')],
      ['DELETE', at('IncomingPhoneNumbers.json')],
      ['DELETE', `/2010-04-01/Accounts/${twilio.accountSid}.json`],
    ] as const;
    for (const [method, path] of wrongMethods) {
      expect((await rest.send(method, path)).status, path).to.equal(405);
    }
    const { body } = await rest.message();
    const sid = String(body['sid']);
    expect((await rest.send('DELETE', at(`Messages/${sid}.json`))).status).to.equal(405);
    expect((await rest.get(at(`Messages/${sid}/Feedback.json`))).status).to.equal(405);
    const made = await call();
    expect((await rest.send('POST', at(`Calls/${String(made.body['sid'])}.json`))).status).to.equal(405);
    for (const path of [
      at('Queues.json'),
      at('Balance/x.json'),
      at(`Messages/${sid}/Media.json`),
      at(`Messages/${sid}/Media/x.json`),
      at(`Calls/${String(made.body['sid'])}/Events.json`),
      '/2010-04-01/Accounts',
      '/v1/Services',
      '/v3/Other',
    ]) {
      expect((await rest.get(path)).body['code'], path).to.equal(20404);
    }
  });
});
