import { once as onceEvent } from 'node:events';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import type { HttpResult } from '../../../core/http.js';
import { LOOPBACK } from '../../../core/option-rules.js';
import { TIMED_OUT, waitAtMost } from '../../../core/time.js';
import type { HookVariables, Section } from '../variables.js';
import { after, fail, known, ok, once, warn, unreachedFinding } from '../finding.js';
import type { Check, CheckGroup, CheckTimes, Finding } from '../finding.js';

interface ReachabilityParts extends CheckTimes {
  readonly orgUrl: string | undefined;
  /** The answer of PUBLIC_URL to a caller without credentials. */
  readonly answer: () => Promise<HttpResult>;
  /** Resolves a name to its addresses. Default: the resolver of this machine. */
  readonly resolve?: ((hostname: string) => Promise<readonly string[]>) | undefined;
  /** Certificates of authorities in PEM, which are trusted instead of Node's. */
  readonly authorities?: readonly string[];
}

const DAY_MS = 86_400_000;
/** A certificate is about to expire if both hold. Automatic renewal usually comes before the last quarter of the lifetime. */
const SOON_DAYS = 14;
const LAST_SHARE = 0.25;

/** The checks of the way from Okta and Twilio to the gateway, as far as this machine sees it: URL, name, certificate, redirect. */
export function examineReachability(section: Section<HookVariables>, parts: ReachabilityParts): CheckGroup {
  const title = 'Reachability';
  if (section.value === undefined) return { title, checks: [] };
  const url = new URL(section.value.url);
  const { resolve = resolveHere } = parts;
  const name = { name: 'way.name', run: once(() => nameFinding(url.hostname, resolve)) };
  const checks: readonly Check[] = [
    known('way.url', urlFinding(url, parts.orgUrl)),
    name,
    { name: 'way.tls', run: after(name, () => tlsFinding(url, parts)) },
    { name: 'way.redirect', run: after(name, async () => redirectFinding(await parts.answer())) },
  ];
  return { title, checks };
}

function urlFinding(url: URL, orgUrl: string | undefined): Finding {
  if (!LOOPBACK.test(url.hostname)) return ok(`PUBLIC_URL is https, at ${url.host}.`);
  if (orgUrl !== undefined && LOOPBACK.test(new URL(orgUrl).hostname)) {
    return ok('PUBLIC_URL is on this machine, as the org is.');
  }
  return fail(
    'PUBLIC_URL is an address of this machine, which Okta and Twilio cannot reach.',
    'Set it to the https URL by which the gateway is reachable from the internet, and give Okta the same URL.',
  );
}

const PRIVATE_NETWORKS = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10', '127.0.0.0/8'],
  ...['fc00::/7', 'fe80::/10', '::1/128'],
];

function isPrivate(address: string): boolean {
  const list = new BlockList();
  for (const network of PRIVATE_NETWORKS) {
    const [start = '', bits] = network.split('/');
    list.addSubnet(start, Number(bits), familyOf(start));
  }
  return list.check(address, familyOf(address));
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

async function resolveHere(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

async function nameFinding(
  hostname: string,
  resolve: (hostname: string) => Promise<readonly string[]>,
): Promise<Finding> {
  if (LOOPBACK.test(hostname)) return ok('It is this machine.');
  let addresses: readonly string[];
  try {
    addresses = await resolve(withoutBrackets(hostname));
  } catch {
    return fail(
      `${hostname} does not resolve.`,
      'Look for a misspelling in PUBLIC_URL, and give the name a record in the public DNS.',
    );
  }
  if (!addresses.some(isPrivate)) {
    return ok(`${hostname} resolves to ${addresses.length === 1 ? 'a public address' : 'public addresses'}.`);
  }
  return warn(
    `${hostname} resolves to a private address from here.`,
    'Okta and Twilio call from the internet: check that the public DNS has a public address for it.',
  );
}

async function tlsFinding(url: URL, parts: ReachabilityParts): Promise<Finding> {
  if (url.protocol === 'http:') return ok('This machine itself needs no TLS.');
  const seen = await readCertificate(url, parts);
  if (typeof seen === 'string') return unreachedFinding(`${url.host} could not be reached`, seen);
  const { problem, certificate } = seen;
  if (problem !== undefined) return unreachedFinding(`Okta would not call ${url.host}`, problem);
  const endsAt = Date.parse(certificate.valid_to);
  const leftMs = endsAt - parts.time.now();
  const days = Math.floor(leftMs / DAY_MS);
  const left = `The certificate of ${url.host} is valid for ${days} more day${days === 1 ? '' : 's'}`;
  const lifeMs = endsAt - Date.parse(certificate.valid_from);
  if (days >= SOON_DAYS || leftMs >= lifeMs * LAST_SHARE) return ok(`${left}.`);
  return warn(
    `${left}. After that Okta does not call the hook.`,
    'Renew it, and find out why it was not renewed automatically.',
  );
}

/** An IPv6 address has brackets in a URL, but not for a socket. */
function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

interface SeenCertificate {
  /** Node's code for why the certificate is not trusted; `undefined` if it is. */
  readonly problem: string | undefined;
  readonly certificate: PeerCertificate;
}

/** Reads the server's certificate; the code of the error if there is none. */
async function readCertificate(
  url: URL,
  { callMs, authorities }: ReachabilityParts,
): Promise<SeenCertificate | string> {
  const host = withoutBrackets(url.hostname);
  const socket = connect({
    host,
    port: Number(url.port === '' ? 443 : url.port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // Doctor reads an untrusted certificate, too. It sends nothing over this connection.
    rejectUnauthorized: false,
    ...(authorities === undefined ? {} : { ca: [...authorities] }),
  });
  // It may fail after the wait has ended, too.
  socket.on('error', () => undefined);
  try {
    if ((await waitAtMost(onceEvent(socket, 'secureConnect'), callMs)) === TIMED_OUT) return 'TIMEOUT';
    // Its type is Error, but Node sets a code.
    const error: unknown = socket.authorizationError;
    const problem = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? 'CERT') : error;
    return {
      problem: typeof problem === 'string' ? problem : undefined,
      certificate: socket.getPeerCertificate(),
    };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'TLS';
  } finally {
    socket.destroy();
  }
}

function redirectFinding(result: HttpResult): Finding {
  if (result.kind !== 'answered')
    return warn('Not checked, because the gateway did not answer.', 'See hook.answers.');
  if (result.status < 300 || result.status > 399) return ok('PUBLIC_URL does not redirect.');
  return fail(
    `PUBLIC_URL redirects (${result.status}), and Okta follows no redirect.`,
    'Set PUBLIC_URL and the URL in Okta to the target of the redirect, or remove the redirect (http to https, a slash at the end, www).',
  );
}
