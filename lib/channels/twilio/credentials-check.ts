import type { HttpResult } from '../../core/http.js';
import { readObject } from '../../http/request.js';
import { ProviderError } from '../../core/errors.js';
import { CHECK_CREDENTIALS } from './error-codes.js';
import { describeRefusal, meaningOf, readCode } from './outcome.js';

/**
 * Reads the answers to the requests that `ready()` and `doctor` send to Twilio: whether `credentials.twilio` holds and
 * whether Twilio itself answered. Each failure has a remedy.
 */

/** A valid message SID that no message has. Reading it proves the credentials and costs nothing. */
export const NO_MESSAGE_SID = `SM${'0'.repeat(32)}`;

const CHECK_EGRESS =
  'Check that the gateway can reach it (egress, DNS, TLS), and credentials.twilio.edge, region and baseUrl.';
const CHECK_PROXY =
  "Something else answered in Twilio's place: check proxies and firewalls on the way, and credentials.twilio.baseUrl. If a proxy is required, set it as dispatcher.";
const LOOK_AT_STATUS = 'Check status.twilio.com, and proxies on the way. It may end by itself.';

/**
 * Returns if Twilio itself answered and accepts the credentials.
 *
 * @throws ProviderError `TWILIO_UNREACHABLE`, `TWILIO_UNAUTHORIZED`, `TWILIO_UNREADABLE` or `TWILIO_HTTP_ERROR`
 */
export function readCheckAnswer(result: HttpResult, host: string): void {
  if (result.kind !== 'answered') {
    throw new ProviderError('TWILIO_UNREACHABLE', `No answer from ${host}: ${result.reason}.`, {
      remedy: CHECK_EGRESS,
    });
  }
  const { status } = result;
  const body = readObject(result);
  const code = readCode(body['code']);
  const isSuccess = status >= 200 && status <= 299;
  if (isSuccess || status === 404) {
    // A proxy in between may answer with any status, so only a body of Twilio's counts.
    if (isSuccess ? typeof body['sid'] === 'string' : code !== undefined) return;
    throw new ProviderError(
      'TWILIO_UNREADABLE',
      `${host} answered with status ${status} and nothing of Twilio's.`,
      { remedy: CHECK_PROXY },
    );
  }
  const isUnauthorized = status === 401;
  const said = isUnauthorized ? 'does not accept credentials.twilio' : `answered with status ${status}`;
  throw new ProviderError(
    isUnauthorized ? 'TWILIO_UNAUTHORIZED' : 'TWILIO_HTTP_ERROR',
    `${host} ${said}${code === undefined ? '' : ` (${describeCode(code)})`}.`,
    { providerCode: code === undefined ? undefined : String(code), remedy: remedyFor(code, status) },
  );
}

/**
 * Returns if the Verify service exists and allows custom codes, since Okta makes the code.
 *
 * @throws ProviderError `VERIFY_SERVICE_UNKNOWN`, `PROVIDER_REFUSED` with `60204`, and those of `readCheckAnswer`.
 */
export function readServiceAnswer(result: HttpResult, host: string): void {
  readCheckAnswer(result, host);
  if (result.kind !== 'answered') return;
  if (result.status === 404) {
    throw new ProviderError('VERIFY_SERVICE_UNKNOWN', 'The account has no such Verify service.', {
      remedy: "Compare twilioVerify's serviceSid with the Twilio Console, Verify > Services.",
    });
  }
  if (readObject(result)['custom_code_enabled'] !== false) return;
  const { code, reason, remedy } = describeRefusal(CUSTOM_CODE_OFF, 403);
  throw new ProviderError('PROVIDER_REFUSED', `${reason}.`, { providerCode: code, remedy });
}

/** Verify refuses each code with this error if the service does not allow custom codes. */
const CUSTOM_CODE_OFF = 60_204;

function describeCode(code: number): string {
  const meaning = meaningOf(code);
  return meaning === undefined ? String(code) : `${code}: ${meaning.reason}`;
}

function remedyFor(code: number | undefined, status: number): string {
  const byStatus = status === 401 ? CHECK_CREDENTIALS : status >= 500 ? LOOK_AT_STATUS : undefined;
  if (code === undefined) return byStatus ?? CHECK_PROXY;
  const words = `Twilio's own words: https://www.twilio.com/docs/api/errors/${code}`;
  const known = meaningOf(code)?.remedy ?? byStatus;
  return known === undefined ? words : `${known} ${words}`;
}
