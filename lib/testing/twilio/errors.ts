import { pathOf, type RecordedRequest } from '../server/request.js';
import { jsonReply, type Reply } from '../server/reply.js';

/** A refusal of Twilio's REST API. */
export interface TwilioError {
  readonly code: number;
  /** Default: Twilio's status for the code, 400 for most. */
  readonly status?: number | undefined;
  /** Default: a sentence like Twilio's. */
  readonly message?: string | undefined;
}

/** Twilio's usual status, 400 for most, and sentence for a code. */
const USUAL: Readonly<Record<number, { readonly status?: number; readonly message?: string }>> = {
  20003: { status: 401, message: 'Authenticate' },
  20004: { status: 405, message: 'Method not allowed' },
  20008: { status: 403 },
  20404: { status: 404, message: 'The requested resource was not found' },
  20429: { status: 429, message: 'Too Many Requests' },
  20500: { status: 500, message: 'Internal Server Error' },
  20503: { status: 503, message: 'Service Unavailable' },
  21610: { message: 'Attempt to send to unsubscribed recipient' },
  21614: { message: "'To' number is not a valid mobile number" },
  60202: { status: 429 },
  60203: { status: 429, message: 'Max send attempts reached' },
  60204: { status: 403, message: 'Service does not support this feature' },
  60205: { status: 403, message: 'SMS is not supported by landline phone number' },
  60212: { status: 429, message: 'Too many concurrent requests for phone number' },
  60220: { message: 'Messages to China require use case vetting' },
  60223: { message: 'Delivery channel disabled' },
  60238: { status: 403 },
  60242: { message: 'WhatsApp template not found' },
  60410: { status: 403, message: 'The destination phone number has been temporarily blocked' },
  60413: { status: 403 },
  60605: { status: 403 },
  63007: { message: 'Twilio could not find a Channel with the specified From address' },
};

/** Refuses a request with a code, in place of what was to be read of it. */
export function refuse(code: number, message?: string): { readonly error: TwilioError } {
  return { error: { code, message } };
}

export function twilioErrorReply(error: TwilioError): Reply {
  const { code } = error;
  const usual = USUAL[code];
  const status = error.status ?? usual?.status ?? 400;
  const message = error.message ?? usual?.message ?? `Error ${code}`;
  const headers: Record<string, string> =
    status === 401 ? { 'www-authenticate': 'Basic realm="Twilio API"' } : {};
  return jsonReply(
    status,
    { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
    headers,
  );
}

/** There is nothing at the path of the request. */
export function notFound(request: RecordedRequest): Reply {
  return twilioErrorReply({
    code: 20404,
    message: `The requested resource ${pathOf(request)} was not found`,
  });
}
