/** Okta could not be asked, or refused; the message may be logged. */
export class OktaCallError extends Error {
  override readonly name = 'OktaCallError';
}

/** Of one call. Two of them fit into what the hook gives `onMessage`, milliseconds. */
const OKTA_CALL_MS = 1_000;

/** What goes into a call's headers to prove who calls. */
export interface CallAuthorization {
  headersFor(method: string, url: string): Promise<Readonly<Record<string, string>>>;
  /** Okta has refused it. */
  renew(): void;
}

/** A call of Okta, whatever it is answered with. */
export async function callOkta(
  url: string,
  init: Pick<RequestInit, 'method' | 'headers' | 'body'>,
  timeoutMs = OKTA_CALL_MS,
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: unknown }> {
  try {
    const response = await fetch(url, {
      ...init,
      // Okta redirects no call of its API, and a credential follows nobody.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json();
    return { status: response.status, headers: response.headers, body };
  } catch (error) {
    throw new OktaCallError('Okta gave no answer that can be read', { cause: error });
  }
}

export function fieldOf(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined;
  return (body as Readonly<Record<string, unknown>>)[name];
}

/** Okta's code alone: its sentences may quote a login. */
export function reasonIn(body: unknown): string {
  const code = fieldOf(body, 'errorCode') ?? fieldOf(body, 'error');
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? ` (${code})` : '';
}
