import { SignJWT } from 'jose';
import { asList, fieldOf, isObject, parseJson, textFieldOf, type JsonObject } from '../../../core/json.js';
import { randomAlphanumeric } from '../../server/random-ids.js';
import type { OrgContext } from '../api/context.js';
import { ASSERTION_TYPE } from '../authorization/token-endpoint.js';
import type { HookKeys } from './hook-keys.js';
import { formPost } from '../../server/outbound.js';

/** How Okta calls an inline hook or event hook, with the secrets that its API never shows. */
export interface HookChannel {
  readonly type: 'HTTP' | 'OAUTH';
  readonly version: string;
  readonly uri: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  /** The header with the shared secret, if the type is `HTTP`. */
  readonly authScheme: { readonly key: string; readonly value: string } | undefined;
  /** How Okta gets a token for the hook, if the type is `OAUTH`. */
  readonly oauth: HookOAuth | undefined;
}

/** Okta as the client of an authorization server, which issues tokens for a hook. */
export interface HookOAuth {
  readonly authType: 'client_secret_post' | 'private_key_jwt';
  readonly clientId: string;
  readonly tokenUrl: string;
  readonly scope: string;
  readonly clientSecret?: string | undefined;
  readonly hookKeyId?: string | undefined;
}

const MAX_URI = 1024;

export function readChannel(channel: unknown, problems: string[]): HookChannel | undefined {
  const config = fieldOf(channel, 'config');
  const type = textFieldOf(channel, 'type');
  if (!isObject(config) || (type !== 'HTTP' && type !== 'OAUTH')) {
    problems.push('channel: The type is neither HTTP nor OAUTH, or there is no config.');
    return undefined;
  }
  const uri = textFieldOf(config, 'uri') ?? '';
  if (!isCallable(uri))
    problems.push(`uri: It has to begin with https://, without white space, ${MAX_URI} characters at most.`);
  const headers = readHeaders(config['headers'], problems);
  const authScheme = readAuthScheme(config['authScheme'], problems);
  const oauth = type === 'OAUTH' ? readOAuth(config, problems) : undefined;
  return {
    type,
    version: textFieldOf(channel, 'version') ?? '1.0.0',
    uri,
    headers,
    authScheme: type === 'HTTP' ? authScheme : undefined,
    oauth,
  };
}

/** A channel as Okta's API shows it, without its secrets. */
export function channelResource(channel: HookChannel): JsonObject {
  const { type, version, uri, headers, authScheme, oauth } = channel;
  const scheme = authScheme === undefined ? null : { type: 'HEADER', key: authScheme.key };
  const { authType, clientId, tokenUrl, scope, hookKeyId } = oauth ?? {};
  return {
    type,
    version,
    config: {
      uri,
      headers,
      method: 'POST',
      authScheme: scheme,
      ...(oauth === undefined ? {} : { authType, clientId, tokenUrl, scope }),
      ...(hookKeyId === undefined ? {} : { hookKeyId }),
    },
  };
}

/** The headers that a channel adds to Okta's, without those of a token. */
export function channelHeaders({ headers, authScheme }: HookChannel): Record<string, string> {
  const all = [...headers, ...(authScheme === undefined ? [] : [authScheme])];
  return Object.fromEntries(all.map(({ key, value }) => [key, value]));
}

/** Okta requires `https://`. Plain HTTP is for servers of a test on this machine. */
function isCallable(uri: string): boolean {
  if (!URL.canParse(uri) || /\s/.test(uri) || uri.length > MAX_URI) return false;
  return uri.startsWith('https://') || /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(`${uri}/`);
}

function readHeaders(headers: unknown, problems: string[]): HookChannel['headers'] {
  if (headers !== undefined && headers !== null && !Array.isArray(headers)) {
    problems.push('headers: They are no list.');
  }
  const read = asList(headers).map((header) => ({
    key: textFieldOf(header, 'key') ?? '',
    value: textFieldOf(header, 'value') ?? '',
  }));
  if (read.some(({ key }) => !/^[\w-]+$/.test(key))) problems.push('headers: One has no name.');
  return read;
}

function readAuthScheme(scheme: unknown, problems: string[]): HookChannel['authScheme'] {
  if (scheme === undefined || scheme === null) return undefined;
  const [type, key, value] = ['type', 'key', 'value'].map((name) => textFieldOf(scheme, name));
  if (type?.toUpperCase() === 'HEADER' && key !== undefined && value !== undefined) return { key, value };
  problems.push('authScheme: The type is not HEADER, or key or value is missing.');
  return undefined;
}

/** How Okta can authenticate to an authorization server, and the field that it needs. */
const PROOFS = { client_secret_post: 'clientSecret', private_key_jwt: 'hookKeyId' } as const;

function readOAuth(config: JsonObject, problems: string[]): HookOAuth {
  const text = (name: string): string => textFieldOf(config, name) ?? '';
  const [clientId, tokenUrl, scope] = [text('clientId'), text('tokenUrl'), text('scope')];
  const isSecret = text('authType') === 'client_secret_post';
  const authType = isSecret ? 'client_secret_post' : 'private_key_jwt';
  const proof = PROOFS[authType];
  if (clientId === '' || scope === '' || !isCallable(tokenUrl)) {
    problems.push('config: clientId, tokenUrl or scope is missing.');
  } else if (text('authType') !== authType) {
    problems.push('config: authType is neither client_secret_post nor private_key_jwt.');
  } else if (text(proof) === '') problems.push(`config: ${proof} is missing.`);
  return { authType, clientId, tokenUrl, scope, [proof]: text(proof) };
}

const ASSERTION_SECONDS = 300;

/**
 * Okta's credential for a hook: a header with a secret, or a token that Okta requests first.
 * @returns the headers to call the hook with, or why there are none.
 */
export async function proveToHook(
  channel: HookChannel,
  keys: HookKeys,
  { clock, outbound }: OrgContext,
): Promise<Readonly<Record<string, string>> | string> {
  const headers = channelHeaders(channel);
  const { oauth } = channel;
  if (oauth === undefined) return headers;
  const secret = await clientProof(oauth, keys, clock());
  if (secret === undefined) return 'no token: there is no such hook key';
  const form = { grant_type: 'client_credentials', scope: oauth.scope, ...secret };
  const answer = await outbound.call(formPost(oauth.tokenUrl, { accept: 'application/json' }, form));
  const token = answer.status === 200 ? textFieldOf(parseJson(answer.text ?? ''), 'access_token') : undefined;
  if (token === undefined) {
    return `no token: ${answer.problem ?? `the token endpoint answered ${answer.status ?? 0}`}`;
  }
  return { ...headers, authorization: `Bearer ${token}` };
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

/** The channel of a hook at this URL, with a shared secret. Throws a TypeError if Okta cannot call the URL. */
export function channelWithSecret(uri: string, value: string): HookChannel {
  const authScheme = { type: 'HEADER', key: 'Authorization', value };
  const problems: string[] = [];
  const channel = readChannel({ type: 'HTTP', version: '1.0.0', config: { uri, authScheme } }, problems);
  if (channel !== undefined && problems.length === 0) return channel;
  throw new TypeError(`Okta cannot call the hook: ${problems.join(' ')}`);
}
