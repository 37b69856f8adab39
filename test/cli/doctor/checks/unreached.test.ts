import { expect } from 'chai';
import { describeUnreached } from '#lib/cli/doctor/checks/unreached.js';

const NAME = [
  'its name does not resolve',
  'Look for a misspelling, and at the DNS of this machine.',
] as const;
const UNTRUSTED = [
  'its certificate is not trusted here',
  'Use a certificate of a public authority. Where a proxy of your own stands in between, start Node with NODE_EXTRA_CA_CERTS.',
] as const;
const NO_TLS = [
  'TLS did not come about',
  'See that TLS 1.2 or later is spoken there, at this port, and that nothing stands in between.',
] as const;
const LATE = [
  'it gave no answer in time',
  'See that this machine may reach it (egress, a firewall, a proxy), and that it is not overloaded.',
] as const;
const USUAL = 'See that it runs, and that this machine may reach it: egress, DNS, TLS, a proxy.';

/** Codes of Node, undici and our own, in the words of an operator. */
const ROWS: readonly (readonly [reason: string, why: string, remedy: string])[] = [
  ['ENOTFOUND', ...NAME],
  ['EAI_AGAIN', ...NAME],
  ['EAI_NODATA', ...NAME],
  [
    'ECONNREFUSED',
    'nothing listens there',
    'See that it runs, and at the port; look at firewalls in between.',
  ],
  [
    'CERT_HAS_EXPIRED',
    'its certificate has expired',
    'Renew the certificate, and let the server load the new one.',
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'its certificate is for another name',
    'Give the server a certificate that has the name of the URL.',
  ],
  [
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'its chain of certificates is not whole',
    'Let the server send the intermediate certificates, too (the full chain).',
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

describe('why a server was not reached', () => {
  for (const [reason, why, remedy] of ROWS) {
    it(`is said of ${reason}, with a remedy`, () => {
      expect(describeUnreached(reason)).to.deep.equal({ why: `${why} (${reason})`, remedy });
    });
  }

  for (const reason of ['ECONNRESET', 'XENOTFOUND', 'ENOTFOUNDX', 'XECONNREFUSED', 'ECONNREFUSEDX']) {
    it(`is ${reason} alone where nothing more is known of it`, () => {
      expect(describeUnreached(reason)).to.deep.equal({ why: reason, remedy: USUAL });
    });
  }
});
