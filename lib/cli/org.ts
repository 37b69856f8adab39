import { createAgent, type HttpDispatcher } from '../http/call.js';
import { OktaApiError } from '../core/errors.js';
import { createAdministration, type Administration, type Time } from '../okta/admin/administration.js';
import { createOktaApiClient, type OktaCredentials } from '../okta/api-client.js';
import type { OktaCredential } from '../options/options.js';
import { readOkta } from '../options/credentials.js';
import { CommandError } from './failure.js';
import type { Terminal } from './terminal.js';

/** What a command may do in an org. */
export interface Access {
  /** What a service app needs, each. */
  readonly scopes: readonly string[];
  /** The administrator's role that the API token's owner, or the service app, needs beside them. */
  readonly role: string;
  /** What there is to know of another run, after one that failed. Default: it goes on where it was. */
  readonly again?: string;
}

/** An org that is being set up. */
export interface Org {
  /** Its host, to be shown. */
  readonly host: string;
  readonly dispatcher: HttpDispatcher;
  /** As an administrator with these scopes; a service app's token has no others. */
  as(scopes: readonly string[]): Administration;
}

/** What a connection may take to come about, milliseconds. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** A wait that is worth a line. */
const TOLD_WAIT_MS = 900;

/**
 * Opens an org for as long as the work takes.
 * @throws CommandError for what Okta refuses, with what to do about it here.
 */
export async function withOrg<Result>(
  parts: {
    readonly credential: OktaCredential;
    readonly access: Access;
    readonly terminal: Terminal;
    readonly time: Time;
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
        if (ms >= TOLD_WAIT_MS) terminal.note(`… ${reason}: waiting ${Math.ceil(ms / 1000)} s`, 'dim');
      },
    });
  try {
    return await work({ host: new URL(credentials.orgUrl).host, dispatcher, as });
  } catch (error) {
    throw error instanceof OktaApiError ? asCommandError(error, access) : error;
  } finally {
    await dispatcher.destroy();
  }
}

const GOES_ON = 'it goes on where it was';

/** In the words of whoever set the variables. */
export function asCommandError(error: OktaApiError, access: Access): CommandError {
  const { code, cause } = error;
  const oktas = cause instanceof Error ? ` Okta says: ${cause.message}` : '';
  return new CommandError(1, code, `${error.message}.${oktas}`, remedyOf(error, access));
}

function remedyOf(
  { code, remedy }: OktaApiError,
  { scopes, role, again = GOES_ON }: Access,
): string | undefined {
  switch (code) {
    case 'OKTA_FORBIDDEN':
      return `The API token's owner, or the service app, needs the role ${role}; a service app also the scopes ${scopes.join(', ')} (its tab Okta API Scopes).`;
    case 'OKTA_UNAUTHORIZED':
      return 'Compare OKTA_API_TOKEN, or OKTA_CLIENT_ID with OKTA_PRIVATE_KEY and OKTA_KEY_ID, with the org of OKTA_ORG_URL. An API token ends with its owner, and after 30 days without use: then create a new one.';
    case 'OKTA_UNREACHABLE':
    case 'OKTA_NO_ANSWER':
    case 'OKTA_UNREADABLE':
      return `See that OKTA_ORG_URL is the org's own address, and that this machine may call it: egress, DNS, TLS. Then run this again: ${again}.`;
    case 'OKTA_RATE_LIMITED':
      return `It passes with the limit's window, a minute as a rule. Then run this again: ${again}.`;
    default:
      return remedy;
  }
}
