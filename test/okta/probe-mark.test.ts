import { expect } from 'chai';
import {
  isProbeMark,
  isShortSecret,
  markProbe,
  PROBE_HEADER,
  type MarkedCall,
} from '#lib/okta/probe-mark.js';
import type { HookScheme } from '#lib/okta/verify-caller.js';
import { mustNotShow } from '#harness/witness.js';

const NOW = 1_800_000_000_000;
const SECRET = 'hook-secret-5f1c9ab2';
const HEADER: HookScheme = {
  scheme: 'header',
  name: 'Authorization',
  secrets: ['another-secret-77', SECRET],
};
const PASSWORD = 'pass:word-11-4f0';
const BASIC: HookScheme = { scheme: 'basic', users: [{ username: 'okta', password: PASSWORD }] };
const basic = (user: string, word = 'Basic'): string => `${word} ${Buffer.from(user).toString('base64')}`;
const BASIC_SECRET = basic(`okta:${PASSWORD}`);
const CALL = { method: 'POST', route: 'hook' } as const;
const OAUTH: HookScheme = {
  scheme: 'oauth2',
  issuer: 'https://acme.okta.com',
  audience: 'a',
  clientId: 'c',
  scope: 's',
  jwksUri: new URL('https://acme.okta.com/v1/keys'),
};
const markOf = (secret: string, nowMs = NOW, call: MarkedCall = CALL): string | undefined =>
  markProbe(secret, nowMs, call)[PROBE_HEADER];

describe('the mark of a probe', () => {
  const mark = markOf(SECRET) ?? '';
  for (const [what, value, schemes, isAccepted] of [
    ['by the second secret of a scheme', mark, [HEADER], true],
    ['by a secret of the second scheme', mark, [OAUTH, HEADER], true],
    ['by a user name and a password', markOf(BASIC_SECRET), [BASIC], true],
    ['if it is four minutes old', markOf(SECRET, NOW - 240_000), [HEADER], true],
    ['if it is six minutes old', markOf(SECRET, NOW - 360_000), [HEADER], false],
    ['if its clock is 50 s ahead', markOf(SECRET, NOW + 50_000), [HEADER], true],
    ['if its clock is 61 s ahead', markOf(SECRET, NOW + 61_000), [HEADER], false],
    ['for another method', markOf(SECRET, NOW, { ...CALL, method: 'GET' }), [HEADER], false],
    ['for another route', markOf(SECRET, NOW, { ...CALL, route: 'events' }), [HEADER], false],
    ['by another secret', markOf('of-somebody-else-1'), [HEADER], false],
    ['if only OAuth is used', mark, [OAUTH], false],
    ['with a changed time', mark.replace(/^\d+/, String(NOW + 1)), [HEADER], false],
    ['with a changed MAC', mark.replace(/.$/, mark.endsWith('0') ? '1' : '0'), [HEADER], false],
    ['if it is truncated', mark.slice(0, -2), [HEADER], false],
    ['if it is sent twice', `${mark}, ${mark}`, [HEADER], false],
    ['in an array', [mark], [HEADER], false],
    ['if it is empty', '', [HEADER], false],
  ] as const) {
    it(`${isAccepted ? 'counts' : 'does not count'} ${what}`, () => {
      expect(isProbeMark(value, schemes, NOW, CALL)).to.equal(isAccepted);
    });
  }

  it('does not contain the secret, and is not made with a secret that is easy to guess', () => {
    mustNotShow(SECRET);
    expect(mark)
      .to.match(/^\d+\.[\da-f]{64}$/)
      .and.not.include(SECRET);
    expect(markProbe(undefined, NOW, CALL)).to.deep.equal({});
    for (const [secret, isShort] of [
      ['short-secret-15', true],
      [SECRET, false],
      [basic('okta:4711'), true],
      [basic('a-long-user-name:4711', 'basic'), true],
      [basic('4711'), true],
      [basic(`okta:${PASSWORD.slice(1)}`), true],
      [BASIC_SECRET, false],
    ] as const) {
      expect(isShortSecret(secret), secret).to.equal(isShort);
      expect(Object.keys(markProbe(secret, NOW, CALL)), secret).to.have.length(isShort ? 0 : 1);
    }
  });
});
