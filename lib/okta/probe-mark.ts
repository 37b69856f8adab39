import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HookScheme } from './verify-caller.js';

/**
 * Marks the test calls ("probes") of the command line, so that the gateway logs them apart from other refusals. A mark is an HMAC
 * of the time, the method and the route, made with the secret of the hook, which both sides have. It grants nothing: a marked
 * caller is refused like another.
 */

/** The header with the mark: the time in milliseconds since 1970, a dot, and the HMAC in hexadecimal. */
export const PROBE_HEADER = 'x-okta-telephony-hook-probe';

/** How old a mark may be. Whoever copies one from the traffic can use it no longer. */
const MAX_AGE_MS = 300_000;
/** How far the caller's clock may be ahead of the gateway's. */
const MAX_AHEAD_MS = 60_000;

/** The call that a mark is made for. It names the route and not the path, because a proxy may change the path. */
export interface MarkedCall {
  readonly method: string;
  readonly route: 'hook' | 'events' | 'status';
}

/**
 * Random letters and digits of this length cannot be guessed, neither over the network nor from a mark. A shorter secret makes
 * no mark.
 */
export const MIN_SECRET_LENGTH = 16;

/**
 * Whether a secret has less than `MIN_SECRET_LENGTH` characters. Of Basic authentication only the password counts.
 * @param secret - the whole header value with which Okta calls the hook.
 */
export function isShortSecret(secret: string): boolean {
  const [, encoded] = /^basic +(.*)$/i.exec(secret) ?? [];
  const password =
    encoded === undefined
      ? secret
      : Buffer.from(encoded, 'base64')
          .toString()
          .replace(/^[^:]*:/, '');
  return password.length < MIN_SECRET_LENGTH;
}

/** The headers that mark a probe; none if the secret is missing or short. */
export function markProbe(
  secret: string | undefined,
  nowMs: number,
  call: MarkedCall,
): Readonly<Record<string, string>> {
  if (secret === undefined || isShortSecret(secret)) return {};
  const time = String(Math.round(nowMs));
  return { [PROBE_HEADER]: `${time}.${macOf(secret, time, call).toString('hex')}` };
}

/** Whether a value of the header is a recent mark for this call by one of the secrets. Compares in constant time. */
export function isProbeMark(
  value: unknown,
  schemes: readonly HookScheme[],
  nowMs: number,
  call: MarkedCall,
): boolean {
  const [, time = '', mac = ''] =
    /^(\d{1,15})\.([\da-f]{64})$/.exec(typeof value === 'string' ? value : '') ?? [];
  const ageMs = nowMs - Number(time);
  if (mac === '' || ageMs > MAX_AGE_MS || ageMs < -MAX_AHEAD_MS) return false;
  const given = Buffer.from(mac, 'hex');
  // Each secret is compared, so that the time does not tell which one matches.
  return schemes
    .flatMap(secretsOf)
    .map((secret) => timingSafeEqual(macOf(secret, time, call), given))
    .includes(true);
}

function macOf(secret: string, time: string, { method, route }: MarkedCall): Buffer {
  return createHmac('sha256', secret).update(`okta-telephony-hook probe ${time} ${method} ${route}`).digest();
}

/** The header values that a scheme accepts. OAuth has no secret that both sides know. */
function secretsOf(scheme: HookScheme): readonly string[] {
  switch (scheme.scheme) {
    case 'header':
      return scheme.secrets;
    case 'basic':
      return scheme.users.map(
        ({ username, password }) => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      );
    case 'oauth2':
      return [];
  }
}
