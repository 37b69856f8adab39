import { expect } from 'chai';
import { readSearch } from '#lib/testing/okta/users/search.js';

const ana = {
  status: 'ACTIVE',
  profile: { login: 'Ana@example.com', optIn: true, size: 3, note: 'a "b" and c' },
};

describe('readSearch', () => {
  for (const [text, isFound] of [
    ['profile.optIn eq true', true],
    ['profile.optIn eq false', false],
    ['profile.optIn ne true', false],
    ['profile.missing eq null', true],
    ['profile.missing ne true', true],
    ['profile.optIn pr', true],
    ['profile.missing pr', false],
    ['profile.login eq "ana@EXAMPLE.com"', true],
    ['profile.login sw "ana"', true],
    ['profile.login sw "example"', false],
    ['profile.login co "example"', true],
    ['profile.size co "3"', false],
    ['profile.size eq 3', true],
    ['profile.Size eq 3', false],
    ['profile.note eq "a \\"b\\" and c"', true],
    ['status eq "ACTIVE" and profile.optIn eq false', false],
    ['status eq "ACTIVE" and profile.optIn eq true', true],
    ['status eq "STAGED" or profile.optIn eq true', true],
    ['status eq "STAGED" or profile.optIn eq true and profile.size eq 4', false],
  ] as const) {
    it(`${isFound ? 'finds the user' : 'finds no user'} for ${text}`, () => {
      expect(readSearch(text)?.(ana)).to.equal(isFound);
    });
  }

  for (const text of [
    '',
    'profile.optIn',
    'profile.optIn eq',
    'profile.optIn eq yes',
    'a gt 1',
    'a eq "b',
    '(a pr)',
    'a pr and',
  ]) {
    it(`returns undefined for the invalid search ${JSON.stringify(text)}`, () => {
      expect(readSearch(text)).to.equal(undefined);
    });
  }
});
