import { jsonReply, type Reply } from '../server/reply.js';

import { validationFailed, wrongState } from './errors.js';
import { channelResource, readChannel, type HookChannel } from './hook-channel.js';
import { hookRoutes, withResource, type ApiCall, type Route } from './route.js';
import { fieldOf, textFieldOf, type JsonObject } from '../../core/json.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** An inline hook of the org, as it is now. */
export interface EmulatedInlineHook {
  /** `cal` and 17 letters and digits. */
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  /** With its secrets, which the API does not show. */
  readonly channel: HookChannel;
}

interface StoredHook extends EmulatedInlineHook {
  readonly version: string;
  readonly created: string;
  readonly lastUpdated: string;
}

/** An org has at most one active hook of this type. */
const TELEPHONY = 'com.okta.telephony.provider';

const TYPES = [
  'com.okta.import.transform',
  'com.okta.oauth2.tokens.transform',
  'com.okta.saml.tokens.transform',
  TELEPHONY,
  'com.okta.user.credential.password.import',
  'com.okta.user.pre-registration',
];

/** The Inline Hooks API, except `execute`. */
export class InlineHooks {
  readonly #orgUrl: () => string;
  readonly #clock: () => number;
  readonly #isKey: (hookKeyId: string) => boolean;
  readonly #hooks = new Map<string, StoredHook>();

  /** @param isKey - whether there is a hook key of this id. */
  constructor(orgUrl: () => string, clock: () => number, isKey: (hookKeyId: string) => boolean) {
    this.#orgUrl = orgUrl;
    this.#clock = clock;
    this.#isKey = isKey;
  }

