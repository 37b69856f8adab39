import type { ConnectedChannel, Logger } from '../core/channel.js';
import type { HttpDispatcher } from '../http/call.js';
import type { TwilioConnection } from './twilio/client.js';

/** What the hook passes to a channel that is a function, once for each name by which it is mounted. */
export interface ChannelParts {
  /** The name of this channel in `channels`. */
  readonly channel: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The logger of the hook. */
  readonly logger: Logger;
  /** For an SDK over undici. A channel's own calls go by `context.http`. */
  readonly dispatcher: HttpDispatcher;
  /** Twilio with the credentials of the hook; `undefined` without `credentials.twilio`. */
  readonly twilio: TwilioConnection | undefined;
}

/**
 * A delivery channel: an object with `send`, or a function that makes one for a hook. See
 * `.docs/write-a-channel.md`.
 */
export type Channel =
  | (ConnectedChannel & {
      /** As the function: called once. A channel that it returns replaces this one. */
      connect?(parts: ChannelParts): ConnectedChannel | undefined;
    })
  | ((parts: ChannelParts) => ConnectedChannel);
