import type { JsonObject } from '../../core/json.js';
import { okReply, type Reply } from '../server/reply.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import type { OrgContext } from './context.js';
import { wrongState } from './errors.js';
import { channelResource, type HookChannel } from './hook-channel.js';
import { hookRoutes, withResource, type ApiCall, type Route } from './route.js';

/** The fields that a request gives a hook, or that its kind adds. */
interface HookFields {
  readonly name: string;
  readonly channel: HookChannel;
}

/** A hook with those fields, as the org stores it. */
export type Stored<Fields> = Fields & {
  readonly id: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly created: string;
  readonly lastUpdated: string;
};

/** What differs between inline hooks and event hooks. */
interface HookKind<Fields> {
  readonly name: 'InlineHook' | 'EventHook';
  /** The path under `/api/v1`, and the name in scopes. */
  readonly path: 'inlineHooks' | 'eventHooks';
  readonly idPrefix: string;
  readonly replacedBy: readonly ('post' | 'put')[];
  /** Reads the body of a request, or refuses it. `before` is the hook that it replaces. */
  readonly read: (body: unknown, before: Stored<Fields> | undefined) => Fields | Reply;
  /** The part of the resource that the other kind does not have. */
  readonly show: (hook: Stored<Fields>) => JsonObject;
  readonly isListed?: (hook: Stored<Fields>, query: URLSearchParams) => boolean;
  readonly mayBeActive?: (hook: Stored<Fields>) => boolean;
  /** What can be done with an active hook: the path of the operation under the hook's, and its answer. */
  readonly operation: {
    readonly name: 'execute' | 'verify';
    readonly path: string;
    readonly answer: (hook: Stored<Fields>, body: unknown) => Reply | Promise<Reply>;
  };
}

/** The hooks of one kind, and their API. A change replaces the stored object. */
export class HookStore<Fields extends HookFields> {
  readonly #context: OrgContext;
  readonly #kind: HookKind<Fields>;
  readonly #hooks = new Map<string, Stored<Fields>>();

  constructor(context: OrgContext, kind: HookKind<Fields>) {
    this.#context = context;
    this.#kind = kind;
  }

  get all(): readonly Stored<Fields>[] {
    return [...this.#hooks.values()];
  }

  /** Makes an active hook without storing it. */
  make(fields: Fields): Stored<Fields> {
    const created = this.#now();
    const id = this.#kind.idPrefix + randomAlphanumeric(17);
    return { id, status: 'ACTIVE', ...fields, created, lastUpdated: created };
  }

  set(hook: Stored<Fields>): void {
    this.#hooks.set(hook.id, hook);
  }

  delete(id: string): void {
    this.#hooks.delete(id);
  }

  /** Stores a changed hook, and answers with it. */
  save(changed: Stored<Fields>): Reply {
    const hook = { ...changed, lastUpdated: this.#now() };
    return { ...okReply(this.#resource(hook)), commit: () => this.set(hook) };
  }

  routes(): readonly Route[] {
    const { name, path, replacedBy, isListed = () => true, mayBeActive = () => true, operation } = this.#kind;
    const withHook = (
      answer: (hook: Stored<Fields>, call: ApiCall) => Reply | Promise<Reply>,
    ): Route['answer'] => withResource(name, (id) => this.#hooks.get(id), answer);
    const write = (body: unknown, before?: Stored<Fields>): Reply => {
      const read = this.#kind.read(body, before);
      if (!('channel' in read)) return read;
      return this.save(before === undefined ? this.make(read) : { ...before, ...read });
    };
    const replace = withHook((hook, { body }) => write(body, hook));
    return hookRoutes(`/api/v1/${path}`, path, [
      [
        'get',
        '',
        ({ query }) =>
          okReply(this.all.filter((hook) => isListed(hook, query)).map((hook) => this.#resource(hook))),
      ],
      ['post', '', ({ body }) => write(body)],
      ['get', '/:id', withHook((hook) => okReply(this.#resource(hook)))],
      ...replacedBy.map((method) => [method, '/:id', replace] as const),
      [
        'delete',
        '/:id',
        withHook(({ id, status }) =>
          status === 'ACTIVE' ? wrongState() : { status: 204, body: '', commit: () => this.delete(id) },
        ),
      ],
      [
        'post',
        '/:id/lifecycle/activate',
        withHook((hook) => (mayBeActive(hook) ? this.save({ ...hook, status: 'ACTIVE' }) : wrongState())),
      ],
      ['post', '/:id/lifecycle/deactivate', withHook((hook) => this.save({ ...hook, status: 'INACTIVE' }))],
      [
        'post',
        `/:id${operation.path}`,
        withHook((hook, { body }) =>
          hook.status === 'ACTIVE' ? operation.answer(hook, body) : wrongState(),
        ),
      ],
    ]);
  }

  #resource(hook: Stored<Fields>): JsonObject {
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