  /** Every hook, oldest first. */
  get all(): readonly EmulatedInlineHook[] {
    return [...this.#hooks.values()];
  }

  /** The hook that Okta calls to deliver a code. */
  get activeTelephonyHook(): EmulatedInlineHook | undefined {
    return this.all.find(({ type, status }) => type === TELEPHONY && status === 'ACTIVE');
  }

  /** The operations of the API. `execute` answers the call of one hook. */
  routes(execute: (hook: EmulatedInlineHook, payload: unknown) => Reply | Promise<Reply>): readonly Route[] {
    const withHook = (answer: (hook: StoredHook, call: ApiCall) => Reply | Promise<Reply>): Route['answer'] =>
      withResource('InlineHook', (id) => this.#hooks.get(id), answer);
    const replace = withHook((hook, { body }) => this.#replace(hook, body));
    return hookRoutes('/api/v1/inlineHooks', 'inlineHooks', [
      ['get', '', ({ query }) => this.#list(query.get('type'))],
      ['post', '', ({ body }) => this.#create(body)],
      ['get', '/:id', withHook((hook) => this.#answer(hook))],
      // Okta has both, and both need the whole hook with its secrets.
      ['post', '/:id', replace],
      ['put', '/:id', replace],
      ['delete', '/:id', withHook((hook) => this.#delete(hook))],
      ['post', '/:id/lifecycle/activate', withHook((hook) => this.#setStatus(hook, 'ACTIVE'))],
      ['post', '/:id/lifecycle/deactivate', withHook((hook) => this.#setStatus(hook, 'INACTIVE'))],
      [
        'post',
        '/:id/execute',
        withHook((hook, { body }) => (hook.status === 'ACTIVE' ? execute(hook, body) : wrongState())),
      ],
    ]);
  }

  /** Creates the active telephony hook, in place of the one before. */
  connect(channel: HookChannel): void {
    const before = this.activeTelephonyHook;
    if (before !== undefined) this.#hooks.delete(before.id);
    const hook = this.#newHook(TELEPHONY, { name: 'Telephony gateway', version: '1.0.0', channel });
    this.#hooks.set(hook.id, hook);
  }

  #newHook(type: string, read: Pick<StoredHook, 'name' | 'version' | 'channel'>): StoredHook {
    const now = new Date(this.#clock()).toISOString();
    const id = `cal${randomAlphanumeric(17)}`;
    return { id, type, status: 'ACTIVE', ...read, created: now, lastUpdated: now };
  }

  #list(type: string | null): Reply {
    const found = [...this.#hooks.values()].filter((hook) => type === null || hook.type === type);
    return jsonReply(
      200,
      found.map((hook) => this.#resource(hook)),
    );
  }

  #create(body: unknown): Reply {
    const type = textFieldOf(body, 'type') ?? '';
    if (!TYPES.includes(type)) return validationFailed('type', `type: It is none of ${TYPES.join(', ')}.`);
    const read = this.#read(body, type);
    if ('problems' in read) return validationFailed('inlineHook', ...read.problems);
    if (type === TELEPHONY && this.activeTelephonyHook !== undefined) {
      return validationFailed('type', 'type: There is an active telephony inline hook already.');
    }
    return this.#save(this.#newHook(type, read));
  }

  #replace(hook: StoredHook, body: unknown): Reply {
    const read = this.#read(body, hook.type);
    if ('problems' in read) return validationFailed('inlineHook', ...read.problems);
    return this.#save({ ...hook, ...read, lastUpdated: new Date(this.#clock()).toISOString() });
  }

  #setStatus(hook: StoredHook, status: StoredHook['status']): Reply {
    const active = this.activeTelephonyHook;
    const isSecond = active !== undefined && active.id !== hook.id && hook.type === TELEPHONY;
    if (status === 'ACTIVE' && isSecond) return wrongState();
    return this.#save({ ...hook, status, lastUpdated: new Date(this.#clock()).toISOString() });
  }

  #delete(hook: StoredHook): Reply {
    if (hook.status === 'ACTIVE') return wrongState();
    return { status: 204, body: '', commit: () => this.#hooks.delete(hook.id) };
  }

  #save(hook: StoredHook): Reply {
    return {
      ...this.#answer(hook),
      commit: () => this.#hooks.set(hook.id, hook),
    };
  }

  #answer(hook: StoredHook): Reply {
    return jsonReply(200, this.#resource(hook));
  }

  #read(
    body: unknown,
    type: string,
  ): Pick<StoredHook, 'name' | 'version' | 'channel'> | { readonly problems: readonly string[] } {
    const name = textFieldOf(body, 'name') ?? '';
    const channel = readChannel(fieldOf(body, 'channel'));
    const problems = 'type' in channel ? [] : [...channel];
    if (name === '' || name.length > 255) problems.push('name: It has 1 to 255 characters.');
    if (!('type' in channel)) return { problems };
    const keyId = channel.oauth?.hookKeyId;
    if (keyId !== undefined && !this.#isKey(keyId)) problems.push('hookKeyId: There is no such hook key.');
    if (type === TELEPHONY && channel.authScheme === undefined && channel.oauth === undefined) {
      problems.push('authScheme: A telephony inline hook has to have one.');
    }
    return problems.length > 0
      ? { problems }
      : { name, version: textFieldOf(body, 'version') ?? '1.0.0', channel };
  }

  #resource({ id, status, name, type, version, channel, created, lastUpdated }: StoredHook): JsonObject {
    const self = `${this.#orgUrl()}/api/v1/inlineHooks/${id}`;
    const link = (href: string, method: string): object => ({ href, hints: { allow: [method] } });
    return {
      id,
      status,
      name,
      type,
      version,
      channel: channelResource(channel),
      created,
      lastUpdated,
      _links:
        status === 'ACTIVE'
          ? {
              self: { href: self },
              execute: link(`${self}/execute`, 'POST'),
              deactivate: link(`${self}/lifecycle/deactivate`, 'POST'),
            }
          : {
              activate: link(`${self}/lifecycle/activate`, 'POST'),
              self: { href: self },
              delete: link(self, 'DELETE'),
            },
    };
  }
}
