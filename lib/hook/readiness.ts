import type { TwilioPort } from '../channels/twilio/client.js';
import { ProviderError, reportedCode, TelephonyHookError } from '../core/errors.js';
import { RequestError } from '../core/request-error.js';
import { maskError, maskText, toToken } from '../core/masking.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import type { Breaker } from '../delivery/breaker.js';
import type { ReadyChannel } from '../delivery/attempt.js';
import { questionContext } from '../delivery/channel-contract.js';
import type { HookParts } from './call.js';
import type { HookStatus, Readiness } from './telephony-hook.js';

/** What probes read: `ready()` checks everything that a code needs, `status()` returns what is known. */

/** The limit of each check of `ready()`, and of each step of `close()`, milliseconds. */
export const READY_TIMEOUT_MS = 4_000;

const CHECK_EGRESS =
  'Check that the gateway can reach it (egress, DNS, TLS) and that the process is not busy. Then call ready() again.';

/** Runs all checks in parallel, and reports each part that does not work. Never rejects. */
export async function checkReadiness(parts: HookParts, twilio: TwilioPort | undefined): Promise<Readiness> {
  if (parts.underWay.isClosing) return reportClosed(parts);
  const { profiles, verifier, settings, channels } = parts;
  const [okta, twilioResult, hookKeys, state, channelResults] = await Promise.all([
    resultOf(() => profiles.check(READY_TIMEOUT_MS)),
    resultOf(() => twilio?.check(READY_TIMEOUT_MS)),
    resultOf(() => verifier.warmUp().catch(rethrowKeysFailure)),
    resultOf(() => settings.state.check()),
    checkChannels(channels),
  ]);
  const readiness = { okta, twilio: twilioResult, hookKeys, state, channels: channelResults };
  reportFailures(readiness, parts);
  parts.underWay.isChecked = true;
  return readiness;
}

/** After `close()`, each check would fail for want of a connection, and blame the network. */
function reportClosed({ events }: HookParts): Readiness {
  const reason = 'The hook is closed.';
  const remedy = 'Call ready() before close(), or make a new hook.';
  const closed = new TelephonyHookError('NOT_READY', reason, { remedy });
  events.emit({ type: 'readiness.failed', part: 'hook', code: closed.code, reason, remedy });
  return { okta: closed, twilio: closed, hookKeys: closed, state: closed, channels: {} };
}

/** A caller of the hook gets a sentence without the reason; an operator needs the reason. */
function rethrowKeysFailure(error: unknown): never {
  if (!(error instanceof RequestError)) throw error;
  const { cause, remedy } = error;
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  const message = `The keys that check Okta's access tokens are not there${reason}`;
  throw new TelephonyHookError('PROOF_UNAVAILABLE', message, { cause, remedy });
}

function reportFailures({ channels, ...others }: Readiness, { events, settings }: HookParts): void {
  const results = [
    ...Object.entries(others),
    ...Object.entries(channels).map(([name, result]) => [`channels.${name}`, result] as const),
  ];
  for (const [part, result] of results) {
    if (result === 'ok') continue;
    const { message, remedy } = isOfOwnChannel(part, result)
      ? {
          message: maskText(result.message, undefined),
          remedy: maskText(result.remedy, undefined) || undefined,
        }
      : result;
    // The errors of Okta's API do not name the org.
    const reason =
      part === 'okta' ? `${new URL(settings.credentials.okta.orgUrl).host}: ${message}` : message;
    events.emit({ type: 'readiness.failed', part, code: toToken(reportedCode(result)), reason, remedy });
  }
}

/** Whether the texts of a failure may be a channel's own, which may quote anything. The package's channels throw `ProviderError`. */
function isOfOwnChannel(part: string, result: TelephonyHookError): boolean {
  return part.startsWith('channels.') && !(result instanceof ProviderError);
}

async function checkChannels(
  channels: ReadonlyMap<string, readonly ReadyChannel[]>,
): Promise<Readiness['channels']> {
  const checks = [...channels.values()]
    .flat()
    .map(async ({ key, port, client }): Promise<readonly [string, 'ok' | TelephonyHookError][]> => {
      if (port.check === undefined) return [];
      const context = questionContext(client, READY_TIMEOUT_MS, READY_TIMEOUT_MS);
      return [[key, await resultOf(() => port.check?.(context))]];
    });
  return Object.fromEntries((await Promise.all(checks)).flat());
}

/** `'ok'`, or the error, within `READY_TIMEOUT_MS`. A custom channel may throw, or return no promise. */
export async function resultOf(work: () => unknown): Promise<'ok' | TelephonyHookError> {
  try {
    const end = await waitAtMost(Promise.resolve(work()), READY_TIMEOUT_MS);
    return end === TIMED_OUT
      ? new TelephonyHookError('NOT_READY_IN_TIME', 'No answer within 4 s', { remedy: CHECK_EGRESS })
      : 'ok';
  } catch (error) {
    if (error instanceof TelephonyHookError) return error;
    const message = `The check failed: ${maskError(error, undefined)}`;
    return new TelephonyHookError('NOT_READY', message, { cause: error });
  }
}

/** Reads what this process knows, without a call to anyone. */
export function readStatus(parts: HookParts, breakers: ReadonlyMap<string, Breaker>): HookStatus {
  const { underWay, lateFailover, settings, openAnswers } = parts;
  return {
    isReady: underWay.isChecked && !openAnswers.isDraining && !underWay.isClosing,
    inFlight: underWay.calls.size + (lateFailover?.underWay.size ?? 0),
    detached: underWay.detached.size,
    closing: underWay.isClosing,
    breakers: Object.fromEntries([...breakers].map(([host, breaker]) => [host, breaker.state])),
    state: settings.state.health,
    lastSuccess: Object.fromEntries(
      Array.from(underWay.lastSuccess, ([channel, atMs]) => [channel, new Date(atMs)]),
    ),
  };
}
