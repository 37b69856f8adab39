import { expect } from 'chai';
import { Agent } from 'undici';
import { awsSms, lineChannel, vonageChannel, vonageVoice, whatsAppCloud } from '#lib/channels/index.js';
import { ERRORS as AWS_ERRORS } from '#lib/channels/aws/error-codes.js';
import { ERRORS as META_ERRORS } from '#lib/channels/meta/error-codes.js';
import { ERRORS as VONAGE_ERRORS } from '#lib/channels/vonage/error-codes.js';
import type { Channel } from '#lib/channels/channel.js';
import type { RefusalMeaning } from '#lib/channels/provider.js';
import { withEffect, type Outcome, type Refusal } from '#lib/core/channel.js';
import { startAwsEmulator, startMetaEmulator } from '#lib/testing/index.js';
import { ANA } from '#harness/scene.js';
import { witness } from '#harness/witness.js';
import { startLineEmulator } from './line/emulator.js';
import { sendBy } from './message.js';
import { startVonageEmulator, type VonageEmulator } from './vonage/emulator.js';

/** What a code means, with its remedy, is in docs/reference/provider-codes.md, which a test compares with the code. */
type Table = Readonly<Record<string, RefusalMeaning>>;

/** An answer, its code, and a code of the table with the same meaning, or a reason that no table has. */
type Row = readonly [
  status: number,
  says: string,
  code: string,
  meaning: string | Pick<Refusal, 'reason' | 'moveOn'>,
];

const VONAGE: Table = Object.assign({}, ...Object.values(VONAGE_ERRORS));
const REFUSED_BY_VONAGE = { reason: 'Refused by Vonage', moveOn: true };
const VONAGE_ROWS: readonly Row[] = [
  ...Object.keys(VONAGE).map((code): Row => [422, code.toLowerCase().replaceAll('_', '-'), code, code]),
  [401, '', 'HTTP_401', 'UNAUTHORIZED'],
  [402, '', 'HTTP_402', 'LOW_BALANCE'],
  [403, '', 'HTTP_403', 'FORBIDDEN'],
  [422, '', 'HTTP_422', '1010'],
  [429, '', 'HTTP_429', 'THROTTLED'],
  [503, '', 'HTTP_503', { reason: 'Vonage is not available', moveOn: true }],
  [404, 'Not Found', 'HTTP_404', REFUSED_BY_VONAGE],
  [400, '1999', '1999', REFUSED_BY_VONAGE],
  [400, 'words-that-are-new', 'HTTP_400', REFUSED_BY_VONAGE],
  // Every object inherits it; it is not an error.
  [400, 'constructor', 'HTTP_400', REFUSED_BY_VONAGE],
];

const { 'Reported later, by an event': _events, ...AWS_REFUSALS } = AWS_ERRORS;
const AWS: Table = Object.assign({}, ...Object.values(AWS_REFUSALS));
const WRONG_NUMBER = 'INVALID_DESTINATION_PHONE_NUMBER';
const AWS_ROWS: readonly Row[] = [
  // An exception, or the reason of one.
  ...Object.keys(AWS).map((code): Row => {
    const isException = /[a-z]/.test(code);
    return [400, isException ? code : `ConflictException ${code}`, code, code];
  }),
  [403, 'UnrecognizedClientException', 'UnrecognizedClientException', 'UnrecognizedClientException'],
  [429, 'ThrottlingException', 'ThrottlingException', 'ThrottlingException'],
  [400, 'AccessDeniedException A_NEW_REASON', 'AccessDeniedException', 'AccessDeniedException'],
  [400, 'ValidationException A_NEW_REASON MessageBody', 'ValidationException', 'ValidationException'],
  [400, 'ValidationException INVALID_PARAMETER DestinationPhoneNumber', WRONG_NUMBER, WRONG_NUMBER],
  [400, 'ValidationException A_NEW_REASON DestinationPhoneNumber', WRONG_NUMBER, WRONG_NUMBER],
  // As AWS names it with its namespace and its documentation.
  [
    400,
    'com.amazon.coral#ThrottlingException:http://internal.amazon.com/coral/',
    'ThrottlingException',
    'ThrottlingException',
  ],
];

const META: Table = Object.assign({}, ...Object.values(META_ERRORS));
const REFUSED_BY_META = { reason: 'Refused by Meta', moveOn: true };
/** After these the message may have gone out, unless Meta says that it has not. */
const META_UNCERTAIN = ['1', '131000', '135000'];
const META_ROWS: readonly Row[] = [
  ...Object.keys(META)
    .filter((code) => !META_UNCERTAIN.includes(code))
    .map((code): Row => [400, code, code, code]),
  // Meta's permissions have a range of codes.
  [400, '299', '299', '200'],
  [400, '300', '300', REFUSED_BY_META],
  [400, '199', '199', REFUSED_BY_META],
  [400, '', 'HTTP_400', REFUSED_BY_META],
  // The status decides only for an error that is not in the table.
  [401, '', 'HTTP_401', '190'],
  [401, '99', '99', '190'],
  [403, '', 'HTTP_403', '200'],
  [404, '132001', '132001', '132001'],
  [429, '', 'HTTP_429', '4'],
  [503, '2', '2', '2'],
];

