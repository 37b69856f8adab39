import { VOICE, type Outcome, type SendContext } from '../core/channel.js';
import { callHttp, type HttpAnswer, type HttpCall, type HttpDispatcher } from '../http/call.js';
import { outcomeOfCall, type AnswerReader } from '../http/outcome.js';
import { ConfigurationError, ProviderError } from '../core/errors.js';

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

const CHECK_EGRESS = "See that the gateway may call it: egress, DNS, TLS; and the channel's baseUrl.";
const LOOK_BETWEEN =
  "Look at the provider's status page, and at what stands in between, such as a proxy or a firewall (one that has to be named goes into the option dispatcher).";

/**
 * Asks a provider something that sends nothing.
 *
 * @param isTaken - whether an answer says that the provider takes the credentials.
 * @throws ProviderError `PROVIDER_UNREACHABLE`, `PROVIDER_UNREADABLE` or the code that a message would be refused with.
 */
export async function askProvider(
  provider: Provider,
  question: Pick<HttpCall, 'dispatcher' | 'method' | 'path' | 'headers' | 'body'>,
  context: Pick<SendContext, 'endWithinMs' | 'leaveWithinMs'>,
  isTaken: (answer: HttpAnswer) => boolean,
): Promise<void> {
  const { origin, provider: name } = provider;
  const { endWithinMs: timeoutMs, leaveWithinMs } = context;
  const result = await callHttp({ ...question, origin, timeoutMs, leaveWithinMs });
  if (result.kind !== 'answered') {
    throw new ProviderError('PROVIDER_UNREACHABLE', `No answer from ${name}: ${result.reason}`, {
      remedy: CHECK_EGRESS,
    });
  }
  if (isTaken(result)) return;
  const refusal = result.status >= 400 && result.status < 500 ? provider.readRefusal(result) : undefined;
  if (refusal?.status === 'refused') {
    throw new ProviderError(refusal.code, refusal.reason, { remedy: refusal.remedy ?? LOOK_BETWEEN });
  }
  throw new ProviderError(
    'PROVIDER_UNREADABLE',
    `${name} answered with status ${result.status} and nothing that can be read`,
    { remedy: LOOK_BETWEEN },
  );
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
