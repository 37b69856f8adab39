import { expect } from 'chai';
import fc from 'fast-check';
import { runs } from '#harness/thoroughness.js';
import { hasOneReading } from '#lib/channels/twilio/signature.js';
import { isSignedByTwilio, signWebhook } from '#lib/channels/twilio/signature.js';
import { readInbound, readStatusCallback } from '#lib/channels/twilio/webhooks.js';

type Form = Readonly<Record<string, string>>;

const TOKEN = 'the auth token';
const URL = 'https://id.acme.com/okta/telephony/twilio/inbound';
const ANA = '+447700900123';
const EVE = '+447700900999';
const MESSAGE_SID = `SM${'0f'.repeat(16)}`;
const OTHER_SID = `SM${'1e'.repeat(16)}`;

const SMS: Form = {
  AccountSid: `AC${'0f'.repeat(16)}`,
  ApiVersion: '2010-04-01',
  Body: 'STOP',
  From: ANA,
  FromCity: 'LONDON',
  FromCountry: 'GB',
  MessageSid: MESSAGE_SID,
  NumMedia: '0',
  NumSegments: '1',
  SmsMessageSid: MESSAGE_SID,
  SmsSid: MESSAGE_SID,
  SmsStatus: 'received',
  To: '+14155550100',
  ToCountry: 'US',
};
const WHATSAPP: Form = {
  ...SMS,
  ButtonPayload: 'yes',
  ChannelMetadata: '{"type":"whatsapp","data":{"context":{"ButtonText":"Stop","ErrorCode":"1"}}}',
  ExternalUserId: 'US.13491208655302741918',
  Forwarded: 'true',
  From: `whatsapp:${ANA}`,
  MessageType: 'text',
  OriginalRepliedMessageSender: 'whatsapp:+14155550100',
  OriginalRepliedMessageSid: OTHER_SID,
  ProfileName: 'Ana',
  To: 'whatsapp:+14155550100',
  WaId: ANA.slice(1),
};
const STATUS: Form = {
  AccountSid: `AC${'0f'.repeat(16)}`,
  ApiVersion: '2010-04-01',
  ChannelInstallSid: `XE${'0f'.repeat(16)}`,
  ChannelPrefix: 'whatsapp',
  ChannelToAddress: ANA,
  ErrorCode: '63016',
  ErrorMessage: 'The Body needs a template',
  EventType: 'UNDELIVERED',
  From: 'whatsapp:+14155550100',
  MessageSid: MESSAGE_SID,
  MessageStatus: 'undelivered',
  SmsSid: MESSAGE_SID,
  SmsStatus: 'undelivered',
  To: `whatsapp:${ANA}`,
};
const CALL: Form = {
  AccountSid: `AC${'0f'.repeat(16)}`,
  ApiVersion: '2010-04-01',
  CallDuration: '9',
  CallSid: `CA${'0f'.repeat(16)}`,
  CallStatus: 'completed',
  CallbackSource: 'call-progress-events',
  Called: ANA,
  CalledCity: 'LONDON',
  Caller: '+14155550100',
  Direction: 'outbound-api',
  Duration: '1',
  From: '+14155550100',
  ParentCallSid: `CA${'1e'.repeat(16)}`,
  SequenceNumber: '3',
  SipResponseCode: '200',
  Timestamp: 'Thu, 26 Nov 2026 10:00:00 +0000',
  To: ANA,
  ToCity: 'LONDON',
};

const isSigned = (params: Form, signed: Form): boolean =>
  isSignedByTwilio({
    authTokens: [TOKEN],
    url: URL,
    signature: signWebhook({ authToken: TOKEN, url: URL, params: signed }),
    params,
  });

