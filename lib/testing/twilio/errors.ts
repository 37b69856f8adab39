import { pathOf, type RecordedRequest } from '../server/faults.js';
import { jsonReply, type Reply } from '../server/reply.js';

/** A refusal of Twilio's REST API. */
export interface TwilioError {
  readonly code: number;
  /** Default: Twilio's status for the code, 400 for most. */
  readonly status?: number | undefined;
  /** Default: a sentence like Twilio's. */
  readonly message?: string | undefined;
}

const STATUS_OF: Readonly<Record<number, number>> = {
  20003: 401,
  20004: 405,
  20008: 403,
  20404: 404,
  20429: 429,
  20500: 500,
  20503: 503,
  60202: 429,
  60203: 429,
  60204: 403,
  60205: 403,
  60212: 429,
  60238: 403,
  60410: 403,
  60413: 403,
  60605: 403,
};

const MESSAGE_OF: Readonly<Record<number, string>> = {
  20003: 'Authenticate',
  20004: 'Method not allowed',
  20404: 'The requested resource was not found',
  20429: 'Too Many Requests',
  20500: 'Internal Server Error',
  20503: 'Service Unavailable',
  21610: 'Attempt to send to unsubscribed recipient',
  21614: "'To' number is not a valid mobile number",
  60203: 'Max send attempts reached',
  60204: 'Service does not support this feature',
  60205: 'SMS is not supported by landline phone number',
  60212: 'Too many concurrent requests for phone number',
  60220: 'Messages to China require use case vetting',
  60223: 'Delivery channel disabled',
  60242: 'WhatsApp template not found',
  60410: 'The destination phone number has been temporarily blocked',
  63007: 'Twilio could not find a Channel with the specified From address',
};

/** Refuses a request with a code, in place of what was to be read of it. */
export function refuse(code: number, message?: string): { readonly error: TwilioError } {
  return { error: { code, message } };
}

export function twilioErrorReply(error: TwilioError): Reply {
  const { code } = error;
  const status = error.status ?? STATUS_OF[code] ?? 400;
  const message = error.message ?? MESSAGE_OF[code] ?? `Error ${code}`;
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
