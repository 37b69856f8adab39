import { expect } from 'chai';
import { startTwilioEmulator, type TwilioEmulator } from '#lib/testing/index.js';
import { PHONE, restOf, type TwilioAnswer } from './rest.js';

const LANDLINE = '+4930123456';

describe('startTwilioEmulator: the account', () => {
  let twilio: TwilioEmulator;
  const rest = restOf(() => twilio);
  const { at, call } = rest;

  beforeEach(async () => {
    twilio = await startTwilioEmulator({ landlines: [LANDLINE] });
  });
  afterEach(() => twilio.close());

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
});
