import { expect } from 'chai';
import type { TelephonyRequest } from '#lib/core/channel.js';
import type { Delivery } from '#lib/delivery/attempt.js';
import type { AttemptReport } from '#lib/core/events.js';
import { CODE_NOT_SENT, RequestError } from '#lib/core/request-error.js';
import {
  answerBy,
  decide,
  decisionOfFirst,
  rejectionAnswer,
  type HookAnswer,
} from '#lib/okta/hook-answer.js';
import { makeMessage } from '../channels/twilio/scripted-api.js';

const REQUEST: TelephonyRequest = {
  ...makeMessage().request,
  eventId: 'event-1',
  requestType: 'com.okta.user.telephony.mfa-verification',
  userId: '00u1',
};
const PAIRS = 'channel=sms;requestType=com.okta.user.telephony.mfa-verification;Duration=13ms;id=event-1';

const attempt = (fields: Partial<AttemptReport>): AttemptReport => ({
  channel: 'sms',
  provider: 'TWILIO',
  outcome: 'refused',
  durationMs: 5,
  ...fields,
});
const REFUSED = [
  attempt({ channel: 'whatsapp', code: '63003', reason: 'The recipient is not on WhatsApp' }),
  attempt({ channel: 'line', provider: 'LINE' }),
];
const deliveryOf = (
  status: Delivery['status'],
  attempts: readonly AttemptReport[],
  isFraudBlock = false,
): Delivery => ({ status, attempts, decidedBy: attempts.at(-1), isFraudBlock });
const answer = (
  delivery: Delivery | undefined,
  request: TelephonyRequest = REQUEST,
  refusal?: Parameters<typeof decide>[0]['refusal'],
  guardAnswer: 'pending' | 'error' = 'pending',
): HookAnswer => answerBy(decide({ delivery, refusal, durationMs: 12.6, guardAnswer }), request);
const command = (value: object): object => ({
  commands: [{ type: 'com.okta.telephony.action', value: [value] }],
});