describe('a signed form', () => {
  for (const [what, form] of [
    ['an SMS', SMS],
    ['a WhatsApp message', WHATSAPP],
    ['a status', STATUS],
    ['a call', CALL],
    [
      'a message whose words are parameter names',
      { ...SMS, Body: 'Body lotion To go, From Rome. From 5 To 6, Forwarded' },
    ],
    ['unknown parameters', { ...SMS, ConversationSid: 'CH1', ParentMessageSid: OTHER_SID, ToCarrier: 'x' }],
    ['an empty form', {}],
  ] as const) {
    it(`passes as Twilio sends it: ${what}`, () => {
      expect(hasOneReading(form)).to.equal(true);
    });
  }

  const without = (form: Form, ...names: readonly string[]): Form =>
    Object.fromEntries(Object.entries(form).filter(([name]) => !names.includes(name)));

  for (const [what, signed, regrouped] of [
    [
      "another sender, whose number is in the message's text",
      { ...SMS, Body: `STOPFrom${ANA}FromCityx`, From: EVE },
      { ...SMS, Body: 'STOP', FromCity: `xFrom${EVE}FromCityLONDON` },
    ],
    [
      'another sender, with an unknown parameter',
      { ...SMS, Body: `STOPFrom${ANA}FromA`, From: EVE },
      { ...SMS, Body: 'STOP', FromA: `From${EVE}` },
    ],
    [
      'another sender on WhatsApp',
      { ...SMS, Body: `STOPFromwhatsapp:${ANA}FromA`, From: `whatsapp:${EVE}` },
      { ...SMS, Body: 'STOP', From: `whatsapp:${ANA}`, FromA: `Fromwhatsapp:${EVE}` },
    ],
    [
      'another sender, with a parameter that ends with From',
      { Body: `STOPFromwhatsapp:${ANA}G`, From: `whatsapp:${EVE}`, MessageSid: MESSAGE_SID },
      {
        Body: 'STOP',
        From: `whatsapp:${ANA}`,
        GFrom: `whatsapp:${EVE}`,
        MessageSid: MESSAGE_SID,
      },
    ],
    [
      "only the end of the message's text",
      { ...SMS, Body: 'please do not BodySTOP' },
      { ...SMS, ApiVersion: '2010-04-01Bodyplease do not ', Body: 'STOP' },
    ],
    [
      "a message without the message's text",
      SMS,
      { ...without(SMS, 'Body'), ApiVersion: '2010-04-01BodySTOP' },
    ],
    ['a longer text', { ...SMS, ButtonPayload: 'x' }, { ...SMS, Body: 'STOPButtonPayloadx' }],
    [
      'a message with the id of another message',
      { ...WHATSAPP },
      {
        ...without(
          WHATSAPP,
          'MessageSid',
          'MessageType',
          'NumMedia',
          'NumSegments',
          'OriginalRepliedMessageSender',
          'OriginalRepliedMessageSid',
        ),
        FromCountry: `GBMessageSid${MESSAGE_SID}MessageTypetextNumMedia0NumSegments1OriginalRepliedMessageSenderwhatsapp:+14155550100OriginalReplied`,
        MessageSid: OTHER_SID,
      },
    ],
    [
      'a reply to a message with an invalid id',
      WHATSAPP,
      {
        ...without(WHATSAPP, 'ProfileName'),
        OriginalRepliedMessageSid: `${OTHER_SID}ProfileNameAna`,
      },
    ],
    [
      'a failure whose code is part of a value',
      STATUS,
      { ...without(STATUS, 'ErrorCode'), ChannelToAddress: `${ANA}ErrorCode63016` },
    ],
    [
      'a failure whose code is part of a name',
      STATUS,
      {
        ...without(STATUS, 'ErrorCode', 'ErrorMessage'),
        ErrorCode63016ErrorMessage: 'The Body needs a template',
      },
    ],
    [
      'a failure whose code is spread over two parameters',
      { ...without(STATUS, 'ChannelToAddress') },
      {
        ...without(STATUS, 'ErrorCode', 'ChannelPrefix', 'ChannelToAddress'),
        ChannelPrefix: 'whatsappError',
        Code: '63016',
      },
    ],
    [
      'a failure with another code',
      without(STATUS, 'ErrorMessage'),
      {
        ...without(STATUS, 'ErrorMessage', 'EventType'),
        ErrorCode: '63016EventTypeUNDELIVERED',
      },
    ],
    [
      'a failure by another channel',
      STATUS,
      {
        ...without(STATUS, 'ChannelPrefix', 'ChannelToAddress'),
        ChannelInstallSid: `XE${'0f'.repeat(16)}ChannelPrefixwhatsappChannelToAddress${ANA}`,
      },
    ],
  ] as readonly (readonly [string, Form, Form])[]) {
    it(`does not pass as ${what}`, () => {
      expect(isSigned(regrouped, signed)).to.equal(true);
      expect(hasOneReading(regrouped)).to.equal(false);
    });
  }

  it('does not pass with a repeated or an invalid name', () => {
    expect(hasOneReading({ ...SMS, From: [ANA, EVE] })).to.equal(false);
    for (const name of ['', 'body', '0', 'From+44', 'Bo dy', 'A-b', '__proto__x']) {
      expect(hasOneReading({ ...SMS, [name]: 'x' }), name).to.equal(false);
    }
  });

  it('is read the same if another split of its names and values passes', () => {
    let passed = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(SMS, WHATSAPP, STATUS, CALL),
        fc.infiniteStream(fc.nat(9)),
        (form, numbers) => {
          const regrouped = regroup(form, numbers);
          if (regrouped === undefined) return;
          expect(isSigned(regrouped, form)).to.equal(true);
          if (!hasOneReading(regrouped)) return;
          passed += 1;
          expect(readInbound(regrouped)).to.deep.equal(readInbound(form));
          expect(readStatusCallback(regrouped)).to.deep.equal(readStatusCallback(form));
        },
      ),
      { numRuns: runs(2000, 100_000) },
    );
    expect(passed).to.be.above(0);
  });
});

/** Splits the same joined text differently: some parameters become part of the value before them, some names end elsewhere. */
function regroup(form: Form, numbers: Iterator<number>): Form | undefined {
  const next = (): number => Number(numbers.next().value);
  const groups: [name: string, value: string][] = [];
  for (const name of Object.keys(form).sort()) {
    const text = name + (form[name] ?? '');
    const last = groups.at(-1);
    if (last !== undefined && next() < 2) last[1] += text;
    else {
      const end = next() < 8 ? name.length : next();
      groups.push([text.slice(0, end), text.slice(end)]);
    }
  }
  const isInOrder = groups.every(([name], index) => index === 0 || name > (groups[index - 1]?.[0] ?? ''));
  return isInOrder ? Object.fromEntries(groups) : undefined;
}
