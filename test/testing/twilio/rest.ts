import type { TwilioEmulator } from '#lib/testing/index.js';
import { jsonOf } from '../local.js';

/** An answer of the emulator with its body as JSON. */
export interface TwilioAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Makes API requests to an emulator with its API key. */
export interface TwilioRest {
  get(path: string): Promise<TwilioAnswer>;
  post(path: string, form: Form): Promise<TwilioAnswer>;
  /** Sends an SMS, unless the form asks for something else. */
  message(form?: Form): Promise<TwilioAnswer>;
  /** Sends a text from the sandbox. */
  whatsApp(form?: Form): Promise<TwilioAnswer>;
  call(form?: Form): Promise<TwilioAnswer>;
  /** The path of a resource of the account. */
  at(resource: string): string;
}

type Form = Readonly<Record<string, string>>;

export const PHONE = '+4915112345678';

/** `twilio` returns the current emulator, because each test starts a new one. */
export function restOf(twilio: () => TwilioEmulator): TwilioRest {
  const call = async (path: string, init: RequestInit = {}): Promise<TwilioAnswer> => {
    const { baseUrl, apiKeySid, apiKeySecret } = twilio();
    const authorization = `Basic ${Buffer.from(`${apiKeySid}:${apiKeySecret}`).toString('base64')}`;
    const response = await fetch(baseUrl + path, { ...init, headers: { authorization } });
    return { status: response.status, body: await jsonOf(response) };
  };
  const post: TwilioRest['post'] = (path, form) =>
    call(path, { method: 'POST', body: new URLSearchParams(form) });
  const at = (resource: string): string => `/2010-04-01/Accounts/${twilio().accountSid}/${resource}`;
  const message: TwilioRest['message'] = (form = {}) =>
    post(at('Messages.json'), {
      To: PHONE,
      From: twilio().smsNumber,
      ...(form['ContentSid'] === undefined ? { Body: 'Your code is 204981' } : {}),
      ...form,
    });
  return {
    get: (path) => call(path),
    post,
    message,
    whatsApp: (form) =>
      message({ To: `whatsapp:${PHONE}`, From: `whatsapp:${twilio().sandboxNumber}`, ...form }),
    call: (form) =>
      post(at('Calls.json'), {
        To: PHONE,
        From: twilio().voiceNumber,
        Twiml: '<Response><Say>1, 2</Say></Response>',
        ...form,
      }),
    at,
  };
}
