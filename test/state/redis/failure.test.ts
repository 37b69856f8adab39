import { expect } from 'chai';
import { maskText } from '#lib/core/masking.js';
import { failureOf } from '#lib/state/redis/failure.js';
import { mustNotShow, witness } from '#harness/witness.js';

const WORDS =
  'READONLY OOM LOADING MASTERDOWN NOREPLICAS MISCONF NOAUTH WRONGPASS NOPERM MOVED CLUSTERDOWN TRYAGAIN BUSY WRONGTYPE';

const replied = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });
const coded = (code: unknown): Error => Object.assign(new Error('connect 10.0.0.1'), { code });
const redirected = (last: string): Error => new Error(`Too many Cluster redirections. Last error: ${last}`);

/** What Redis or its client throws, the reason, and whether Redis may have run the command. */
const THROWN: readonly (readonly [thrown: unknown, reason: string, mayBeDone: boolean])[] = [
  ...WORDS.split(' ').map((word) => [new Error(`${word} and words of Redis`), word, false] as const),
  [replied('ERR Error running script: @user_script:3: -OOM command not allowed'), 'OOM', false],
  [replied('MOVED 1234 10.0.0.1:6379'), 'MOVED', false],
  [replied('ERR unknown command 204981'), 'REFUSED', false],
  // Newer versions of Redis do not say NOPERM for a right that a script lacks.
  [replied("ERR ACL failure in script: User gateway has no permissions to run 'incr'"), 'NOPERM', false],
  ...['EHOSTUNREACH', 'DEPTH_ZERO_SELF_SIGNED_CERT'].map((code) => [coded(code), code, true] as const),
  ...['an ECONNRESET', 'ECONNRESET: 1', 'E', 204_981].map((code) => [coded(code), 'FAILED', true] as const),
  [new Error('Connection is closed.'), 'CLOSED', true],
  [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'CLOSED', false],
  [Object.assign(new Error('all failed'), { lastNodeError: replied('NOAUTH needed') }), 'NOAUTH', false],
  [redirected('ReplyError: ASK 1 127.0.0.1:1'), 'TRYAGAIN', false],
  [redirected('Error: Connection is closed.'), 'CLOSED', true],
  ['204981', 'FAILED', true],
  [undefined, 'FAILED', true],
];

describe('failureOf()', () => {
  it('returns a reason and a remedy that masking leaves unchanged, and nothing of the message', () => {
    mustNotShow('204981', '10.0.0.1');
    for (const [thrown, reason, mayBeDone] of THROWN) {
      const failure = failureOf(thrown);
      witness(failure);
      expect(failure).to.include({ code: 'STATE_LOST', reason, mayBeDone });
      expect(failure.remedy).to.match(/\w/);
      expect(maskText(failure.remedy, undefined)).to.equal(failure.remedy);
      expect(failureOf(failure)).to.equal(failure);
    }
  });
});
