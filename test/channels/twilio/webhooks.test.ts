import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { isSignedByTwilio, type FormFields } from '#lib/channels/twilio/signature.js';
import { readInbound, readStatusCallback } from '#lib/channels/twilio/webhooks.js';

const URL = 'https://id.acme.com/okta/telephony/twilio/status';
const TOKEN = 'the auth token';
const MESSAGE_SID = `SM${'0f'.repeat(16)}`;
const CALL_SID = `CA${'0f'.repeat(16)}`;

/** Signs as Twilio's docs describe, without its SDK: the URL, then names and values sorted by name. */
function sign(token: string, url: string, params: FormFields): string {
  const names = Object.keys(params).sort();
  const text = names.map((name) => name + [params[name] ?? ''].flat().join(name)).join('');
  return createHmac('sha1', token)
    .update(url + text)
    .digest('base64');
}

describe('isSignedByTwilio', () => {
  const params = {
    To: 'whatsapp:+447700900123',
    MessageSid: MESSAGE_SID,
    MessageStatus: 'delivered',
    A: 'é',
  };
  const signature = sign(TOKEN, URL, params);

  it('is true for a signature by any of the tokens', () => {
    expect(isSignedByTwilio({ authTokens: [TOKEN], url: URL, signature, params })).to.equal(true);
    expect(isSignedByTwilio({ authTokens: ['current', TOKEN], url: URL, signature, params })).to.equal(true);
  });

  it('is true for a form with a repeated name', () => {
    const twice = { Name: ['a', 'b'], MessageSid: MESSAGE_SID };
    const signed = sign(TOKEN, URL, twice);
    expect(isSignedByTwilio({ authTokens: [TOKEN], url: URL, signature: signed, params: twice })).to.equal(
      true,
    );
  });

  const forged: [string, Partial<Parameters<typeof isSignedByTwilio>[0]>][] = [
    ['an empty signature', { signature: '' }],
    ['a signature of another length', { signature: 'AAAA' }],
    ['a signature that is not base64', { signature: '\u{1f600}'.repeat(7) }],
    ['another signature', { signature: sign('another', URL, params) }],
    ['a changed value', { params: { ...params, MessageStatus: 'failed' } }],
    ['an added name', { params: { ...params, More: '1' } }],
    ['another URL', { url: 'https://evil.example/okta/telephony/twilio/status' }],
    ['an invalid URL', { url: 'nonsense' }],
    ['no token', { authTokens: [] }],
    ['an empty token', { authTokens: [''], signature: sign('x', URL, params) }],
  ];
  for (const [title, change] of forged) {
    it(`is false for ${title}`, () => {
      const parts = { authTokens: [TOKEN], url: URL, signature, params, ...change };
      expect(isSignedByTwilio(parts)).to.equal(false);
    });
  }

  it('is false for a signature by an empty token, even if the empty token is set', () => {
    const signed = createHmac('sha1', '').update(URL).digest('base64');
    expect(isSignedByTwilio({ authTokens: [''], url: URL, signature: signed, params: {} })).to.equal(false);
  });
});

