import { expect } from 'chai';
import { Agent } from 'undici';
import { awsSms, lineChannel, vonageChannel, vonageVoice, whatsAppCloud } from '#lib/channels/index.js';
import type { MoveOn, Outcome } from '#lib/core/channel.js';
import { startAwsEmulator } from '#lib/testing/index.js';
import { ANA } from '#harness/scene.js';
import { witness } from '#harness/witness.js';
import { startMetaEmulator } from '#lib/testing/index.js';
import { startLineEmulator } from './line/emulator.js';
import { sendBy } from './message.js';
import { startVonageEmulator } from './vonage/emulator.js';

/** One reason of a refusal, its effect on the plan, and every error that has it. */
interface Row {
  readonly reason: string;
  readonly moveOn: MoveOn;
  readonly isFraudBlock?: true;
  readonly isNotReached?: true;
  readonly providerRequestId?: string;
  /** What the remedy must name. Default: anything. */
  readonly remedy?: RegExp;
  /** The status, the error in the provider's answer, and the code that the channel makes of both. */
  readonly errors: readonly (readonly [status: number, says: string, code: string])[];
}

/** Errors of Vonage's Messages API that come with 422. The error's number is the code. */
const numbered = (...codes: readonly number[]): Row['errors'] =>
  codes.map((code) => [422, String(code), String(code)]);

const CREDENTIALS = /vonageChannel's credentials/;
const ACCOUNT = /the account's state and balance/;
const SENDER = /vonageChannel's from/;
/** Meta's errors name their trace. */
const TRACE = 'AXsgnV2Cm3ZMGF3dF_cfYIn';
/** LINE's own answers name their request. */
const REQUEST_ID = '5f1c2a70-6c0d-4b5e-9d43-0b7f6f0c1e52';

const VONAGE: readonly Row[] = [
  {
    reason: 'Vonage does not accept the credentials',
    moveOn: 'other-provider',
    remedy: CREDENTIALS,
    errors: [
      [401, 'unauthorized', 'UNAUTHORIZED'],
      [401, 'jwt-expired', 'JWT_EXPIRED'],
      [401, 'jwt-revoked', 'JWT_REVOKED'],
      [401, '', 'HTTP_401'],
    ],
  },
  {
    reason: 'The Vonage account has no credit left',
    moveOn: 'other-provider',
    remedy: ACCOUNT,
    errors: [[402, 'low-balance', 'LOW_BALANCE'], [402, '', 'HTTP_402'], ...numbered(1070)],
  },
  {
    reason: 'The Vonage account may not send this',
    moveOn: 'other-provider',
    remedy: ACCOUNT,
    errors: [
      [403, 'forbidden', 'FORBIDDEN'],
      [403, 'unprovisioned', 'UNPROVISIONED'],
      [403, 'account-suspended', 'ACCOUNT_SUSPENDED'],
      [403, '', 'HTTP_403'],
      ...numbered(1060, 1080),
    ],
  },
  {
    reason: 'Too many requests to Vonage at once',
    moveOn: true,
    remedy: /throughput/,
    errors: [[429, 'throttled', 'THROTTLED'], [429, '', 'HTTP_429'], ...numbered(1000)],
  },
  { reason: 'A fault at Vonage', moveOn: true, errors: numbered(1030) },
  { reason: 'Vonage is not available', moveOn: true, errors: [[503, '', 'HTTP_503']] },
  {
    reason: 'The Vonage account may not use this channel',
    moveOn: true,
    remedy: ACCOUNT,
    errors: numbered(1140),
  },
  {
    reason: 'A trial account sends to approved numbers only',
    moveOn: 'other-provider',
    remedy: /Top up/,
    errors: numbered(1160),
  },
  { reason: 'A fault at the network that Vonage uses', moveOn: true, errors: numbered(1331) },
  {
    reason: "The sender's daily limit is used up",
    moveOn: true,
    remedy: /throughput/,
    errors: numbered(1460),
  },
  {
    reason: 'Vonage has no route to this number',
    moveOn: true,
    errors: numbered(1040, 1250, 1251, 1260),
  },
  { reason: 'Vonage sends nothing to this number', moveOn: true, errors: numbered(1050) },
  { reason: 'Not a valid phone number', moveOn: false, errors: numbered(1170) },
  {
    reason: 'The recipient has opted out of messages from this sender',
    moveOn: 'other-channel',
    remedy: /START/,
    errors: numbered(1240),
  },
  { reason: 'Too many messages to this number', moveOn: true, errors: numbered(1241) },
  { reason: 'The recipient is not on this channel', moveOn: true, errors: numbered(1300) },
  { reason: 'The number cannot be reached by this channel', moveOn: true, errors: numbered(1430) },
  {
    reason: "Blocked by Vonage's protection against fraud",
    moveOn: false,
    isFraudBlock: true,
    remedy: /Fraud Defender/,
    errors: numbered(1470, 1472, 1473),
  },
  {
    reason: 'Vonage does not accept the request',
    moveOn: true,
    remedy: /report this/,
    errors: [[422, '', 'HTTP_422'], ...numbered(1010, 1020, 1130, 1150, 1400, 1410, 1440, 1450)],
  },
  {
    reason: 'Vonage does not accept the template',
    moveOn: true,
    remedy: /vonageChannel's template/,
    errors: numbered(1022),
  },
  { reason: 'Vonage does not accept the sender', moveOn: true, remedy: SENDER, errors: numbered(1120, 1420) },
  { reason: 'Blocked as spam', moveOn: true, errors: numbered(1210) },
  {
    reason: 'Free text outside the hours after the recipient last wrote',
    moveOn: true,
    remedy: /vonageChannel's template/,
    errors: numbered(1340),
  },
  {
    reason: "The recipient's country does not allow this sender or text",
    moveOn: true,
    remedy: SENDER,
    errors: numbered(1480, 1481, 1482, 1483, 1484),
  },
  {
    reason: 'Refused by Vonage',
    moveOn: true,
    errors: [
      [404, 'Not Found', 'HTTP_404'],
      [400, '1999', '1999'],
      [400, 'words-that-are-new', 'HTTP_400'],
      // Every object inherits it; it is not an error.
      [400, 'constructor', 'HTTP_400'],
    ],
  },
];

