import { fieldOf, textFieldOf } from '../../core/json.js';
import type { Reply } from '../server/reply.js';
import type { OrgContext } from './context.js';
import { validationFailed } from './errors.js';
import { readChannel, type HookChannel } from './hook-channel.js';
import { HookStore } from './hook-store.js';
import type { Route } from './route.js';

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

type InlineFields = Pick<EmulatedInlineHook, 'name' | 'type' | 'channel'> & { readonly version: string };

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

export class InlineHooks {
  readonly #isKey: (hookKeyId: string) => boolean;
  readonly #hooks: HookStore<InlineFields>;

  /**
   * @param isKey - whether there is a hook key of this id.
   * @param execute - answers the call of one hook.
   */
  constructor(
    context: OrgContext,
    isKey: (hookKeyId: string) => boolean,
    execute: (hook: EmulatedInlineHook, payload: unknown) => Reply | Promise<Reply>,
  ) {
    this.#isKey = isKey;
    this.#hooks = new HookStore<InlineFields>(context, {
      name: 'InlineHook',
      path: 'inlineHooks',
      idPrefix: 'cal',
      // Okta has both, and both need the whole hook with its secrets.
      replacedBy: ['post', 'put'],
      read: (body, before) => this.#read(body, before),
      show: ({ type, version }) => ({ type, version }),
      isListed: ({ type }, query) => (query.get('type') ?? type) === type,
      mayBeActive: ({ id, type }) => type !== TELEPHONY || (this.activeTelephonyHook?.id ?? id) === id,
      operation: { name: 'execute', path: '/execute', answer: execute },
    });
  }

  get all(): readonly EmulatedInlineHook[] {
    return this.#hooks.all;
  }

  /** The hook that Okta calls to deliver a code. */
  get activeTelephonyHook(): EmulatedInlineHook | undefined {
    return this.all.find(({ type, status }) => type === TELEPHONY && status === 'ACTIVE');
  }

  get routes(): readonly Route[] {
    return this.#hooks.routes();
  }

  /** Creates the active telephony hook, in place of the one before. */
  connect(channel: HookChannel): void {
    const before = this.activeTelephonyHook;
    if (before !== undefined) this.#hooks.delete(before.id);
    const fields = { name: 'Telephony gateway', type: TELEPHONY, version: '1.0.0', channel };
    this.#hooks.set(this.#hooks.make(fields));
  }

  #read(body: unknown, before: EmulatedInlineHook | undefined): InlineFields | Reply {
    const type = before?.type ?? textFieldOf(body, 'type') ?? '';
    if (!TYPES.includes(type)) return validationFailed('type', `type: It is none of ${TYPES.join(', ')}.`);
    const name = textFieldOf(body, 'name') ?? '';
    const channel = readChannel(fieldOf(body, 'channel'));
    const problems = 'type' in channel ? [] : [...channel];
    if (name === '' || name.length > 255) problems.push('name: It has 1 to 255 characters.');
    if ('type' in channel) {
      const keyId = channel.oauth?.hookKeyId;
      if (keyId !== undefined && !this.#isKey(keyId)) problems.push('hookKeyId: There is no such hook key.');
      if (type === TELEPHONY && channel.authScheme === undefined && channel.oauth === undefined) {
        problems.push('authScheme: A telephony inline hook has to have one.');
      }
    }
    if (problems.length > 0 || !('type' in channel)) return validationFailed('inlineHook', ...problems);
    if (before === undefined && type === TELEPHONY && this.activeTelephonyHook !== undefined) {
      return validationFailed('type', 'type: There is an active telephony inline hook already.');
    }
    return { name, type, version: textFieldOf(body, 'version') ?? '1.0.0', channel };
  }
}
