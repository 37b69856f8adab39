import { jsonReply, type Reply } from './loopback-server.js';

/** A refusal as Twilio's REST API makes them. */
export interface TwilioError {
  readonly code: number;
  /** Default: the status that Twilio has for the code, 400 for most. */
  readonly status?: number | undefined;
  /** Default: Twilio's own kind of sentence for the code. */
  readonly message?: string | undefined;
}

const STATUS_OF: Readonly<Record<number, number>> = {
  20003: 401,
  20008: 403,
  20404: 404,
  20429: 429,
  20500: 500,
  20503: 503,
};

const MESSAGE_OF: Readonly<Record<number, string>> = {
  20003: 'Authenticate',
  20404: 'The requested resource was not found',
  20429: 'Too Many Requests',
  20500: 'Internal Server Error',
  20503: 'Service Unavailable',
  21610: 'Attempt to send to unsubscribed recipient',
  21614: "'To' number is not a valid mobile number",
  63007: 'Twilio could not find a Channel with the specified From address',
};

/** Twilio's error object. */
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
