import { readObject } from '../../http/outcome.js';
import type { HttpResult } from '../../http/call.js';
import type { TwilioConnection } from './client.js';
import { readCode } from './outcome.js';
import { describeRefusal } from './refusals.js';
import type { TwilioClient } from './sdk-types.js';

/** What an account says of itself: read, and nothing else. */

/** What came of reading one resource. */
export type Look =
  | { readonly kind: 'found'; readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'refused';
      readonly status: number;
      /** In our words. */
      readonly reason: string;
    }
  | { readonly kind: 'unreached'; readonly reason: string };

export interface AccountLook {
  /** Of the auth token only: API keys may not see it. */
  account(): Promise<Look>;
  balance(): Promise<Look>;
  /** Those whose number has these digits. */
  numbers(phoneNumber: string): Promise<Look>;
  /** Numbers of others that the account has verified, and may call from. */
  callerIds(phoneNumber: string): Promise<Look>;
  messagingService(sid: string): Promise<Look>;
  numbersOfService(sid: string): Promise<Look>;
  template(sid: string): Promise<Look>;
  /** Where WhatsApp stands with it. */
  approval(sid: string): Promise<Look>;
  verifyService(sid: string): Promise<Look>;
}

/** One page is enough to know what is asked. */
const PAGE = { pageSize: 20 };

export function lookAtAccount(connection: TwilioConnection, timeoutMs: number): AccountLook {
  const sid = connection.settings.accountSid;
  const context = { endWithinMs: timeoutMs, leaveWithinMs: timeoutMs, mayLeave: () => true };
  const read = async (action: (client: TwilioClient) => unknown): Promise<Look> =>
    lookOf(await connection.call(action, context));
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
    template: (content) => read((client) => client.content.v1.contents(content).fetch()),
    approval: (content) => read((client) => client.content.v1.contents(content).approvalFetch().fetch()),
    verifyService: (service) => read((client) => client.verify.v2.services(service).fetch()),
  };
}

function lookOf(result: HttpResult): Look {
  if (result.kind !== 'answered') return { kind: 'unreached', reason: result.reason };
  const { status } = result;
  const body = readObject(result);
  if (status >= 200 && status <= 299) return { kind: 'found', body };
  const { code, reason } = describeRefusal(readCode(body['code']), status);
  return { kind: 'refused', status, reason: `${reason} (${code})` };
}
