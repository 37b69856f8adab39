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
  post(path: string, form: Readonly<Record<string, string>>): Promise<TwilioAnswer>;
  send(method: string, path: string): Promise<TwilioAnswer>;
  /** Sends an SMS, unless the form asks for something else. */
  message(form?: Readonly<Record<string, string>>): Promise<TwilioAnswer>;
}

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
  return {
    get: (path) => call(path),
    post,
    send: (method, path) => call(path, { method }),
    message: (form = {}) =>
      post(`/2010-04-01/Accounts/${twilio().accountSid}/Messages.json`, {
        To: PHONE,
        From: twilio().smsNumber,
        ...(form['ContentSid'] === undefined ? { Body: 'Your code is 204981' } : {}),
        ...form,
      }),
  };
}
