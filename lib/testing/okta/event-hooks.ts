import { asList, fieldOf, textFieldOf } from '../../core/json.js';
import type { OrgContext } from './context.js';
import { validationFailed } from './errors.js';
import type { HookChannel } from './hook-channel.js';
import { HookStore } from './hook-store.js';

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

export interface EventHookProblem {
  /** The status of the answer, if there was one. */
  readonly status: number | undefined;
  readonly text: string;
}

type EventFields = Pick<EmulatedEventHook, 'verificationStatus' | 'events'> & {
  readonly description: string | null;
  readonly filter: unknown;
};

/** Calls a hook once, and resolves to the problem, if there is one. */
type Verify = (hook: EmulatedEventHook) => Promise<EventHookProblem | undefined>;

/** Events about codes that Okta's list of event types does not offer to event hooks. */
const NOT_ELIGIBLE = ['inline_hook.response.processed', 'system.sms.send_factor_verify_message'];

export class EventHooks {
  readonly #verify: Verify;
  readonly hooks: HookStore<EventFields>;

  /** @param createdBy - the id of the administrator who makes all hooks. */
  constructor(context: OrgContext, createdBy: string, verify: Verify) {
    this.#verify = verify;
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
          const problem = await verify(hook);
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
  async connect(channel: HookChannel, events: readonly string[]): Promise<void> {
    const fields = { verificationStatus: 'VERIFIED', events, description: null, filter: null } as const;
    const hook = this.hooks.make('Telephony gateway: codes that were used', channel, fields);
    const problem = await this.#verify(hook);
    for (const { id, channel: other } of this.hooks.all) if (other.uri === channel.uri) this.hooks.delete(id);
    if (problem?.status === 404) return;
    if (problem !== undefined) throw new Error(`Okta cannot verify the event hook: ${problem.text}`);
    this.hooks.set(hook);
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
