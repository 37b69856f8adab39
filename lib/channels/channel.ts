import type { ConnectedChannel, Logger } from '../core/channel.js';
import type { HttpDispatcher } from '../core/http.js';
import type { TwilioConnection } from '../core/option-types.js';
import type { Texts } from '../texts/texts.js';

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
  /** What calls say by the option `texts`. @internal */
  readonly voiceTexts?: Pick<Texts, 'spokenFor'> | undefined;
}

/**
 * A delivery channel: an object with `send`, or a function that makes one for a hook. See
 * `docs/deliver/custom-channel.md`.
 */
export type Channel =
  | (ConnectedChannel & {
      /** As the function: called once. A channel that it returns replaces this one. */
      readonly connect?: ((parts: ChannelParts) => ConnectedChannel | undefined) | undefined;
    })
  | ((parts: ChannelParts) => ConnectedChannel);

/** A message that a user sent to one of our senders. */
export interface ReceivedMessage {
  /** The provider's id of the message. */
  readonly messageId: string;
  /** `whatsapp`, `sms` or `rcs` at Twilio, else the name of the channel. */
  readonly channel: string;
  /** The sender's number, E.164; absent if the provider shows only an id and its number is not known. */
  readonly from?: string | undefined;
  /** The provider's id of the sender, if any, such as WhatsApp's `US.13491208655302741918`. It is the same for all their messages to this business. */
  readonly externalUserId?: string | undefined;
  /** Twilio's id of the message that this one replies to. */
  readonly repliedTo?: string | undefined;
  /** The text, unchanged. */
  readonly text: string;
  /** Whether the provider has recognised a keyword and replied, as Twilio's Advanced Opt-Out does. `onMessage` does not get such a message. */
  readonly isHandled: boolean;
}
