import { createAgent } from '../../../http/call.js';
import { asList } from '../../../core/json.js';
import {
  createAccountReader,
  type AccountReader,
  type AccountReading,
} from '../../../channels/twilio/account-reader.js';
import { createTwilioConnection, type TwilioConnection } from '../../../channels/twilio/client.js';
import type { TwilioVariables } from '../variables.js';
import { fail, type Finding } from '../finding.js';
import { CONNECT_TIMEOUT_MS } from '../../org.js';
import { describeUnreached } from './unreached.js';

/** An account, by the credentials that the variables have. */
export interface TwilioAccess {
  /** By what the gateway sends with. */
  readonly sending: AccountReader;
  /** Whether Twilio takes that. @throws ProviderError */
  readonly check: () => Promise<void>;
  /** By the auth token; `undefined` where there is none. */
  readonly owner: AccountReader | undefined;
  readonly close: () => Promise<void>;
}

export function openTwilio(variables: TwilioVariables, callMs: number): TwilioAccess {
  const { accountSid, apiKey, authToken, baseUrl } = variables;
  const dispatcher = createAgent(Math.min(CONNECT_TIMEOUT_MS, callMs));
  const connect = (username: string, password: string): TwilioConnection =>
    createTwilioConnection({
      dispatcher,
      settings: {
        accountSid,
        username,
        password,
        region: undefined,
        edge: undefined,
        baseUrl: baseUrl === undefined ? undefined : new URL(baseUrl).origin,
        senders: { sms: undefined, voice: undefined, whatsapp: undefined },
        statusCallbackUrl: undefined,
      },
    });
  const sending =
    apiKey === undefined ? connect(accountSid, authToken ?? '') : connect(apiKey.sid, apiKey.secret);
  return {
    sending: createAccountReader(sending, callMs),
    check: () => sending.check(callMs),
    owner: authToken === undefined ? undefined : createAccountReader(connect(accountSid, authToken), callMs),
    close: () => dispatcher.destroy(),
  };
}

/** Where a resource was not read, and that is not what was asked. */
export function notRead(what: string, look: Exclude<AccountReading, { kind: 'found' }>): Finding {
  if (look.kind === 'unreached') {
    const { why, remedy } = describeUnreached(look.reason);
    return fail(`Twilio could not be reached: ${why}.`, remedy);
  }
  return fail(
    `${what} cannot be read: ${look.reason}.`,
    look.status >= 500
      ? 'Look at status.twilio.com; it may pass by itself.'
      : 'Look at it in the Twilio Console, and at whether the API key is a restricted one that may not see it.',
  );
}

/** A list of a page. */
export function listIn(body: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  return asList(body[name]);
}
