/** Valid and invalid calls of the inline hook: one table for the code and for the OpenAPI document. */

interface HookCallFixture {
  readonly what: string;
  /** Sent as JSON. */
  readonly body: unknown;
  readonly isValid: boolean;
}

/** A number reserved for fiction. */
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

const valid = (what: string, body: unknown): HookCallFixture => ({ what, body, isValid: true });
const invalid = (what: string, body: unknown): HookCallFixture => ({ what, body, isValid: false });

const VALID_CHANNELS = [
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
const INVALID_CHANNELS = [
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
  valid('with the required fields only', call()),
  valid('with all that Okta sends', {
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
  valid('with unknown fields', { ...call(), new: { field: [1] }, old: null }),
  valid('with optional fields of unexpected types', {
    eventId: 4711,
    eventTime: false,
    requestType: [],
    data: { userProfile: 'Bob', context: null, messageProfile: message({ locale: 7, otpExpires: {} }) },
  }),
  valid('with a number that cannot be dialled', call({ phoneNumber: '9876543210' })),
  valid('with a number without quotes', call({ phoneNumber: 12025550142 })),
  valid('with a number that is not whole', call({ phoneNumber: 1.5 })),
  valid('with a negative number', call({ phoneNumber: -5 })),
  valid('with a number of 64 characters', call({ phoneNumber: 'x'.repeat(64) })),
  valid('with a number of 64 characters, and space around it', call({ phoneNumber: ` ${'x'.repeat(64)}\n` })),
  valid('with a number that has separators and a line break', call({ phoneNumber: '+1 (202)\n555-0142' })),
  invalid('with a number of 65 characters', call({ phoneNumber: 'x'.repeat(65) })),
  invalid('with an empty number', call({ phoneNumber: '' })),
  invalid('with a number of spaces', call({ phoneNumber: ' \t ' })),
  invalid('with a number that is too large to be read', call({ phoneNumber: 1e21 })),
  invalid('with no number', call({ phoneNumber: undefined })),
  invalid('with a number that is null', call({ phoneNumber: null })),
  invalid('with a number that is a list', call({ phoneNumber: [NUMBER] })),
  invalid('with a number that is true', call({ phoneNumber: true })),

  valid('with a code without quotes', call({ otpCode: 204981 })),
  valid('with the code 0', call({ otpCode: 0 })),
  valid('with the largest code that can be read', call({ otpCode: Number.MAX_SAFE_INTEGER })),
  valid('with a code of letters, of any script', call({ otpCode: 'AB-12-éß-٣' })),
  valid('with a code of 32 characters', call({ otpCode: '7'.repeat(32) })),
  valid('with space around the code', call({ otpCode: ` ${CODE} ` })),
  invalid('with a code of 33 characters', call({ otpCode: '7'.repeat(33) })),
  invalid('with an empty code', call({ otpCode: '' })),
  invalid('with a code of two words', call({ otpCode: '204 981' })),
  invalid('with a code of other characters', call({ otpCode: '204_981' })),
  invalid('with a negative code', call({ otpCode: -204981 })),
  invalid('with a code that is not whole', call({ otpCode: 2.5 })),
  invalid('with a code that is too large to be read', call({ otpCode: 2 ** 53 })),
  invalid('with no code', call({ otpCode: undefined })),
  invalid('with a code that is null', call({ otpCode: null })),
  invalid('with a code that is an object', call({ otpCode: { code: CODE } })),

  ...VALID_CHANNELS.map((deliveryChannel) => valid(`by “${deliveryChannel}”`, call({ deliveryChannel }))),
  ...INVALID_CHANNELS.map((deliveryChannel) => invalid(`by “${deliveryChannel}”`, call({ deliveryChannel }))),
  invalid('with no channel', call({ deliveryChannel: undefined })),
  invalid('with a channel that is a number', call({ deliveryChannel: 1 })),
  invalid('with a channel that is a list', call({ deliveryChannel: ['SMS'] })),

  invalid('that is a list', [call()]),
  invalid('that is null', null),
  invalid('that is a text', 'call'),
  invalid('that is a number', 7),
  invalid('that is empty', {}),
  invalid('whose data is a list', { data: [message()] }),
  invalid('whose data is null', { data: null }),
  invalid('whose message is a list', { data: { messageProfile: [message()] } }),
  invalid('without a message', { data: {} }),
];
