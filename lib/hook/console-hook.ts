import type { CallResult, ConsoleHook, HookHealth } from '../console/console-hook.js';
import { Budget } from '../core/budget.js';
import { RequestError } from '../core/request-error.js';
import type { Guard } from '../guard/limits.js';
import type { OktaApiClient } from '../okta/api-client.js';
import { endByError } from './answer-error.js';
import { giveAnswer } from './answer-okta.js';
import { beginCall, type AnyCall, type HookParts } from './call.js';
import { readPayload } from './read-request.js';
import { channelsCalling } from './ready-channels.js';
import { sendOnce } from './router.js';
import type { HookStatus } from './telephony-hook.js';

/** The limit of reading a user, milliseconds. Only an administrator waits for it, no code. */
const USER_TIMEOUT_MS = 5_000;

/** What the consoles know of a hook. */
export function createConsoleHook(
  parts: HookParts,
  { status, oktaClient }: { readonly status: () => HookStatus; readonly oktaClient: OktaApiClient },
): ConsoleHook {
  const { settings, events, channels, learning, underWay, openAnswers } = parts;
  return {
    events,
    historyLog: settings.state.history,
    clock: settings.clock,
    orgUrl: settings.credentials.okta.orgUrl,
    deadlineMs: settings.deadlineMs,
    texts: settings.texts,
    about: () => ({
      org: new URL(settings.credentials.okta.orgUrl).host,
      hook: settings.publicUrl ?? settings.path,
      channels: [...channels.keys()],
    }),
    health: () => readHealth(parts, status()),
    learning,
    isClosing: () => underWay.isClosing,
    addAnswer: (res) => openAnswers.add(res),
    readOkta: async (path) => {
      const { body } = await oktaClient.request({ method: 'GET', path, timeoutMs: USER_TIMEOUT_MS });
      return body;
    },
    runCall: (payload, sender) => runCall(payload, sender, parts),
  };
}

async function runCall(payload: unknown, sender: string | undefined, parts: HookParts): Promise<CallResult> {
  const call: AnyCall = beginCall(new Budget(parts.settings.deadlineMs), parts, { by: sender });
  call.isProven = true;
  let answer: { readonly status: number; readonly body: unknown } | undefined;
  try {
    const read = readPayload(call, payload, parts);
    await sendOnce(read, parts);
    answer = { status: 200, body: giveAnswer(read, parts, () => undefined) };
  } catch (error) {
    endByError(error, { call }, parts, (ofError) => {
      answer = ofError;
    });
    if (error instanceof RequestError || answer === undefined) throw error;
  }
  const { hook, delivery } = call;
  return { executionId: hook?.request.eventId, httpStatus: answer.status, body: answer.body, delivery };
}

function readHealth({ settings, channels, rollout }: HookParts, status: HookStatus): HookHealth {
  const { inFlight, detached, closing, state, breakers, lastSuccess } = status;
  // The calls report a rollout function that fails.
  const shares = rollout(() => undefined);
  return {
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
    },
  };
}

function describeCountries({ countries }: Guard): string | undefined {
  if (countries === undefined) return undefined;
  const names = [...countries.of].sort().join(', ');
  return countries.kind === 'allow' ? `only ${names}` : `all but ${names}`;
}
