import { readObject } from '../../http/request.js';
import type { HttpResult } from '../../core/http.js';
import type { TwilioPort } from './client.js';
import { describeRefusal, readCode } from './outcome.js';
import type { TwilioClient } from './sdk-types.js';

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

/** Reads one resource per method. Never rejects. */
export interface AccountReader {
  /** Needs the auth token: API keys may not read the account. */
  account(): Promise<AccountReading>;
  balance(): Promise<AccountReading>;
  /** The account's own numbers that contain these digits. */
  numbers(phoneNumber: string): Promise<AccountReading>;
  /** Numbers outside Twilio that the account has verified and may call from. */
  callerIds(phoneNumber: string): Promise<AccountReading>;
  messagingService(sid: string): Promise<AccountReading>;
  numbersOfService(sid: string): Promise<AccountReading>;
  messagingServices(): Promise<AccountReading>;
  /** The campaigns of a Messaging Service for US numbers (10DLC). */
  campaigns(serviceSid: string): Promise<AccountReading>;
  /** The verifications of a toll-free number, by its SID (`PN…`). */
  tollfreeVerifications(numberSid: string): Promise<AccountReading>;
  template(sid: string): Promise<AccountReading>;
  /** WhatsApp's approval of the template. */
  approval(sid: string): Promise<AccountReading>;
  verifyService(sid: string): Promise<AccountReading>;
}

/** The SDK's client with the resources that only `doctor` reads. */
export interface AccountClient extends TwilioClient {
  readonly api: {
    readonly v2010: {
      /** The account with this SID. */
      accounts(sid: string): {
        /** Its status and type, such as `active` and `Trial`. */
        fetch(): Promise<unknown>;
        readonly balance: {
          /** The remaining balance. */
          fetch(): Promise<unknown>;
        };
        readonly incomingPhoneNumbers: {
          /** The account's own numbers with their capabilities. */
          page(parameters: { readonly phoneNumber: string; readonly pageSize: number }): Promise<unknown>;
        };
        readonly outgoingCallerIds: {
          /** Numbers outside Twilio that the account has verified. */
          page(parameters: { readonly phoneNumber: string; readonly pageSize: number }): Promise<unknown>;
        };
      };
    };
  };
  readonly content: {
    readonly v1: {
      /** The template with this SID. */
      contents(sid: string): {
        /** Its content. */
        fetch(): Promise<unknown>;
        /** Its approval by WhatsApp. */
        approvalFetch(): {
          /** The status of the approval. */
          fetch(): Promise<unknown>;
        };
      };
    };
  };
  readonly messaging: {
    readonly v1: {
      readonly services: {
        /** The Messaging Services of the account, in pages. */
        page(parameters: { readonly pageSize: number }): Promise<unknown>;
        /** The Messaging Service with this SID. */
        (sid: string): {
          /** The service's settings. */
          fetch(): Promise<unknown>;
          readonly usAppToPerson: {
            /** Its campaigns for US numbers (10DLC). */
            page(parameters: { readonly pageSize: number }): Promise<unknown>;
          };
          readonly phoneNumbers: {
            /** The numbers that it sends from, in pages. */
            page(parameters: { readonly pageSize: number }): Promise<unknown>;
          };
        };
      };
      readonly tollfreeVerifications: {
        /** The verifications of a toll-free number, by its SID. */
        page(parameters: {
          readonly tollfreePhoneNumberSid: string;
          readonly pageSize: number;
        }): Promise<unknown>;
      };
    };
  };
}

/** One page of a list is enough for `doctor`. */
const PAGE = { pageSize: 20 };

/** @param timeoutMs - the limit of each read. */
export function createAccountReader(connection: TwilioPort, timeoutMs: number): AccountReader {
  const sid = connection.settings.accountSid;
  const read = async (action: (client: AccountClient) => unknown): Promise<AccountReading> =>
    // The connection passes the SDK's whole client.
    readingOf(await connection.read((client) => action(client as AccountClient), timeoutMs));
  return {
    account: () => read((client) => client.api.v2010.accounts(sid).fetch()),
    balance: () => read((client) => client.api.v2010.accounts(sid).balance.fetch()),
    numbers: (phoneNumber) =>
      read((client) => client.api.v2010.accounts(sid).incomingPhoneNumbers.page({ phoneNumber, ...PAGE })),
    callerIds: (phoneNumber) =>
      read((client) => client.api.v2010.accounts(sid).outgoingCallerIds.page({ phoneNumber, ...PAGE })),
    messagingService: (service) => read((client) => client.messaging.v1.services(service).fetch()),
    numbersOfService: (service) =>
      read((client) => client.messaging.v1.services(service).phoneNumbers.page(PAGE)),
    messagingServices: () => read((client) => client.messaging.v1.services.page(PAGE)),
    campaigns: (service) => read((client) => client.messaging.v1.services(service).usAppToPerson.page(PAGE)),
    tollfreeVerifications: (tollfreePhoneNumberSid) =>
      read((client) => client.messaging.v1.tollfreeVerifications.page({ tollfreePhoneNumberSid, ...PAGE })),
    template: (content) => read((client) => client.content.v1.contents(content).fetch()),
    approval: (content) => read((client) => client.content.v1.contents(content).approvalFetch().fetch()),
    verifyService: (service) => read((client) => client.verify.v2.services(service).fetch()),
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
