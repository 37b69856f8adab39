import { createAgent } from '../../../http/call.js';
import { OktaApiError } from '../../../core/errors.js';
import type { Administration } from '../../../okta/admin/administration.js';
import { createAccessTokens } from '../../../okta/access-token.js';
import { createOktaApiClient } from '../../../okta/api-client.js';
import type { SetupChange } from '../../../okta/admin/setup-plan.js';
import type { ReadOkta } from '../../../okta/admin/org-facts.js';
import type { OktaCredential } from '../../../options/credential-types.js';
import { readOkta } from '../../../options/credentials.js';
import { warn, type CheckTimes, type Finding } from '../finding.js';
import { asCommandError, CONNECT_TIMEOUT_MS, type Access } from '../../org.js';

export const USERS: Access = { scopes: ['okta.users.read'], role: 'the role Read-Only Administrator' };
export const SCHEMAS: Access = { scopes: ['okta.schemas.read'], role: 'the role Organization Administrator' };

/** Reads an org for doctor. No function of it can change the org. */
export interface OrgReader {
  readonly host: string;
  readonly orgUrl: string;
  /** That of the service app; `undefined` for an API token. */
  readonly clientId: string | undefined;
  readonly dispatcher: ReturnType<typeof createAgent>;
  /** The timeout of one call, in milliseconds. */
  readonly callMs: number;
  /** Makes a function that reads with these scopes. */
  reading(scopes: readonly string[]): ReadOkta;
  /** The same for the plans of setups. `post` and `put` reject, so that a plan is never carried out. */
  readOnly(scopes: readonly string[]): Administration;
  /** Whether the service app has a scope; always `true` for an API token. @throws OktaApiError */
  isGranted(scope: string): Promise<boolean>;
}

/** Opens an org for doctor. The caller destroys the `dispatcher`. */
export function openOrgReader(credential: OktaCredential, { time, callMs }: CheckTimes): OrgReader {
  const credentials = readOkta(credential);
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
    readOnly: (scopes) => {
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
 * Reads something that not every credential may read. A refusal is a warning and no failure, because the gateway's own
 * credential should not have such rights.
 *
 * @param what - the subject of the message, such as `The telephony hook`.
 * @throws CommandError for another error of Okta, with a remedy that names the variables.
 */
export async function withAccess(
  what: string,
  access: Access,
  read: () => Promise<Finding>,
): Promise<Finding> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof OktaApiError)) throw error;
    if (error.code !== 'OKTA_FORBIDDEN' && !isNotGranted(error)) throw asCommandError(error, access);
    return warn(
      `${what} cannot be read with this credential.`,
      `Run this with the credential of an administrator who has ${access.role}; a service app also needs ${access.scopes.join(', ')}.`,
    );
  }
}

/** The token endpoint issues no token for a scope that the service app does not have. */
const isNotGranted = ({ reason }: OktaApiError): boolean => reason === 'invalid_scope';

/** What a setup would change, in words. */
export function describeDifferences(changes: readonly SetupChange[]): string {
  return changes.map(({ field, from, to }) => `${field} is ${from ?? 'not set'} instead of ${to}`).join(', ');
}
