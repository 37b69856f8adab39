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

/** An account: its state, its balance, its numbers and Messaging Services. */
export class TwilioAccount {
  readonly #context: TwilioContext;
  readonly #numberSids = new Map<string, string>();
  readonly #createdAt: number;
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
}
