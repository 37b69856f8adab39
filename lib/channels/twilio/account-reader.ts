import { readObject } from '../../http/request.js';
import type { HttpResult } from '../../core/http.js';
import type { TwilioClient, TwilioPort } from './client.js';
import { describeRefusal, readCode } from './outcome.js';

/** Reads the facts of a Twilio account, for `doctor`. It changes nothing and sends nothing. */

/** The result of reading one resource. */
export type AccountReading =
  | { readonly kind: 'found'; readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'refused';
      readonly status: number;
      /** In our words. */
      readonly reason: string;
    }
  | { readonly kind: 'unreached'; readonly reason: string };

/** One page of a list is enough for `doctor`. */
const PAGE = { pageSize: 20 };

/** Reads one resource per method. None rejects. @param timeoutMs - the limit of each read. */
export function createAccountReader(connection: TwilioPort, timeoutMs: number) {
  const sid = connection.settings.accountSid;
  const read = async (action: (client: TwilioClient) => unknown): Promise<AccountReading> =>
    readingOf(await connection.read(action, timeoutMs));
  return {
    /** Needs the auth token: API keys may not read the account. */
    account: () => read((client) => client.api.v2010.accounts(sid).fetch()),
    balance: () => read((client) => client.api.v2010.accounts(sid).balance.fetch()),
    /** The account's own numbers that contain these digits. */
    numbers: (phoneNumber: string) =>
      read((client) => client.api.v2010.accounts(sid).incomingPhoneNumbers.page({ phoneNumber, ...PAGE })),
    /** Numbers outside Twilio that the account has verified and may call from. */
    callerIds: (phoneNumber: string) =>
      read((client) => client.api.v2010.accounts(sid).outgoingCallerIds.page({ phoneNumber, ...PAGE })),
    messagingService: (service: string) => read((client) => client.messaging.v1.services(service).fetch()),
    numbersOfService: (service: string) =>
      read((client) => client.messaging.v1.services(service).phoneNumbers.page(PAGE)),
    messagingServices: () => read((client) => client.messaging.v1.services.page(PAGE)),
    /** The campaigns of a Messaging Service for US numbers (10DLC). */
    campaigns: (service: string) =>
      read((client) => client.messaging.v1.services(service).usAppToPerson.page(PAGE)),
    /** The verifications of a toll-free number, by its SID (`PN…`). */
    tollfreeVerifications: (tollfreePhoneNumberSid: string) =>
      read((client) => client.messaging.v1.tollfreeVerifications.page({ tollfreePhoneNumberSid, ...PAGE })),
    template: (content: string) => read((client) => client.content.v1.contents(content).fetch()),
    /** WhatsApp's approval of the template. */
    approval: (content: string) =>
      read((client) => client.content.v1.contents(content).approvalFetch().fetch()),
    verifyService: (service: string) => read((client) => client.verify.v2.services(service).fetch()),
  };
}

function readingOf(result: HttpResult): AccountReading {
  if (result.kind !== 'answered') return { kind: 'unreached', reason: result.reason };
  const { status } = result;
  const body = readObject(result);
  if (status >= 200 && status <= 299) return { kind: 'found', body };
  const { code, reason } = describeRefusal(readCode(body['code']), status);
  return { kind: 'refused', status, reason: `${reason} (${code})` };
}
