import { formOf, type RecordedRequest } from '../server/request.js';
import { randomSid } from '../server/random-ids.js';
import type { Mutable } from '../server/status-callbacks.js';
import type { TwilioContext } from './context.js';
import { refuse, type TwilioError } from './errors.js';
import { isCallbackUrl, isE164 } from './formats.js';
import type { EmulatedMessage } from './messages.js';
import { wordsOfTwiml } from './spoken-twiml.js';

/** A call that Twilio accepted. Its status is first `queued`, then `ringing`, `in-progress`, `completed` or `failed`. */
export interface EmulatedCall extends Pick<
  EmulatedMessage,
  'sid' | 'from' | 'to' | 'status' | 'errorCode' | 'statusCallback' | 'createdAt' | 'updatedAt'
> {
  readonly channel: 'voice';
  readonly twiml: string | undefined;
  /** The URL of the TwiML, which goes before `twiml`. The emulator does not fetch it. */
  readonly url: string | undefined;
  /** The requested events: `initiated`, `ringing`, `answered`, `completed`. */
  readonly statusCallbackEvents: readonly string[];
  /** Seconds of ringing. */
  readonly timeout: number | undefined;
}

const MAX_TWIML = 4000;

/** Reads the parameters of `POST Calls.json`. Returns a call, or Twilio's refusal. */
export function readCall(
  request: RecordedRequest,
  { senders, recipients, clock }: TwilioContext,
): Mutable<EmulatedCall> | { readonly error: TwilioError } {
  const field = formOf(request);
  const to = field('To');
  if (to === undefined) return refuse(21201, "No 'To' number is specified.");
  const from = field('From');
  if (from === undefined) return refuse(21213, "No 'From' number is specified.");
  const url = field('Url');
  const twiml = field('Twiml');
  if (url === undefined && twiml === undefined) return refuse(21205, "A 'Url' or 'Twiml' is required.");
  if (url !== undefined && !isCallbackUrl(url)) return refuse(21205, 'Url is not a valid URL.');
  if (url === undefined && twiml !== undefined) {
    if (Array.from(twiml).length > MAX_TWIML) {
      return refuse(32018, `Twiml must be at most ${MAX_TWIML} characters.`);
    }
    if (wordsOfTwiml(twiml) === undefined) return refuse(12100, 'Document parse failure.');
  }
  if (!isE164(to)) return refuse(21217, `The phone number ${to} is not valid.`);
  const error = senders.refuseCallFrom(from) ?? senders.refuseTo('voice', to) ?? recipients.refuseCall(to);
  if (error !== undefined) return { error };
  const statusCallback = field('StatusCallback');
  if (statusCallback !== undefined && !isCallbackUrl(statusCallback)) {
    return refuse(21609, `The 'StatusCallback' URL ${statusCallback} is not a valid URL.`);
  }
  // Some clients send all events in one parameter.
  const events = [request.form?.['StatusCallbackEvent'] ?? []]
    .flat()
    .flatMap((event) => event.split(/[\s,]+/));
  const timeout = field('Timeout');
  const now = clock();
  return {
    sid: randomSid('CA'),
    channel: 'voice',
    from,
    to,
    twiml,
    url,
    status: 'queued',
    errorCode: undefined,
    statusCallback,
    statusCallbackEvents: events.length === 0 ? ['completed'] : events,
    timeout: timeout === undefined ? undefined : Number(timeout),
    createdAt: now,
    updatedAt: now,
  };
}

export function wordsOfCall(call: EmulatedCall): string {
  if (call.url !== undefined) return `(the TwiML at ${call.url})`;
  return wordsOfTwiml(call.twiml ?? '') ?? '';
}
