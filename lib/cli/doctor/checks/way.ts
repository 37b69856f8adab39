import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import type { HttpResult } from '../../../http/call.js';
import { LOOPBACK } from '../../../core/safe-url.js';
import type { Time } from '../../../okta/admin/administration.js';
import type { HookVariables, Section } from '../variables.js';
import { after, fail, ok, once, warn, type Check, type CheckGroup, type Finding } from '../finding.js';
import { describeUnreached } from './unreached.js';

/** How Okta and Twilio get to the gateway, as far as that shows from here: its URL, its name, its certificate. */

interface WayParts {
  /** The org's, where it is known. */
  readonly orgUrl: string | undefined;
  readonly callMs: number;
  readonly time: Time;
  /** What the URL answers to nobody in particular. */
  readonly answer: () => Promise<HttpResult>;
  /** The addresses of a name. Default: as this machine resolves it. */
  readonly resolve?: ((hostname: string) => Promise<readonly string[]>) | undefined;
  /** Certificates of authorities in PEM, which are trusted in place of Node's. */
  readonly authorities?: readonly string[];
}

const DAY_MS = 86_400_000;
/** A certificate that is renewed by itself is so before the last quarter of its life as a rule. */
const SOON_DAYS = 14;
const LAST_PART = 0.25;

export function examineWay(section: Section<HookVariables>, parts: WayParts): CheckGroup {
  const title = 'The way to it';
  if (section.value === undefined) return { title, checks: [] };
  const url = new URL(section.value.url);
  const place = { name: 'way.url', look: once(() => Promise.resolve(urlFinding(url, parts.orgUrl))) };
  const name = {
    name: 'way.name',
    look: once(() => nameFinding(url.hostname, parts.resolve ?? resolveHere)),
  };
  const checks: readonly Check[] = [
    place,
    name,
    { name: 'way.tls', look: after(name, () => tlsFinding(url, parts)) },
    { name: 'way.redirect', look: after(name, async () => redirectFinding(await parts.answer())) },
  ];
  return { title, checks };
}

function urlFinding(url: URL, orgUrl: string | undefined): Finding {
  const isHere = LOOPBACK.test(url.hostname);
  if (!isHere) return ok(`PUBLIC_URL is https, at ${url.host}.`);
  if (orgUrl !== undefined && LOOPBACK.test(new URL(orgUrl).hostname)) {
    return ok('PUBLIC_URL is on this machine, as the org is.');
  }
  return fail(
    'PUBLIC_URL is an address of this machine, which Okta and Twilio cannot reach.',
    'Set it to the https URL under which the internet reaches the gateway, and type the same one into Okta.',
  );
}

/** What no call from the internet gets to. */
const PRIVATE = listPrivate();

function listPrivate(): BlockList {
  const list = new BlockList();
  for (const [net, bits] of [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['169.254.0.0', 16],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
  ] as const) {
    list.addSubnet(net, bits);
  }
  list.addSubnet('fc00::', 7, 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  list.addAddress('::1', 'ipv6');
  return list;
}

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
  const isPrivate = addresses.some((address) =>
    PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'),
  );
  if (!isPrivate)
    return ok(`${hostname} resolves to ${addresses.length === 1 ? 'a public address' : 'public addresses'}.`);
  return warn(
    `${hostname} resolves to a private address from here.`,
    'Okta and Twilio call from the internet: see that the public DNS has a public address for it.',
  );
}

async function tlsFinding(url: URL, parts: WayParts): Promise<Finding> {
  if (url.protocol === 'http:') return ok('There is no TLS on the way to this machine itself.');
  const seen = await readCertificate(url, parts);
  if (typeof seen === 'string') {
    const { why, remedy } = describeUnreached(seen);
    return fail(`${url.host} could not be reached: ${why}.`, remedy);
  }
  const { problem, certificate } = seen;
  if (problem !== undefined) {
    const { why, remedy } = describeUnreached(problem);
    return fail(`Okta would not call ${url.host}: ${why}.`, remedy);
  }
  const endsAt = Date.parse(certificate.valid_to);
  const leftMs = endsAt - parts.time.now();
  const days = Math.floor(leftMs / DAY_MS);
  const left = `The certificate of ${url.host} is valid for ${days} more day${days === 1 ? '' : 's'}`;
  const lifeMs = endsAt - Date.parse(certificate.valid_from);
  if (days >= SOON_DAYS || leftMs >= lifeMs * LAST_PART) return ok(`${left}.`);
  return warn(
    `${left}: then no code has a hook any more.`,
    'Renew it, and see why that has not happened by itself.',
  );
}

/** An address of IPv6 as sockets take it; in a URL it has brackets. */
function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

interface SeenCertificate {
  /** Node's code for why it is not trusted. */
  readonly problem: string | undefined;
  readonly certificate: PeerCertificate;
}

/** What the server shows; the code of the error where it shows nothing. */
function readCertificate(url: URL, { callMs, authorities }: WayParts): Promise<SeenCertificate | string> {
  const host = withoutBrackets(url.hostname);
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(url.port === '' ? 443 : url.port),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      // To be looked at, whatever it is: nothing is sent over this connection.
      rejectUnauthorized: false,
      ...(authorities === undefined ? {} : { ca: [...authorities] }),
    });
    const end = (seen: SeenCertificate | string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(seen);
    };
    const timer = setTimeout(end, callMs, 'TIMEOUT');
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? 'TLS');
    });
    socket.on('secureConnect', () => {
      // Its type says Error; what Node puts there is a code.
      const error: unknown = socket.authorizationError;
      const problem = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? 'CERT') : error;
      end({
        problem: typeof problem === 'string' ? problem : undefined,
        certificate: socket.getPeerCertificate(),
      });
    });
  });
}

function redirectFinding(result: HttpResult): Finding {
  if (result.kind !== 'answered') return warn('Not seen, since nothing has answered.', 'See hook.answers.');
  if (result.status < 300 || result.status > 399) return ok('Nothing redirects it.');
  return fail(
    `PUBLIC_URL redirects (${result.status}), and Okta follows no redirect.`,
    'Set PUBLIC_URL, and the URL in Okta, to where it leads; or take the redirect away: http to https, a slash at the end, www.',
  );
}
