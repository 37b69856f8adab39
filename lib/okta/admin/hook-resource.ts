import { asList, fieldOf, isObject, textFieldOf } from '../../core/json.js';

/** An inline hook or an event hook of an org, as Okta's API has it: without its secrets. */
export interface HookResource {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly isActive: boolean;
  /** How Okta proves itself to it, in words. */
  readonly authentication: string;
  /** The name of the header that proves Okta; `undefined` where it is none. */
  readonly headerName: string | undefined;
  /** Headers beside that one, as they came. */
  readonly headers: readonly unknown[];
  /** The rest of it. */
  readonly resource: object;
}

/** How Okta proves itself to a hook. */
export type HookProof =
  | {
      readonly kind: 'header';
      /** `undefined`: as the hook has it, else `Authorization`. */
      readonly headerName: string | undefined;
      readonly secret: string;
    }
  | HookOAuth;

/** Okta gets a token for each call from an authorization server, as a client of it. */
interface HookOAuth {
  readonly kind: 'oauth';
  readonly clientId: string;
  readonly tokenUrl: string;
  readonly scope: string;
  /** The client's secret, or the id of the hook key (`HKY…`) whose public half the client has. */
  readonly by: { readonly clientSecret: string } | { readonly hookKeyId: string };
}

/** Those of a list that can be read; the ids are checked, since they become a part of paths. */
export function readHooks(list: object): readonly HookResource[] {
  return asList(list).flatMap((resource) => {
    const id = textFieldOf(resource, 'id');
    const status = textFieldOf(resource, 'status');
    const config = fieldOf(resource, 'channel', 'config');
    if (!isObject(resource) || id === undefined || !/^\w+$/.test(id)) return [];
    return {
      id,
      name: textFieldOf(resource, 'name') ?? '',
      url: textFieldOf(config, 'uri') ?? '',
      isActive: status === 'ACTIVE',
      authentication: authenticationOf(config),
      headerName: textFieldOf(config, 'authScheme', 'key'),
      headers: asList(fieldOf(config, 'headers')),
      resource,
    };
  });
}

/** What a hook is told of by, for people: name, id, state and host; the rest of another's URL may hold a key. */
export function describeHook({ name, id, url, isActive }: HookResource): string {
  const host = URL.canParse(url) ? new URL(url).host : 'no URL';
  return `"${name}" (${id}, ${isActive ? 'active' : 'inactive'}, ${host})`;
}

/** Whether two URLs are one hook: a trailing slash makes no other one. */
export function isSameUrl(one: string, other: string): boolean {
  const normal = (url: string): string => (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, '');
  return normal(one) === normal(other);
}

/** The channel of a request that creates or replaces a hook: all of it, since what is left out is taken away. */
export function channelOf(url: string, proof: HookProof, found: HookResource | undefined): object {
  const config = { uri: url, method: 'POST', headers: found?.headers ?? [] };
  if (proof.kind === 'header') {
    const authScheme = { type: 'HEADER', key: headerNameOf(proof, found), value: proof.secret };
    return { type: 'HTTP', version: '1.0.0', config: { ...config, authScheme } };
  }
  const { clientId, tokenUrl, scope, by } = proof;
  const authType = 'clientSecret' in by ? 'client_secret_post' : 'private_key_jwt';
  return {
    type: 'OAUTH',
    version: '1.0.0',
    config: { ...config, authType, clientId, tokenUrl, scope, ...by },
  };
}

/** How Okta will prove itself, in the words of `HookResource.authentication`. */
export function describeProof(proof: HookProof, found: HookResource | undefined): string {
  if (proof.kind === 'header') return `header ${headerNameOf(proof, found)}`;
  const hookKeyId = 'hookKeyId' in proof.by ? proof.by.hookKeyId : undefined;
  return describeOAuth({ ...proof, hookKeyId });
}

/** The header by which Okta will prove itself. */
export function headerNameOf(
  proof: Extract<HookProof, { kind: 'header' }>,
  found: HookResource | undefined,
): string {
  return proof.headerName ?? found?.headerName ?? 'Authorization';
}

function authenticationOf(config: unknown): string {
  const key = textFieldOf(config, 'authScheme', 'key');
  if (key !== undefined) return `header ${key}`;
  const clientId = textFieldOf(config, 'clientId');
  if (clientId === undefined) return 'none';
  return describeOAuth({
    clientId,
    tokenUrl: textFieldOf(config, 'tokenUrl'),
    scope: textFieldOf(config, 'scope'),
    hookKeyId: textFieldOf(config, 'hookKeyId'),
  });
}

function describeOAuth(oauth: {
  readonly clientId: string;
  readonly tokenUrl: string | undefined;
  readonly scope: string | undefined;
  readonly hookKeyId: string | undefined;
}): string {
  const by = oauth.hookKeyId === undefined ? 'its secret' : `the key ${oauth.hookKeyId}`;
  return `OAuth 2.0: client ${oauth.clientId} by ${by}, scope ${oauth.scope ?? 'none'}, tokens from ${oauth.tokenUrl ?? 'nowhere'}`;
}
