import type { RecordedRequest } from '../../server/request.js';
import type { Method, PathParams, Reply } from '../../server/reply.js';
import { notFound, validationFailed } from './errors.js';
import type { RateLimitBucket } from './rate-limit.js';

/** A request that is allowed. */
export interface ApiCall {
  readonly request: RecordedRequest;
  readonly params: PathParams;
  readonly query: URLSearchParams;
  /** The JSON of a body; `undefined` if there is none, or if the operation has no scope. */
  readonly body: unknown;
}

export type Operation = (call: ApiCall) => Reply | Promise<Reply>;

/** Who may call, and the limit that counts the calls. */
export interface Access {
  /** The scope in Okta's OpenAPI document. Without one, everybody may call. */
  readonly scope?: string | undefined;
  /** Which administrators may call, beside super administrators. Default: all. */
  readonly roles?: readonly string[] | undefined;
  /** Default: `other` with a scope, else none. */
  readonly bucket?: RateLimitBucket | undefined;
}

/** An operation at a path of Okta's. The path may have parameters, e.g. `/api/v1/users/:id`. */
export type Route = readonly [method: Method, path: string, access: Access, operation: Operation];

/**
 * The access to hooks, by the scopes `okta.{scope}.read` and `okta.{scope}.manage`: for super administrators, and for custom
 * administrator roles with the permission of the same name in lower case.
 */
export function hookAccess(scope: string): Readonly<Record<'read' | 'manage', Access>> {
  const permission = `okta.${scope.toLowerCase()}`;
  return {
    read: { scope: `okta.${scope}.read`, roles: [`${permission}.manage`, `${permission}.read`] },
    manage: { scope: `okta.${scope}.manage`, roles: [`${permission}.manage`] },
  };
}

/**
 * Answers a list, and refuses a query parameter that the emulator does not know. Okta knows more of them; if one were ignored, the
 * answer would have too much.
 */
export function listBy(known: readonly string[], answer: Operation): Operation {
  return (call) => {
    const unknown = [...call.query.keys()].find((name) => !known.includes(name));
    if (unknown === undefined) return answer(call);
    const takes = known.length === 0 ? 'none' : `only ${known.join(', ')}`;
    return validationFailed(unknown, `${unknown}: The emulated list does not know it. It knows ${takes}.`);
  };
}

/** Answers for the resource whose id is in the path, or that there is none. */
export function withResource<Resource>(
  kind: string,
  find: (id: string) => Resource | undefined,
  answer: (resource: Resource, call: ApiCall) => Reply | Promise<Reply>,
): Operation {
  return (call) => {
    const { id = '' } = call.params;
    const resource = find(id);
    return resource === undefined ? notFound(id, kind) : answer(resource, call);
  };
}
