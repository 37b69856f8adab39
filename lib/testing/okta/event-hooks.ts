import { jsonReply, type Reply } from '../server/reply.js';
import { validationFailed, wrongState } from './errors.js';
import { channelResource, readChannel, type HookChannel } from './hook-channel.js';
import { hookRoutes, withResource, type ApiCall, type Route } from './route.js';
import { asList, fieldOf, textFieldOf } from '../../core/json.js';
import { randomAlphanumeric } from '../server/random-ids.js';

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

/** Why an event hook cannot be verified. */
export interface EventHookProblem {
  /** The status of the answer, if there was one. */
  readonly status: number | undefined;
  readonly text: string;
}

interface StoredHook extends EmulatedEventHook {
  readonly description: string | null;
  readonly filter: unknown;
  readonly created: string;
  readonly lastUpdated: string;
}

/** Events about codes that Okta's list of event types does not offer to event hooks. */
const NOT_ELIGIBLE = ['inline_hook.response.processed', 'system.sms.send_factor_verify_message'];

/** The Event Hooks API. */
export class EventHooks {
  readonly #orgUrl: () => string;
  readonly #clock: () => number;
  readonly #createdBy: string;
  readonly #hooks = new Map<string, StoredHook>();

  /** @param createdBy - the id of the administrator who makes all hooks. */
  constructor(orgUrl: () => string, clock: () => number, createdBy: string) {
    this.#orgUrl = orgUrl;
    this.#clock = clock;
    this.#createdBy = createdBy;
  }

