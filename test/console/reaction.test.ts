import { expect } from 'chai';
import { reactionTo, reactionToSilence } from '#lib/console/reaction.js';
import { judgeAnswer } from '#lib/testing/okta/hooks/verdict.js';
import { MAX_ANSWER_BYTES } from '#lib/testing/server/outbound.js';

const TYPE = 'com.okta.telephony.action';
const command = (value: unknown, type: unknown = TYPE): object => ({ commands: [{ type, value }] });
const action = (fields: object): object =>
  command([{ status: 'SUCCESSFUL', provider: 'X', transactionId: '1', ...fields }]);
const padded = (bytes: number): string => {
  const text = JSON.stringify({ ...action({}), debugContext: { pad: '' } });
  return text.replace('""', `"${'a'.repeat(bytes - text.length)}"`);
};
const OKTAS_SENTENCE = 'The callback service returned an error';

interface Row {
  readonly does: string;
  readonly status?: number;
  readonly body: object | string | number | null;
  readonly action: 'sent' | 'pending' | 'failover' | 'error';
  readonly shown?: string;
}

/** The table of Okta's reference, and answers that it does not list. */
const ROWS: readonly Row[] = [
  { does: 'SUCCESSFUL', body: action({}), action: 'sent' },
  { does: 'SUCCESSFUL and nothing else', body: command([{ status: 'SUCCESSFUL' }]), action: 'sent' },
  {
    does: 'SUCCESSFUL with null fields, as Okta normalises it',
    body: { error: null, ...action({ transactionId: null, transactionMetadata: null }), debugContext: {} },
    action: 'sent',
  },
  { does: 'PENDING', body: action({ status: 'PENDING' }), action: 'pending' },
  { does: 'FAILED', body: action({ status: 'FAILED' }), action: 'failover' },
  { does: 'a status in mixed case', body: action({ status: 'Successful' }), action: 'failover' },
  { does: 'another status', body: action({ status: 'SENT' }), action: 'failover' },
  { does: 'no status', body: action({ status: undefined }), action: 'failover' },
  { does: 'another type', body: command([{ status: 'SUCCESSFUL' }], 'other'), action: 'failover' },
  { does: 'no type', body: command([{ status: 'SUCCESSFUL' }], null), action: 'failover' },
  { does: 'a value that is not an array', body: command({ status: 'SUCCESSFUL' }), action: 'failover' },
  { does: 'an empty value', body: command([]), action: 'failover' },
  { does: 'a value of strings', body: command(['SUCCESSFUL']), action: 'failover' },
  { does: 'empty commands', body: { commands: [] }, action: 'failover' },
  { does: 'commands that are not an array', body: { commands: action({}) }, action: 'failover' },
  { does: 'a number in place of a string', body: action({ transactionId: 7 }), action: 'failover' },
  { does: 'an object in place of a string', body: action({ transactionMetadata: {} }), action: 'failover' },
  { does: 'a boolean in place of a string', body: action({ provider: true }), action: 'failover' },
  { does: 'an empty object', body: {}, action: 'failover' },
  { does: 'an array', body: [action({})], action: 'failover' },
  { does: 'null', body: null, action: 'failover' },
  { does: 'a number', body: 7, action: 'failover' },
  { does: 'a body that is not JSON', body: '<html>', action: 'failover' },
  { does: 'an empty body', body: '', action: 'failover' },
  { does: 'an error', body: { error: { errorSummary: 'Sorry.' } }, action: 'error', shown: 'Sorry.' },
  { does: 'an error without errorSummary', body: { error: {} }, action: 'error', shown: OKTAS_SENTENCE },
  {
    does: 'an error with an empty errorSummary',
    body: { error: { errorSummary: '' } },
    action: 'error',
    shown: OKTAS_SENTENCE,
  },
  {
    does: 'an error beside a success',
    body: { ...action({}), error: { errorSummary: 'Sorry.' } },
    action: 'error',
    shown: 'Sorry.',
  },
  { does: 'an error that is an array', body: { error: [{ errorSummary: 'Sorry.' }] }, action: 'failover' },
  { does: 'an error that is a string', body: { error: 'Sorry.' }, action: 'failover' },
  { does: 'an error that is false', body: { ...action({}), error: false }, action: 'failover' },
  { does: 'a body one byte below the size limit', body: padded(MAX_ANSWER_BYTES - 1), action: 'sent' },
  { does: 'a body of the size limit', body: padded(MAX_ANSWER_BYTES), action: 'failover' },
  ...[201, 202, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503].map((status): Row => ({
    does: `status ${status}`,
    status,
    body: action({}),
    action: 'failover',
  })),
  {
    does: 'an error with another status',
    status: 400,
    body: { error: { errorSummary: 'Sorry.' } },
    action: 'failover',
  },
];

describe("Okta's reaction", () => {
  for (const { does, status = 200, body, action: wanted, shown } of ROWS) {
    it(`to ${does} is ${wanted}, as in the emulator`, () => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const verdict = judgeAnswer(status, text);
      const reaction = reactionTo({
        httpStatus: status,
        body: parse(text),
        bytes: Buffer.byteLength(text),
      });
      expect(reaction.action).to.equal(wanted);
      expect(reaction.shown).to.equal(shown);
      expect({ action: verdict.action, shown: verdict.errorSummary }).to.deep.equal({
        action: reaction.action,
        shown: reaction.shown,
      });
      expect(reaction.text).to.match(/^Okta .*\.$/);
    });
  }

  it('names the HTTP status that is not 200', () => {
    expect(reactionTo({ httpStatus: 503, body: {} }).text).to.include('503');
  });

  it('to no answer is failover, for the given reason or after three seconds', () => {
    expect(reactionToSilence()).to.include({ action: 'failover' }).and.have.property('text');
    expect(reactionToSilence().text).to.include('three seconds');
    expect(reactionToSilence('nobody listens there').text).to.include('nobody listens there.');
  });
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
