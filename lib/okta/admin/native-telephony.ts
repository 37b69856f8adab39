import type { Administration } from './administration.js';
import { asList, fieldOf } from '../../core/json.js';

/** Okta's own alternative to a telephony hook: a provider whose account the org has, by the Custom Telephony Provider API. */

const PROVIDERS = '/api/v1/telephony-providers';
const WHERE = 'the custom telephony settings of the Admin Console';

/**
 * A warning where the org sends by a provider of its own, or where that cannot be seen; never rejects. Which of the two
 * goes first, no document of Okta's says.
 */
export async function warnOfNativeTelephony(okta: Administration): Promise<string | undefined> {
  let providers: object;
  try {
    providers = await okta.get(PROVIDERS);
  } catch {
    return `Whether the org also sends by a telephony provider of its own could not be seen (scope okta.customTelephonyProvider.read): look at ${WHERE}. Okta does not say which goes first, that or the hook.`;
  }
  const names = asList(providers)
    .filter((provider) => fieldOf(provider, 'enabled') !== false)
    .map((provider) => fieldOf(provider, 'providerName'))
    .filter((name) => name === 'TWILIO' || name === 'TELESIGN');
  if (names.length === 0) return undefined;
  return `The org also sends by a telephony provider of its own, ${names.join(' and ')}, and Okta does not say which goes first, that or the hook: turn it off in ${WHERE}, or expect codes past the hook.`;
}
