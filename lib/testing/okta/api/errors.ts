import { jsonReply, type Reply } from '../../server/reply.js';
import { randomAlphanumeric } from '../../server/random-ids.js';

interface ErrorDetails {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sentences for `errorCauses`. */
  readonly causes?: readonly string[] | undefined;
}

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

/** An invalid request; `subject` is named in the summary. */
export function validationFailed(subject: string, ...causes: readonly string[]): Reply {
  return oktaError(400, 'E0000001', `Api validation failed: ${subject}`, { causes });
}

export function notFound(id: string, kind: string): Reply {
  return oktaError(404, 'E0000007', `Not found: Resource not found: ${id} (${kind})`);
}

/** The caller lacks an administrator role or a scope. */
export function forbidden(headers?: Readonly<Record<string, string>>): Reply {
  const summary = 'You do not have permission to perform the requested action';
  return oktaError(403, 'E0000006', summary, { headers });
}

/** The resource is in a state that does not allow the operation. */
export function wrongState(): Reply {
  return oktaError(403, 'E0000107', 'The entity is not in the expected state for the requested transition.');
}

/** There is no such path (404), or not with this method (405). */
export function methodNotSupported(status: 404 | 405): Reply {
  return oktaError(status, 'E0000022', 'The endpoint does not support the provided HTTP method');
}

export function oauthError(
  status: number,
  error: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { error, error_description: description }, headers);
}
