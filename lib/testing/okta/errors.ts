import { jsonReply, type Reply } from '../server/reply.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** What an error answer says beside its code. */
interface ErrorDetails {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sentences for `errorCauses`. */
  readonly causes?: readonly string[] | undefined;
}

/** Okta's error object. */
export function oktaError(
  status: number,
  errorCode: string,
  errorSummary: string,
  { headers, causes = [] }: ErrorDetails = {},
): Reply {
  const body = {
    errorCode,
    errorSummary,
    errorLink: errorCode,
    errorId: `oae${randomAlphanumeric(17)}`,
    errorCauses: causes.map((cause) => ({ errorSummary: cause })),
  };
  return jsonReply(status, body, headers);
}

/** A request that does not hold; `subject` is what the summary names. */
export function validationFailed(subject: string, ...causes: readonly string[]): Reply {
  return oktaError(400, 'E0000001', `Api validation failed: ${subject}`, { causes });
}

/** There is no such thing. */
export function notFound(id: string, kind: string): Reply {
  return oktaError(404, 'E0000007', `Not found: Resource not found: ${id} (${kind})`);
}

/** The caller may not, for want of an administrator's role or of a scope. */
export function forbidden(headers?: Readonly<Record<string, string>>): Reply {
  const summary = 'You do not have permission to perform the requested action';
  return oktaError(403, 'E0000006', summary, { headers });
}

/** What is asked for is not possible in the state that the thing is in. */
export function wrongState(): Reply {
  return oktaError(403, 'E0000107', 'The entity is not in the expected state for the requested transition.');
}

/** There is a route of this path, but not with this method; or no route at all. */
export function methodNotSupported(status: 404 | 405): Reply {
  return oktaError(status, 'E0000022', 'The endpoint does not support the provided HTTP method');
}