/** Exceptions of AWS, each with its reason or without one. The code is the reason, else the exception. */
const exceptions = (type: string, ...reasons: readonly string[]): Row['errors'] =>
  reasons.length === 0
    ? [[400, type, type]]
    : reasons.map((reason) => [400, `${type} ${reason}`, reason] as const);

const NEW_REASON = 'A_REASON_THAT_IS_NEW';

const AWS: readonly Row[] = [
  {
    reason: 'AWS does not accept the credentials',
    moveOn: 'other-provider',
    remedy: /awsSms's credentials/,
    errors: [
      ...exceptions('ExpiredTokenException'),
      ...exceptions('IncompleteSignature'),
      ...exceptions('InvalidClientTokenId'),
      ...exceptions('InvalidSignatureException'),
      ...exceptions('MissingAuthenticationToken'),
      ...exceptions('MissingAuthenticationTokenException'),
      ...exceptions('RequestExpired'),
      [403, 'UnrecognizedClientException', 'UnrecognizedClientException'],
    ],
  },
  {
    reason: 'The credentials may not send this message',
    moveOn: 'other-provider',
    remedy: /sms-voice:SendTextMessage/,
    errors: [
      ...exceptions('AccessDeniedException'),
      [400, `AccessDeniedException ${NEW_REASON}`, 'AccessDeniedException'],
      [403, 'AccessDeniedException', 'AccessDeniedException'],
    ],
  },
  {
    reason: 'The AWS account may not send messages',
    moveOn: 'other-provider',
    errors: exceptions('AccessDeniedException', 'ACCOUNT_DISABLED', 'INSUFFICIENT_ACCOUNT_REPUTATION'),
  },
  {
    reason: 'The monthly spending limit of the AWS account is reached',
    moveOn: 'other-provider',
    errors: exceptions(
      'ServiceQuotaExceededException',
      'MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT',
      'MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS',
    ),
  },
  {
    reason: 'A quota of the AWS account is used up',
    moveOn: 'other-provider',
    errors: exceptions('ServiceQuotaExceededException'),
  },
  {
    reason: 'Too many requests to AWS at once',
    moveOn: true,
    errors: [
      ...exceptions('ThrottlingException'),
      // As AWS names it with its namespace and its documentation.
      [400, 'com.amazon.coral#ThrottlingException:http://internal.amazon.com/coral/', 'ThrottlingException'],
      [429, 'ThrottlingException', 'ThrottlingException'],
    ],
  },
  {
    reason: 'Not a valid phone number',
    moveOn: false,
    errors: [
      [
        400,
        'ValidationException INVALID_PARAMETER DestinationPhoneNumber',
        'INVALID_DESTINATION_PHONE_NUMBER',
      ],
      [400, `ValidationException ${NEW_REASON} DestinationPhoneNumber`, 'INVALID_DESTINATION_PHONE_NUMBER'],
    ],
  },
  {
    reason: 'The recipient has opted out of messages from this sender',
    moveOn: 'other-channel',
    errors: exceptions('ConflictException', 'DESTINATION_PHONE_NUMBER_OPTED_OUT'),
  },
  {
    reason: 'An account in the AWS sandbox sends to verified numbers only',
    moveOn: 'other-provider',
    remedy: /production access/,
    errors: exceptions('ConflictException', 'DESTINATION_PHONE_NUMBER_NOT_VERIFIED'),
  },
  {
    reason: "Blocked by AWS's protection against fraud",
    moveOn: false,
    isFraudBlock: true,
    remedy: /protect configuration/,
    errors: exceptions(
      'ConflictException',
      'DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE',
      'DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION',
    ),
  },
  {
    reason: "The AWS account may not send to the recipient's country",
    moveOn: true,
    errors: exceptions('ValidationException', 'DESTINATION_COUNTRY_BLOCKED', 'COUNTRY_NOT_ENABLED'),
  },
  {
    reason: "The sender may not send to the recipient's country",
    moveOn: true,
    errors: [
      ...exceptions(
        'ValidationException',
        'INTERNATIONAL_SENDING_NOT_SUPPORTED',
        'INVALID_IDENTITY_FOR_DESTINATION_COUNTRY',
        'SENDER_ID_NOT_REGISTERED',
        'SENDER_ID_NOT_SUPPORTED',
        'SENDER_ID_REQUIRES_REGISTRATION',
      ),
      ...exceptions('ConflictException', 'NO_ORIGINATION_IDENTITIES_FOUND'),
    ],
  },
  {
    reason: 'The message costs more than maxPrice',
    moveOn: true,
    remedy: /maxPrice/,
    errors: exceptions('ValidationException', 'PRICE_OVER_THRESHOLD'),
  },
  {
    reason: 'AWS does not accept the sender or the configuration set',
    moveOn: true,
    remedy: /originationIdentity/,
    errors: [
      ...exceptions('ConflictException', 'NUMBER_CAPABILITIES_MISMATCH', 'RESOURCE_NOT_ACTIVE'),
      ...exceptions('ConflictException'),
      ...exceptions('ValidationException', 'CHANNEL_NOT_ENABLED', 'RESOURCE_NOT_ACCESSIBLE'),
      ...exceptions('ResourceNotFoundException'),
    ],
  },
  {
    reason: 'The sender is for promotional messages',
    moveOn: true,
    errors: exceptions('ConflictException', 'MESSAGE_TYPE_MISMATCH'),
  },
  {
    reason: 'AWS does not accept the request',
    moveOn: true,
    remedy: /report this/,
    errors: [
      ...exceptions('ValidationException', 'INVALID_PARAMETER', 'MISSING_PARAMETER'),
      [400, `ValidationException ${NEW_REASON} MessageBody`, 'ValidationException'],
    ],
  },
];

