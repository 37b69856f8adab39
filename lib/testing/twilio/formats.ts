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

/** The address of a number: `whatsapp:+4915…`, `rcs:+4915…` or `+4915…`. */
export function addressOf(channel: string, number: string): string {
  return channel === 'whatsapp' || channel === 'rcs' ? `${channel}:${number}` : number;
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

/** A time as Twilio writes it, RFC 2822. */
export function twilioDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace('GMT', '+0000');
}

/** A time as Twilio's newer APIs write it, ISO 8601 in whole seconds. */
export function isoDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
