import { queryOf } from '../server/request.js';
import { okReply, type Answer, type Reply } from '../server/reply.js';
import { randomSid } from '../server/random-ids.js';
import { given, type AllSettings, type TwilioContext } from './context.js';
import { notFound } from './errors.js';
import { API_VERSION, isoDate, twilioDate } from './formats.js';
import { legacyPage, metaPage } from './lists.js';

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

/** The status of a 10DLC campaign. */
export type CampaignStatus = 'PENDING' | 'FAILED' | 'IN_PROGRESS' | 'VERIFIED' | 'SUSPENDED';

/** The status of the verification of a toll-free number. */
export type TollfreeStatus = 'PENDING_REVIEW' | 'IN_REVIEW' | 'TWILIO_APPROVED' | 'TWILIO_REJECTED';

/** An account: its state, its balance, its numbers with their registrations, and its Messaging Services. */
export class TwilioAccount {
  readonly #context: TwilioContext;
  readonly #numberSids = new Map<string, string>();
  readonly #createdAt: number;
  readonly #tollfree = new Map<string, TollfreeStatus>();
  #campaign: CampaignStatus | undefined = 'VERIFIED';
  #settings: AllSettings<AccountSettings> = {
    status: 'active',
    type: 'Full',
    verifiedNumbers: [],
    balance: '100.00',
    currency: 'USD',
  };

  constructor(context: TwilioContext) {
    this.#context = context;
    this.#createdAt = context.clock();
  }

  configure(settings: AccountSettings): void {
    this.#settings = { ...this.#settings, ...given(settings) };
    const { type, verifiedNumbers } = this.#settings;
    this.#context.recipients.verifiedNumbers = type === 'Trial' ? verifiedNumbers : undefined;
  }

  readonly show: Answer = (request, { sid = '' }) => {
    if (sid !== this.#context.accountSid) return notFound(request);
    return okReply({
      auth_token: this.#context.authToken,
      date_created: twilioDate(this.#createdAt),
      date_updated: twilioDate(this.#createdAt),
      friendly_name: 'Emulated account',
      sid,
      status: this.#settings.status,
      type: this.#settings.type,
      uri: `/${API_VERSION}/Accounts/${sid}.json`,
    });
  };

  readonly showBalance = (): Reply => {
    const { balance, currency } = this.#settings;
    return okReply({ account_sid: this.#context.accountSid, balance, currency });
  };

  /** `PhoneNumber` in the query narrows the list by a part of the number. */
  readonly listNumbers: Answer = (request) => {
    const wanted = queryOf(request).get('PhoneNumber') ?? '';
    const numbers = this.#context.senders.numbers.filter((number) => number.includes(wanted));
    const items = numbers.map((number) => this.#numberResource(number));
    return legacyPage(request, { name: 'incoming_phone_numbers', items, filters: ['PhoneNumber'] });
  };

  #numberSid(number: string): string {
    const sid = this.#numberSids.get(number) ?? randomSid('PN');
    this.#numberSids.set(number, sid);
    return sid;
  }

  #numberResource(number: string): object {
    const { accountSid, senders } = this.#context;
    const sid = this.#numberSid(number);
    return {
      account_sid: accountSid,
      capabilities: { ...senders.capabilitiesOf(number), fax: false },
      date_created: twilioDate(this.#createdAt),
      date_updated: twilioDate(this.#createdAt),
      friendly_name: number,
      phone_number: number,
      sid,
      status: 'in-use',
      uri: `/${API_VERSION}/Accounts/${accountSid}/IncomingPhoneNumbers/${sid}.json`,
    };
  }

  readonly showService: Answer = (request, { sid = '' }) =>
    this.#isService(sid) ? okReply(this.#serviceResource(sid)) : notFound(request);

  readonly listServiceNumbers: Answer = (request, { sid = '' }) => {
    if (!this.#isService(sid)) return notFound(request);
    const { server, smsNumber } = this.#context;
    const items = [this.#serviceNumberResource(sid, smsNumber)];
    return metaPage(request, server.origin, { name: 'phone_numbers', items });
  };

  readonly listServices: Answer = (request) => {
    const { server, messagingServiceSid } = this.#context;
    const items = [this.#serviceResource(messagingServiceSid)];
    return metaPage(request, server.origin, { name: 'services', items });
  };

  #isService(sid: string): boolean {
    return sid.startsWith('MG') && this.#context.senders.hasService(sid);
  }

  #serviceResource(sid: string): object {
    const url = `${this.#context.server.origin}/v1/Services/${sid}`;
    return {
      account_sid: this.#context.accountSid,
      date_created: isoDate(this.#createdAt),
      date_updated: isoDate(this.#createdAt),
      friendly_name: 'Emulated service',
      sid,
      url,
    };
  }

  #serviceNumberResource(serviceSid: string, number: string): object {
    const { accountSid, server, senders } = this.#context;
    const sid = this.#numberSid(number);
    const { sms, mms, voice } = senders.capabilitiesOf(number);
    return {
      account_sid: accountSid,
      capabilities: [...(sms ? ['SMS'] : []), ...(mms ? ['MMS'] : []), ...(voice ? ['Voice'] : [])],
      country_code: 'US',
      date_created: isoDate(this.#createdAt),
      date_updated: isoDate(this.#createdAt),
      phone_number: number,
      service_sid: serviceSid,
      sid,
      url: `${server.origin}/v1/Services/${serviceSid}/PhoneNumbers/${sid}`,
    };
  }

  setCampaign(status: CampaignStatus | undefined): void {
    this.#campaign = status;
  }

  setTollfree(number: string, status: TollfreeStatus): void {
    this.#tollfree.set(number, status);
  }

  readonly listCampaigns: Answer = (request, { sid = '' }) => {
    if (!this.#isService(sid)) return notFound(request);
    const { accountSid, server } = this.#context;
    const items = [this.#campaign].flatMap((status) =>
      status === undefined
        ? []
        : [
            {
              account_sid: accountSid,
              campaign_status: status,
              date_created: isoDate(this.#createdAt),
              date_updated: isoDate(this.#createdAt),
              messaging_service_sid: sid,
              sid: randomSid('QE'),
              us_app_to_person_usecase: '2FA',
            },
          ],
    );
    return metaPage(request, server.origin, { name: 'compliance', items });
  };

  /** `TollfreePhoneNumberSid` in the query narrows the list to a number. */
  readonly listTollfree: Answer = (request) => {
    const { accountSid, server } = this.#context;
    const wanted = queryOf(request).get('TollfreePhoneNumberSid');
    const items = [...this.#tollfree]
      .map(([number, status]) => ({
        account_sid: accountSid,
        date_created: isoDate(this.#createdAt),
        date_updated: isoDate(this.#createdAt),
        sid: randomSid('HH'),
        status,
        tollfree_phone_number_sid: this.#numberSid(number),
      }))
      .filter(({ tollfree_phone_number_sid: sid }) => wanted === null || sid === wanted);
    return metaPage(request, server.origin, {
      name: 'verifications',
      items,
      filters: ['TollfreePhoneNumberSid'],
    });
  };
}
