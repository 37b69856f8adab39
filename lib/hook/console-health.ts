import type { HookParts } from './parts.js';
import type { About, Health } from '../console/api.js';
import type { Guard } from '../guard/limits.js';
import type { History } from '../core/history.js';
import { channelsCalling } from './ready-channels.js';
import type { HookStatus } from './telephony-hook.js';
import { WINDOW_SECONDS, type RecentLimits } from '../events/recent-limits.js';
import type { ConsoleOptions } from '../options/options.js';

/** What the console shows about its hook: its configuration and its health. */

export function describeHook(
  { settings, channels }: HookParts,
  history: History,
  { links = [] }: ConsoleOptions,
  version: string,
): About {
  return {
    version,
    org: new URL(settings.okta.orgUrl).host,
    hook: settings.publicUrl ?? settings.path,
    deadlineMs: settings.deadlineMs,
    channels: [...channels.keys()],
    isShared: history.isShared,
    links: links.map(({ title, href }) => ({ title, href })),
  };
}

/** Rejects if the history cannot be read. */
export async function readHealth(
  parts: HookParts,
  of: { readonly status: () => HookStatus; readonly history: History; readonly limits: RecentLimits },
): Promise<Health> {
  const { settings, channels } = parts;
  const at = settings.clock();
  const deliveries = await of.history.tally(at - WINDOW_SECONDS * 1000);
  const { inFlight, detached, closing, state, breakers, lastSuccess } = of.status();
  // The calls report a rollout function that fails.
  const shares = parts.rollout(() => undefined);
  return {
    at,
    inFlight,
    detached,
    closing,
    state,
    breakers: Object.entries(breakers).map(([host, current]) => ({
      host,
      state: current,
      channels: channelsCalling(host, channels),
    })),
    channels: [...channels].map(([channel, providers]) => ({
      channel,
      providers: [...new Set(providers.map(({ provider }) => provider))],
      lastSuccess: lastSuccess[channel]?.getTime(),
      rollout: shares.get(channel),
    })),
    limits: {
      mode: settings.guard.mode,
      rules: settings.guard.limits,
      countries: describeCountries(settings.guard),
      blocked: of.limits.blocked(),
    },
    rejectedCalls: of.limits.rejectedCalls(),
    oktaPause: of.limits.oktaPause(),
    windowSeconds: WINDOW_SECONDS,
    deliveries,
  };
}

function describeCountries({ countries }: Guard): string | undefined {
  if (countries === undefined) return undefined;
  const names = [...countries.of].sort().join(', ');
  return countries.kind === 'allow' ? `only ${names}` : `all but ${names}`;
}
