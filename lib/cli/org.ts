import type { HttpDispatcher } from '../core/http.js';
import { createAgent } from '../http/call.js';
import { OktaApiError } from '../core/errors.js';
import { createAdministration, type Administration } from './admin/administration.js';
import { createOktaApiClient, type OktaCredentials } from '../okta/api-client.js';
import type { OktaCredential } from '../options/credential-types.js';
import { readOkta } from '../options/credentials.js';
import type { CommandCall } from './command.js';
import { CommandError } from './failure.js';

/** The rights that a command needs in an org. Remedies name them. */
export interface Access {
  /** A service app needs all of these scopes. */
  readonly scopes: readonly string[];
  /** The role that the API token's owner, or the service app, needs: `the role …`, or `a custom administrator role with …`. */
  readonly role: string;
  /** For remedies: what another run of the command does. Default: it continues where the first stopped. */
  readonly again?: string;
}

/** The role for hooks. Okta's permissions are in lower case, unlike its scopes. */
export const hookRole = (permission: string): string =>
  `a custom administrator role with ${permission} (or Super Administrator)`;

export const USERS: Access = { scopes: ['okta.users.read'], role: 'the role Read-Only Administrator' };
/** To change inline hooks, and to have Okta call one. */
export const INLINE_HOOK_SCOPES = ['okta.inlineHooks.read', 'okta.inlineHooks.manage'];
/** In a separate token: if the service app lacks this scope, only the warning is missing. */
export const NATIVE_SCOPES = ['okta.customTelephonyProvider.read'];

export interface Org {
  readonly host: string;
  /** The org's origin. */
  readonly url: string;
  readonly dispatcher: HttpDispatcher;
  /** The API with a token for these scopes only. An API token has the rights of its owner instead. */
  as(scopes: readonly string[]): Administration;
}

export const CONNECT_TIMEOUT_MS = 5_000;
/** A shorter wait, in milliseconds, prints no line. */
const MIN_SHOWN_WAIT_MS = 900;

/**
 * Opens an org, runs `work`, and closes the connections.
 * @throws CommandError if Okta refuses a call, with a remedy that names the variables.
 */
export async function withOrg<Result>(
  parts: Pick<CommandCall, 'terminal' | 'time'> & {
    readonly credential: OktaCredential;
    readonly access: Access;
  },
  work: (org: Org) => Promise<Result>,
): Promise<Result> {
  const { time, terminal, access } = parts;
  const credentials: OktaCredentials = readOkta(parts.credential);
  const dispatcher = createAgent(CONNECT_TIMEOUT_MS);
  const as = (scopes: readonly string[]): Administration =>
    createAdministration({
      client: createOktaApiClient({
        credentials,
        dispatcher,
        scopes,
        clock: () => time.now(),
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
      }),
      time,
      onWait: (reason, ms) => {
        if (ms >= MIN_SHOWN_WAIT_MS) terminal.note(`… ${reason}: waiting ${Math.ceil(ms / 1000)} s`, 'dim');
      },
    });
  try {
    const url = credentials.orgUrl;
    return await work({ host: new URL(url).host, url, dispatcher, as });
  } catch (error) {
    throw error instanceof OktaApiError ? asCommandError(error, access) : error;
  } finally {
    await dispatcher.destroy();
  }
}

const CONTINUES = 'it continues where it stopped';

/** Okta's refusal as a command's failure, with a remedy that names the variables, the role and the scopes. */
export function asCommandError(error: OktaApiError, access: Access): CommandError {
  const { code, cause } = error;
  const quote = cause instanceof Error ? ` Okta says: ${cause.message}` : '';
  return new CommandError(code, `${error.message}.${quote}`, remedyOf(error, access));
}

function remedyOf(
  { code, remedy }: OktaApiError,
  { scopes, role, again = CONTINUES }: Access,
): string | undefined {
  switch (code) {
    case 'OKTA_FORBIDDEN':
      return `The API token's owner, or the service app, needs ${role}; a service app also the scopes ${scopes.join(', ')} (its tab Okta API Scopes).`;
    case 'OKTA_UNAUTHORIZED':
      return 'Compare OKTA_API_TOKEN, or OKTA_CLIENT_ID with OKTA_PRIVATE_KEY and OKTA_KEY_ID, with the org of OKTA_ORG_URL. An API token ends with its owner, and after 30 days without use: then create a new one.';
    case 'OKTA_UNREACHABLE':
    case 'OKTA_NO_ANSWER':
    case 'OKTA_UNREADABLE':
      return `Check that OKTA_ORG_URL is the org's own address, and that this machine may call it: egress, DNS, TLS. Then run this again: ${again}.`;
    case 'OKTA_RATE_LIMITED':
      return `Wait for the end of the limit's window, usually a minute. Then run this again: ${again}.`;
    default:
      return remedy;
  }
}
