import { randomUUID } from 'node:crypto';
import { asList, asObject, type JsonObject } from '../../core/json.js';

/** A call that Vonage accepted. */
export interface EmulatedVonageCall {
  readonly uuid: string;
  readonly conversationUuid: string;
  /** Without a plus, as Vonage writes numbers. */
  readonly to: string;
  readonly from: string;
  /** The words of the call, and their language. */
  readonly text: string;
  readonly language: string;
  /** How often the words are said. */
  readonly loop: number;
  /** Seconds of ringing. */
  readonly ringingTimer: number | undefined;
  /** `event_url`. */
  readonly statusCallback: string | undefined;
  /** At first `started`, then `ringing`, `answered`, and `completed` or the failure. */
  readonly status: string;
}

/** Reads the body of `POST /v1/calls`. Returns a call, or the first field that Vonage would not accept. */
export function readCall(body: JsonObject, ownNumber: string): EmulatedVonageCall | string {
  const { to, from, ncco, event_url: urls, event_method: method = 'POST', ringing_timer: ringing } = body;
  const unknownField = Object.keys(body).find((name) => !FIELDS.includes(name));
  if (unknownField !== undefined) return unknownField;
  const [callee, ...others] = asList(to);
  const number = phoneOf(callee);
  if (number === undefined || others.length > 0) return 'to';
  if (phoneOf(from) !== ownNumber) return 'from';
  const [talk, ...more] = asList(ncco);
  const { action, text, language = 'en-US', loop = 1 } = asObject(talk);
  const isTalk = action === 'talk' && typeof text === 'string' && text !== '' && text.length <= 1500;
  if (!isTalk || typeof language !== 'string' || typeof loop !== 'number' || more.length > 0) return 'ncco';
  const [url, ...rest] = asList(urls);
  if (url !== undefined && !(typeof url === 'string' && URL.canParse(url) && rest.length === 0)) {
    return 'event_url';
  }
  if (method !== 'POST') return 'event_method';
  if (
    ringing !== undefined &&
    !(Number.isInteger(ringing) && Number(ringing) >= 1 && Number(ringing) <= 120)
  ) {
    return 'ringing_timer';
  }
  return {
    uuid: randomUUID(),
    conversationUuid: `CON-${randomUUID()}`,
    to: number,
    from: ownNumber,
    text,
    language,
    loop,
    ringingTimer: typeof ringing === 'number' ? ringing : undefined,
    statusCallback: typeof url === 'string' ? url : undefined,
    status: 'started',
  };
}

const FIELDS: readonly string[] = ['to', 'from', 'ncco', 'event_url', 'event_method', 'ringing_timer'];

function phoneOf(endpoint: unknown): string | undefined {
  const { type, number } = asObject(endpoint);
  return type === 'phone' && typeof number === 'string' && /^[1-9]\d{6,14}$/.test(number)
    ? number
    : undefined;
}
