import { readNumber } from '../../numbers/phone-number.js';

/** The hook's options for Twilio in normal form, and the choice of a sender. */

/**
 * Senders by the recipient's ISO 3166 country, with `default`. A sender is an E.164 number, a Messaging Service SID or an
 * alphanumeric name.
 */
export type SenderByCountry = { readonly default: string } & Readonly<Record<string, string>>;

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

/** The hook's options for Twilio, in normal form. */
export interface TwilioSettings extends TwilioLogin {
  readonly senders: {
    readonly sms: SenderByCountry | undefined;
    readonly voice: SenderByCountry | undefined;
    readonly whatsapp: WhatsAppSender | undefined;
  };
  /** The URL for Twilio's status callbacks; `undefined` turns them off. */
  readonly statusCallbackUrl: string | undefined;
}

/** The sender for a recipient's country, else the default one. */
export function senderFor(senders: SenderByCountry, to: string): string {
  // Only a default: the number need not be parsed.
  if (Object.keys(senders).length === 1) return senders.default;
  const { country } = readNumber(to);
  return (country === undefined ? undefined : senders[country]) ?? senders.default;
}
