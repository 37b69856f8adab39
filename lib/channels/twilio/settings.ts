import type { Outcome } from '../../core/channel.js';
import { readNumber } from '../../numbers/phone-number.js';
import type { VoiceTexts } from '../../texts/texts.js';
import { notSent } from '../provider.js';

/** Senders by ISO 3166 country of the recipient, and `default`: E.164, a Messaging Service SID, or a name. */
export type SenderByCountry = Readonly<Record<string, string>>;

/** How WhatsApp is sent: from Twilio's shared sandbox, or from an approved sender with its own templates. */
export type WhatsAppSender =
  | {
      readonly kind: 'sandbox';
      /** E.164. */
      readonly from: string;
      /** The sandbox's own template; `undefined` sends free text, which the 24-hour window limits. */
      readonly contentSid: string | undefined;
    }
  | {
      readonly kind: 'templates';
      /** E.164. */
      readonly from: string;
      /** Content SIDs by BCP-47 tag, with `default`: a template has one language. */
      readonly templates: Readonly<Record<string, string>>;
    };

/** Everything about Twilio that the options say. */
export interface TwilioSettings {
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
  readonly senders: {
    readonly sms: SenderByCountry | undefined;
    readonly voice: SenderByCountry | undefined;
    readonly whatsapp: WhatsAppSender | undefined;
  };
  /** What calls say in place of our own words. */
  readonly voiceTexts?: VoiceTexts | undefined;
  /** Where Twilio reports what became of a message. */
  readonly statusCallbackUrl: string | undefined;
}

/** The sender for a recipient: its country's, else the default one. */
export function senderFor(senders: SenderByCountry | undefined, to: string): string | undefined {
  if (senders === undefined) return undefined;
  const usual = senders['default'];
  // Where one serves all, the number need not be parsed.
  if (usual !== undefined && Object.keys(senders).length === 1) return usual;
  const { country } = readNumber(to);
  return (country === undefined ? undefined : senders[country]) ?? usual;
}

/** Nothing was sent, because the options name no sender. */
export function noSender(kind: 'sms' | 'whatsapp' | 'voice'): Outcome {
  return notSent({
    code: 'NO_SENDER',
    reason: `No sender for ${kind} to this recipient in the gateway's options`,
    remedy: `Set senders.${kind}, with a default or the recipient's country.`,
  });
}
