import { expect } from 'chai';
import { maskText } from '#lib/core/masking.js';
import { failureOf } from '#lib/state/redis/failure.js';

const WORDS =
  'READONLY OOM LOADING MASTERDOWN NOREPLICAS MISCONF NOAUTH WRONGPASS NOPERM MOVED CLUSTERDOWN TRYAGAIN BUSY WRONGTYPE';

describe('failureOf()', () => {
  for (const word of WORDS.split(' ')) {
    it(`returns a remedy that masking leaves unchanged for ${word}`, () => {
      const { reason, remedy, mayBeDone } = failureOf(new Error(`${word} and words of Redis`));
      expect({ reason, mayBeDone }).to.deep.equal({ reason: word, mayBeDone: false });
      expect(maskText(remedy, undefined)).to.equal(remedy);
    });
  }

  it('says that too many redirections did nothing, and that a closed connection may have done something', () => {
    const of = (last: string) => failureOf(new Error(`Too many Cluster redirections. Last error: ${last}`));
    expect(of('ReplyError: ASK 1 127.0.0.1:1')).to.include({ reason: 'TRYAGAIN', mayBeDone: false });
    expect(of('Error: Connection is closed.')).to.include({ reason: 'CLOSED', mayBeDone: true });
  });

  it('uses the code of an error as the reason if it looks like a code', () => {
    const of = (code: string) => failureOf(Object.assign(new Error('no'), { code }));
    expect(of('ECONNRESET')).to.include({ reason: 'ECONNRESET', mayBeDone: true });
    for (const code of ['an ECONNRESET', 'ECONNRESET: 1', 'E'])
      expect(of(code)).to.include({ reason: 'FAILED', mayBeDone: true });
  });

  it('returns NOPERM for a missing right in a script, even if newer versions of Redis do not say NOPERM', () => {
    const error = new Error(
      "ERR ACL failure in script: User gateway has no permissions to run the 'incr' command",
    );
    error.name = 'ReplyError';
    expect(failureOf(error)).to.include({ reason: 'NOPERM', mayBeDone: false });
  });
});
