import type { Outcome, SendContext } from '../delivery/channel.js';
import { callHttp, type HttpDispatcher } from '../delivery/http-call.js';
import { outcomeOfCall, type AnswerReader } from '../delivery/http-outcome.js';
import { VOICE } from '../delivery/plan.js';
import { ConfigurationError } from '../errors.js';

/** What a channel beyond Twilio needs of the hook that it serves. */
export interface ProviderParts {
  /** For every call outward. */
  readonly dispatcher: HttpDispatcher;
  /** The channel's name in the hook's plan. */
  readonly channel: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Why nothing went out, in our words. */
export type Refusal = Extract<Outcome, { status: 'refused' }>;

/** A provider's HTTP API, as one channel uses it. */
export interface Provider extends AnswerReader {
  /** E.g. `https://api.line.me`. */
  readonly origin: string;
  readonly path: string;
}

/**
 * Posts one message in JSON and says what came of it. Never rejects. The providers' own SDKs take a time-out at best:
 * none can be told until when a message may leave, nor tells whether it has.
 */
export async function postMessage(
  provider: Provider,
  { dispatcher }: Pick<ProviderParts, 'dispatcher'>,
  context: Pick<SendContext, 'endWithinMs' | 'mayLeave' | 'leaveWithinMs'>,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: object },
): Promise<Outcome> {
  const result = await callHttp({
    dispatcher,
    method: 'POST',
    origin: provider.origin,
    path: provider.path,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...headers },
    body: JSON.stringify(body),
    timeoutMs: context.endWithinMs,
    mayLeave: context.mayLeave,
    leaveWithinMs: context.leaveWithinMs,
  });
  return outcomeOfCall(result, provider);
}

/** Nothing was sent, for want of something on our side; it says nothing about the provider. */
export function notSent(refusal: Pick<Refusal, 'code' | 'reason' | 'remedy'>): Outcome {
  return { status: 'refused', ...refusal, moveOn: true, hasLeft: false };
}

/** What a channel does that no hook has connected. */
export function sendUnconnected(): Promise<Outcome> {
  return Promise.resolve(
    notSent({
      code: 'NOT_CONNECTED',
      reason: 'This channel was used outside a hook, which connects it to its provider',
    }),
  );
}

/** @throws ConfigurationError under the name that calls go by: who asked for a call must not get a text. */
export function requireTextChannel(channel: string, factory: string): void {
  if (channel !== VOICE) return;
  throw new ConfigurationError([`${factory} sends texts; mount it under another name than ${VOICE}`], {
    of: factory,
  });
}
