import type { Refusal, SendContext } from '../core/channel.js';
import { ProviderError } from '../core/errors.js';
import type { HttpAnswer, HttpRequest } from '../core/http.js';

/** The check of credentials, for `ready()`: the same for every provider but Twilio. */

const CHECK_EGRESS = "Check that the gateway can reach it (egress, DNS, TLS), and the channel's baseUrl.";
const CHECK_PROXY =
  "Check the provider's status page, and proxies and firewalls on the way. If a proxy is required, set it as dispatcher.";

/** The error of a check that has no credential. No message could be sent either. */
export const missingCredential = ({ reason, remedy }: Pick<Refusal, 'reason' | 'remedy'>): ProviderError =>
  new ProviderError('PROVIDER_UNREACHABLE', reason, { remedy });

/**
 * Checks the credentials by a request that sends no message.
 *
 * @param provider.describe - the refusal that an answer with a 4xx would be.
 * @param isAccepted - whether an answer proves that the provider accepts the credentials.
 * @throws ProviderError `PROVIDER_UNREACHABLE`, `PROVIDER_UNREADABLE`, or `PROVIDER_REFUSED` with the code that a message would get.
 */
export async function checkProvider(
  { name, describe }: { readonly name: string; readonly describe: (answer: HttpAnswer) => Refusal },
  request: HttpRequest,
  { http }: Pick<SendContext, 'http'>,
  isAccepted: (answer: HttpAnswer) => boolean,
): Promise<void> {
  const result = await http(request);
  if (result.kind !== 'answered') {
    throw new ProviderError('PROVIDER_UNREACHABLE', `No answer from ${name}: ${result.reason}`, {
      remedy: CHECK_EGRESS,
    });
  }
  if (isAccepted(result)) return;
  if (result.status >= 400 && result.status < 500) {
    const { code: providerCode, reason, remedy = CHECK_PROXY } = describe(result);
    throw new ProviderError('PROVIDER_REFUSED', reason, { providerCode, remedy });
  }
  throw new ProviderError(
    'PROVIDER_UNREADABLE',
    `${name} answered with status ${result.status} and nothing that can be read`,
    { remedy: CHECK_PROXY },
  );
}
