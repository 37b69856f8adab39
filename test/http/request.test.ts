import { expect } from 'chai';
import type { HttpAnswer, HttpResult } from '#lib/core/http.js';
import { parseJson } from '#lib/core/json.js';
import { formOf, outcomeOf, type AnswerReader } from '#lib/http/request.js';

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

const CHECK_PROXY =
  "Look at the proxies, gateways and service meshes on the way to the provider, and at the provider's status page.";

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
      answer(302, '{}'),
      { status: 'refused', code: 'A302', reason: 'No', cause: 'busy' },
    ],
    [
      'the outcome of the reader for a 4xx',
      answer(429, '{}'),
      { status: 'refused', code: 'A429', reason: 'No', cause: 'busy' },
    ],
    [
      'the outcome of the reader for a 503',
      answer(503, '{}'),
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
      [400, '{}'],
      [400, 'a page'],
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

  for (const body of ['', '<html></html>', 'no healthy upstream', '"no"', '7', 'null', '[]']) {
    it(`returns unknown for the body ${JSON.stringify(body)}, even if the reader takes it for a refusal`, () => {
      for (const status of [302, 303, 400, 401, 403, 404, 429, 503]) {
        expect(outcomeOf(answer(status, body), reader)).to.deep.equal({
          status: 'unknown',
          reason: `Status ${status} came without an error of ACME's own`,
          remedy: CHECK_PROXY,
        });
      }
    });
  }

  it('returns unknown if the reader finds no error of the provider', () => {
    const own: AnswerReader = {
      ...reader,
      readRefusal: ({ json }) => {
        const { code } = json as { code?: string };
        return code === undefined ? undefined : { code, reason: 'No' };
      },
    };
    expect(outcomeOf(answer(503, '{"message":"no upstream"}'), own)).to.include({ status: 'unknown' });
    expect(outcomeOf(answer(503, '{"code":"C1"}'), own)).to.include({ status: 'refused', code: 'C1' });
  });

  it('returns the whole refusal of a reader for a provider whose errors are not JSON', () => {
    const refusal = { status: 'refused', code: 'E1', reason: 'No' } as const;
    const text: AnswerReader = {
      ...reader,
      readRefusal: ({ body }) => (body.startsWith('ERR') ? refusal : undefined),
    };
    expect(outcomeOf(answer(400, 'ERR 1'), text)).to.equal(refusal);
    expect(outcomeOf(answer(400, 'no healthy upstream'), text).status).to.equal('unknown');
  });

  it('returns unknown if the reader throws, because it has not found an error of the provider', () => {
    const fail = (): never => {
      throw new TypeError('json is undefined');
    };
    const broken: AnswerReader = { provider: 'ACME', readSuccess: fail, readRefusal: fail };
    const remedy = 'Fix the functions that the channel passes to outcomeOf: one of them threw.';
    expect(outcomeOf(answer(200), broken)).to.include({ status: 'unknown', remedy });
    expect(outcomeOf(answer(400, '{}'), broken)).to.include({ status: 'unknown', remedy });
  });
});

describe('formOf()', () => {
  it('repeats the name of a list, and replaces half of a sign that was cut', () => {
    expect(formOf({ to: ['1', '2'], none: undefined, text: 'a b\uD83D' })).to.equal(
      'to=1&to=2&text=a%20b%EF%BF%BD',
    );
  });
});
