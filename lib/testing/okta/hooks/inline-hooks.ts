import { fieldOf, isObject, parseJson, textFieldOf } from '../../../core/json.js';
import { jsonPost } from '../../server/outbound.js';
import { okReply, type Reply } from '../../server/reply.js';
import type { OrgContext } from '../api/context.js';
import { validationFailed } from '../api/errors.js';
import { proveToHook, type HookChannel } from './hook-channel.js';
import type { HookKeys } from './hook-keys.js';
import { HookStore } from './hook-store.js';
import { judgeAnswer } from './verdict.js';

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

type InlineFields = Pick<EmulatedInlineHook, 'type'> & { readonly version: string };

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

/** The inline hooks, and Okta's calls of one that its API requests. */
export class InlineHooks {
  readonly #context: OrgContext;
  readonly #keys: HookKeys;
  readonly hooks: HookStore<InlineFields>;

  constructor(context: OrgContext, keys: HookKeys) {
    this.#context = context;
    this.#keys = keys;
    this.hooks = new HookStore<InlineFields>(context, {
      name: 'InlineHook',
      path: 'inlineHooks',
      idPrefix: 'cal',
      // Okta has both, and both need the whole hook with its secrets.
      replacedBy: ['post', 'put'],
      read: (body, channel, problems, before) => {
        const type = before?.type ?? textFieldOf(body, 'type') ?? '';
        const keyId = channel?.oauth?.hookKeyId;
        if (!TYPES.includes(type)) problems.push(`type: It is none of ${TYPES.join(', ')}.`);
        if (keyId !== undefined && keys.find(keyId) === undefined) {
          problems.push('hookKeyId: There is no such hook key.');
        }
        if (type === TELEPHONY && (channel?.authScheme ?? channel?.oauth) === undefined) {
          problems.push('authScheme: A telephony inline hook has to have one.');
        }
        if (type === TELEPHONY && before === undefined && this.activeTelephonyHook !== undefined) {
          problems.push('type: There is an active telephony inline hook already.');
        }
        return { type, version: textFieldOf(body, 'version') ?? '1.0.0' };
      },
      show: ({ type, version }) => ({ type, version }),
      filters: { type: ({ type }) => type },
      mayBeActive: ({ id, type }) => type !== TELEPHONY || (this.activeTelephonyHook?.id ?? id) === id,
      operation: { name: 'execute', path: '/execute', answer: (hook, body) => this.#execute(hook, body) },
    });
  }

  /** The hook that Okta calls to deliver a code. */
  get activeTelephonyHook(): EmulatedInlineHook | undefined {
    return this.hooks.all.find(({ type, status }) => type === TELEPHONY && status === 'ACTIVE');
  }

  /** Creates the active telephony hook, in place of the one before. */
  connect(channel: HookChannel): void {
    const before = this.activeTelephonyHook;
    if (before !== undefined) this.hooks.delete(before.id);
    this.hooks.set(this.hooks.make('Telephony gateway', channel, { type: TELEPHONY, version: '1.0.0' }));
  }

  /** Calls a hook, and again if it fails. */
  async #execute(hook: EmulatedInlineHook, payload: unknown): Promise<Reply> {
    const type = textFieldOf(payload, 'eventType');
    if (type !== hook.type) return validationFailed('eventType', `eventType: It is not ${hook.type}.`);
    const proof = await proveToHook(hook.channel, this.#keys, this.#context);
    if (typeof proof === 'string') return validationFailed('inlineHook', proof);
    const call = jsonPost(hook.channel.uri, proof, payload);
    const answers = await this.#context.outbound.callWithRetry(call);
    const { status, text, problem } = answers.at(-1) ?? {};
    if (status === undefined || text === undefined) {
      return validationFailed('inlineHook', problem ?? 'no answer');
    }
    const verdict = judgeAnswer(status, text);
    const body = parseJson(text);
    // FAILED is a valid answer.
    const isOfContract = verdict.action !== 'failover' || verdict.reason === 'FAILED';
    if (!isOfContract || !isObject(body)) return validationFailed('inlineHook', verdict.reason);
    return okReply({
      error: body['error'] ?? null,
      commands: body['commands'] ?? [],
      debugContext: fieldOf(body, 'debugContext') ?? {},
    });
  }
}