describe('readStatusCallback', () => {
  const sms = { MessageSid: MESSAGE_SID, MessageStatus: 'delivered', To: '+447700900123', From: 'ACME' };

  it('reads the status of an SMS', () => {
    expect(readStatusCallback(sms)).to.deep.equal({
      transactionId: MESSAGE_SID,
      channel: 'sms',
      to: '+447700900123',
      externalUserId: undefined,
      status: 'delivered',
      providerCode: undefined,
      meaning: undefined,
      report: { status: 'delivered' },
    });
  });

  it('reads the error code of a failed WhatsApp message, with its meaning', () => {
    const failed = { ...sms, MessageStatus: 'undelivered', To: 'whatsapp:+447700900123', ErrorCode: '63024' };
    expect(readStatusCallback(failed)).to.deep.equal({
      transactionId: MESSAGE_SID,
      channel: 'whatsapp',
      to: '+447700900123',
      externalUserId: undefined,
      status: 'undelivered',
      providerCode: '63024',
      meaning: 'The recipient cannot get this on WhatsApp',
      report: {
        status: 'failed',
        code: '63024',
        reason: 'The recipient cannot get this on WhatsApp',
        remedy:
          'Nothing, if another channel sent the code. If none did, the user needs another one, such as SMS.',
        moveOn: true,
        isNotReached: true,
      },
    });
  });

  for (const mark of [
    { From: 'whatsapp:+14155238886' },
    { ChannelPrefix: 'whatsapp' },
    { To: 'WhatsApp:+447700900123' },
    { ChannelPrefix: 'WhatsApp' },
  ]) {
    it(`recognises WhatsApp by ${JSON.stringify(mark)}`, () => {
      expect(readStatusCallback({ ...sms, ...mark })?.channel).to.equal('whatsapp');
    });
  }

  for (const mark of [
    { From: 'rcs:acme_agent' },
    { To: 'RCS:+447700900123' },
    { ChannelPrefix: 'rcs' },
    { ChannelPrefix: 'RCS' },
  ]) {
    it(`recognises RCS by ${JSON.stringify(mark)}`, () => {
      expect(readStatusCallback({ ...sms, ...mark })?.channel).to.equal('rcs');
    });
  }

  for (const From of ['messenger:acme', 'rcs', 'arcs:acme', '+447700900123']) {
    it(`takes a message from ${From} for an SMS`, () => {
      expect(readStatusCallback({ ...sms, From })?.channel).to.equal('sms');
    });
  }

  it('reads the recipient of an RCS message, and the ExternalUserId of a WhatsApp user', () => {
    expect(readStatusCallback({ ...sms, To: 'rcs:+447700900123', From: 'rcs:acme_agent' })).to.include({
      channel: 'rcs',
      to: '+447700900123',
    });
    const both = { ...sms, To: 'whatsapp:+447700900123', ExternalUserId: 'US.13491208655302741918' };
    expect(readStatusCallback(both)).to.include({
      to: '+447700900123',
      externalUserId: 'US.13491208655302741918',
    });
  });

  it('reads the status of a call', () => {
    expect(readStatusCallback({ CallSid: CALL_SID, CallStatus: 'no-answer', To: '+1' })).to.include({
      transactionId: CALL_SID,
      channel: 'voice',
      status: 'no-answer',
    });
  });

  it('reads the older names, and the first value of a repeated name', () => {
    const older = { SmsSid: [MESSAGE_SID, 'x'], SmsStatus: ['sent', 'failed'] };
    expect(readStatusCallback(older)).to.include({ transactionId: MESSAGE_SID, status: 'sent' });
  });

  const codes: [string, string | undefined][] = [
    ['30003', '30003'],
    [' 572005 ', '572005'],
    ['InvalidSandboxRequest', 'InvalidSandboxRequest'],
    ['', undefined],
    ['0', undefined],
    ['+447700900123', undefined],
    ['<b>bad 447700900123</b>', 'bbadb'],
    ['x30003', 'x'],
    ['30003x', 'x'],
    ['1234567', undefined],
    ['A'.repeat(41), 'A'.repeat(40)],
    ['é'.repeat(9), undefined],
  ];
  for (const [text, code] of codes) {
    it(`reads ${code ?? 'no code'} from the error code ${JSON.stringify(text)}`, () => {
      expect(readStatusCallback({ ...sms, ErrorCode: text })?.providerCode).to.equal(code);
    });
  }

  const neither: [string, FormFields][] = [
    ['nothing', {}],
    ['an id of another shape', { ...sms, MessageSid: '../x' }],
    ['no status', { MessageSid: MESSAGE_SID }],
    ['a status with a number before it', { ...sms, MessageStatus: '447700900123sent' }],
    ['a status of several words', { ...sms, MessageStatus: 'sent to +447700900123' }],
    ['the status of a message with the id of a call', { CallSid: CALL_SID, MessageStatus: 'sent' }],
    ['a name without values', { MessageSid: [], MessageStatus: 'sent' }],
    ['inherited names', Object.create(sms) as FormFields],
  ];
  for (const [title, params] of neither) {
    it(`returns undefined for ${title}`, () => {
      expect(readStatusCallback(params)).to.equal(undefined);
    });
  }
});

describe('readInbound', () => {
  const written = { MessageSid: MESSAGE_SID, Body: 'STOP', From: '+447700900123' };
  const ID = 'US.13491208655302741918';

  for (const [form, expected] of [
    [{}, { channel: 'sms', from: '+447700900123', externalUserId: undefined }],
    [{ From: 'whatsapp:+447700900123' }, { channel: 'whatsapp', from: '+447700900123' }],
    [{ From: 'RCS:+447700900123' }, { channel: 'rcs', from: '+447700900123' }],
    [{ From: `whatsapp:${ID}` }, { channel: 'whatsapp', from: undefined, externalUserId: ID }],
    [{ From: 'whatsapp:DE.ENT.a1B2' }, { from: undefined, externalUserId: 'DE.ENT.a1B2' }],
    [
      { From: 'whatsapp:+447700900123', ExternalUserId: ID },
      { from: '+447700900123', externalUserId: ID },
    ],
    [{ ExternalUserIdentifier: ID }, { from: '+447700900123', externalUserId: ID }],
    [{ ExternalUserId: '+447700900123' }, { externalUserId: undefined }],
    [{ OriginalRepliedMessageSid: MESSAGE_SID }, { repliedTo: MESSAGE_SID }],
    [{ OriginalRepliedMessageSid: '../x' }, { repliedTo: undefined }],
  ] as const) {
    it(`reads ${JSON.stringify(form)}`, () => {
      expect(readInbound({ ...written, ...form })).to.include(expected);
    });
  }

  for (const From of [
    ...['', '12345', 'whatsapp:12345', 'whatsapp:us.1', 'whatsapp:US.', `whatsapp:US.${'1'.repeat(129)}`],
    ...['US.13491208655302741918', 'rcs:US.13491208655302741918', 'rcs:acme', 'messenger:+447700900123'],
  ]) {
    it(`returns undefined for a message from ${JSON.stringify(From)}`, () => {
      expect(readInbound({ ...written, From })).to.equal(undefined);
    });
  }
});
