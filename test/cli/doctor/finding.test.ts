import { expect } from 'chai';
import { connectMsOf, describeUnreached } from '#lib/cli/doctor/finding.js';

const NAME = [
  'its name does not resolve',
  'Look for a misspelling, and check the DNS of this machine.',
] as const;
const UNTRUSTED = [
  'its certificate is not trusted here',
  'Use a certificate of a public authority. If your own proxy is in between, start Node with NODE_EXTRA_CA_CERTS.',
] as const;
const NO_TLS = [
  'the TLS handshake failed',
  'Check that the server supports TLS 1.2 or later at this port, and that nothing is in between.',
] as const;
const LATE = [
  'it did not answer in time',
  'Check that this machine may reach it (egress, a firewall, a proxy), and that it is not overloaded.',
] as const;
const USUAL = 'Check that it runs, and that this machine may reach it: egress, DNS, TLS, a proxy.';

/** Error codes of Node, undici and this package, with their explanation for operators. */
const ROWS: readonly (readonly [reason: string, why: string, remedy: string])[] = [
  ['ENOTFOUND', ...NAME],
  ['EAI_AGAIN', ...NAME],
  ['EAI_NODATA', ...NAME],
  [
    'ECONNREFUSED',
    'nothing listens there',
    'Check that it runs, and check the port and the firewalls in between.',
  ],
  [
    'CERT_HAS_EXPIRED',
    'its certificate has expired',
    'Renew the certificate, and make the server load the new one.',
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'its certificate is for another name',
    "Give the server a certificate for the URL's host name.",
  ],
  [
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'its certificate chain is incomplete',
    'Make the server also send the intermediate certificates (the full chain).',
  ],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', ...UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER', ...UNTRUSTED],
  ['INVALID_SIGNATURE', ...UNTRUSTED],
  ['ERR_SSL_WRONG_VERSION_NUMBER', ...NO_TLS],
  ['TLS', ...NO_TLS],
  ['EPROTO', ...NO_TLS],
  ['TIMEOUT', ...LATE],
  ['UND_ERR_CONNECT_TIMEOUT', ...LATE],
];

describe('describeUnreached', () => {
  for (const [reason, why, remedy] of ROWS) {
    it(`explains ${reason}, with a remedy`, () => {
      expect(describeUnreached(reason)).to.deep.equal({ why: `${why} (${reason})`, remedy });
    });
  }

  for (const reason of ['ECONNRESET', 'XENOTFOUND', 'ENOTFOUNDX', 'XECONNREFUSED', 'ECONNREFUSEDX']) {
    it(`returns the unknown code ${reason} without an explanation, with the general remedy`, () => {
      expect(describeUnreached(reason)).to.deep.equal({ why: reason, remedy: USUAL });
    });
  }
});

describe('connectMsOf', () => {
  it('gives a connection more time with a longer --timeout, and leaves time for the answer', () => {
    expect(connectMsOf(96_000)).to.be.within(48_000, 90_000);
    expect(connectMsOf(8_000)).to.be.within(4_000, 7_000);
  });
});
