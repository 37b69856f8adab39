import { randomUUID } from 'node:crypto';
import { channelHeaders } from './hook-channel.js';
import type { EmulatedEventHook } from './event-hooks.js';
import { parseJson, textFieldOf } from '../../core/json.js';
import type { LogEvent } from './log-events.js';
import { callOutWithRetry, type Outbound } from './outbound.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** What became of a delivery to an event hook. */
export interface EventDelivery {
  readonly hookId: string;
  /** Names the delivery; a retry has the same. */
  readonly eventId: string;
  readonly events: readonly LogEvent[];
  /** The status of each attempt, `undefined` where no answer came in time: two where the first one failed. */
  readonly statuses: readonly (number | undefined)[];
  /** Whether it was taken: 200 or 204. */
  readonly isDelivered: boolean;
}

/** How events are delivered, where it is not as usual. */
export interface FireOptions {
  /** The id of the delivery. Default: a new one; the id of one before makes it come again. */
  readonly eventId?: string | undefined;
}

/** Okta's one-time verification of an event hook; resolves to what is wrong with the answer. */
export async function verifyEventHook(
  hook: EmulatedEventHook,
  outbound: Outbound,
): Promise<string | undefined> {
  const challenge = randomAlphanumeric(42);
  const answers = await callOutWithRetry(
    {
      method: 'GET',
      url: hook.channel.uri,
      headers: {
        accept: 'application/json',
        ...channelHeaders(hook.channel),
        'x-okta-verification-challenge': challenge,
      },
    },
    outbound,
  );
  const answer = answers.at(-1);
  if (answer?.text === undefined) return answer?.problem ?? 'no answer';
  if (answer.status !== 200) return `The answer has the status ${answer.status ?? 0}.`;
  const echoed = textFieldOf(parseJson(answer.text), 'verification');
  return echoed === challenge ? undefined : 'The answer is not the challenge.';
}

/** Tells every event hook that is active, verified and asks for them of some events, in one delivery each. */
export async function deliverEvents(
  hooks: readonly EmulatedEventHook[],
  events: readonly LogEvent[],
  { eventId }: FireOptions,
  org: Outbound & { readonly orgUrl: string; readonly now: number },
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
        // An inline hook's is `cloudEventVersion`.
        cloudEventsVersion: '0.1',
        source: `${org.orgUrl}/api/v1/eventHooks/${hook.id}`,
        eventId: eventId ?? randomUUID(),
        eventTime: new Date(org.now).toISOString(),
        contentType: 'application/json',
        data: { events: wanted },
      };
      const answers = await callOutWithRetry(
        {
          method: 'POST',
          url: hook.channel.uri,
          headers: {
            accept: 'application/json',
            'content-type': 'application/json',
            ...channelHeaders(hook.channel),
          },
          body: JSON.stringify(envelope),
        },
        org,
      );
      const last = answers.at(-1);
      const isDelivered = last?.text !== undefined && (last.status === 200 || last.status === 204);
      const statuses = answers.map(({ status }) => status);
      return { hookId: hook.id, eventId: envelope.eventId, events: wanted, statuses, isDelivered };
    }),
  );
}
