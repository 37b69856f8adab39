import { expect } from 'chai';
import { asCommandError } from '#lib/cli/org.js';
import { OktaApiError, type OktaApiErrorCode } from '#lib/core/errors.js';

const ACCESS = { scopes: ['okta.one.read', 'okta.two.manage'], role: 'the role Super Administrator' };
const COMPARE =
  'Compare OKTA_API_TOKEN, or OKTA_CLIENT_ID with OKTA_PRIVATE_KEY and OKTA_KEY_ID, with the org of OKTA_ORG_URL. An API token ends with its owner, and after 30 days without use: then create a new one.';
const unreached = (again: string): string =>
  `Check that OKTA_ORG_URL is the org's own address, and that this machine may call it: egress, DNS, TLS. Then run this again: ${again}.`;
const limited = (again: string): string =>
  `Wait for the end of the limit's window, usually a minute. Then run this again: ${again}.`;
const GOES_ON = 'it continues where it stopped';

describe("asCommandError of an error of Okta's API", () => {
  for (const [code, remedy] of [
    [
      'OKTA_FORBIDDEN',
      "The API token's owner, or the service app, needs the role Super Administrator; a service app also the scopes okta.one.read, okta.two.manage (its tab Okta API Scopes).",
    ],
    ['OKTA_UNAUTHORIZED', COMPARE],
    ['OKTA_UNREACHABLE', unreached(GOES_ON)],
    ['OKTA_NO_ANSWER', unreached(GOES_ON)],
    ['OKTA_UNREADABLE', unreached(GOES_ON)],
    ['OKTA_RATE_LIMITED', limited(GOES_ON)],
    ['OKTA_NOT_FOUND', 'Its own remedy.'],
  ] as const satisfies readonly (readonly [OktaApiErrorCode, string])[]) {
    it(`has the remedy of ${code}`, () => {
      const error = new OktaApiError(code, 'It failed', { remedy: 'Its own remedy.' });
      const converted = asCommandError(error, ACCESS);
      expect(converted).to.include({ exitCode: 1, code, message: 'It failed.', remedy });
    });
  }

  it("quotes Okta's message, and says what another run does", () => {
    const cause = new Error('Too many');
    const error = new OktaApiError('OKTA_RATE_LIMITED', 'It failed', { cause });
    expect(asCommandError(error, { ...ACCESS, again: 'nothing was sent' })).to.include({
      message: 'It failed. Okta says: Too many',
      remedy: limited('nothing was sent'),
    });
    const dead = new OktaApiError('OKTA_UNREACHABLE', 'It failed');
    expect(asCommandError(dead, { ...ACCESS, again: 'nothing was sent' }).remedy).to.equal(
      unreached('nothing was sent'),
    );
  });
});