const LINE_ROWS: readonly Row[] = (
  [
    [400, 'Failed to send messages', 'LINE knows no such user of this account', true],
    [400, 'The request body has 1 error(s)', 'LINE does not accept the user id or the text', true],
    [401, 'Authentication failed', 'LINE does not accept the channel access token', 'other-provider'],
    [403, 'Not authorized', 'The LINE account may not send push messages', 'other-provider'],
    [404, 'Not found', 'Refused by LINE', true],
    [
      429,
      'You have reached your monthly limit.',
      'The messages of the LINE account for this month are used up',
      true,
    ],
    [429, 'The API rate limit has been exceeded', 'Too many requests to LINE at once', true],
    [503, 'Unavailable', 'LINE is not available', true],
  ] as const
).map(([status, says, reason, moveOn]) => [status, says, `HTTP_${status}`, { reason, moveOn }]);

/** Meta's errors name their trace, AWS's and LINE's answers their request. */
const REQUEST_ID = 'AXsgnV2Cm3ZMGF3dF_cfYIn';

/** A channel with its emulated provider. */
interface Provider {
  readonly channel: Channel;
  /** The provider answers the next request with this status and this error. */
  readonly refuse: (status: number, says: string) => void;
  close(): Promise<void>;
}

const refuseByVonage =
  (vonage: VonageEmulator): Provider['refuse'] =>
  (status, error) => {
    vonage.refuseWith({ status, error, times: 1 });
  };

const PROVIDERS: Readonly<
  Record<
    string,
    {
      readonly table: Table;
      readonly rows: readonly Row[];
      readonly mountedAs?: string;
      readonly hasRequestId?: boolean;
      readonly open: () => Promise<Provider>;
    }
  >
> = {
  Vonage: {
    table: VONAGE,
    rows: VONAGE_ROWS,
    open: async () => {
      const vonage = await startVonageEmulator();
      const { apiKey, apiSecret, number, baseUrl } = vonage;
      const channel = vonageChannel({ apiKey, apiSecret, from: number, baseUrl });
      return { channel, refuse: refuseByVonage(vonage), close: () => vonage.close() };
    },
  },
  'Vonage for calls': {
    table: VONAGE,
    rows: VONAGE_ROWS,
    mountedAs: 'voice',
    open: async () => {
      const vonage = await startVonageEmulator();
      const channel = vonageVoice({ ...vonage.credential, from: vonage.number });
      return { channel, refuse: refuseByVonage(vonage), close: () => vonage.close() };
    },
  },
  AWS: {
    table: AWS,
    rows: AWS_ROWS,
    hasRequestId: true,
    open: async () => {
      const aws = await startAwsEmulator();
      return {
        channel: awsSms(aws.credential),
        refuse: (status, says) => {
          const [type, reason, field] = says.split(' ');
          const headers = { 'x-amzn-requestid': REQUEST_ID };
          const body = { __type: type, Reason: reason, Fields: field && [{ Name: field }] };
          aws.fault({ fault: { kind: 'status', status, body, headers }, times: 1 });
        },
        close: () => aws.close(),
      };
    },
  },
  Meta: {
    table: META,
    rows: META_ROWS,
    hasRequestId: true,
    open: async () => {
      const meta = await startMetaEmulator();
      return {
        channel: whatsAppCloud(meta.credential),
        refuse: (status, says) => {
          const code = says === '' ? undefined : Number(says);
          const error = { message: `(#${says}) to ${ANA.phone}`, type: 'OAuthException', code };
          const body = { error: { ...error, fbtrace_id: REQUEST_ID } };
          meta.fault({ fault: { kind: 'status', status, body }, times: 1 });
        },
        close: () => meta.close(),
      };
    },
  },
  LINE: {
    table: {},
    rows: LINE_ROWS,
    hasRequestId: true,
    open: async () => {
      const line = await startLineEmulator();
      return {
        channel: lineChannel({ channelAccessToken: line.channelAccessToken, baseUrl: line.baseUrl }),
        refuse: (status, message) => {
          const headers = { 'x-line-request-id': REQUEST_ID };
          line.fault({ fault: { kind: 'status', status, body: { message }, headers }, times: 1 });
        },
        close: () => line.close(),
      };
    },
  },
};

describe('a refusal', () => {
  for (const [name, { table, rows, mountedAs = 'texts', hasRequestId, open }] of Object.entries(PROVIDERS)) {
    it(`of ${name} has the code and the meaning of its error, for every known error`, async () => {
      const dispatcher = new Agent();
      const provider = await open();
      try {
        for (const [status, says, code, meaning] of rows) {
          provider.refuse(status, says);
          const outcome: Outcome = await sendBy(provider.channel, mountedAs, dispatcher);
          witness(outcome);
          const known: Partial<Refusal> =
            typeof meaning === 'string' ? withEffect(table[meaning] ?? expect.fail(code)) : meaning;
          const { isFraudBlock, isNotReached } = known;
          expect(
            { isFraudBlock: undefined, isNotReached: undefined, ...outcome },
            `${status} ${says}`,
          ).to.deep.include({ status: 'refused', code, ...known, isFraudBlock, isNotReached });
          expect(outcome.providerRequestId).to.equal(hasRequestId === true ? REQUEST_ID : undefined);
        }
      } finally {
        await Promise.all([dispatcher.close(), provider.close()]);
      }
    });
  }
});
