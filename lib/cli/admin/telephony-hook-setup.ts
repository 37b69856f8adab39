import { asList, fieldOf } from '../../core/json.js';
import type { Administration } from './administration.js';
import {
  activation,
  channelOf,
  createHookWriter,
  describeHook,
  describeProof,
  headerNameOf,
  isSameUrl,
  readHooks,
  type HookResource,
  type WantedHook,
} from './hook-resource.js';
import type { SetupPlan, SetupStep } from './setup-plan.js';

/** Sets up and runs the telephony inline hook, by the Inline Hooks API. */

const HOOKS = '/api/v1/inlineHooks';
const TELEPHONY_HOOK = 'com.okta.telephony.provider';
const HOOK = { name: 'telephony inline hook', path: HOOKS };

/** Lists the org's telephony hooks. At most one is active. */
export async function listTelephonyHooks(okta: Administration): Promise<readonly HookResource[]> {
  return readHooks(await okta.get(`${HOOKS}?type=${TELEPHONY_HOOK}`));
}

/**
 * Has Okta call a hook with a payload, which sends a real message. Okta waits three seconds and retries once.
 *
 * @returns the hook's answer, as Okta read it.
 * @throws OktaApiError with status 400 if Okta cannot read the hook's answer.
 */
export function executeTelephonyHook(okta: Administration, hookId: string, payload: object): Promise<object> {
  return okta.post(`${HOOKS}/${hookId}/execute`, payload);
}

const DEFAULT_NAME = 'Telephony gateway';

export interface WantedTelephonyHook extends WantedHook {
  /** The id of another hook to replace. */
  readonly replacedId: string | undefined;
}

/**
 * Plans to create the hook, or to change the hook with the same URL in place, so that Okta always has a hook to call. Another
 * hook is changed only if `replacedId` names it.
 * @throws OktaApiError
 */
export function createTelephonyHookPlan(
  okta: Administration,
  wanted: WantedTelephonyHook,
): () => Promise<SetupPlan> {
  const { url, proof } = wanted;
  const writeHook = createHookWriter(okta, HOOK, wanted);

  const write = (found: HookResource | undefined): readonly SetupStep[] => {
    const isOurs = found !== undefined && isSameUrl(found.url, url);
    const name = wanted.name ?? (isOurs ? found.name : DEFAULT_NAME);
    // The headers of another gateway's hook may hold its keys.
    const kept = found && (isOurs ? found : { ...found, headers: [] });
    const type = found === undefined ? { type: TELEPHONY_HOOK } : {};
    return writeHook(
      found,
      [
        ['name', found?.name, name],
        ['url', found && (isOurs ? url : withoutQuery(found.url)), url],
        ['authentication', found?.authentication, describeProof(proof, found)],
      ],
      { name, version: '1.0.0', channel: channelOf(url, proof, kept), ...type },
    );
  };

  return async () => {
    const hooks = await listTelephonyHooks(okta);
    const ours = hooks.filter((hook) => isSameUrl(hook.url, url));
    const active = hooks.find(({ isActive }) => isActive);
    const named = hooks.find(({ id }) => id === wanted.replacedId);
    if (wanted.replacedId !== undefined && named === undefined) return unknownId(wanted.replacedId, hooks);
    const target = named ?? ours.find(({ isActive }) => isActive) ?? ours[0];
    // Okta refuses a second active telephony hook.
    if (active !== undefined && active.id !== target?.id) return inTheWay(active, target);
    const others = hooks.filter(({ id }) => id !== target?.id);
    return {
      steps: [...write(target), ...activation(okta, HOOK, target)],
      warnings: others.map((other) => `Not changed: ${describeHook(other)}.`),
      id: target?.id,
      headerName: proof.kind === 'header' ? headerNameOf(proof, target) : undefined,
    };
  };
}

/** The query of another hook's URL may be a secret, such as the client token of Okta Workflows. */
function withoutQuery(url: string): string {
  const [path = '', query] = url.split('?', 2);
  return query === undefined ? path : `${path}?…`;
}

function inTheWay(active: HookResource, target: HookResource | undefined): SetupPlan {
  const ours = target === undefined ? '' : ` Ours, ${describeHook(target)}, is not active.`;
  return {
    steps: [],
    warnings: [],
    obstacle: {
      message: `Another telephony inline hook is active, and was not changed: ${describeHook(active)}.${ours} An org has one at most.`,
      remedy: `To make it ours in place, without a moment in which codes have no hook: --replace ${active.id}. Its URL and its secret are then gone from Okta: write down what you may need again.`,
    },
  };
}

function unknownId(id: string, hooks: readonly HookResource[]): SetupPlan {
  const known = hooks.length === 0 ? 'It has none.' : `It has ${hooks.map(describeHook).join(', ')}.`;
  return {
    steps: [],
    warnings: [],
    obstacle: {
      message: `The org has no telephony inline hook ${id}. ${known}`,
      remedy: 'Leave --replace out, or give the id of the hook that is to become ours.',
    },
  };
}

/** Okta's own alternative to a telephony hook, by the Custom Telephony Provider API. */
const PROVIDERS = '/api/v1/telephony-providers';
const WHERE = 'Customizations > Telephony Providers in the Admin Console';

/**
 * A warning if the org also has a telephony provider of its own, or if that cannot be read. Never rejects. Okta documents that
 * other methods of telephony, such as the inline hook, must be deactivated before a provider is activated:
 * https://help.okta.com/oie/en-us/content/topics/telephony/configure-telephony.htm
 */
export async function warnOfNativeTelephony(
  okta: Administration,
): Promise<{ readonly message: string; readonly remedy: string } | undefined> {
  let providers: object;
  try {
    providers = await okta.get(PROVIDERS);
  } catch {
    return {
      message:
        'Whether the org also has its own telephony provider could not be read (scope okta.customTelephonyProvider.read)',
      remedy: `look at ${WHERE}. A provider and a telephony hook exclude each other.`,
    };
  }
  const names = asList(providers)
    .filter((provider) => fieldOf(provider, 'enabled') !== false)
    .map((provider) => fieldOf(provider, 'providerName'))
    .filter((name) => name === 'TWILIO' || name === 'TELESIGN');
  if (names.length === 0) return undefined;
  return {
    message: `The org also has its own telephony provider, ${names.join(' and ')}. A provider and a telephony hook exclude each other`,
    remedy: `deactivate the provider in ${WHERE}. To return to it later, deactivate the hook before you activate the provider.`,
  };
}
