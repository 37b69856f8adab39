import { nameChannel } from './names.js';

/** What the descriptions of events are made of. */

/** How good or bad the news is. The console shows it by colour and icon; the log takes its level from it. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad';

export interface EventDescription {
  readonly text: string;
  readonly tone: Tone;
  /** A provider's code, or one of ours, as .docs/codes.md lists them. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
  readonly durationMs?: number | undefined;
  /** The provider's id of the message. */
  readonly transactionId?: string | undefined;
  /** The provider's id of the request. */
  readonly providerRequestId?: string | undefined;
}

/** A sentence for each value of a field. */
export type SentencesOf<Value extends string> = Readonly<
  Record<Value, Pick<EventDescription, 'text' | 'tone'>>
>;

/** A sentence without good or bad news. */
export function plain(text: string): EventDescription {
  return { text, tone: 'plain' };
}

/** Within a sentence: `by SMS`, `by voice call`. */
export function by(channel: string): string {
  return `by ${channel === 'voice' ? 'voice call' : nameChannel(channel)}`;
}
