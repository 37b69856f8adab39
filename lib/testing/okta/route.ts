import type { RecordedRequest } from '../server/faults.js';
import type { PathParams, Reply } from '../server/reply.js';
import { notFound, validationFailed } from './errors.js';
import type { RateLimitBucket } from './rate-limit.js';

/** A call of the API that is allowed. */
export interface ApiCall {
  readonly request: RecordedRequest;
  readonly params: PathParams;
  readonly query: URLSearchParams;
  /** The body's JSON; `undefined` if there is none. */
  readonly body: unknown;
}

/** An operation of Okta's API. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** As Express has it, e.g. `/api/v1/users/:id`. */
  readonly path: string;
  /** The scope in Okta's OpenAPI document. Without one, the operation is public. */
  readonly scope?: string | undefined;
  /** Which administrators may call, beside super administrators. Default: all. */
  readonly roles?: readonly string[] | undefined;
  /** Default: `other`. */
  readonly bucket?: RateLimitBucket | undefined;
  readonly answer: (call: ApiCall) => Reply | Promise<Reply>;
}

/**
 * Routes of hooks under one path, with the scopes `okta.{scope}.read` and `okta.{scope}.manage`: for super administrators, and
 * for custom administrator roles with the permission of the same name in lower case.
 */
export function hookRoutes(
  path: string,
  scope: string,
  operations: readonly (readonly [method: Route['method'], end: string, answer: Route['answer']])[],
): readonly Route[] {
  const permission = `okta.${scope.toLowerCase()}`;
  return operations.map(([method, end, answer]) => ({
    method,
    path: path + end,
    scope: `okta.${scope}.${method === 'get' ? 'read' : 'manage'}`,
    roles: [`${permission}.manage`, ...(method === 'get' ? [`${permission}.read`] : [])],
    answer,
  }));
}

/**
 * Answers a list, and refuses a query parameter that the emulator does not know. Okta knows more of them; if one were ignored, the
 * answer would have too much.
 */
export function listBy(known: readonly string[], answer: Route['answer']): Route['answer'] {
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
): Route['answer'] {
  return (call) => {
    const { id = '' } = call.params;
    const resource = find(id);
    return resource === undefined ? notFound(id, kind) : answer(resource, call);
  };
}
