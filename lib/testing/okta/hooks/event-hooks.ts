import { randomUUID } from 'node:crypto';
import { asList, fieldOf, parseJson, textFieldOf } from '../../../core/json.js';
import { jsonPost } from '../../server/outbound.js';
import { randomAlphanumeric } from '../../server/random-ids.js';
import type { OrgContext } from '../api/context.js';
import { validationFailed } from '../api/errors.js';
import { channelHeaders, type HookChannel } from './hook-channel.js';
import { HookStore } from './hook-store.js';
import { ENROLLMENT_EVENT, HOOK_FAILED_EVENT, SIGN_IN_EVENT, type LogEvent } from './log-events.js';

/** An event hook of the org, as it is now. */
export interface EmulatedEventHook {
  /** `who` and 17 letters and digits. */
  readonly id: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  /** Only a verified hook gets events. */
  readonly verificationStatus: 'UNVERIFIED' | 'VERIFIED';
  /** The types of events that it subscribes to. */
  readonly events: readonly string[];
  /** With its secret, which the API does not show. */
  readonly channel: HookChannel;
}

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

type EventFields = Pick<EmulatedEventHook, 'verificationStatus' | 'events'> & {
  readonly description: string | null;
  readonly filter: unknown;
};

/** Events about codes that Okta's list of event types does not offer to event hooks. */
const NOT_ELIGIBLE = ['inline_hook.response.processed', 'system.sms.send_factor_verify_message'];

/** The event hooks, and what Okta sends to them. */
export class EventHooks {
  readonly #context: OrgContext;
  readonly hooks: HookStore<EventFields>;
  readonly deliveries: EventDelivery[] = [];

  /** @param createdBy - the id of the administrator who makes all hooks. */
  constructor(context: OrgContext, createdBy: string) {
    this.#context = context;
    this.hooks = new HookStore<EventFields>(context, {
      name: 'EventHook',
      path: 'eventHooks',
      idPrefix: 'who',
      replacedBy: ['put'],
      read: readFields,
      show: ({ verificationStatus, description, events: items, filter }) => ({
        verificationStatus,
        description,
        createdBy,
        events: { type: 'EVENT_TYPE', items, filter },
      }),
      operation: {
        name: 'verify',
        path: '/lifecycle/verify',
        answer: async (hook) => {
          const problem = await this.#verify(hook);
          if (problem !== undefined) return validationFailed('eventHook', problem.text);
          return this.hooks.save({ ...hook, verificationStatus: 'VERIFIED' });
        },
      },
    });
  }

  /**
   * Creates a verified event hook, in place of those for the same URL. Creates none if its URL is not served.
   * @throws Error if it cannot be verified.
   */
  async connect(channel: HookChannel): Promise<void> {
    const events = [SIGN_IN_EVENT, ENROLLMENT_EVENT, HOOK_FAILED_EVENT];
    const fields = { verificationStatus: 'VERIFIED', events, description: null, filter: null } as const;
    const hook = this.hooks.make('Telephony gateway: codes that were used', channel, fields);
    const problem = await this.#verify(hook);
    for (const { id, channel: other } of this.hooks.all) if (other.uri === channel.uri) this.hooks.delete(id);
    if (problem?.status === 404) return;
    if (problem !== undefined) throw new Error(`Okta cannot verify the event hook: ${problem.text}`);
    this.hooks.set(hook);
  }

  /** Delivers events to every active and verified hook that subscribes to them, in one delivery per hook. */
  async deliver(
    events: readonly LogEvent[],
    { eventId }: FireOptions = {},
  ): Promise<readonly EventDelivery[]> {
    const { orgUrl, clock, outbound } = this.#context;
    const wanted = this.hooks.all
      .filter(({ status, verificationStatus }) => status === 'ACTIVE' && verificationStatus === 'VERIFIED')
      .map((hook) => ({ hook, events: events.filter(({ eventType }) => hook.events.includes(eventType)) }))
      .filter((delivery) => delivery.events.length > 0);
    const made = await Promise.all(
      wanted.map(async ({ hook: { id: hookId, channel }, events: sent }): Promise<EventDelivery> => {
        const envelope = {
          eventType: 'com.okta.event_hook',
          eventTypeVersion: '1.0',
          // Inline hooks have `cloudEventVersion`.
          cloudEventsVersion: '0.1',
          source: `${orgUrl}/api/v1/eventHooks/${hookId}`,
          eventId: eventId ?? randomUUID(),
          eventTime: new Date(clock()).toISOString(),
          contentType: 'application/json',
          data: { events: sent },
        };
        const answers = await outbound.callWithRetry(
          jsonPost(channel.uri, channelHeaders(channel), envelope),
        );
        const last = answers.at(-1);
        const isDelivered = last?.text !== undefined && (last.status === 200 || last.status === 204);
        const statuses = answers.map(({ status }) => status);
        return { hookId, eventId: envelope.eventId, events: sent, statuses, isDelivered };
      }),
    );
    this.deliveries.push(...made);
    return made;
  }

  /** Okta's one-time verification of a hook. Resolves to the problem, if there is one. */
  async #verify({
    channel,
  }: EmulatedEventHook): Promise<{ readonly status: number | undefined; readonly text: string } | undefined> {
    const challenge = randomAlphanumeric(42);
    const headers = { ...channelHeaders(channel), 'x-okta-verification-challenge': challenge };
    const answers = await this.#context.outbound.callWithRetry({
      method: 'GET',
      url: channel.uri,
      headers: { accept: 'application/json', ...headers },
    });
    const { status, text, problem = 'no answer' } = answers.at(-1) ?? {};
    if (text === undefined) return { status: undefined, text: problem };
    if (status !== 200) return { status, text: `The answer has the status ${status ?? 0}.` };
    const echoed = textFieldOf(parseJson(text), 'verification');
    return echoed === challenge ? undefined : { status, text: 'The answer is not the challenge.' };
  }
}

function readFields(
  body: unknown,
  channel: HookChannel | undefined,
  problems: string[],
  before: EmulatedEventHook | undefined,
): EventFields {
  const events = asList(fieldOf(body, 'events', 'items')).filter((item) => typeof item === 'string');
  if (textFieldOf(body, 'events', 'type') !== 'EVENT_TYPE' || events.length === 0) {
    problems.push('events: The type is not EVENT_TYPE, or there are no items.');
  }
  if (channel?.type === 'OAUTH') problems.push('channel: Event hooks have the type HTTP only.');
  for (const event of events) {
    if (NOT_ELIGIBLE.includes(event)) problems.push(`events: ${event} is not for event hooks.`);
  }
  // With another channel, a hook has to be verified again.
  const isSameChannel = JSON.stringify(channel) === JSON.stringify(before?.channel);
  return {
    verificationStatus: isSameChannel ? (before?.verificationStatus ?? 'UNVERIFIED') : 'UNVERIFIED',
    events,
    description: textFieldOf(body, 'description') ?? null,
    filter: fieldOf(body, 'events', 'filter') ?? null,
  };
}
