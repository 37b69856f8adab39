import { createAgent } from '../../../http/call.js';
import { OktaApiError } from '../../../core/errors.js';
import type { Administration, Time } from '../../../okta/admin/administration.js';
import { createAccessTokens } from '../../../okta/access-token.js';
import { createOktaApiClient } from '../../../okta/api-client.js';
import type { ReadOkta } from '../../../okta/admin/org-facts.js';
import type { OktaCredential } from '../../../options/options.js';
import { readOkta } from '../../../options/credentials.js';
import { warn, type Finding } from '../finding.js';
import { asCommandError, CONNECT_TIMEOUT_MS, type Access } from '../../org.js';

/** An org to be looked at: nothing here can change it. */
export interface OrgLook {
  readonly host: string;
  readonly orgUrl: string;
  /** `undefined` where it is an API token. */
  readonly clientId: string | undefined;
  readonly dispatcher: ReturnType<typeof createAgent>;
  /** What one call may take, milliseconds. */
  readonly callMs: number;
  /** Reads by these scopes. */
  reading(scopes: readonly string[]): ReadOkta;
  /** The same, for what plans a setup; that it can never be carried out is its point. */
  lookOnly(scopes: readonly string[]): Administration;
  /** Whether the service app was granted a scope. @throws OktaApiError */
  isGranted(scope: string): Promise<boolean>;
}

export function lookAtOrg(parts: {
  readonly credential: OktaCredential;
  readonly time: Time;
  readonly callMs: number;
}): OrgLook {
  const { time, callMs } = parts;
  const credentials = readOkta(parts.credential);
  const connectTimeoutMs = Math.min(CONNECT_TIMEOUT_MS, callMs);
  const dispatcher = createAgent(connectTimeoutMs);
  const common = { credentials, dispatcher, clock: () => time.now(), connectTimeoutMs };
  const reading = (scopes: readonly string[]): ReadOkta => {
    const client = createOktaApiClient({ ...common, scopes });
    return async (path) => {
      const answer = await client.request({ method: 'GET', path, timeoutMs: callMs, includeCauses: true });
      return { ...answer, body: Object(answer.body) as object };
    };
  };
  return {
    host: new URL(credentials.orgUrl).host,
    orgUrl: credentials.orgUrl,
    clientId: 'clientId' in credentials ? credentials.clientId : undefined,
    dispatcher,
    callMs,
    reading,
    lookOnly: (scopes) => {
      const read = reading(scopes);
      const refuse = (): Promise<never> => Promise.reject(new Error('the doctor changes nothing'));
      return { get: async (path) => (await read(path)).body, post: refuse, put: refuse };
    },
    async isGranted(scope) {
      if (!('clientId' in credentials)) return true;
      try {
        await createAccessTokens({ ...common, credentials, scopes: [scope] }).get(callMs);
        return true;
      } catch (error) {
        if (error instanceof OktaApiError && isNotGranted(error)) return false;
        throw error;
      }
    },
  };
}

/**
 * Looks at something that not every credential may see: the gateway's own should not, and that is no failure.
 *
 * @param what - for the message, such as `The telephony hook`.
 * @throws CommandError for what else is wrong, in the words of the variables.
 */
export async function withAccess(
  what: string,
  access: Access,
  look: () => Promise<Finding>,
): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof OktaApiError)) throw error;
    if (error.code !== 'OKTA_FORBIDDEN' && !isNotGranted(error)) throw asCommandError(error, access);
    return warn(
      `${what} cannot be seen with this credential.`,
      `Run this with an administrator's: the role ${access.role}${access.scopes.length === 0 ? '' : `; a service app with ${access.scopes.join(', ')}, too`}.`,
    );
  }
}

/** The token endpoint gives no token for a scope that the service app does not have. */
const isNotGranted = ({ reason }: OktaApiError): boolean => reason === 'invalid_scope';
