/** Calls of the inline hook, and whether they are the hook's shape: one table for the rules and for the document. */

interface HookCallFixture {
  readonly what: string;
  /** Sent as JSON. */
  readonly body: unknown;
  readonly isValid: boolean;
}

/** Kept for fiction. */
const NUMBER = '+12025550142';
const CODE = '204981';

const message = (over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  phoneNumber: NUMBER,
  otpCode: CODE,
  deliveryChannel: 'SMS',
  ...over,
});
const call = (over: Readonly<Record<string, unknown>> = {}): object => ({
  data: { messageProfile: message(over) },
});

const taken = (what: string, body: unknown): HookCallFixture => ({ what, body, isValid: true });
const turnedAway = (what: string, body: unknown): HookCallFixture => ({ what, body, isValid: false });

const CHANNELS_TAKEN = [
  ...[
    'SMS',
    'sms',
    ' Sms ',
    'S_M_S',
    's-m\ts',
    'CALL',
    'call',
    'Voice',
    'voice call',
    'VOICE_CALL',
    'voicecall',
  ],
  ...['Phone Call', 'phone-call', '_phonecall_', 'v o i c e'],
];
const CHANNELS_TURNED_AWAY = [
  ...[
    '',
    ' ',
    'fax',
    'smss',
    'xsms',
    'sms call',
    'call voice',
    'phone',
    'phone voice',
    'email',
    'ѕms',
    'callcall',
  ],
];

export const HOOK_CALLS: readonly HookCallFixture[] = [
  taken('the least', call()),
  taken('with all that Okta sends', {
    eventId: 'q7T0aBcdS1uWxYz2345678',
    eventTime: '2026-03-01T10:00:00.000Z',
    eventType: 'com.okta.telephony.provider',
    eventTypeVersion: '1.0',
    contentType: 'application/json',
    cloudEventVersion: '0.1',
    source: 'https://acme.okta.com/api/v1/inlineHooks/calabc123XYZ0001d7',
    requestType: 'com.okta.user.telephony.mfa-verification',
    data: {
      context: { request: { id: 'reqAbCdEf123', method: 'POST', ipAddress: '203.0.113.7' } },
      userProfile: { userId: '00u1bobmontgomery001' },
      messageProfile: message({ msgTemplate: 'Your code', locale: 'EN-US' }),
    },
  }),
  taken('with fields that nobody knows', { ...call(), new: { field: [1] }, old: null }),
  taken('with other fields of other types', {
    eventId: 4711,
    eventTime: false,
    requestType: [],
    data: { userProfile: 'Bob', context: null, messageProfile: message({ locale: 7, otpExpires: {} }) },
  }),
  taken('with a number that cannot be dialled', call({ phoneNumber: '9876543210' })),
  taken('with a number without quotes', call({ phoneNumber: 12025550142 })),
  taken('with a number that is not whole', call({ phoneNumber: 1.5 })),
  taken('with a negative number', call({ phoneNumber: -5 })),
  taken('with a number of 64 characters', call({ phoneNumber: 'x'.repeat(64) })),
  taken('with a number of 64 characters, and space around it', call({ phoneNumber: ` ${'x'.repeat(64)}\n` })),
  taken('with a number that has separators and a line break', call({ phoneNumber: '+1 (202)\n555-0142' })),
  turnedAway('with a number of 65 characters', call({ phoneNumber: 'x'.repeat(65) })),
  turnedAway('with an empty number', call({ phoneNumber: '' })),
  turnedAway('with a number of spaces', call({ phoneNumber: ' \t ' })),
  turnedAway('with a number that is too large to be read', call({ phoneNumber: 1e21 })),
  turnedAway('with no number', call({ phoneNumber: undefined })),
  turnedAway('with a number that is null', call({ phoneNumber: null })),
  turnedAway('with a number that is a list', call({ phoneNumber: [NUMBER] })),
  turnedAway('with a number that is true', call({ phoneNumber: true })),

  taken('with a code without quotes', call({ otpCode: 204981 })),
  taken('with the code 0', call({ otpCode: 0 })),
  taken('with the largest code that can be read', call({ otpCode: Number.MAX_SAFE_INTEGER })),
  taken('with a code of letters, of any script', call({ otpCode: 'AB-12-éß-٣' })),
  taken('with a code of 32 characters', call({ otpCode: '7'.repeat(32) })),
  taken('with space around the code', call({ otpCode: ` ${CODE} ` })),
  turnedAway('with a code of 33 characters', call({ otpCode: '7'.repeat(33) })),
  turnedAway('with an empty code', call({ otpCode: '' })),
  turnedAway('with a code of two words', call({ otpCode: '204 981' })),
  turnedAway('with a code of other characters', call({ otpCode: '204_981' })),
  turnedAway('with a negative code', call({ otpCode: -204981 })),
  turnedAway('with a code that is not whole', call({ otpCode: 2.5 })),
  turnedAway('with a code that is too large to be read', call({ otpCode: 2 ** 53 })),
  turnedAway('with no code', call({ otpCode: undefined })),
  turnedAway('with a code that is null', call({ otpCode: null })),
  turnedAway('with a code that is an object', call({ otpCode: { code: CODE } })),

  ...CHANNELS_TAKEN.map((deliveryChannel) => taken(`by “${deliveryChannel}”`, call({ deliveryChannel }))),
  ...CHANNELS_TURNED_AWAY.map((deliveryChannel) =>
    turnedAway(`by “${deliveryChannel}”`, call({ deliveryChannel })),
  ),
  turnedAway('with no channel', call({ deliveryChannel: undefined })),
  turnedAway('with a channel that is a number', call({ deliveryChannel: 1 })),
  turnedAway('with a channel that is a list', call({ deliveryChannel: ['SMS'] })),

  turnedAway('that is a list', [call()]),
  turnedAway('that is null', null),
  turnedAway('that is a text', 'call'),
  turnedAway('that is a number', 7),
  turnedAway('that is empty', {}),
  turnedAway('whose data is a list', { data: [message()] }),
  turnedAway('whose data is null', { data: null }),
  turnedAway('whose message is a list', { data: { messageProfile: [message()] } }),
  turnedAway('whose message is not there', { data: {} }),
];
