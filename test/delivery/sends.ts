import type { Budget } from '#lib/core/budget.js';
import { LRUCache } from 'lru-cache';
import type { TelephonyRequest } from '#lib/core/channel.js';
import { EventStream } from '#lib/core/event-stream.js';
import type { AttemptReport, HookEvent } from '#lib/core/events.js';
import type { ComposeText } from '#lib/core/option-types.js';
import type { ReadyChannel, Delivery, Send } from '#lib/delivery/attempt.js';
import { Breaker } from '#lib/delivery/breaker.js';
import { sendCode, type SendParts } from '#lib/delivery/dispatch.js';
import { transactionIdOf } from '#lib/delivery/messages/receipt.js';
import type { PlannedCode } from '#lib/delivery/records.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { NO_CLIENT } from '#harness/channels.js';
import { makeMessage, PHONE_NUMBER } from '../channels/twilio/scripted-api.js';

interface Sending extends Partial<Omit<Send, 'code'>> {
  readonly budget: Budget;
  readonly request?: TelephonyRequest;
  readonly composeText?: ComposeText | undefined;
  /** Gets each attempt that goes on after the deadline, and whose channel has read its reference. */
  readonly stopAtReport?: NonNullable<SendParts['lateFailover']>['stopAtReport'];
}

/** What became of a code. The lists go on to fill after the deadline. */
export interface Sent {
  readonly delivery: Delivery;
  readonly reported: readonly AttemptReport[];
  readonly late: readonly AttemptReport[];
  readonly composeFailures: readonly string[];
  /** The ids of the messages that were accepted. */
  readonly accepted: readonly string[];
}

/** A channel that is ready, makes no requests and accepts each message. */
export function readyChannel(name: string, parts: Partial<ReadyChannel> = {}): ReadyChannel {
  return {
    name,
    key: name,
    provider: name.toUpperCase(),
    port: { send: () => Promise.resolve({ status: 'accepted', transactionId: 'T1' }) },
    idNamespace: 'own',
    reports: parts.port?.reports,
    receiver: undefined,
    client: NO_CLIENT,
    breaker: new Breaker(name, () => undefined),
    ...parts,
  };
}

/** Dispatches a code by a plan of these channels, in their order. */
export async function dispatchBy(
  plan: readonly ReadyChannel[],
  { request = makeMessage().request, composeText, stopAtReport = () => undefined, ...send }: Sending,
): Promise<Sent> {
  const channels = new Map<string, ReadyChannel[]>();
  const untried = plan.map((channel) => {
    const providers = channels.get(channel.name) ?? [];
    channels.set(channel.name, providers);
    return { channel: channel.name, provider: providers.push(channel) - 1, to: PHONE_NUMBER };
  });
  const code: PlannedCode = {
    request,
    expiresAtMs: Infinity,
    locale: 'en',
    person: 'a person',
    eventKey: request.eventId,
    untried,
    attempts: [],
    failedIds: [],
    codeRequest: { atMs: 0, endsAtMs: 1 },
  };
  const reported: AttemptReport[] = [];
  const late: AttemptReport[] = [];
  const composeFailures: string[] = [];
  const accepted: string[] = [];
  const listen = (event: HookEvent): void => {
    if (event.type === 'attempt.ended') reported.push(attemptIn(event));
    if (event.type === 'attempt.settled') late.push(attemptIn(event));
    if (event.type === 'extension.failed') composeFailures.push(event.reason);
  };
  const clock = (): number => 0;
  const delivery = await sendCode(
    { code, request, isStillWanted: () => true, isSuppressed: () => false, ...send },
    {
      channels,
      settings: { composeText, texts: undefined, ownChannels: new Set(), clock },
      state: openMemoryState(),
      events: new EventStream({ listeners: [listen], onEvent: undefined }, clock),
      suppressions: { add: () => Promise.resolve() },
      messageOwners: new LRUCache({ max: 10 }),
      lateFailover: {
        accepted: (key) => {
          accepted.push(transactionIdOf(key));
        },
        unknown: () => undefined,
        failed: () => undefined,
        stopAtReport,
      },
      underWay: { detached: new Set(), lastSuccess: new Map() },
    },
  );
  return { delivery, reported, late, composeFailures, accepted };
}

/** The attempt in an event, without the fields that say whose it is. */
function attemptIn(event: HookEvent & AttemptReport): AttemptReport {
  const { channel, provider, outcome, durationMs, transactionId, providerRequestId } = event;
  const { code, reason, remedy } = event;
  const failure = outcome === 'accepted' ? {} : { code, reason, remedy };
  return { channel, provider, outcome, durationMs, transactionId, providerRequestId, ...failure };
}
