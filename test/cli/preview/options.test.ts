import { expect } from 'chai';
import { readPreviewOptions } from '#lib/cli/preview/options.js';

type Options = Readonly<Record<string, unknown>>;

const ANA = { user: 'ana@example.com' };
const DEFAULTS = {
  about: { ...ANA, requestType: 'mfa-verification', deliveryChannel: 'sms', phone: undefined },
  via: 'okta',
  hookId: undefined,
  isEdited: false,
  isPrinted: false,
  isSure: false,
};

describe('readPreviewOptions', () => {
  for (const [options, expected] of [
    [ANA, DEFAULTS],
    [
      {
        ...ANA,
        via: 'gateway',
        header: 'x-token',
        edit: true,
        print: true,
        yes: true,
        channel: 'voice',
        'request-type': 'password-reset',
        phone: '+44 7700 900199',
      },
      {
        about: {
          ...ANA,
          requestType: 'password-reset',
          deliveryChannel: 'voice',
          phone: '+447700900199',
        },
        via: 'gateway',
        hookId: undefined,
        isEdited: true,
        isPrinted: true,
        isSure: true,
      },
    ],
    [
      { payload: 'call.json', hook: 'cal1', via: 'okta' },
      { ...DEFAULTS, about: { file: 'call.json' }, hookId: 'cal1' },
    ],
  ] as const) {
    it(`reads ${JSON.stringify(options)}`, () => {
      expect(readPreviewOptions(options)).to.deep.equal(expected);
    });
  }

  for (const [options, message] of [
    [{}, 'Name a user with --user <login>, or a call with --payload <file>.'],
    [
      { ...ANA, hook: 'cal1', via: 'gateway' },
      '--hook names a hook at Okta, but --via gateway does not use Okta.',
    ],
    [{ ...ANA, header: 'x' }, '--header is for --via gateway only.'],
    [{ ...ANA, via: 'pigeon' }, '--via takes one of okta, gateway.'],
    [{ ...ANA, channel: 'fax' }, '--channel takes one of sms, voice.'],
    [
      { ...ANA, 'request-type': 'login' },
      '--request-type takes one of mfa-verification, pre-enrollment, account-unlock, password-reset.',
    ],
    [
      { ...ANA, phone: '07700900199' },
      '--phone takes a number in E.164 form: + and digits, the country code first. The value does not begin with + and the country code.',
    ],
    [
      { ...ANA, phone: '+49 151 5' },
      '--phone takes a number in E.164 form: + and digits, the country code first. The value is too short.',
    ],
    ...['user', 'request-type', 'channel', 'phone'].map((name): [Options, string] => [
      { payload: 'call.json', [name]: 'x' },
      `--payload is a whole call: remove --${name}.`,
    ]),
    [
      { payload: 'call.json', ...ANA, channel: 'sms' },
      '--payload is a whole call: remove --user, --channel.',
    ],
  ] as readonly (readonly [Options, string])[]) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      expect(() => readPreviewOptions(options))
        .to.throw()
        .that.includes({
          exitCode: 2,
          code: 'BAD_USE',
          message: `preview: ${message}`,
          remedy: 'okta-telephony-hook preview --help lists the options.',
        });
    });
  }
});
