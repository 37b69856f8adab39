import type { SendContext } from '../../core/channel.js';
import { ConfigurationError } from '../../core/errors.js';
import type { HttpDispatcher, HttpResult } from '../../core/http.js';
import { sendRequest } from '../../http/request.js';
import type { TwilioConnection } from '../channel.js';
import { NO_MESSAGE_SID, readCheckAnswer } from './credentials-check.js';
import { createSdkClient } from './sdk-client.js';
import type { TwilioClient, TwimlBuilder } from './sdk-types.js';
import type { TwilioSettings } from './settings.js';
import { StatusCallbacks } from './status-callbacks.js';

/** What a call is made by. A channel's `SendContext` has it. */
export type TwilioCallContext = Pick<SendContext, 'http'>;

/** A kind of sender in the hook's options. */
type SenderKind = keyof TwilioSettings['senders'];

/** The inside of a `TwilioConnection`: every Twilio channel calls the SDK through it. */
export interface TwilioPort extends TwilioConnection {
  readonly settings: TwilioSettings;
  /** The kinds of senders that `requireSender` gave to a channel. The hook warns of the others. */
  readonly usedSenders: Set<SenderKind>;
  /** Whether status callbacks arrive; meaningful only with `settings.statusCallbackUrl`. */
  readonly callbacks: Pick<StatusCallbacks, 'areTrusted' | 'came' | 'expect'>;
  /** The API host, by which the circuit breaker counts. */
  readonly host: string;
  /** The host of Twilio Verify, which has a breaker of its own. */
  readonly verifyHost: string;
  /**
   * Runs one SDK call and resolves to its result on the wire. Never rejects. The action must make exactly one call,
   * before any `await`. The SDK's promise never settles; the answer is in the result.
   */
  call(
    action: (client: TwilioClient, twiml: TwimlBuilder) => unknown,
    context: TwilioCallContext,
  ): Promise<HttpResult>;
  /**
   * As `call`, for what no code waits for: within its own time-out, and of that `connectMs` for a connection,
   * milliseconds. Default of `connectMs`: `timeoutMs`.
   */
  read(action: (client: TwilioClient) => unknown, timeoutMs: number, connectMs?: number): Promise<HttpResult>;
  /**
   * Requests a message that cannot exist. This proves the credentials, costs nothing and leaves a connection open.
   *
   * @throws ProviderError `TWILIO_UNREACHABLE`, `TWILIO_UNAUTHORIZED`, `TWILIO_UNREADABLE` or `TWILIO_HTTP_ERROR`
   */
  check(timeoutMs: number): Promise<void>;
}

/**
 * The inside of the connection that the hook passes to a channel.
 *
 * @param factory - the name of the channel's function.
 * @throws ConfigurationError without `credentials.twilio`.
 */
export function requireTwilio(twilio: TwilioConnection | undefined, factory: string): TwilioPort {
  // Only createTwilioConnection makes a connection.
  if (twilio !== undefined) return twilio as TwilioPort;
  throw new ConfigurationError([`${factory}() needs credentials.twilio, which is missing`], { of: factory });
}

/** The sender of a channel that connects. @throws ConfigurationError if the options have none. */
export function requireSender<Kind extends SenderKind>(
  { settings, usedSenders }: TwilioPort,
  kind: Kind,
  factory: string,
): NonNullable<TwilioSettings['senders'][Kind]> {
  const { [kind]: sender } = settings.senders;
  if (sender === undefined) {
    const options = kind === 'whatsapp' ? 'senders.whatsapp or sandboxNumber' : `senders.${kind}`;
    throw new ConfigurationError([`${factory}() needs ${options}, which is missing`], { of: factory });
  }
  usedSenders.add(kind);
  return sender;
}

/**
 * Opens nothing before the first call.
 *
 * @param parts.onCallbacksMissing - called when `count` messages in a row brought no status callback.
 */
export function createTwilioConnection(parts: {
  readonly settings: TwilioSettings;
  readonly dispatcher: HttpDispatcher;
  readonly onCallbacksMissing?: ((count: number) => void) | undefined;
}): TwilioPort {
  const { settings, dispatcher, onCallbacksMissing = () => undefined } = parts;
  const sdk = createSdkClient(settings);
  const host = sdk.hostOf('api');
  const read: TwilioPort['read'] = (action, timeoutMs, connectMs = timeoutMs) => {
    const limits = { dispatcher, timeoutMs, leaveWithinMs: connectMs };
    return sdk.call(action, (request) => sendRequest(request, limits, () => undefined));
  };
  return {
    settings,
    usedSenders: new Set(),
    callbacks: new StatusCallbacks(onCallbacksMissing),
    host,
    verifyHost: sdk.hostOf('verify'),
    call: (action, { http }) => sdk.call(action, http),
    read,
    check: async (timeoutMs) => {
      readCheckAnswer(await read((client) => client.messages(NO_MESSAGE_SID).fetch(), timeoutMs), host);
    },
  };
}
