import type { TwilioConnection } from '../channels/twilio/client.js';
import { TelephonyHookError } from '../core/errors.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import type { Breaker } from '../delivery/breaker.js';
import type { ReadyChannel } from '../delivery/attempt.js';
import { questionContext } from '../delivery/send-context.js';
import type { HookParts } from './parts.js';
import { providerKey } from './ready-channels.js';
import type { HookStatus, Readiness } from './telephony-hook.js';

/** What probes read: `ready()` checks everything that a code needs, `status()` returns what is known. */

/** The limit of each check of `ready()`, and of each step of `close()`, milliseconds. */
export const READY_TIMEOUT_MS = 4_000;

const CHECK_EGRESS =
  'See that the gateway may call it (egress, DNS, TLS) and that it is not held up by work of its own; then ask ready() again.';

/** Runs all checks in parallel. Never rejects. */
export async function checkReadiness(
  { profiles, verifier, settings, channels }: HookParts,
  twilio: TwilioConnection | undefined,
): Promise<Readiness> {
  const [okta, twilioResult, hookKeys, state, channelResults] = await Promise.all([
    resultOf(() => profiles.check(READY_TIMEOUT_MS)),
    resultOf(() => twilio?.check(READY_TIMEOUT_MS)),
    resultOf(() => verifier.warmUp()),
    resultOf(() => settings.state.check()),
    checkChannels(channels),
  ]);
  return { okta, twilio: twilioResult, hookKeys, state, channels: channelResults };
}

/** Checks each channel that has a `check`. */
async function checkChannels(
  channels: ReadonlyMap<string, readonly ReadyChannel[]>,
): Promise<Readiness['channels']> {
  const checks = [...channels].flatMap(([name, providers]) =>
    providers.map(async ({ port }, index): Promise<readonly [string, 'ok' | Error][]> => {
      if (port.check === undefined) return [];
      const context = questionContext(READY_TIMEOUT_MS, READY_TIMEOUT_MS);
      return [[providerKey(name, providers, index), await resultOf(() => port.check?.(context))]];
    }),
  );
  return Object.fromEntries((await Promise.all(checks)).flat());
}

/** `'ok'`, or the error, within `READY_TIMEOUT_MS`. A custom channel may throw, or return no promise. */
export async function resultOf(work: () => unknown): Promise<'ok' | Error> {
  try {
    const end = await waitAtMost(Promise.resolve(work()), READY_TIMEOUT_MS);
    return end === TIMED_OUT
      ? new TelephonyHookError('NOT_READY_IN_TIME', 'No answer within 4 s', { remedy: CHECK_EGRESS })
      : 'ok';
  } catch (error) {
    if (error instanceof TelephonyHookError) return error;
    return new TelephonyHookError('NOT_READY', 'The check failed; see its cause', { cause: error });
  }
}

/** Reads what this process knows, without a call to anyone. */
export function readStatus(parts: HookParts, breakers: ReadonlyMap<string, Breaker>): HookStatus {
  const { underWay, lateFailover, settings } = parts;
  return {
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
