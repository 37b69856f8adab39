import type { TwilioEmulator } from '#lib/testing/index.js';
import { jsonOf } from '../local.js';

/** An answer of the emulator, read. */
export interface TwilioAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Calls the API of an emulator by its API key. */
export interface TwilioRest {
  get(path: string): Promise<TwilioAnswer>;
  post(path: string, form: Readonly<Record<string, string>>): Promise<TwilioAnswer>;
  send(method: string, path: string): Promise<TwilioAnswer>;
  /** An SMS, unless the form says otherwise. */
  message(form?: Readonly<Record<string, string>>): Promise<TwilioAnswer>;
}

export const PHONE = '+4915112345678';

/** `twilio` gives the emulator of the moment, so that it may be started anew before each test. */
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