  /** Every hook, oldest first. */
  get all(): readonly EmulatedEventHook[] {
    return [...this.#hooks.values()];
  }

  /** The operations of the API. `verify` calls the hook once and resolves to the problem, if there is one. */
  routes(verify: (hook: EmulatedEventHook) => Promise<EventHookProblem | undefined>): readonly Route[] {
    const withHook = (answer: (hook: StoredHook, call: ApiCall) => Reply | Promise<Reply>): Route['answer'] =>
      withResource('EventHook', (id) => this.#hooks.get(id), answer);
    const list = (): Reply =>
      jsonReply(
        200,
        [...this.#hooks.values()].map((hook) => this.#resource(hook)),
      );
    const verifyOnce = withHook(async (hook) => {
      if (hook.status !== 'ACTIVE') return wrongState();
      const problem = await verify(hook);
      if (problem !== undefined) return validationFailed('eventHook', problem.text);
      return this.#save({ ...hook, verificationStatus: 'VERIFIED' });
    });
    return hookRoutes('/api/v1/eventHooks', 'eventHooks', [
      ['get', '', list],
      ['post', '', ({ body }) => this.#create(body)],
      ['get', '/:id', withHook((hook) => jsonReply(200, this.#resource(hook)))],
      ['put', '/:id', withHook((hook, { body }) => this.#replace(hook, body))],
      ['delete', '/:id', withHook((hook) => this.#delete(hook))],
      ['post', '/:id/lifecycle/activate', withHook((hook) => this.#save({ ...hook, status: 'ACTIVE' }))],
      ['post', '/:id/lifecycle/deactivate', withHook((hook) => this.#save({ ...hook, status: 'INACTIVE' }))],
      ['post', '/:id/lifecycle/verify', verifyOnce],
    ]);
  }

  /**
   * Creates a verified event hook, in place of those for the same URL. Creates none if its URL is not served.
   * @throws Error if it cannot be verified.
   */
  async connect(
    channel: HookChannel,
    events: readonly string[],
    verify: (hook: EmulatedEventHook) => Promise<EventHookProblem | undefined>,
  ): Promise<void> {
    const name = 'Telephony gateway: codes that were used';
    const read = { name, description: null, filter: null, events, channel };
    const hook: StoredHook = { ...this.#newHook(read), verificationStatus: 'VERIFIED' };
    const problem = await verify(hook);
    for (const { id, channel: other } of this.all) if (other.uri === channel.uri) this.#hooks.delete(id);
    if (problem?.status === 404) return;
    if (problem !== undefined) throw new Error(`Okta cannot verify the event hook: ${problem.text}`);
    this.#hooks.set(hook.id, hook);
  }

  #create(body: unknown): Reply {
    const read = readHook(body);
    if ('problems' in read) return validationFailed('eventHook', ...read.problems);
    return this.#save(this.#newHook(read));
  }

  #newHook(read: Pick<StoredHook, 'name' | 'description' | 'filter' | 'events' | 'channel'>): StoredHook {
    const now = new Date(this.#clock()).toISOString();
    const id = `who${randomAlphanumeric(17)}`;
    return {
      id,
      status: 'ACTIVE',
      verificationStatus: 'UNVERIFIED',
      ...read,
      created: now,
      lastUpdated: now,
    };
  }

  #replace(hook: StoredHook, body: unknown): Reply {
    const read = readHook(body);
    if ('problems' in read) return validationFailed('eventHook', ...read.problems);
    const isSameChannel = JSON.stringify(read.channel) === JSON.stringify(hook.channel);
    const verificationStatus = isSameChannel ? hook.verificationStatus : 'UNVERIFIED';
    return this.#save({ ...hook, ...read, verificationStatus });
  }

  #delete(hook: StoredHook): Reply {
    if (hook.status === 'ACTIVE') return wrongState();
    return { status: 204, body: '', commit: () => this.#hooks.delete(hook.id) };
  }

  #save(changed: StoredHook): Reply {
    const hook = { ...changed, lastUpdated: new Date(this.#clock()).toISOString() };
    return {
      ...jsonReply(200, this.#resource(hook)),
      commit: () => this.#hooks.set(hook.id, hook),
    };
  }

  #resource(hook: StoredHook): object {
    const self = `${this.#orgUrl()}/api/v1/eventHooks/${hook.id}`;
    const link = (end: string, method: string): object => ({
      href: self + end,
      hints: { allow: [method] },
    });
    return {
      id: hook.id,
      status: hook.status,
      verificationStatus: hook.verificationStatus,
      name: hook.name,
      description: hook.description,
      created: hook.created,
      createdBy: this.#createdBy,
      lastUpdated: hook.lastUpdated,
      events: { type: 'EVENT_TYPE', items: hook.events, filter: hook.filter },
      channel: channelResource(hook.channel),
      _links:
        hook.status === 'ACTIVE'
          ? {
              self: { href: self },
              verify: link('/lifecycle/verify', 'POST'),
              deactivate: link('/lifecycle/deactivate', 'POST'),
            }
          : {
              activate: link('/lifecycle/activate', 'POST'),
              self: { href: self },
              delete: link('', 'DELETE'),
            },
    };
  }
}

function readHook(
  body: unknown,
):
  | Pick<StoredHook, 'name' | 'description' | 'filter' | 'events' | 'channel'>
  | { readonly problems: readonly string[] } {
  const name = textFieldOf(body, 'name');
  const items = fieldOf(body, 'events', 'items');
  const events = asList(items).filter((item) => typeof item === 'string');
  const channel = readChannel(fieldOf(body, 'channel'));
  const problems = 'type' in channel ? [] : [...channel];
  if (name === undefined) problems.push('name: The field cannot be left blank');
  if (textFieldOf(body, 'events', 'type') !== 'EVENT_TYPE' || events.length === 0) {
    problems.push('events: The type is not EVENT_TYPE, or there are no items.');
  }
  if (textFieldOf(body, 'channel', 'type') === 'OAUTH')
    problems.push('channel: Event hooks have the type HTTP only.');
  for (const event of events) {
    if (NOT_ELIGIBLE.includes(event)) problems.push(`events: ${event} is not for event hooks.`);
  }
  if (problems.length > 0 || name === undefined || !('type' in channel)) return { problems };
  const filter = fieldOf(body, 'events', 'filter') ?? null;
  return { name, description: textFieldOf(body, 'description') ?? null, filter, events, channel };
}
