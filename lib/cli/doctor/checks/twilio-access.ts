import { createAgent } from '../../../http/call.js';
import { createAccountReader } from '../../../channels/twilio/account-reader.js';
import type { AccountReading } from '../../../channels/twilio/account-reader.js';
import { createTwilioConnection, type TwilioPort } from '../../../channels/twilio/client.js';
import type { TwilioVariables } from '../../../options/read-variables.js';
import { connectMsOf, fail, unreachedFinding, type Finding } from '../finding.js';

/** Reads a Twilio account for doctor. */
export type TwilioAccess = ReturnType<typeof openTwilio>;

/** @param callMs - the timeout of one call, in milliseconds. */
export function openTwilio(variables: TwilioVariables, callMs: number) {
  const { accountSid, apiKeySid, authToken, baseUrl } = variables;
  const dispatcher = createAgent(connectMsOf(callMs));
  const connect = (username: string, password: string): TwilioPort =>
    createTwilioConnection({
      dispatcher,
      settings: {
        accountSid,
        username,
        password,
        region: undefined,
        edge: undefined,
        baseUrl,
        smartEncoding: false,
        deviceIp: false,
        senders: { sms: undefined, voice: undefined, whatsapp: undefined },
        statusCallbackUrl: undefined,
      },
    });
  const sending =
    apiKeySid === undefined ? connect(accountSid, authToken) : connect(apiKeySid, variables.apiKeySecret);
  return {
    /** Reads with the credential with which the gateway sends. */
    sending: createAccountReader(sending, callMs),
    /** Checks that Twilio accepts that credential. @throws ProviderError */
    check: () => sending.check(callMs),
    /** Reads with the auth token; `undefined` if it is not set. An API key may not read the account itself. */
    owner: authToken === undefined ? undefined : createAccountReader(connect(accountSid, authToken), callMs),
    close: () => dispatcher.destroy(),
  };
}

/**
 * The finding if a resource could not be read.
 * @param absent - the finding if the account has no such resource.
 */
export function unreadFinding(
  what: string,
  reading: Exclude<AccountReading, { kind: 'found' }>,
  absent?: Finding,
): Finding {
  if (reading.kind === 'unreached') return unreachedFinding('Twilio could not be reached', reading.reason);
  if (reading.status === 404 && absent !== undefined) return absent;
  return fail(
    `${what} cannot be read: ${reading.reason}.`,
    reading.status >= 500
      ? 'Check status.twilio.com. It may be temporary.'
      : 'Check it in the Twilio Console, and check whether the API key is a restricted one that may not read it.',
  );
}
