import { readNumber } from '../../numbers/phone-number.js';

/** The hook's options for Twilio in normal form, and the choice of a sender. */

export const MESSAGING_SERVICE_SID = /^MG[0-9a-z]{32}$/i;

/** Senders by the recipient's ISO 3166 country, with `default`. */
export type SenderByCountry<Sender = string> = { readonly default: Sender } & Readonly<
  Record<string, Sender>
>;

/** A Messaging Service with an RCS sender, and the sender of the SMS to phones that RCS does not reach. */
export interface RcsService {
  /** `MG…` */
  readonly service: string;
  /** E.164, or an alphanumeric name. */
  readonly fallbackFrom: string;
}

/** An E.164 number, a Messaging Service SID or an alphanumeric name; or a Messaging Service with the sender of its SMS. */
export type SmsSender = string | RcsService;

/** The WhatsApp sender: Twilio's shared sandbox, or an approved sender with its own templates. */
export type WhatsAppSender =
  | {
      readonly kind: 'sandbox';
      /** E.164. */
      readonly from: string;
      /** The sandbox's template. Without it the channel sends free text, which WhatsApp allows for 24 hours only. */
      readonly contentSid: string | undefined;
    }
  | {
      readonly kind: 'templates';
      /** E.164. */
      readonly from: string;
      /** Content SIDs by BCP-47 tag, with `default`. Each template has one language. */
      readonly templates: Readonly<Record<string, string>>;
    };

/** A credential of Twilio, in normal form. */
export interface TwilioLogin {
  /** `AC…` */
  readonly accountSid: string;
  /** `SK…`, or the account SID. */
  readonly username: string;
  /** The key's secret, or the account's auth token. */
  readonly password: string;
  readonly region: string | undefined;
  readonly edge: string | undefined;
  /** One origin for every Twilio product, in place of Twilio's own hosts. */
  readonly baseUrl: string | undefined;
}

/** What Twilio keeps of messages, and what it gets with them. */
export interface TwilioFeatures {
  readonly contentRetention?: 'discard' | undefined;
  readonly addressRetention?: 'obfuscate' | undefined;
  readonly smartEncoding: boolean;
  readonly deviceIp: boolean;
}

/** The hook's options for Twilio, in normal form. */
export interface TwilioSettings extends TwilioLogin, TwilioFeatures {
  readonly senders: {
    readonly sms: SenderByCountry<SmsSender> | undefined;
    readonly voice: SenderByCountry | undefined;
    readonly whatsapp: WhatsAppSender | undefined;
  };
  /** The URL for Twilio's status callbacks; `undefined` turns them off. */
  readonly statusCallbackUrl: string | undefined;
}

/** The sender for a recipient's country, else the default one. */
export function senderFor<Sender extends SmsSender>(senders: SenderByCountry<Sender>, to: string): Sender {
  // Only a default: the number need not be parsed.
  if (Object.keys(senders).length === 1) return senders.default;
  const { country } = readNumber(to);
  return (country === undefined ? undefined : senders[country]) ?? senders.default;
}
