import { expect } from 'chai';
import type { Outcome } from '#lib/core/channel.js';
import type { HttpResult } from '#lib/core/http.js';
import { parseJson } from '#lib/core/json.js';
import { CALL_SID, deliveryReportOf, MESSAGE_SID, outcomeReader } from '#lib/channels/twilio/outcome.js';

const SID = `SM${'0f'.repeat(16)}`;
const SHAPE = /^(SM|MM)[0-9a-f]{32}$/i;
const NUMBER = '+447700900123';

function answered(status: number, body: unknown): HttpResult {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'answered', status, headers: {}, body: text, json: parseJson(text) };
}

const outcomeOf = (result: HttpResult, shape: RegExp): Outcome => outcomeReader(shape)(result);

describe('outcomeReader', () => {
  for (const status of ['queued', 'accepted', 'sent', undefined]) {
    it(`is accepted for a 201 with the id and the status ${status ?? 'missing'}`, () => {
      const outcome = outcomeOf(answered(201, { sid: SID, status }), SHAPE);
      expect(outcome).to.deep.equal({ status: 'accepted', transactionId: SID });
    });
  }

  for (const status of [200, 299]) {
    it(`is accepted for every other 2xx (${status})`, () => {
      expect(outcomeOf(answered(status, { sid: SID }), SHAPE).status).to.equal('accepted');
    });
  }

  const ids: [string, RegExp, boolean][] = [
    [SID, MESSAGE_SID, true],
    [`MM${'0f'.repeat(16)}`, MESSAGE_SID, true],
    [`SM${'f'.repeat(64)}`, MESSAGE_SID, true],
    [`SM${'f'.repeat(65)}`, MESSAGE_SID, false],
    ['SM', MESSAGE_SID, false],
    [`xSM${'0f'.repeat(16)}`, MESSAGE_SID, false],
    [`CA${'0f'.repeat(16)}`, CALL_SID, true],
    [`CA${'f'.repeat(65)}`, CALL_SID, false],
    ['CA', CALL_SID, false],
    [`xCA${'0f'.repeat(16)}`, CALL_SID, false],
  ];
  for (const [sid, shape, isOne] of ids) {
    it(`${isOne ? 'accepts' : 'does not accept'} ${sid} as the id of ${shape === CALL_SID ? 'a call' : 'a message'}`, () => {
      expect(outcomeOf(answered(201, { sid }), shape).status).to.equal(isOne ? 'accepted' : 'unknown');
    });
  }

  for (const [title, body] of [
    ['no body', ''],
    ['HTML', '<html></html>'],
    ['truncated JSON', '{"sid":"SM'],
    ['null', 'null'],
    ['an array', [{ sid: SID }]],
    ['no id', { status: 'queued' }],
    ['an id of another kind', { sid: `CA${'0f'.repeat(16)}`, status: 'queued' }],
    ['an id that is not a string', { sid: 7 }],
  ] as const) {
    it(`is unknown for a 2xx with ${title}`, () => {
      expect(outcomeOf(answered(201, body), SHAPE)).to.deep.equal({
        status: 'unknown',
        reason: 'Twilio answered with status 201 and nothing that can be read',
      });
    });
  }

  it('is refused with the error_code of a 201 whose status is failed', () => {
    const outcome = outcomeOf(answered(201, { sid: SID, status: 'failed', error_code: 21610 }), SHAPE);
    expect(outcome).to.include({ status: 'refused', code: '21610', moveOn: 'other-channel' });
  });

  for (const status of ['failed', 'undelivered', 'canceled']) {
    it(`is refused for a 201 with the status ${status} and no code: the status is the code`, () => {
      const outcome = outcomeOf(answered(201, { sid: SID, status, error_code: null }), SHAPE);
      expect(outcome).to.include({ status: 'refused', code: status.toUpperCase(), moveOn: true });
    });
  }

  for (const status of [300, 301, 400, 404, 409, 422, 429, 499, 503]) {
    it(`is refused for a complete ${status} with a code`, () => {
      const outcome = outcomeOf(answered(status, { code: 63007, message: `to ${NUMBER}`, status }), SHAPE);
      expect(outcome).to.include({ status: 'refused', code: '63007', moveOn: true });
      expect(JSON.stringify(outcome)).to.not.contain(NUMBER);
    });
  }

  it('reads a code in a string, also that of a fraud block', () => {
    expect(outcomeOf(answered(400, { code: '30450' }), SHAPE)).to.include({
      code: '30450',
      isFraudBlock: true,
    });
    expect(outcomeOf(answered(400, { code: '63007' }), SHAPE)).to.include({ code: '63007' });
  });

  for (const code of [
    ...['63007x', 'x63007', '6300700', NUMBER, Number(NUMBER)],
    ...[1_000_000, 2 ** 53, 6.5, -1, 0, null, {}, [63007]],
    // The status, as a proxy's JSON may have it.
    ...[400, 503, '404', 9_999],
  ]) {
    it(`is unknown if the code is ${JSON.stringify(code)}, which is none of Twilio's`, () => {
      expect(outcomeOf(answered(400, { code }), SHAPE)).to.deep.equal({
        status: 'unknown',
        reason: "Status 400 came without an error of Twilio's own",
        remedy:
          "Look at the proxies, gateways and service meshes on the way to the provider, and at the provider's status page.",
      });
    });
  }

  for (const [what, body] of [
    ['no body', ''],
    ['an HTML page', '<html><h1>Service Unavailable</h1></html>'],
    ["Envoy's text", 'upstream connect error or disconnect/reset before headers'],
    ["another proxy's JSON", { message: 'no Route matched with those values' }],
  ] as const) {
    for (const status of [302, 303, 400, 401, 403, 404, 429, 503]) {
      it(`is unknown for a ${status} with ${what}`, () => {
        expect(outcomeOf(answered(status, body), SHAPE).status).to.equal('unknown');
      });
    }
  }

  it('does not use an error_code of seven or more digits: the code is FAILED', () => {
    const body = { sid: SID, status: 'failed', error_code: Number(NUMBER) };
    const outcome = outcomeOf(answered(201, body), SHAPE);
    expect(outcome).to.include({ status: 'refused', code: 'FAILED' });
    expect(JSON.stringify(outcome)).to.not.contain(NUMBER.slice(1));
  });

  it('has a remedy for a known code', () => {
    expect(outcomeOf(answered(400, { code: 63007 }), SHAPE))
      .to.have.property('remedy')
      .that.contains('Twilio Console');
  });

  it('has isFraudBlock for the code of a fraud block', () => {
    const outcome = outcomeOf(answered(403, { code: 60410 }), SHAPE);
    expect(outcome).to.include({ status: 'refused', moveOn: false, isFraudBlock: true });
  });

  for (const status of [500, 502, 504, 520]) {
    it(`is unknown for a ${status}, even with a code`, () => {
      expect(outcomeOf(answered(status, { code: 20500 }), SHAPE)).to.deep.equal({
        status: 'unknown',
        reason: `Twilio answered with status ${status}`,
      });
    });
  }

  it('is refused as UNREACHABLE if the request was not sent', () => {
    const outcome = outcomeOf({ kind: 'not-sent', reason: 'ECONNREFUSED' }, SHAPE);
    expect(outcome).to.deep.equal({
      status: 'refused',
      code: 'UNREACHABLE',
      reason: 'Not sent: Twilio could not be reached (ECONNREFUSED)',
      remedy: 'Look at the egress of the gateway.',
      moveOn: true,
      hasLeft: false,
    });
  });

  it('is unknown if the request was sent and got no answer', () => {
    expect(outcomeOf({ kind: 'no-answer', reason: 'ECONNRESET' }, SHAPE)).to.deep.equal({
      status: 'unknown',
      reason: 'No complete answer from Twilio (ECONNRESET)',
    });
  });
});

