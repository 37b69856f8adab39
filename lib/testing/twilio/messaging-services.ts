import type { RecordedRequest } from '../server/faults.js';
import { jsonReply, type Reply } from '../server/reply.js';
import type { TwilioAccount } from './account.js';
import { notFound } from './errors.js';
import { metaPage } from './paging.js';
import { isoDate } from './formats.js';
import type { TwilioSenders } from './senders.js';

/** What `TwilioMessagingServices` needs. */
export interface MessagingServiceParts {
  readonly accountSid: string;
  readonly baseUrl: () => string;
  readonly clock: () => number;
  readonly senders: TwilioSenders;
  readonly account: TwilioAccount;
  /** The one number of every service. */
  readonly poolNumber: string;
}

const LINKS: Readonly<Record<string, string>> = {
  phone_numbers: 'PhoneNumbers',
  short_codes: 'ShortCodes',
  alpha_senders: 'AlphaSenders',
  messages: 'Messages',
  us_app_to_person: 'Compliance/Usa2p',
  us_app_to_person_usecases: 'Compliance/Usa2p/Usecases',
  channel_senders: 'ChannelSenders',
  destination_alpha_senders: 'DestinationAlphaSenders',
};

/** The Messaging Services of an account: `/v1/Services`. */
export class TwilioMessagingServices {
  readonly #parts: MessagingServiceParts;
  readonly #createdAt: string;

  constructor(parts: MessagingServiceParts) {
    this.#parts = parts;
    this.#createdAt = isoDate(parts.clock());
  }

  show(request: RecordedRequest, sid = ''): Reply {
    return this.#isService(sid) ? jsonReply(200, this.#service(sid)) : notFound(request);
  }

  listNumbers(request: RecordedRequest, sid = ''): Reply {
    if (!this.#isService(sid)) return notFound(request);
    const { baseUrl, poolNumber } = this.#parts;
    const show = (number: string): object => this.#number(sid, number);
    return jsonReply(200, metaPage(request, baseUrl(), 'phone_numbers', [poolNumber], show));
  }

  #isService(sid: string): boolean {
    return sid.startsWith('MG') && this.#parts.senders.hasService(sid);
  }

  #service(sid: string): object {
    const url = `${this.#parts.baseUrl()}/v1/Services/${sid}`;
    return {
      account_sid: this.#parts.accountSid,
      area_code_geomatch: true,
      date_created: this.#createdAt,
      date_updated: this.#createdAt,
      fallback_method: 'POST',
      fallback_to_long_code: false,
      fallback_url: null,
      friendly_name: 'Emulated service',
      inbound_method: 'POST',
      inbound_request_url: null,
      links: Object.fromEntries(Object.entries(LINKS).map(([name, part]) => [name, `${url}/${part}`])),
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

  #number(serviceSid: string, number: string): object {
    const { account, accountSid, baseUrl, senders } = this.#parts;
    const sid = account.numberSid(number);
    const { sms, mms, voice } = senders.capabilitiesOf(number);
    return {
      account_sid: accountSid,
      capabilities: [...(sms ? ['SMS'] : []), ...(mms ? ['MMS'] : []), ...(voice ? ['Voice'] : [])],
      country_code: 'US',
      date_created: this.#createdAt,
      date_updated: this.#createdAt,
      phone_number: number,
      service_sid: serviceSid,
      sid,
      url: `${baseUrl()}/v1/Services/${serviceSid}/PhoneNumbers/${sid}`,
    };
  }
}
