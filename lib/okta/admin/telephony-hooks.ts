import type { Administration } from './administration.js';
import { readHooks, type HookResource } from './hook-resource.js';

/** The telephony inline hooks of an org, by the Inline Hooks API. */

export const HOOKS = '/api/v1/inlineHooks';
/** Their type. */
export const TELEPHONY_HOOK = 'com.okta.telephony.provider';

/** All of them; one at most is active. */
export async function listTelephonyHooks(okta: Administration): Promise<readonly HookResource[]> {
  return readHooks(await okta.get(`${HOOKS}?type=${TELEPHONY_HOOK}`));
}

/**
 * Has Okta call a hook with a payload: within three seconds, and once more where that fails. Really sends a message.
 *
 * @returns what Okta understood of the hook's answer.
 * @throws OktaApiError: with status 400 where the hook gave no answer that Okta takes.
 */
export function executeTelephonyHook(okta: Administration, hookId: string, payload: object): Promise<object> {
  return okta.post(`${HOOKS}/${hookId}/execute`, payload);
}
