/** Why a server was not reached, by the code that Node has for it, and what to do about that. */

const BY_REASON: readonly (readonly [RegExp, string, string])[] = [
  [
    /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/,
    'its name does not resolve',
    'Look for a misspelling, and at the DNS of this machine.',
  ],
  [
    /^ECONNREFUSED$/,
    'nothing listens there',
    'See that it runs, and at the port; look at firewalls in between.',
  ],
  [
    /CERT_HAS_EXPIRED/,
    'its certificate has expired',
    'Renew the certificate, and let the server load the new one.',
  ],
  [
    /ALTNAME/,
    'its certificate is for another name',
    'Give the server a certificate that has the name of the URL.',
  ],
  [
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    'its chain of certificates is not whole',
    'Let the server send the intermediate certificates, too (the full chain).',
  ],
  [
    /CERT|ISSUER|SIGNATURE/,
    'its certificate is not trusted here',
    'Use a certificate of a public authority. Where a proxy of your own stands in between, start Node with NODE_EXTRA_CA_CERTS.',
  ],
  [
    /SSL|TLS|EPROTO/,
    'TLS did not come about',
    'See that TLS 1.2 or later is spoken there, at this port, and that nothing stands in between.',
  ],
  [
    /TIMEOUT/,
    'it gave no answer in time',
    'See that this machine may reach it (egress, a firewall, a proxy), and that it is not overloaded.',
  ],
];

const USUAL = 'See that it runs, and that this machine may reach it: egress, DNS, TLS, a proxy.';

/** @param reason - of an `HttpResult`, or an error's code. */
export function describeUnreached(reason: string): { readonly why: string; readonly remedy: string } {
  const [, why, remedy] = BY_REASON.find(([pattern]) => pattern.test(reason)) ?? [];
  return { why: why === undefined ? reason : `${why} (${reason})`, remedy: remedy ?? USUAL };
}
