import { nameChannel } from './names.js';

/** What the descriptions of events are made of. */

/** How good or bad the news is. The console shows it by colour and icon; the log takes its level from it. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad';

/** What the console shows below a sentence. */
interface Details {
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

export interface EventDescription extends Details {
  readonly text: string;
  readonly tone: Tone;
}

/** @param details - may be the event itself: its other fields are left out. */
export function describe(tone: Tone, text: string, details: Details = {}): EventDescription {
  const { code, reason, remedy, durationMs, transactionId, providerRequestId } = details;
  return { tone, text, code, reason, remedy, durationMs, transactionId, providerRequestId };
}

/** A sentence without good or bad news. */
export const plain = (text: string, details?: Details): EventDescription => describe('plain', text, details);
export const good = (text: string, details?: Details): EventDescription => describe('good', text, details);
export const warn = (text: string, details?: Details): EventDescription => describe('warn', text, details);
export const bad = (text: string, details?: Details): EventDescription => describe('bad', text, details);

/** Within a sentence: `by SMS`, `by voice call`. */
export function by(channel: string): string {
  return `by ${channel === 'voice' ? 'voice call' : nameChannel(channel)}`;
}
