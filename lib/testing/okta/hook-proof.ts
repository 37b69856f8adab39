import { SignJWT } from 'jose';
import { channelHeaders, type HookChannel, type HookOAuth } from './hook-channel.js';
import type { HookKeys } from './hook-keys.js';
import { parseJson, textFieldOf } from '../../core/json.js';
import { callOut, type Outbound } from './outbound.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** The headers to call a hook with, or why there are none. */
export type HookProof =
  | { readonly headers: Readonly<Record<string, string>>; readonly problem?: undefined }
  | { readonly headers?: undefined; readonly problem: string };

const ASSERTION_SECONDS = 300;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** What Okta proves itself with to a hook: a header with a secret, or a token that it gets first. */
export async function proveToHook(
  channel: HookChannel,
  { keys, clock, ...outbound }: Outbound & { readonly keys: HookKeys; readonly clock: () => number },
): Promise<HookProof> {
  const headers = channelHeaders(channel);
  const { oauth } = channel;
  if (oauth === undefined) return { headers };
  const secret = await clientProof(oauth, keys, clock());
  if (secret === undefined) return { problem: 'no token: there is no such hook key' };
  const form = { grant_type: 'client_credentials', scope: oauth.scope, ...secret };
  const answer = await callOut(
    {
      method: 'POST',
      url: oauth.tokenUrl,
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    },
    outbound,
  );
  const token = answer.status === 200 ? textFieldOf(parseJson(answer.text ?? ''), 'access_token') : undefined;
  if (token === undefined) {
    return { problem: `no token: ${answer.problem ?? `the token endpoint answered ${answer.status ?? 0}`}` };
  }
  return { headers: { ...headers, authorization: `Bearer ${token}` } };
}

async function clientProof(
  oauth: HookOAuth,
  keys: HookKeys,
  now: number,
): Promise<Record<string, string> | undefined> {
  const { clientId, clientSecret, hookKeyId = '', tokenUrl } = oauth;
  if (clientSecret !== undefined) return { client_id: clientId, client_secret: clientSecret };
  const key = keys.find(hookKeyId);
  if (key === undefined) return undefined;
  const iat = Math.floor(now / 1000);
  const assertion = await new SignJWT({ iat, exp: iat + ASSERTION_SECONDS, jti: randomAlphanumeric(32) })
    .setProtectedHeader({ alg: 'RS256', kid: key.keyId })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(tokenUrl)
    .sign(key.privateKey);
  return { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
}
