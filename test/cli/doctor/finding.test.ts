import { expect } from 'chai';
import { connectMsOf, describeUnreached } from '#lib/cli/doctor/finding.js';
import { keptParts } from '../kept-output.js';

/** Error codes of Node, undici and this package. The last ones are unknown, and get the general remedy. */
const REASONS = [
  ...['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'ECONNREFUSED', 'CERT_HAS_EXPIRED'],
  ...['ERR_TLS_CERT_ALTNAME_INVALID', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ...['UNABLE_TO_GET_ISSUER', 'INVALID_SIGNATURE', 'ERR_SSL_WRONG_VERSION_NUMBER', 'TLS', 'EPROTO'],
  ...['TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ECONNRESET', 'XENOTFOUND', 'ENOTFOUNDX', 'XECONNREFUSED'],
  'ECONNREFUSEDX',
];

describe('describeUnreached', () => {
  const expectTexts = keptParts('unreached');

  it('explains why a server was not reached, with a remedy', () => {
    const texts = REASONS.map((reason) => {
      const { why, remedy } = describeUnreached(reason);
      return `${why.replace(reason, 'REASON')}\n     ${remedy}`;
    });
    for (const text of new Set(texts)) {
      expectTexts(REASONS.filter((_, index) => texts[index] === text).join(', '), text);
    }
  });
});

describe('connectMsOf', () => {
  it('gives a connection more time with a longer --timeout, and leaves time for the answer', () => {
    expect(connectMsOf(96_000)).to.be.within(48_000, 90_000);
    expect(connectMsOf(8_000)).to.be.within(4_000, 7_000);
  });
});
