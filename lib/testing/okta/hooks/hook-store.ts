import { fieldOf, textFieldOf, type JsonObject } from '../../../core/json.js';
import { okReply, type Reply } from '../../server/reply.js';
import { randomAlphanumeric } from '../../server/random-ids.js';
import type { OrgContext } from '../api/context.js';
import { validationFailed, wrongState } from '../api/errors.js';
import { channelResource, readChannel, type HookChannel } from './hook-channel.js';
import { hookAccess, listBy, withResource, type ApiCall, type Operation, type Route } from '../api/route.js';

/** A hook as the org stores it. `Extra` are the fields that its kind adds. */
export type Stored<Extra> = Extra & {
  readonly id: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly channel: HookChannel;
  readonly created: string;
  readonly lastUpdated: string;
};

/** What differs between inline hooks and event hooks. */
interface HookKind<Extra> {
  readonly name: 'InlineHook' | 'EventHook';
  /** The path under `/api/v1`, and the name in scopes. */
  readonly path: 'inlineHooks' | 'eventHooks';
  readonly idPrefix: string;
  readonly replacedBy: readonly ('post' | 'put')[];
  /** Reads what the kind adds, and adds problems to the list. `before` is the hook that the request replaces. */
  readonly read: (
    body: unknown,
    channel: HookChannel | undefined,
    problems: string[],
    before: Stored<Extra> | undefined,
  ) => Extra;
  /** The part of the resource that the other kind does not have. */
  readonly show: (hook: Stored<Extra>) => JsonObject;
  /** The query parameters that narrow the list, and what each compares. Default: none. */
  readonly filters?: Readonly<Record<string, (hook: Stored<Extra>) => string>> | undefined;
  readonly mayBeActive?: ((hook: Stored<Extra>) => boolean) | undefined;
  /** What can be done with an active hook: the path of the operation under the hook's, and its answer. */
  readonly operation: {
    readonly name: 'execute' | 'verify';
    readonly path: string;
    readonly answer: (hook: Stored<Extra>, body: unknown) => Reply | Promise<Reply>;
  };
}

/** The hooks of one kind, and their API. A change replaces the stored object. */
export class HookStore<Extra extends object> {
  readonly #context: OrgContext;
  readonly #kind: HookKind<Extra>;
  readonly #hooks = new Map<string, Stored<Extra>>();

  constructor(context: OrgContext, kind: HookKind<Extra>) {
    this.#context = context;
    this.#kind = kind;
  }

  get all(): readonly Stored<Extra>[] {
    return [...this.#hooks.values()];
  }

  /** Makes an active hook without storing it. */
  make(name: string, channel: HookChannel, extra: Extra): Stored<Extra> {
    const created = this.#now();
    const id = this.#kind.idPrefix + randomAlphanumeric(17);
    return { id, name, status: 'ACTIVE', channel, ...extra, created, lastUpdated: created };
  }

  set(hook: Stored<Extra>): void {
    this.#hooks.set(hook.id, hook);
  }

  delete(id: string): void {
    this.#hooks.delete(id);
  }

  /** Stores a changed hook, and answers with it. */
  save(changed: Stored<Extra>): Reply {
    const hook = { ...changed, lastUpdated: this.#now() };
    return { ...okReply(this.#resource(hook)), commit: () => this.set(hook) };
  }

  get routes(): readonly Route[] {
    const { name, path, replacedBy, filters = {}, mayBeActive = () => true, operation } = this.#kind;
    const withHook = (answer: (hook: Stored<Extra>, call: ApiCall) => Reply | Promise<Reply>): Operation =>
      withResource(name, (id) => this.#hooks.get(id), answer);
    const write = (body: unknown, before?: Stored<Extra>): Reply => {
      const problems: string[] = [];
      const hookName = textFieldOf(body, 'name') ?? '';
      if (hookName === '' || hookName.length > 255) problems.push('name: It has 1 to 255 characters.');
      const channel = readChannel(fieldOf(body, 'channel'), problems);
      const extra = this.#kind.read(body, channel, problems, before);
      if (channel === undefined || problems.length > 0) return validationFailed(name, ...problems);
      const made = this.make(hookName, channel, extra);
      const { id, status, created } = before ?? made;
      return this.save({ ...made, id, status, created });
    };
    const replace = withHook((hook, { body }) => write(body, hook));
    const list = listBy(Object.keys(filters), ({ query }) => {
      const isListed = (hook: Stored<Extra>): boolean =>
        Object.entries(filters).every(([filter, valueOf]) => {
          const value = valueOf(hook);
          return (query.get(filter) ?? value) === value;
        });
      return okReply(this.all.filter(isListed).map((hook) => this.#resource(hook)));
    });
    const remove = withHook(({ id, status }) =>
      status === 'ACTIVE' ? wrongState() : { status: 204, body: '', commit: () => this.delete(id) },
    );
    const activate = withHook((hook) =>
      mayBeActive(hook) ? this.save({ ...hook, status: 'ACTIVE' }) : wrongState(),
    );
    const deactivate = withHook((hook) => this.save({ ...hook, status: 'INACTIVE' }));
    const operate = withHook((hook, { body }) =>
      hook.status === 'ACTIVE' ? operation.answer(hook, body) : wrongState(),
    );
    const hooks = `/api/v1/${path}`;
    const { read, manage } = hookAccess(path);
    return [
      ['get', hooks, read, list],
      ['post', hooks, manage, ({ body }) => write(body)],
      ['get', `${hooks}/:id`, read, withHook((hook) => okReply(this.#resource(hook)))],
      ...replacedBy.map((method) => [method, `${hooks}/:id`, manage, replace] as const),
      ['delete', `${hooks}/:id`, manage, remove],
      ['post', `${hooks}/:id/lifecycle/activate`, manage, activate],
      ['post', `${hooks}/:id/lifecycle/deactivate`, manage, deactivate],
      ['post', `${hooks}/:id${operation.path}`, manage, operate],
    ];
  }

  #resource(hook: Stored<Extra>): JsonObject {
    const { id, status, name, channel, created, lastUpdated } = hook;
    const { path, operation } = this.#kind;
    const self = `${this.#context.orgUrl}/api/v1/${path}/${id}`;
    const link = (end: string, method = 'POST'): object => ({ href: self + end, hints: { allow: [method] } });
    return {
      id,
      status,
      name,
      ...this.#kind.show(hook),
      channel: channelResource(channel),
      created,
      lastUpdated,
      _links:
        status === 'ACTIVE'
          ? {
              self: { href: self },
              [operation.name]: link(operation.path),
              deactivate: link('/lifecycle/deactivate'),
            }
          : { activate: link('/lifecycle/activate'), self: { href: self }, delete: link('', 'DELETE') },
    };
  }

  #now(): string {
    return new Date(this.#context.clock()).toISOString();
  }
}
