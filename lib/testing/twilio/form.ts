import type { RecordedRequest } from '../server/faults.js';

/** A form of Twilio's API: an empty parameter counts as none. */
export class TwilioForm {
  readonly #fields: Readonly<Record<string, string | string[]>>;

  constructor(request: RecordedRequest) {
    // What is not form-encoded is not understood: its parameters are missing.
    this.#fields = request.form ?? {};
  }

  /** A parameter; the last one where it came more than once. */
  get(name: string): string | undefined {
    const value = this.list(name).at(-1);
    return value === '' ? undefined : value;
  }

  /** A parameter that may come more than once. */
  list(name: string): readonly string[] {
    const value = this.#fields[name];
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  }
}

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

/** Whether a number is E.164. */
export function isE164(number: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(number);
}

/** Whether Twilio would call a URL back: http or https, a host name without underscores. */
export function isCallbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === 'http:' || url.protocol === 'https:') && !url.hostname.includes('_');
}