const LINE: readonly Row[] = [
  {
    reason: 'LINE knows no such user of this account',
    moveOn: true,
    remedy: /the user's id of this channel's provider/,
    errors: [[400, 'Failed to send messages', 'HTTP_400']],
  },
  {
    reason: 'LINE does not accept the user id or the text',
    moveOn: true,
    remedy: /the user's id of this channel's provider/,
    errors: [[400, 'The request body has 1 error(s)', 'HTTP_400']],
  },
  {
    reason: 'LINE does not accept the channel access token',
    moveOn: 'other-provider',
    remedy: /lineChannel's channelAccessToken/,
    errors: [[401, 'Authentication failed', 'HTTP_401']],
  },
  {
    reason: 'The LINE account may not send push messages',
    moveOn: 'other-provider',
    remedy: /plan/,
    errors: [[403, 'Not authorized', 'HTTP_403']],
  },
  {
    reason: 'The messages of the LINE account for this month are used up',
    moveOn: true,
    remedy: /limit of additional messages/,
    errors: [[429, 'You have reached your monthly limit.', 'HTTP_429']],
  },
  {
    reason: 'Too many requests to LINE at once',
    moveOn: true,
    errors: [[429, 'The API rate limit has been exceeded', 'HTTP_429']],
  },
  { reason: 'LINE is not available', moveOn: true, errors: [[503, 'Unavailable', 'HTTP_503']] },
  { reason: 'Refused by LINE', moveOn: true, errors: [[404, 'Not found', 'HTTP_404']] },
];

