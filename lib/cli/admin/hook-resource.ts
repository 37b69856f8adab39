import { asList, fieldOf, isObject, textFieldOf } from '../../core/json.js';
import type { Administration } from './administration.js';
import { changesOf, type SetupChange, type SetupStep } from './setup-plan.js';

/** Reads and writes hooks in the form of Okta's API, for both inline hooks and event hooks. */

/** An inline hook or an event hook of an org. Okta's API never returns its secrets. */
export interface HookResource {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly isActive: boolean;
  /** How Okta authenticates to it, in words. */
  readonly authentication: string;
  /** The name of the header with the secret; `undefined` if it has none. */
  readonly headerName: string | undefined;
  /** The other headers, unchanged. */
  readonly headers: readonly unknown[];
  readonly resource: object;
}

/** How Okta authenticates to a hook. */
export type HookProof =
  | {
      readonly kind: 'header';
      /** `undefined` keeps the hook's header, or uses `Authorization`. */
      readonly headerName: string | undefined;
      readonly secret: string;
    }
  | HookOAuth;

/** For each call, Okta gets a token from an authorization server, as its client. */
export interface HookOAuth {
  readonly kind: 'oauth';
  readonly clientId: string;
  readonly tokenUrl: string;
  readonly scope: string;
  /** The client's secret, or the id of the hook key (`HKY…`) whose public key is registered with the client. */
  readonly by: { readonly clientSecret: string } | { readonly hookKeyId: string };
}

/** The desired state of a hook. */
export interface WantedHook {
  readonly url: string;
  readonly proof: HookProof;
  /** `undefined` keeps its name, or uses our own. */
  readonly name: string | undefined;
  /** Whether to send the secret even if nothing else differs, because Okta never shows the current one. */
  readonly sendsSecret: boolean;
}

/** Reads a list of hooks and skips unreadable ones. The ids are checked, because they become part of paths. */
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

/** A hook in words: name, id, state and host. The rest of the URL may hold a key, so it is left out. */
export function describeHook({ name, id, url, isActive }: HookResource): string {
  const host = URL.canParse(url) ? new URL(url).host : 'no URL';
  return `"${name}" (${id}, ${isActive ? 'active' : 'inactive'}, ${host})`;
}

/** Whether two URLs are the same hook; a trailing slash does not matter. */
export function isSameUrl(one: string, other: string): boolean {
  const normal = (url: string): string => (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, '');
  return normal(one) === normal(other);
}

/** The whole channel of a request that creates or replaces a hook. Okta removes what is left out. */
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

/** The hooks of one kind, and their API. */
export interface HookKind {
  /** In the words of a step: `event hook`. */
  readonly name: string;
  readonly path: string;
}

/** Makes the steps of a setup that create a hook, or change it in place. */
export function createHookWriter(
  okta: Administration,
  { name, path }: HookKind,
  { proof, sendsSecret }: WantedHook,
) {
  let isSecretSent = false;
  /** @param body - of the request that creates or replaces the hook. None is made if nothing differs, and no secret must go. */
  return (
    found: HookResource | undefined,
    fields: Parameters<typeof changesOf>[0],
    body: object,
  ): readonly SetupStep[] => {
    const differences = changesOf(fields);
    if (differences.length === 0 && (!sendsSecret || isSecretSent)) return [];
    return [
      {
        does: found === undefined ? `Create the ${name}` : `Change the ${name} ${found.id} in place`,
        changes: [...differences, ...secretChange(proof, found && 'what Okta has')],
        run: async () => {
          await (found === undefined ? okta.post(path, body) : okta.put(`${path}/${found.id}`, body));
          isSecretSent = true;
        },
      },
    ];
  };
}

function secretChange(proof: HookProof, from: string | undefined): readonly SetupChange[] {
  if (proof.kind === 'header') return [{ field: 'secret', from, to: 'the value of HOOK_SECRET' }];
  if (!('clientSecret' in proof.by)) return [];
  return [{ field: 'client secret', from, to: 'the value of HOOK_OAUTH_CLIENT_SECRET' }];
}

/** The step that activates a hook, if it is there and not active. */
export function activation(
  okta: Administration,
  { name, path }: HookKind,
  found: HookResource | undefined,
): readonly SetupStep[] {
  if (found === undefined || found.isActive) return [];
  return [
    {
      does: `Activate the ${name} ${found.id}`,
      changes: [{ field: 'status', from: 'INACTIVE', to: 'ACTIVE' }],
      run: async () => {
        await okta.post(`${path}/${found.id}/lifecycle/activate`);
      },
    },
  ];
}

/** How Okta will authenticate, in the words of `HookResource.authentication`. */
export function describeProof(proof: HookProof, found: HookResource | undefined): string {
  if (proof.kind === 'header') return `header ${headerNameOf(proof, found)}`;
  const hookKeyId = 'hookKeyId' in proof.by ? proof.by.hookKeyId : undefined;
  return describeOAuth({ ...proof, hookKeyId });
}

/** The header that will carry the secret. */
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
