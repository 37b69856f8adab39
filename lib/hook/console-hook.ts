import type { SentWords } from '../console/api.js';
import type { CallResult, ConsoleHook, HookHealth } from '../console/console-hook.js';
import { Budget } from '../core/budget.js';
import { VOICE } from '../core/channel.js';
import { maskText } from '../core/masking.js';
import { RequestError } from '../core/request-error.js';
import type { Delivery } from '../delivery/attempt.js';
import type { Guard } from '../guard/limits.js';
import { personalDataOf } from '../numbers/personal-data.js';
import type { OktaApiClient } from '../okta/api-client.js';
import { spokenWords } from '../texts/texts.js';
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
  let message: CallResult['message'];
  let answer: { readonly status: number; readonly body: unknown } | undefined;
  try {
    const read = readPayload(call, payload, parts);
    await sendOnce(read, parts);
    message = read.delivery && wordsOfMessage(read.delivery, parts);
    answer = { status: 200, body: giveAnswer(read, parts, () => undefined) };
  } catch (error) {
    endByError(error, { call }, parts, (ofError) => {
      answer = ofError;
    });
    if (error instanceof RequestError || answer === undefined) throw error;
  }
  return { executionId: call.hook?.request.eventId, httpStatus: answer.status, body: answer.body, message };
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

/**
 * The words of the message that may have gone out, without the code and without personal data: the text before, between and after
 * the codes. `undefined` if no message went out.
 */
function wordsOfMessage(
  { status, lastTried }: Delivery,
  { settings: { texts } }: HookParts,
): SentWords | undefined {
  if (status === 'refused' || lastTried === undefined) return undefined;
  const { message, channel } = lastTried;
  const { request, profile } = message;
  const personal = personalDataOf(request, profile, message.to);
  const known = (text: string, locale: string): SentWords => ({
    channel: channel.name,
    locale,
    parts: text.split(codeIn(request.otpCode)).map((part) => maskText(part, personal)),
  });
  if (channel.name === VOICE) {
    const { words, locale } = spokenWords(message, texts);
    return known(words, locale);
  }
  if (channel.port.usesText !== false) return known(message.text, message.locale);
  return { channel: channel.name, locale: message.locale, parts: undefined };
}

/** The code in a text. A call has its digits one by one, with a sign between two of them. A code has letters, digits and hyphens. */
function codeIn(code: string): RegExp {
  return new RegExp(Array.from(code).join(String.raw`[^\p{L}\p{N}]{0,3}`), 'u');
}
