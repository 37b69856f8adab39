import type { RecordedRequest } from '../server/faults.js';

/** A form of Twilio's API. An empty parameter counts as missing. */
export class TwilioForm {
  readonly #fields: Readonly<Record<string, string | string[]>>;

  constructor(request: RecordedRequest) {
    // Of a body that is not form-encoded, all parameters are missing.
    this.#fields = request.form ?? {};
  }

  /** A parameter. Of several values it is the last. */
  get(name: string): string | undefined {
    const value = this.list(name).at(-1);
    return value === '' ? undefined : value;
  }

  list(name: string): readonly string[] {
    const value = this.#fields[name];
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  }
}

/** The version of Twilio's REST API for messages and calls. Its paths and callbacks contain it. */
export const API_VERSION = '2010-04-01';

const WHATSAPP = 'whatsapp:';

/** An address of Twilio's: the channel and what follows its prefix. */
export interface ChannelAddress {
  readonly isWhatsApp: boolean;
  readonly number: string;
}

/** Reads `whatsapp:+4915…` or `+4915…`. */
export function readAddress(address: string): ChannelAddress {
  return address.startsWith(WHATSAPP)
    ? { isWhatsApp: true, number: address.slice(WHATSAPP.length) }
    : { isWhatsApp: false, number: address };
}

/** The address of a number: `whatsapp:+4915…` or `+4915…`. */
export function addressOf(channel: string, number: string): string {
  return channel === 'whatsapp' ? WHATSAPP + number : number;
}

export function isE164(number: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(number);
}

/** Whether Twilio accepts a callback URL: http or https, a host name without underscores. */
export function isCallbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === 'http:' || url.protocol === 'https:') && !url.hostname.includes('_');
}

/** The alphabet of a plain SMS, GSM 03.38. A character of the extension takes two places. */
const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const GSM_EXTENDED = new Set('\f^{}\\[~]|€');

/** The number of segments of an SMS: 160 characters, or 153 in each of several; 70 and 67 outside GSM. */
export function segmentsOf(text: string): number {
  const characters = Array.from(text);
  const isGsm = characters.every((character) => GSM.has(character) || GSM_EXTENDED.has(character));
  const places = isGsm
    ? characters.length + characters.filter((character) => GSM_EXTENDED.has(character)).length
    : text.length;
  const [single, each] = isGsm ? [160, 153] : [70, 67];
  return places <= single ? 1 : Math.ceil(places / each);
}

/** A time as Twilio writes it, RFC 2822. */
export function twilioDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace('GMT', '+0000');
}

/** A time as Twilio's newer APIs write it, ISO 8601 in whole seconds. */
export function isoDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
