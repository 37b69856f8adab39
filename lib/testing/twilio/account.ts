import { queryOf } from '../server/faults.js';
import { okReply, type Answer, type Reply } from '../server/reply.js';
import { randomSid } from '../server/random-ids.js';
import { given, type AllSettings, type TwilioContext } from './context.js';
import { notFound } from './errors.js';
import { API_VERSION, isoDate, twilioDate } from './formats.js';
import { legacyPage, metaPage } from './resources.js';

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

const SERVICE_LINKS: Readonly<Record<string, string>> = {
  phone_numbers: 'PhoneNumbers',
  short_codes: 'ShortCodes',
  alpha_senders: 'AlphaSenders',
  messages: 'Messages',
  us_app_to_person: 'Compliance/Usa2p',
  us_app_to_person_usecases: 'Compliance/Usa2p/Usecases',
  channel_senders: 'ChannelSenders',
  destination_alpha_senders: 'DestinationAlphaSenders',
};

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
    const uri = `/${API_VERSION}/Accounts/${sid}`;
    return okReply({
      auth_token: this.#context.authToken,
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
  };

  readonly showBalance = (): Reply => {
    const { balance, currency } = this.#settings;
    return okReply({ account_sid: this.#context.accountSid, balance, currency });
  };

  /** `PhoneNumber` in the query narrows the list by a part of the number. */
  readonly listNumbers: Answer = (request) => {
    const wanted = queryOf(request).get('PhoneNumber') ?? '';
    const numbers = this.#context.senders.numbers.filter((number) => number.includes(wanted));
    const resources = numbers.map((number) => this.#numberResource(number));
    return legacyPage(request, 'incoming_phone_numbers', resources);
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

  readonly showService: Answer = (request, { sid = '' }) =>
    this.#isService(sid) ? okReply(this.#serviceResource(sid)) : notFound(request);

  readonly listServiceNumbers: Answer = (request, { sid = '' }) => {
    if (!this.#isService(sid)) return notFound(request);
    const { server, smsNumber } = this.#context;
    const numbers = [this.#serviceNumberResource(sid, smsNumber)];
    return metaPage(request, server.origin, 'phone_numbers', numbers);
  };

  #isService(sid: string): boolean {
    return sid.startsWith('MG') && this.#context.senders.hasService(sid);
  }

  #serviceResource(sid: string): object {
    const url = `${this.#context.server.origin}/v1/Services/${sid}`;
    return {
      account_sid: this.#context.accountSid,
      area_code_geomatch: true,
      date_created: isoDate(this.#createdAt),
      date_updated: isoDate(this.#createdAt),
      fallback_method: 'POST',
      fallback_to_long_code: false,
      fallback_url: null,
      friendly_name: 'Emulated service',
      inbound_method: 'POST',
      inbound_request_url: null,
      links: Object.fromEntries(
        Object.entries(SERVICE_LINKS).map(([name, part]) => [name, `${url}/${part}`]),
      ),
      mms_converter: true,
      scan_message_content: 'inherit',
      sid,
      smart_encoding: true,
      status_callback: null,
      sticky_sender: true,
      synchronous_validation: false,
      url,
      us_app_to_person_registered: false,
      use_inbound_webhook_on_number: true,
      usecase: 'notifications',
      validity_period: 36_000,
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
