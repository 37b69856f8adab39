import type { Budget } from '#lib/core/budget.js';
import type { TelephonyRequest } from '#lib/core/channel.js';
import type { ReadyChannel } from '#lib/delivery/attempt.js';
import { tryPlan, type Delivery, type Send, type SendListener } from '#lib/delivery/dispatch.js';
import type { PlannedCode } from '#lib/delivery/messages/receipt.js';
import type { ComposeText } from '#lib/core/option-types.js';
import { makeMessage, PHONE_NUMBER } from '../channels/twilio/scripted-api.js';

interface Sending extends Partial<Omit<Send, 'code'>> {
  readonly budget: Budget;
  readonly request?: TelephonyRequest;
  readonly composeText?: ComposeText | undefined;
  readonly addressFor?: (channel: string) => string;
}

/** Dispatches a code by a plan of these channels, in their order. */
export function dispatchBy(
  plan: readonly ReadyChannel[],
  { request = makeMessage().request, composeText, addressFor = () => PHONE_NUMBER, ...send }: Sending,
  listener: Partial<SendListener> = {},
): Promise<Delivery> {
  const channels = new Map<string, ReadyChannel[]>();
  const untried = plan.map((channel) => {
    const providers = channels.get(channel.name) ?? [];
    channels.set(channel.name, providers);
    return { channel: channel.name, provider: providers.push(channel) - 1, to: addressFor(channel.name) };
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
  };
  return tryPlan(
    { code, request, ...send },
    {
      onStart: () => undefined,
      onAttempt: () => undefined,
      onComposeFailure: () => undefined,
      onRefused: () => undefined,
      onAccepted: () => undefined,
      onUnknown: () => undefined,
      onDetached: () => undefined,
      ...listener,
    },
    { channels, settings: { composeText, texts: undefined, ownChannels: new Set() } },
  );
}
