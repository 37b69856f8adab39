import { VOICE, type Outcome, type SendContext } from '../core/channel.js';
import { callHttp, type HttpAnswer, type HttpCall, type HttpDispatcher } from '../http/call.js';
import { outcomeOfCall, type AnswerReader } from '../http/outcome.js';
import { ConfigurationError, ProviderError } from '../core/errors.js';

/** What the channels of every provider share: one call to the provider, and refusals. */

/** The hook's parts that a channel of another provider than Twilio needs. */
export interface ProviderParts {
  /** Makes every call to the provider. */
  readonly dispatcher: HttpDispatcher;
  /** The channel's name in the hook's plan. */
  readonly channel: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** A provider's refusal, in our words. */
export type Refusal = Extract<Outcome, { status: 'refused' }>;

/** What a provider's error code means for the log and the plan. The texts hold no digits: none may be a number or a code. */
export type RefusalMeaning = Pick<Refusal, 'reason' | 'remedy' | 'moveOn' | 'isFraudBlock' | 'isNotReached'>;

/** The resource of a provider's HTTP API to which a channel posts messages. */
export interface Provider extends AnswerReader {
  /** E.g. `https://api.line.me`. */
  readonly origin: string;
  readonly path: string;
}

/**
 * Posts one message as JSON and resolves to its outcome. Never rejects. The providers' SDKs have a time-out at best: they
 * cannot limit until when a message may leave, and do not say whether it has left.
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
 * Checks the credentials by a request that sends no message.
 *
 * @param isAccepted - whether an answer proves that the provider accepts the credentials.
 * @throws ProviderError `PROVIDER_UNREACHABLE`, `PROVIDER_UNREADABLE`, or `PROVIDER_REFUSED` with the code that a message would get.
 */
export async function checkProvider(
  provider: Provider,
  request: Pick<HttpCall, 'dispatcher' | 'method' | 'path' | 'headers' | 'body'>,
  context: Pick<SendContext, 'endWithinMs' | 'leaveWithinMs'>,
  isAccepted: (answer: HttpAnswer) => boolean,
): Promise<void> {
  const { origin, provider: name } = provider;
  const { endWithinMs: timeoutMs, leaveWithinMs } = context;
  const result = await callHttp({ ...request, origin, timeoutMs, leaveWithinMs });
  if (result.kind !== 'answered') {
    throw new ProviderError('PROVIDER_UNREACHABLE', `No answer from ${name}: ${result.reason}`, {
      remedy: CHECK_EGRESS,
    });
  }
  if (isAccepted(result)) return;
  const refusal = result.status >= 400 && result.status < 500 ? provider.readRefusal(result) : undefined;
  if (refusal?.status === 'refused') {
    const { code: providerCode, reason, remedy = LOOK_BETWEEN } = refusal;
    throw new ProviderError('PROVIDER_REFUSED', reason, { providerCode, remedy });
  }
  throw new ProviderError(
    'PROVIDER_UNREADABLE',
    `${name} answered with status ${result.status} and nothing that can be read`,
    { remedy: LOOK_BETWEEN },
  );
}

/** A refusal because something is missing on our side. It does not count against the provider. */
export function notSent(refusal: Pick<Refusal, 'code' | 'reason' | 'remedy'>): Outcome {
  return { status: 'refused', ...refusal, moveOn: true, hasLeft: false };
}

/** The `send` of a channel that no hook has connected. */
export function sendUnconnected(): Promise<Outcome> {
  return Promise.resolve(
    notSent({
      code: 'NOT_CONNECTED',
      reason: 'This channel was used outside a hook, which connects it to its provider',
    }),
  );
}

/** @throws ConfigurationError if the channel is named `voice`: a user who requested a call must not get a text. */
export function requireTextChannel(channel: string, factory: string): void {
  if (channel !== VOICE) return;
  throw new ConfigurationError([`${factory} sends texts; mount it under another name than ${VOICE}`], {
    of: factory,
  });
}