/** Meta's errors have a number; the status decides only for one that is not in the table. */
const metas = (...codes: readonly number[]): Row['errors'] =>
  codes.map((code) => [400, String(code), String(code)]);

const META: readonly Row[] = [
  {
    reason: 'Meta does not accept the access token',
    moveOn: 'other-provider',
    remedy: /whatsAppCloud's accessToken/,
    errors: [
      [401, '0', '0'],
      [401, '190', '190'],
      [401, '', 'HTTP_401'],
      [401, '99', '99'],
    ],
  },
  {
    reason: 'The access token lacks a permission',
    moveOn: 'other-provider',
    remedy: /whatsapp_business_messaging/,
    errors: [[403, '', 'HTTP_403'], ...metas(3, 10, 200, 299, 131005)],
  },
  {
    reason: 'The WhatsApp account or its number is blocked or not ready',
    moveOn: 'other-provider',
    remedy: /WhatsApp Manager/,
    errors: metas(368, 131031, 131037, 131042, 131045, 133010),
  },
  {
    reason: 'Too many requests to Meta at once',
    moveOn: true,
    remedy: /limits/,
    errors: [[429, '', 'HTTP_429'], ...metas(4, 80007, 130429)],
  },
  { reason: 'WhatsApp is not available', moveOn: true, errors: [[503, '2', '2'], ...metas(2, 131016)] },
  { reason: 'Meta restricts the number because of complaints', moveOn: true, errors: metas(131048) },
  { reason: 'The number is in maintenance for some minutes', moveOn: true, errors: metas(131057) },
  { reason: 'The messaging limit of the business is reached', moveOn: true, errors: metas(131064) },
  { reason: 'The business may not send to this country', moveOn: true, errors: metas(130497) },
  { reason: 'The recipient is the sender itself', moveOn: true, errors: metas(131021) },
  {
    reason: 'The recipient is not on WhatsApp',
    moveOn: 'other-channel',
    isNotReached: true,
    errors: metas(131026),
  },
  { reason: 'A test number sends to chosen numbers only', moveOn: true, errors: metas(131030) },
  { reason: 'Too many messages to this number', moveOn: true, errors: metas(131056) },
  { reason: 'Authentication templates need a phone number', moveOn: true, errors: metas(131062) },
  {
    reason: 'Meta does not accept the request',
    moveOn: true,
    remedy: /phoneNumberId and templates/,
    errors: metas(33, 100, 131008, 131009),
  },
  {
    reason: 'Meta treats the message as marketing',
    moveOn: true,
    remedy: /Authentication/,
    errors: metas(130472, 131049, 131050, 131063),
  },
  {
    reason: 'Free text outside the hours after the recipient last wrote',
    moveOn: true,
    errors: metas(131047),
  },
  {
    reason: 'Meta does not accept the template',
    moveOn: true,
    remedy: /whatsAppCloud's templates/,
    errors: [[404, '132001', '132001'], ...metas(132000, 132005, 132007, 132008, 132012)],
  },
  { reason: 'The template is paused because of complaints', moveOn: true, errors: metas(132015) },
  { reason: 'The template is disabled', moveOn: true, errors: metas(132016) },
  {
    reason: 'Refused by Meta',
    moveOn: true,
    errors: [[400, '', 'HTTP_400'], ...metas(300, 199, 137000)],
  },
];

