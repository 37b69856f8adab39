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

describe('outcomeOf()', () => {
  for (const [title, result, outcome] of [
    [
      'refused with hasLeft false if the request did not leave',
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
      'accepted with the id that the reader finds',
      answer(201, '{"id":"M1"}'),
      { status: 'accepted', transactionId: 'M1' },
    ],
    [
      'unknown if the reader finds no id',
      answer(200, '{"id":""}'),
      { status: 'unknown', reason: 'ACME answered with status 200 and nothing that can be read' },
    ],
    [
      'the outcome of the reader for a 3xx',
      answer(302),
      { status: 'refused', code: 'A302', reason: 'No', cause: 'busy' },
    ],
    [
      'the outcome of the reader for a 4xx',
      answer(429),
      { status: 'refused', code: 'A429', reason: 'No', cause: 'busy' },
    ],
    [
      'the outcome of the reader for a 503',
      answer(503),
      { status: 'refused', code: 'A503', reason: 'No', cause: 'busy' },
    ],
    ['unknown after 500', answer(500), { status: 'unknown', reason: 'ACME answered with status 500' }],
    ['unknown after 502', answer(502), { status: 'unknown', reason: 'ACME answered with status 502' }],
  ] as readonly (readonly [string, HttpResult, object])[]) {
    it(`returns ${title}`, () => {
      expect(outcomeOf(result, reader)).to.deep.equal(outcome);
    });
  }

  it('adds the request id of the provider to each outcome if the reader names the header', () => {
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

  it('returns the outcome of the reader if it gives one', () => {
    const accepted = { status: 'accepted', transactionId: 'M1' } as const;
    const whole: AnswerReader = {
      provider: 'ACME',
      readSuccess: () => ({ status: 'refused', code: '1', reason: 'No' }),
      // The provider already has the message.
      readRefusal: () => accepted,
    };
    expect(outcomeOf(answer(200), whole)).to.deep.equal({ status: 'refused', code: '1', reason: 'No' });
    expect(outcomeOf(answer(409), whole)).to.equal(accepted);
  });

  it('returns unknown for a 2xx and refused for a 4xx if the reader throws', () => {
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