describe("the report of Twilio's status of a message or a call", () => {
  for (const status of ['delivered', 'read', 'partially_delivered', 'completed']) {
    it(`is delivered for ${status}`, () => {
      expect(deliveryReportOf(status, undefined)).to.deep.equal({ status: 'delivered' });
    });
  }

  // A call without an answer did reach the phone. `sent` may be the last status of a text that arrived.
  for (const status of [
    'queued',
    'accepted',
    'sending',
    'sent',
    'scheduled',
    'busy',
    'no-answer',
    'in-progress',
    'new',
  ]) {
    it(`is pending for ${status}`, () => {
      expect(deliveryReportOf(status, undefined)).to.deep.equal({ status: 'pending' });
    });
  }

  for (const status of ['failed', 'undelivered', 'canceled']) {
    it(`is failed for ${status}, with the moveOn of its code`, () => {
      expect(deliveryReportOf(status, '30004')).to.deep.equal({
        status: 'failed',
        code: '30004',
        reason: 'The recipient or the carrier blocks messages from this sender',
        remedy: 'The user must unblock the sender.',
        moveOn: 'other-channel',
      });
      expect(deliveryReportOf(status, '30450')).to.include({ moveOn: false, isFraudBlock: true });
      expect(deliveryReportOf(status, undefined)).to.include({ code: status.toUpperCase(), moveOn: true });
      expect(deliveryReportOf(status, 'InvalidSandboxRequest')).to.include({
        code: 'InvalidSandboxRequest',
        moveOn: true,
      });
    });
  }
});
