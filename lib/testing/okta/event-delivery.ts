import { randomUUID } from 'node:crypto';
import type { OrgContext } from './context.js';
import { channelHeaders } from './hook-channel.js';
import type { EmulatedEventHook, EventHookProblem } from './event-hooks.js';
import { parseJson, textFieldOf } from '../../core/json.js';
import type { LogEvent } from './log-events.js';
import { jsonPost, type Outbound } from '../server/outbound.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** The result of a delivery to an event hook. */
export interface EventDelivery {
  readonly hookId: string;
  /** Identifies the delivery. A retry has the same. */
  readonly eventId: string;
  readonly events: readonly LogEvent[];
  /** The status of each attempt, `undefined` without an answer in time. There are two if the first one failed. */
  readonly statuses: readonly (number | undefined)[];
  /** Whether the hook answered 200 or 204. */
  readonly isDelivered: boolean;
}

/** Options of a delivery. */
export interface FireOptions {
  /** The id of the delivery. Default: a new one. With an id used before, it is a repeated delivery. */
  readonly eventId?: string | undefined;
}

/** Okta's one-time verification of an event hook. Resolves to the problem, if there is one. */
export async function verifyEventHook(
  hook: EmulatedEventHook,
  outbound: Outbound,
): Promise<EventHookProblem | undefined> {
  const challenge = randomAlphanumeric(42);
  const headers = { ...channelHeaders(hook.channel), 'x-okta-verification-challenge': challenge };
  const answers = await outbound.callWithRetry({
    method: 'GET',
    url: hook.channel.uri,
    headers: { accept: 'application/json', ...headers },
  });
  const { status, text, problem = 'no answer' } = answers.at(-1) ?? {};
  if (text === undefined) return { status: undefined, text: problem };
  if (status !== 200) return { status, text: `The answer has the status ${status ?? 0}.` };
  const echoed = textFieldOf(parseJson(text), 'verification');
  return echoed === challenge ? undefined : { status, text: 'The answer is not the challenge.' };
}

/** Delivers events to every active and verified event hook that subscribes to them, in one delivery per hook. */
export async function deliverEvents(
  hooks: readonly EmulatedEventHook[],
  events: readonly LogEvent[],
  { eventId }: FireOptions,
  { orgUrl, clock, outbound }: OrgContext,
): Promise<EventDelivery[]> {
  const deliveries = hooks
    .filter(({ status, verificationStatus }) => status === 'ACTIVE' && verificationStatus === 'VERIFIED')
    .map((hook) => ({ hook, wanted: events.filter(({ eventType }) => hook.events.includes(eventType)) }))
    .filter(({ wanted }) => wanted.length > 0);
  return Promise.all(
    deliveries.map(async ({ hook, wanted }) => {
      const envelope = {
        eventType: 'com.okta.event_hook',
        eventTypeVersion: '1.0',
        // Inline hooks have `cloudEventVersion`.
        cloudEventsVersion: '0.1',
        source: `${orgUrl}/api/v1/eventHooks/${hook.id}`,
        eventId: eventId ?? randomUUID(),
        eventTime: new Date(clock()).toISOString(),
        contentType: 'application/json',
        data: { events: wanted },
      };
      const call = jsonPost(hook.channel.uri, channelHeaders(hook.channel), envelope);
      const answers = await outbound.callWithRetry(call);
      const last = answers.at(-1);
      const isDelivered = last?.text !== undefined && (last.status === 200 || last.status === 204);
      const statuses = answers.map(({ status }) => status);
      return { hookId: hook.id, eventId: envelope.eventId, events: wanted, statuses, isDelivered };
    }),
  );
}