describe('the answer to Okta', () => {
  const pending = { status: 'PENDING', provider: 'TWILIO', transactionId: 'event-1' } as const;
  const afterRefusals = `${PAIRS};refused=whatsapp:63003,line:REFUSED`;
  const unknown = attempt({ outcome: 'unknown', reason: 'hang' });
  const taken = attempt({ outcome: 'accepted', transactionId: 'SM1' });
  const blockedBy = attempt({ code: '30450', reason: 'Held back as fraud' });
  for (const [what, delivery, expected] of [
    [
      "SUCCESSFUL with the provider's message id",
      deliveryOf('accepted', [taken]),
      { ...pending, status: 'SUCCESSFUL', transactionId: 'SM1', transactionMetadata: PAIRS },
    ],
    [
      'SUCCESSFUL with the refusals before it',
      deliveryOf('accepted', [...REFUSED, taken]),
      { ...pending, status: 'SUCCESSFUL', transactionId: 'SM1', transactionMetadata: afterRefusals },
    ],
    [
      'PENDING with the event id and the refusals before it if the outcome is unknown',
      deliveryOf('unknown', [...REFUSED, unknown]),
      { ...pending, transactionMetadata: afterRefusals },
    ],
    [
      'PENDING by GUARD with the refusal of a fraud filter',
      deliveryOf('refused', [blockedBy], true),
      { ...pending, provider: 'GUARD', transactionMetadata: `${PAIRS};refused=sms:30450` },
    ],
  ] as const) {
    it(`is ${what}`, () => {
      expect(answer(delivery)).to.deep.equal(command(expected));
    });
  }

  const causeOf = (errorSummary: string, reason: string, domain: string): object => ({
    ...{ errorSummary, reason, domain },
    ...{ locationType: 'userId', location: '00u1' },
  });
  for (const [what, given, causes] of [
    [
      'one cause per refusal if all channels refused',
      answer(deliveryOf('refused', REFUSED)),
      [
        causeOf('Refused by whatsapp', '63003: The recipient is not on WhatsApp', 'TWILIO'),
        causeOf('Refused by line', 'REFUSED: Refused by the channel', 'LINE'),
      ],
    ],
    [
      'its refusal if a fraud filter blocked the code and the guard answers with errors',
      answer(deliveryOf('refused', [blockedBy], true), REQUEST, undefined, 'error'),
      [causeOf('Refused by sms', '30450: Held back as fraud', 'TWILIO')],
    ],
    [
      'a location of plain letters for an id that Okta does not make',
      answer(deliveryOf('refused', REFUSED.slice(1)), { ...REQUEST, userId: '<b>;00u1' }),
      [{ ...causeOf('Refused by line', 'REFUSED: Refused by the channel', 'LINE'), location: '_b__00u1' }],
    ],
  ] as const) {
    it(`is an error with ${what}`, () => {
      expect(given).to.deep.equal({ error: { errorSummary: CODE_NOT_SENT, errorCauses: causes } });
    });
  }

  const refusal = { code: 'CODE_EXPIRED', reason: 'The code had ended', remedy: 'x' } as const;
  const none = deliveryOf('refused', []);
  for (const [what, delivery, why, reason] of [
    ['why, if nothing was tried', undefined, refusal, 'CODE_EXPIRED: The code had ended'],
    ['why, if the plan is empty', none, refusal, 'CODE_EXPIRED: The code had ended'],
    ['NOT_TRIED without a known reason', undefined, undefined, 'NOT_TRIED: Nothing was tried'],
    ['NOT_TRIED for an empty plan without a known reason', none, undefined, 'NOT_TRIED: Nothing was tried'],
  ] as const) {
    it(`is an error that says ${what}`, () => {
      const cause = causeOf('Nothing was sent', reason, 'okta-telephony-hook');
      expect(answer(delivery, { ...REQUEST, userId: undefined }, why)).to.deep.equal({
        error: { errorSummary: CODE_NOT_SENT, errorCauses: [{ ...cause, location: 'unknown' }] },
      });
    });
  }

  const accepted = deliveryOf('accepted', [
    ...REFUSED,
    attempt({ outcome: 'accepted', transactionId: 'SM1' }),
  ]);
  const block = { ...refusal, isBlock: true, isPending: true };
  for (const [what, delivery, why] of [
    ['an accepted code', accepted, undefined],
    ['a code with an unknown outcome', deliveryOf('unknown', [attempt({ outcome: 'unknown' })]), undefined],
    ['a code that the guard blocked', undefined, block],
    ['a code that all channels refused', deliveryOf('refused', REFUSED), undefined],
  ] as const) {
    it(`is the same for a repeat of ${what}, after any state has kept it`, () => {
      const first = decide({ delivery, refusal: why, durationMs: 12.6, guardAnswer: 'pending' });
      const kept = JSON.parse(JSON.stringify(first)) as Record<string, unknown>;
      const repeat = decisionOfFirst(kept);
      expect(answerBy(repeat, REQUEST)).to.deep.equal(answerBy(first, REQUEST));
      expect(repeat).to.include({ outcome: first.outcome, status: first.status });
    });
  }

  it('is kept in form 1: raise its number if a field changes, for gateways of other versions', () => {
    const { causes, ...decided } = decide({
      delivery: deliveryOf('refused', REFUSED),
      refusal: undefined,
      durationMs: 12.6,
      guardAnswer: 'pending',
    });
    expect(decided).to.deep.equal({
      form: 1,
      outcome: 'refused',
      status: 'ERROR',
      provider: 'UNKNOWN',
      transactionId: undefined,
      channel: 'none',
      providersOf: undefined,
      durationMs: 0,
      refused: '',
      blocked: undefined,
    });
    expect(causes[1]).to.deep.equal({
      summary: 'Refused by line',
      reason: 'REFUSED: Refused by the channel',
      domain: 'LINE',
    });
  });

  it('is an error for a repeat if the first call sent nothing, and Okta had hung up', () => {
    const decided = decisionOfFirst('released');
    expect(decided).to.include({ outcome: 'refused', status: 'ERROR' });
    expect(answerBy(decided, REQUEST)).to.have.nested.property('error.errorSummary', CODE_NOT_SENT);
  });
});

describe('the answer to a refused request', () => {
  it('says only Unauthorized to an unverified caller', () => {
    expect(rejectionAnswer(new RequestError('CALLER_NOT_PROVEN', 'Unauthorized'))).to.deep.equal({
      error: { errorSummary: 'Unauthorized' },
    });
  });

  it('names the invalid fields', () => {
    const error = new RequestError('INVALID_REQUEST', 'Not a hook call.', { fields: ['data', 'data.a'] });
    const causes = ['data', 'data.a'].map((location) => ({
      errorSummary: `${location} is missing or not valid`,
      reason: 'INVALID_REQUEST',
      locationType: 'body',
      location,
      domain: 'okta-telephony-hook',
    }));
    expect(rejectionAnswer(error)).to.deep.equal({
      error: { errorSummary: 'Not a hook call.', errorCauses: causes },
    });
  });

  it('has the request as its location if no field is invalid', () => {
    const cause = {
      errorSummary: 'Not now.',
      reason: 'PROOF_UNAVAILABLE',
      locationType: 'request',
      location: '',
      domain: 'okta-telephony-hook',
    };
    expect(rejectionAnswer(new RequestError('PROOF_UNAVAILABLE', 'Not now.'))).to.deep.equal({
      error: { errorSummary: 'Not now.', errorCauses: [cause] },
    });
  });
});
