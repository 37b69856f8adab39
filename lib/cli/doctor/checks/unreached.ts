import { fail, type Finding } from '../finding.js';

/** Patterns for Node's error codes, with the cause in words and a remedy. The first match counts. */
const BY_REASON: readonly (readonly [RegExp, string, string])[] = [
  [
    /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/,
    'its name does not resolve',
    'Look for a misspelling, and check the DNS of this machine.',
  ],
  [
    /^ECONNREFUSED$/,
    'nothing listens there',
    'Check that it runs, and check the port and the firewalls in between.',
  ],
  [
    /CERT_HAS_EXPIRED/,
    'its certificate has expired',
    'Renew the certificate, and make the server load the new one.',
  ],
  [
    /ALTNAME/,
    'its certificate is for another name',
    "Give the server a certificate for the URL's host name.",
  ],
  [
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    'its certificate chain is incomplete',
    'Make the server also send the intermediate certificates (the full chain).',
  ],
  [
    /CERT|ISSUER|SIGNATURE/,
    'its certificate is not trusted here',
    'Use a certificate of a public authority. If your own proxy is in between, start Node with NODE_EXTRA_CA_CERTS.',
  ],
  [
    /SSL|TLS|EPROTO/,
    'the TLS handshake failed',
    'Check that the server supports TLS 1.2 or later at this port, and that nothing is in between.',
  ],
  [
    /TIMEOUT/,
    'it did not answer in time',
    'Check that this machine may reach it (egress, a firewall, a proxy), and that it is not overloaded.',
  ],
];

const OTHER_REMEDY = 'Check that it runs, and that this machine may reach it: egress, DNS, TLS, a proxy.';

/** The finding about a server that was not reached. @param what - begins the message. */
export function unreachedFinding(what: string, reason: string): Finding {
  const { why, remedy } = describeUnreached(reason);
  return fail(`${what}: ${why}.`, remedy);
}

/**
 * Why a server was not reached, with a remedy.
 * @param reason - that of an `HttpResult`, or the code of an error.
 */
export function describeUnreached(reason: string): { readonly why: string; readonly remedy: string } {
  const [, why, remedy] = BY_REASON.find(([pattern]) => pattern.test(reason)) ?? [];
  return { why: why === undefined ? reason : `${why} (${reason})`, remedy: remedy ?? OTHER_REMEDY };
}
