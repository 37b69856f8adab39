import { expect } from 'chai';
import { validateRequest } from 'twilio/lib/webhooks/webhooks.js';
import { startTwilioEmulator, type EmulatedInbound, type TwilioEmulator } from '#lib/testing/index.js';
import { rejection, startTestServer, type TestServer } from '../local.js';
import { PHONE, restOf } from './rest.js';

const APPROVED = '+4930123456';

describe('startTwilioEmulator: inbound messages', () => {
  let twilio: TwilioEmulator;
  let gateway: TestServer;
  let answer: { status: number; type: string; body: string };
  const rest = restOf(() => twilio);
  const url = (): string => `${gateway.url}/okta/telephony/twilio/inbound`;
  const texts = (): string[] => twilio.inbox(PHONE).map(({ text }) => text);
  const write = (body: string): Promise<EmulatedInbound> => twilio.receive({ from: PHONE, body, url: url() });
  const writeWhatsApp = (body: string, to?: string): Promise<EmulatedInbound> =>
    twilio.receive({ from: PHONE, body, to, channel: 'whatsapp', url: url() });

  beforeEach(async () => {
    answer = { status: 204, type: 'text/plain', body: '' };
    twilio = await startTwilioEmulator({ senders: [`whatsapp:${APPROVED}`], callbackDelayMs: 1 });
    gateway = await startTestServer((response) => {
      response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
    });
  });
  afterEach(async () => {
    gateway.close();
    await twilio.close();
  });

  it('records an inbound message before it reports the delivery of the reply', async () => {
    let seen: readonly string[] = [];
    twilio.onDelivered(() => {
      seen = twilio.received.map(({ body }) => body);
    });
    await twilio.receive({ from: PHONE, body: 'STOP' });
    expect(seen).to.deep.equal(['STOP']);
  });

  it('posts an inbound SMS to the webhook as a signed form, and records it', async () => {
    const got = await twilio.receive({ from: PHONE, body: 'Hello?', url: `${url()}#rc=2` });
    const [request] = gateway.received;
    const params = Object.fromEntries(new URLSearchParams(request?.body ?? ''));
    expect(params).to.deep.equal({
      AccountSid: twilio.accountSid,
      ApiVersion: '2010-04-01',
      Body: 'Hello?',
      From: PHONE,
      MessageSid: got.sid,
      MessagingServiceSid: twilio.messagingServiceSid,
      NumMedia: '0',
      NumSegments: '1',
      SmsMessageSid: got.sid,
      SmsSid: got.sid,
      SmsStatus: 'received',
      To: twilio.smsNumber,
    });
    const signature = String(request?.headers['x-twilio-signature']);
    expect(validateRequest(twilio.authToken, signature, url(), params)).to.equal(true);
    expect(got).to.include({ isForwarded: true, signature, channel: 'sms', to: twilio.smsNumber });
    expect(got.params).to.deep.equal(params);
    expect(got.answer?.status).to.equal(204);
    expect(twilio.received).to.deep.equal([got]);
    expect(twilio.sign(url(), params)).to.equal(signature);
  });

  it('posts an inbound WhatsApp message with the parameters of WhatsApp, and sends no reply to STOP', async () => {
    const got = await twilio.receive({
      from: PHONE,
      to: APPROVED,
      channel: 'whatsapp',
      body: 'STOP',
      url: url(),
      params: { ButtonPayload: 'stop', ProfileName: 'Ana' },
    });
    expect(got.params).to.include({
      From: `whatsapp:${PHONE}`,
      To: `whatsapp:${APPROVED}`,
      WaId: PHONE.slice(1),
      ProfileName: 'Ana',
      ButtonPayload: 'stop',
    });
    expect(got.params).to.not.have.property('MessagingServiceSid');
    // Twilio handles no opt-out keywords on WhatsApp.
    expect(got.replies).to.deep.equal([]);
    expect(texts()).to.deep.equal([]);
  });

  it('delivers the replies of a webhook only from TwiML with status 200', async () => {
    const cases: [number, string, string, string[]][] = [
      [200, 'text/xml', '<Response><Message>One &amp; two</Message></Response>', ['One & two']],
      [
        200,
        'application/xml; charset=utf-8',
        '<?xml version="1.0"?><Response><Message><Body>A</Body></Message><Message>B</Message><Say>C</Say></Response>',
        ['A', 'B'],
      ],
      [200, 'text/xml', '<Response/>', []],
      [200, 'text/xml', '<Response>', []],
      [200, 'text/html', '<Response><Message>no</Message></Response>', []],
      [500, 'text/xml', '<Response><Message>no</Message></Response>', []],
    ];
    for (const [status, type, body, replies] of cases) {
      answer = { status, type, body };
      const before = texts().length;
      const got = await write('Hello?');
      expect(got.replies, body).to.deep.equal(replies);
      expect(texts().slice(before), body).to.deep.equal(replies);
      expect(got.answer).to.include({ status, body });
    }
  });

  it('treats STOP by SMS as an opt-out from that sender until START, and refuses its SMS with 21610', async () => {
    answer = { status: 200, type: 'text/xml', body: '<Response><Message>mine</Message></Response>' };
    const stopped = await write(' Stop ');
    expect(stopped.isForwarded).to.equal(true);
    expect(stopped.replies).to.have.length(1);
    expect(stopped.replies[0]).to.match(/START/);
    const refused = await rest.message();
    expect(refused.status).to.equal(400);
    expect(refused.body['code']).to.equal(21610);
    const byService = { From: '', MessagingServiceSid: twilio.messagingServiceSid };
    expect((await rest.message(byService)).body['code']).to.equal(21610);
    // Another sender, another phone and another channel still work.
    expect((await rest.message({ From: twilio.voiceNumber })).status).to.equal(201);
    expect((await rest.message({ To: '+12025550142' })).status).to.equal(201);
    const whatsApp = { To: `whatsapp:${PHONE}`, From: `whatsapp:${APPROVED}` };
    expect((await rest.message(whatsApp)).status).to.equal(201);
    // A repeated STOP gets no reply.
    expect((await write('END')).replies).to.deep.equal([]);
    const started = await write('unstop');
    expect(started.replies).to.have.length(2);
    expect(started.replies[1]).to.equal('mine');
    expect((await rest.message()).status).to.equal(201);
    expect((await write('YES')).replies).to.deep.equal(['mine']);
  });

  it('takes each opt-out keyword in any case, but only as the whole message', async () => {
    for (const word of ['STOP', 'STOPALL', 'unsubscribe', 'Cancel', 'END', 'QUIT', 'REVOKE', 'OPTOUT']) {
      expect((await write(word)).replies, word).to.have.length(1);
      await write('START');
    }
    expect((await write('please stop')).replies).to.deep.equal([]);
  });

  it('adds a phone to the sandbox by its join code, removes it by stop, and forwards only members', async () => {
    const stranger = await writeWhatsApp('Hello?');
    expect(stranger.isForwarded).to.equal(false);
    expect(stranger.replies).to.have.length(1);
    const joined = await writeWhatsApp(`Join ${twilio.joinCode}`);
    expect(joined.isForwarded).to.equal(false);
    expect(gateway.received).to.have.length(0);
    const sandbox = { To: `whatsapp:${PHONE}`, From: `whatsapp:${twilio.sandboxNumber}` };
    await rest.message(sandbox);
    expect(texts().at(-1)).to.equal('Your code is 204981');
    expect((await writeWhatsApp('Hello?')).isForwarded).to.equal(true);
    expect((await writeWhatsApp('stop')).isForwarded).to.equal(true);
    const before = texts().length;
    await rest.message(sandbox);
    expect(texts()).to.have.length(before);
  });

  it('sends the external user id for a hidden number, and the SID of the message that it replies to', async () => {
    const ID = 'US.13491208655302741918';
    const message = { from: PHONE, body: 'Hi', channel: 'whatsapp', to: APPROVED, url: url() } as const;
    const shown = await twilio.receive({ ...message, externalUserId: ID });
    expect(shown.params).to.include({ From: `whatsapp:${PHONE}`, WaId: PHONE.slice(1), ExternalUserId: ID });
    const hidden = await twilio.receive({
      ...message,
      ...{ externalUserId: ID, isNumberHidden: true, repliesTo: shown.sid },
    });
    expect(hidden.params).to.include({
      ...{ From: `whatsapp:${ID}`, ExternalUserId: ID },
      ...{ OriginalRepliedMessageSid: shown.sid, OriginalRepliedMessageSender: `whatsapp:${APPROVED}` },
    });
    expect(JSON.stringify(hidden.params)).to.not.include(PHONE.slice(1));
    expect((await twilio.receive(message)).params).to.not.have.any.keys(
      'ExternalUserId',
      'OriginalRepliedMessageSid',
    );
  });

  it('treats STOP by RCS as an opt-out from SMS, too', async () => {
    const rcs = { from: PHONE, channel: 'rcs', url: url() } as const;
    const { params, replies } = await twilio.receive({ ...rcs, body: 'STOP' });
    expect(params).to.include({
      From: `rcs:${PHONE}`,
      To: 'rcs:emulated_agent',
      MessagingServiceSid: twilio.messagingServiceSid,
    });
    expect(params).to.not.have.property('OptOutType');
    expect(replies).to.have.length(1);
    expect(twilio.inbox(PHONE).map(({ channel }) => channel)).to.deep.equal(['sms']);
    expect((await rest.message()).body['code']).to.equal(21610);
    await twilio.receive({ ...rcs, body: 'START' });
    expect((await rest.message()).status).to.equal(201);
  });

  it('recognises the words of Advanced Opt-Out on every channel but in the sandbox, and posts their OptOutType', async () => {
    twilio.setAdvancedOptOut({ stop: ['BASTA'], start: ['Reanudar'], help: ['SOS'] });
    twilio.joinSandbox(PHONE);
    for (const message of [
      { channel: 'sms' },
      { channel: 'rcs' },
      { channel: 'whatsapp', to: APPROVED },
    ] as const) {
      const said = async (body: string): Promise<unknown[]> => {
        const { params, replies } = await twilio.receive({ from: PHONE, body, url: url(), ...message });
        return [params['OptOutType'], params['MessagingServiceSid'], replies.length];
      };
      const service = twilio.messagingServiceSid;
      expect(await said(' basta ')).to.deep.equal(['STOP', service, 1]);
      expect(await said('REANUDAR')).to.deep.equal(['START', service, 1]);
      expect(await said('sos')).to.deep.equal(['HELP', service, 1]);
      expect(await said('UNSUBSCRIBE')).to.deep.equal(['STOP', service, 1]);
      expect(await said('START')).to.deep.equal(['START', service, 1]);
      expect(await said('please stop')).to.deep.equal([undefined, service, 0]);
    }
    expect((await writeWhatsApp('BASTA')).params).to.not.have.any.keys('OptOutType', 'MessagingServiceSid');
    await write('BASTA');
    expect((await rest.message()).body['code']).to.equal(21610);
    twilio.setAdvancedOptOut(undefined);
    expect((await write('BASTA')).params).to.not.have.property('OptOutType');
    expect(() => {
      twilio.setAdvancedOptOut({ stopp: ['BASTA'] } as never);
    }).to.throw(TypeError, 'setAdvancedOptOut() does not take stopp (did you mean stop?)');
  });

  it('replies itself to STOP without a webhook, and records no answer if the server is closed', async () => {
    const without = await twilio.receive({ from: PHONE, body: 'STOP' });
    expect(without).to.include({ isForwarded: false, signature: '', answer: undefined });
    expect(without.replies).to.have.length(1);
    gateway.close();
    const unanswered = await write('Hello?');
    expect(unanswered).to.include({ isForwarded: true, answer: undefined });
  });

  it('rejects an inbound message to a number that the account does not have for the channel', async () => {
    const inbound = { from: PHONE, body: 'Hello?' } as const;
    for (const wrong of [
      { to: '+4930999999' },
      { to: 'ACME' },
      { to: twilio.smsNumber, channel: 'whatsapp' },
      { to: twilio.smsNumber, channel: 'rcs' },
    ] as const) {
      expect(String(await rejection(twilio.receive({ ...inbound, ...wrong })))).to.include('receives no');
    }
    expect((await twilio.receive({ ...inbound, to: '+15005550006' })).params).to.not.have.property(
      'MessagingServiceSid',
    );
  });
});
