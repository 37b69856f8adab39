import type { RecordedRequest } from '../server/faults.js';
import { randomSid } from '../server/random-ids.js';
import { jsonReply, type Reply } from '../server/reply.js';
import { notFound } from './errors.js';
import { legacyPage, queryOf } from './paging.js';
import { twilioDate } from './formats.js';
import type { TwilioRecipients, TwilioSenders } from './senders.js';

/** Settings of the account, for `configureAccount`. Those that are left out do not change. */
export interface AccountSettings {
  /** The status in the Account resource, without another effect. Default: `active`. */
  readonly status?: 'active' | 'suspended' | 'closed' | undefined;
  /** A trial account sends to `verifiedNumbers` only (21608, 21219). Default: `Full`. */
  readonly type?: 'Full' | 'Trial' | undefined;
  /** The numbers that a trial account may send to. Default: none. */
  readonly verifiedNumbers?: readonly string[] | undefined;
  /** Default: `100.00`. */
  readonly balance?: string | undefined;
  /** Default: `USD`. */
  readonly currency?: string | undefined;
}

/** What `TwilioAccount` needs. */
export interface AccountParts {
  readonly accountSid: string;
  readonly authToken: string;
  readonly clock: () => number;
  readonly senders: TwilioSenders;
  readonly recipients: TwilioRecipients;
}

const API_VERSION = '2010-04-01';

/** An account: its state, its balance, its numbers. */
export class TwilioAccount {
  readonly #parts: AccountParts;
  readonly #numberSids = new Map<string, string>();
  readonly #createdAt: number;
  #settings = {
    status: 'active',
    type: 'Full',
    verifiedNumbers: [] as readonly string[],
    balance: '100.00',
    currency: 'USD',
  };

  constructor(parts: AccountParts) {
    this.#parts = parts;
    this.#createdAt = parts.clock();
  }

  configure(settings: AccountSettings): void {
    const known = this.#settings;
    this.#settings = {
      status: settings.status ?? known.status,
      type: settings.type ?? known.type,
      verifiedNumbers: settings.verifiedNumbers ?? known.verifiedNumbers,
      balance: settings.balance ?? known.balance,
      currency: settings.currency ?? known.currency,
    };
    const { type, verifiedNumbers } = this.#settings;
    this.#parts.recipients.verifiedNumbers = type === 'Trial' ? verifiedNumbers : undefined;
  }

  show(request: RecordedRequest, sid = ''): Reply {
    if (sid !== this.#parts.accountSid) return notFound(request);
    const uri = `/${API_VERSION}/Accounts/${sid}`;
    return jsonReply(200, {
      auth_token: this.#parts.authToken,
      date_created: twilioDate(this.#createdAt),
      date_updated: twilioDate(this.#createdAt),
      friendly_name: 'Emulated account',
      owner_account_sid: sid,
      sid,
      status: this.#settings.status,
      subresource_uris: { calls: `${uri}/Calls.json`, messages: `${uri}/Messages.json` },
      type: this.#settings.type,
      uri: `${uri}.json`,
    });
  }

  showBalance(): Reply {
    const { balance, currency } = this.#settings;
    return jsonReply(200, { account_sid: this.#parts.accountSid, balance, currency });
  }

  /** `PhoneNumber` in the query narrows the list by a part of the number. */
  listNumbers(request: RecordedRequest): Reply {
    const wanted = queryOf(request).get('PhoneNumber') ?? '';
    const numbers = this.#parts.senders.numbers.filter((number) => number.includes(wanted));
    const show = (number: string): object => this.#numberResource(number);
    return jsonReply(200, legacyPage(request, 'incoming_phone_numbers', numbers, show));
  }

  /** The SID of a number. */
  numberSid(number: string): string {
    const sid = this.#numberSids.get(number) ?? randomSid('PN');
    this.#numberSids.set(number, sid);
    return sid;
  }

  #numberResource(number: string): object {
    const { accountSid, senders } = this.#parts;
    const sid = this.numberSid(number);
    return {
      account_sid: accountSid,
      address_requirements: 'none',
      address_sid: null,
      api_version: API_VERSION,
      beta: false,
      bundle_sid: null,
      capabilities: { ...senders.capabilitiesOf(number), fax: false },
      date_created: twilioDate(this.#createdAt),
      date_updated: twilioDate(this.#createdAt),
      emergency_address_sid: null,
      emergency_address_status: 'unregistered',
      emergency_status: 'Inactive',
      friendly_name: number,
      identity_sid: null,
      origin: 'twilio',
      phone_number: number,
      sid,
      sms_application_sid: null,
      sms_fallback_method: 'POST',
      sms_fallback_url: null,
      sms_method: 'POST',
      sms_url: null,
      status: 'in-use',
      status_callback: null,
      status_callback_method: 'POST',
      trunk_sid: null,
      type: 'local',
      uri: `/${API_VERSION}/Accounts/${accountSid}/IncomingPhoneNumbers/${sid}.json`,
      voice_application_sid: null,
      voice_caller_id_lookup: false,
      voice_fallback_method: 'POST',
      voice_fallback_url: null,
      voice_method: 'POST',
      voice_receive_mode: 'voice',
      voice_url: null,
    };
  }
}
