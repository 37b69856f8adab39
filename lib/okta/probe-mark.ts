import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HookScheme } from './verify-caller.js';

/**
 * Marks the test calls ("probes") of the command line, so that the gateway does not log them as attacks. A mark is an HMAC of
 * the time, made with the secret of the hook, which both sides have. It grants nothing: a marked caller is refused like another.
 */

/** The header with the mark: the time in milliseconds since 1970, a dot, and the HMAC in hexadecimal. */
export const PROBE_HEADER = 'x-okta-telephony-hook-probe';

/** How far the time of a mark may be from the gateway's: a copied mark is soon worth nothing. Two machines' clocks differ. */
const MAX_AGE_MS = 300_000;

/**
 * Random letters and digits of this length cannot be guessed, neither over the network nor from a mark. A shorter secret makes
 * no mark.
 */
export const MIN_SECRET_LENGTH = 16;

/**
 * The headers that mark a probe; none if the secret is missing or too short.
 * @param secret - the whole header value with which Okta calls the hook.
 */
export function markProbe(secret: string | undefined, nowMs: number): Readonly<Record<string, string>> {
  if (secret === undefined || secret.length < MIN_SECRET_LENGTH) return {};
  const time = String(Math.round(nowMs));
  return { [PROBE_HEADER]: `${time}.${macOf(secret, time).toString('hex')}` };
}

/** Whether a value of the header is a recent mark by one of the secrets. Compares in constant time. */
export function isProbeMark(value: unknown, schemes: readonly HookScheme[], nowMs: number): boolean {
  const [, time = '', mac = ''] =
    /^(\d{1,15})\.([\da-f]{64})$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (mac === '' || Math.abs(nowMs - Number(time)) > MAX_AGE_MS) return false;
  const given = Buffer.from(mac, 'hex');
  // Each secret is compared, so that the time does not tell which one matches.
  return schemes
    .flatMap(secretsOf)
    .map((secret) => timingSafeEqual(macOf(secret, time), given))
    .includes(true);
}

function macOf(secret: string, time: string): Buffer {
  return createHmac('sha256', secret).update(`okta-telephony-hook probe ${time}`).digest();
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
