import { expect } from 'chai';
import { maskText } from '#lib/core/masking.js';
import { failureOf } from '#lib/state/redis/failure.js';

const WORDS =
  'READONLY OOM LOADING MASTERDOWN NOREPLICAS MISCONF NOAUTH WRONGPASS NOPERM MOVED CLUSTERDOWN TRYAGAIN BUSY WRONGTYPE';

describe('what Redis does not do', () => {
  for (const word of WORDS.split(' ')) {
    it(`is told with a remedy that masking leaves whole: ${word}`, () => {
      const { reason, remedy, mayBeDone } = failureOf(new Error(`${word} and words of Redis`));
      expect({ reason, mayBeDone }).to.deep.equal({ reason: word, mayBeDone: false });
      expect(maskText(remedy, undefined)).to.equal(remedy);
    });
  }

  it('is not done where a cluster sent it to and fro, and may be done where the connection ended', () => {
    const of = (last: string) => failureOf(new Error(`Too many Cluster redirections. Last error: ${last}`));
    expect(of('ReplyError: ASK 1 127.0.0.1:1')).to.include({ reason: 'TRYAGAIN', mayBeDone: false });
    expect(of('Error: Connection is closed.')).to.include({ reason: 'CLOSED', mayBeDone: true });
  });

  it('has the code of an error as its reason, if that is a code', () => {
    const of = (code: string) => failureOf(Object.assign(new Error('no'), { code }));
    expect(of('ECONNRESET')).to.include({ reason: 'ECONNRESET', mayBeDone: true });
    for (const code of ['an ECONNRESET', 'ECONNRESET: 1', 'E'])
      expect(of(code)).to.include({ reason: 'FAILED', mayBeDone: true });
  });

  it('for lack of a right is NOPERM in a script as well, where newer ones do not say the word', () => {
    const error = new Error(
      "ERR ACL failure in script: User gateway has no permissions to run the 'incr' command",
    );
    error.name = 'ReplyError';
    expect(failureOf(error)).to.include({ reason: 'NOPERM', mayBeDone: false });
  });
});