/** A connected channel with its emulated provider. */
interface Connected {
  /** Sends one code; the provider answers with this status and this error. */
  readonly refuse: (status: number, says: string) => Promise<Outcome>;
  close(): Promise<unknown>;
}

const PROVIDERS: readonly (readonly [name: string, rows: readonly Row[], open: () => Promise<Connected>])[] =
  [
    [
      'Vonage',
      VONAGE,
      async () => {
        const vonage = await startVonageEmulator();
        const { apiKey, apiSecret, number, baseUrl } = vonage;
        const channel = vonageChannel({ apiKey, apiSecret, from: number, baseUrl });
        const dispatcher = new Agent();
        return {
          refuse: (status, says) => {
            vonage.refuseWith({ status, error: says, times: 1 });
            return sendBy(channel, 'texts', dispatcher);
          },
          close: () => Promise.all([dispatcher.close(), vonage.close()]),
        };
      },
    ],
    [
      'Vonage for calls',
      VONAGE,
      async () => {
        const vonage = await startVonageEmulator();
        const channel = vonageVoice({ ...vonage.credential, from: vonage.number });
        const dispatcher = new Agent();
        return {
          refuse: (status, says) => {
            vonage.refuseWith({ status, error: says, times: 1 });
            return sendBy(channel, 'voice', dispatcher);
          },
          close: () => Promise.all([dispatcher.close(), vonage.close()]),
        };
      },
    ],
    [
      'AWS',
      AWS.map((row) => ({ ...row, providerRequestId: REQUEST_ID })),
      async () => {
        const aws = await startAwsEmulator();
        const channel = awsSms(aws.credential);
        const dispatcher = new Agent();
        return {
          refuse: (status, says) => {
            const [type, reason, field] = says.split(' ');
            const headers = { 'x-amzn-requestid': REQUEST_ID };
            const body = { __type: type, Reason: reason, Fields: field && [{ Name: field }] };
            aws.fault({ fault: { kind: 'status', status, body, headers }, times: 1 });
            return sendBy(channel, 'texts', dispatcher);
          },
          close: () => Promise.all([dispatcher.close(), aws.close()]),
        };
      },
    ],
    [
      'Meta',
      META.map((row) => ({ ...row, providerRequestId: TRACE })),
      async () => {
        const meta = await startMetaEmulator();
        const channel = whatsAppCloud(meta.credential);
        const dispatcher = new Agent();
        return {
          refuse: (status, code) => {
            const error = {
              message: `(#${code}) to ${ANA.phone}`,
              type: 'OAuthException',
              ...(code === '' ? {} : { code: Number(code) }),
              fbtrace_id: TRACE,
            };
            meta.fault({ fault: { kind: 'status', status, body: { error } }, times: 1 });
            return sendBy(channel, 'texts', dispatcher);
          },
          close: () => Promise.all([dispatcher.close(), meta.close()]),
        };
      },
    ],
    [
      'LINE',
      LINE.map((row) => ({ ...row, providerRequestId: REQUEST_ID })),
      async () => {
        const line = await startLineEmulator();
        const channel = lineChannel({ channelAccessToken: line.channelAccessToken, baseUrl: line.baseUrl });
        const dispatcher = new Agent();
        return {
          refuse: (status, message) => {
            const headers = { 'x-line-request-id': REQUEST_ID };
            line.fault({ fault: { kind: 'status', status, body: { message }, headers }, times: 1 });
            return sendBy(channel, 'texts', dispatcher);
          },
          close: () => Promise.all([dispatcher.close(), line.close()]),
        };
      },
    ],
  ];

describe('a refusal', () => {
  for (const [name, rows, open] of PROVIDERS) {
    it(`of ${name} has the right reason, remedy and effect on the plan, for every known error`, async () => {
      const provider = await open();
      try {
        for (const { errors, remedy, ...meaning } of rows) {
          for (const [status, says, code] of errors) {
            const outcome = await provider.refuse(status, says);
            witness(outcome);
            const { remedy: given, ...rest } = outcome as Outcome & { readonly remedy?: string };
            expect(rest, `${status} ${says}`).to.deep.equal({ status: 'refused', code, ...meaning });
            expect(given, code)
              .to.match(remedy ?? /^[A-Z]/)
              .and.match(/\.$/);
          }
        }
      } finally {
        await provider.close();
      }
    });
  }
});
