import { expect } from 'chai';
import type { HttpAnswer, HttpResult } from '#lib/core/http.js';
import { parseJson } from '#lib/core/json.js';
import { outcomeOf, type AnswerReader } from '#lib/http/request.js';

const answer = (status: number, body = ''): HttpAnswer => ({
  kind: 'answered',
  status,
  headers: {},
  body,
  json: parseJson(body),
});
const reader: AnswerReader = {
  provider: 'ACME',
  readSuccess: ({ json }) => (json as { id?: string } | undefined)?.id,
  readRefusal: ({ status }) => ({ code: `A${status}`, reason: 'No', cause: 'busy' }),
};

describe('the outcome of a call', () => {
  for (const [title, result, outcome] of [
    [
      'refused where the request did not leave, which is no sign of life',
      { kind: 'not-sent', reason: 'ECONNREFUSED' },
      {
        status: 'refused',
        code: 'UNREACHABLE',
        reason: 'Not sent: ACME could not be reached (ECONNREFUSED)',
        remedy: 'Look at the egress of the gateway.',
        moveOn: true,
        hasLeft: false,
      },
    ],
    [
      'unknown without a complete answer',
      { kind: 'no-answer', reason: 'TIMEOUT' },
      { status: 'unknown', reason: 'No complete answer from ACME (TIMEOUT)' },
    ],
    [
      'accepted by the id that is read',
      answer(201, '{"id":"M1"}'),
      { status: 'accepted', transactionId: 'M1' },
    ],
    [
      'unknown where no id is read',
      answer(200, '{"id":""}'),
      { status: 'unknown', reason: 'ACME answered with status 200 and nothing that can be read' },
    ],
    ['what is read of a 3xx', answer(302), { status: 'refused', code: 'A302', reason: 'No', cause: 'busy' }],
    ['what is read of a 4xx', answer(429), { status: 'refused', code: 'A429', reason: 'No', cause: 'busy' }],
    ['what is read of 503', answer(503), { status: 'refused', code: 'A503', reason: 'No', cause: 'busy' }],
    ['unknown after 500', answer(500), { status: 'unknown', reason: 'ACME answered with status 500' }],
    ['unknown after 502', answer(502), { status: 'unknown', reason: 'ACME answered with status 502' }],
  ] as readonly (readonly [string, HttpResult, object])[]) {
    it(`is ${title}`, () => {
      expect(outcomeOf(result, reader)).to.deep.equal(outcome);
    });
  }

  it("has the provider's id of the request, whatever it is, if the reader names its header", () => {
    const named: AnswerReader = { ...reader, requestIdHeader: 'acme-request-id' };
    const headers = { 'acme-request-id': 'R1' };
    for (const [status, body] of [
      [201, '{"id":"M1"}'],
      [400, ''],
      [500, ''],
    ] as const) {
      const result = { ...answer(status, body), headers };
      expect(outcomeOf(result, named)).to.deep.equal({
        ...outcomeOf(result, reader),
        providerRequestId: 'R1',
      });
    }
    expect(outcomeOf(answer(400), named)).to.not.have.property('providerRequestId');
  });

  it('is the outcome that a reader gives', () => {
    const accepted = { status: 'accepted', transactionId: 'M1' } as const;
    const whole: AnswerReader = {
      provider: 'ACME',
      readSuccess: () => ({ status: 'refused', code: '1', reason: 'No' }),
      // The provider had the message before.
      readRefusal: () => accepted,
    };
    expect(outcomeOf(answer(200), whole)).to.deep.equal({ status: 'refused', code: '1', reason: 'No' });
    expect(outcomeOf(answer(409), whole)).to.equal(accepted);
  });

  it('stays safe where a reader throws: a 2xx may have gone out, a 4xx has not', () => {
    const fail = (): never => {
      throw new TypeError('json is undefined');
    };
    const broken: AnswerReader = { provider: 'ACME', readSuccess: fail, readRefusal: fail };
    const remedy = 'Mend the functions that the channel passes to outcomeOf: one of them threw.';
    expect(outcomeOf(answer(200), broken)).to.include({ status: 'unknown', remedy });
    expect(outcomeOf(answer(400), broken)).to.deep.equal({
      status: 'refused',
      code: 'HTTP_400',
      reason: 'Refused by ACME',
      remedy,
    });
  });
});
