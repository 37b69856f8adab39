import { createTwilioConnection } from '../channels/twilio/client.js';
import { STANDARD_CHANNELS } from '../core/channel.js';
import { LearningGuard } from '../guard/learning-guard.js';
import { EventStream } from '../core/event-stream.js';
import { LRUCache } from 'lru-cache';
import { atMost } from '../core/caches.js';
import { steadyMs } from '../core/time.js';
import { Breaker } from '../delivery/breaker.js';
import { CodeUses } from '../delivery/messages/code-uses.js';
import { createRollout } from '../options/rollout.js';
import type { StateEvent, StatePort } from '../delivery/state.js';
import { SuppressionList } from '../delivery/suppression-list.js';
import { suppressionFor } from '../delivery/plan.js';
import { createDefaultLogger } from '../events/default-logger.js';
import { logListener } from '../events/log.js';
import { createMetrics } from '../events/metrics.js';
import { createAgent } from '../http/call.js';
import { OpenAnswers } from '../http/routes.js';
import { createOktaApiClient } from '../okta/api-client.js';
import { createProfileReader } from '../okta/user-profile.js';
import { createCallerVerifier } from '../okta/verify-caller.js';
import { E164, formProblemOf } from '../numbers/phone-number.js';
import type { ConsoleOptions, OktaTelephonyHookOptions } from '../options/options.js';
import { readOptions, twilioSettingsOf } from '../options/settings.js';
import { warningsOf } from '../options/warnings.js';
import { addLateFailover } from './add-late-failover.js';
import { createConsoleMount } from '../console/mount.js';
import { createConsoleHook } from './console-hook.js';
import type { HookParts } from './call.js';
import { checkReadiness, readStatus, resultOf } from './readiness.js';
import { channelsCalling, channelWarnings, connectChannels, knownResends } from './ready-channels.js';
import { createRouter } from './router.js';
import type { HookStatus, TelephonyHook } from './telephony-hook.js';

/** Twilio reports on a message within minutes: so many are known. */
const MAX_OWNERS = 8_000;

/** The remedy if Twilio's status callbacks do not arrive. */
const FIX_CALLBACKS =
  'See that publicUrl + /twilio/status reaches this gateway from the internet, and compare credentials.twilio.authToken; in the Twilio Console, see what its debugger says of the callbacks.';

/**
 * The middleware for Okta's telephony inline hook. Opens no connection before the first request or `ready()`.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function oktaTelephonyHook(options: OktaTelephonyHookOptions): TelephonyHook {
  const settings = readOptions(options);
  const { clock, credentials } = settings;

  // The event stream and its listeners.
  const { logger, flush } =
    settings.logger === undefined ? createDefaultLogger() : { logger: settings.logger, flush: undefined };
  const metrics = settings.metrics === undefined ? undefined : createMetrics(settings.metrics);
  const listeners = metrics === undefined ? [] : [metrics.listener];
  const events = new EventStream({ log: logListener(logger), listeners, onEvent: settings.onEvent }, clock);

  // The connections to Okta and to the providers. Every host has one circuit breaker.
  const connectTimeoutMs = Math.min(700, settings.deadlineMs * 0.4);
  const agent = createAgent(connectTimeoutMs);
  const dispatcher = settings.dispatcher ?? agent;
  const breakers = new Map<string, Breaker>();
  const breakerOf = (host: string): Breaker => {
    const known = breakers.get(host);
    if (known !== undefined) return known;
    const breaker = new Breaker(host, (state) => {
      events.emit({ type: 'breaker.changed', host, state, channels: channelsCalling(host, channels) });
    });
    breakers.set(host, breaker);
    return breaker;
  };
  const verifierParts = { dispatcher, clock, keysWaitMs: Math.min(800, settings.deadlineMs * 0.4) };
  const verifier = createCallerVerifier(credentials.hook, verifierParts);
  const oktaClient = createOktaApiClient({
    credentials: credentials.okta,
    dispatcher,
    clock,
    connectTimeoutMs,
  });
  const profiles = createProfileReader({
    client: oktaClient,
    options: settings.profile,
    breaker: breakerOf(new URL(credentials.okta.orgUrl).host),
    clock,
    events,
  });
  const twilioSettings = twilioSettingsOf(settings);
  const twilio =
    twilioSettings &&
    createTwilioConnection({
      settings: twilioSettings,
      dispatcher,
      onCallbacksMissing: (count) => {
        events.emit({ type: 'callbacks.missing', count, remedy: FIX_CALLBACKS });
      },
    });
  const channels = connectChannels(settings, {
    twilio,
    dispatcher,
    logger,
    breakerOf,
    onMistake: (channel, mistake, call) => {
      const reason = `${channel}: ${mistake}`;
      events.emitFailed({ extension: 'channel', reason, call }, `channel ${channel}`);
    },
  });

  // The parts that every call uses.
  const parts = addLateFailover({
    settings,
    events,
    verifier,
    profiles,
    channels,
    oktaClock: { skewMs: 0, reportedMs: -Infinity },
    inlineHookIds: new Set(),
    // A rollout may name a standard channel even if it has no sender.
    rollout: createRollout(settings.rollout, (name) => STANDARD_CHANNELS.has(name) || channels.has(name)),
    optIns: {
      isOffered: settings.optInChannels.some((name) => name !== 'sms' && channels.has(name)),
      isWarned: false,
    },
    resend: knownResends(settings, channels),
    state: settings.state,
    twilio,
    suppressions: new SuppressionList(settings.state),
    learning:
      settings.guard.learn &&
      new LearningGuard(settings.guard.learn, { state: settings.state.learning, events, clock }),
    messageOwners: new LRUCache(atMost(MAX_OWNERS)),
    openAnswers: new OpenAnswers(),
    underWay: {
      isChecked: false,
      calls: new Set(),
      messages: new Set(),
      detached: new Set(),
      lastSuccess: new Map(),
      isClosing: false,
      isDrained: false,
    },
  });

  const oktaNowMs = (): number => steadyMs() - parts.oktaClock.skewMs;
  const codeUses = new CodeUses({ ...parts, oktaNowMs, clock });
  const eventHook = { verifier: createCallerVerifier(credentials.eventHook, verifierParts), codeUses };
  const router = createRouter(parts, { twilio, eventHook });

  const releaseState = holdState(settings.state);
  const stopWatching = settings.state.watch?.((news) => {
    // It is lost because this hook closes it.
    if (news.type !== 'lost' || !parts.underWay.isDrained) emitStateEvent(news, events);
  });
  for (const warning of [...warningsOf(options, settings), ...channelWarnings(settings, channels, twilio)]) {
    events.emit({ type: 'configuration.warned', ...warning });
  }

  // The hook's methods.
  const status = (): HookStatus => readStatus(parts, breakers);
  metrics?.watch(() => ({ ...status(), learning: parts.learning?.status() }));
  const consoles = createConsoleMount(createConsoleHook(parts, { status, oktaClient }));
  const closeAll = async (): Promise<void> => {
    const drained = Promise.all([finishCalls(parts), codeUses.close()]);
    // The history writes to the state, so the state is closed after it.
    await Promise.all([drained, consoles.close(drained)]);
    profiles.close();
    // A state that cannot be closed must not keep the process alive.
    await resultOf(releaseState);
    // After that: the state reports what it has to drop.
    stopWatching?.();
    // The users close a dispatcher of their own.
    await resultOf(() => agent.destroy());
    events.close();
    metrics?.close();
    if (flush !== undefined) await resultOf(flush);
  };
  let closed: Promise<void> | undefined;
  return Object.assign(router, {
    ready: () => checkReadiness(parts, twilio),
    status,
    suppressions: (number: string) => listSuppressions(number, parts),
    console: (consoleOptions: ConsoleOptions) => consoles.mount(consoleOptions),
    drain: (): void => {
      parts.openAnswers.drain();
      consoles.endStreams();
    },
    close: (): Promise<void> => {
      parts.underWay.isClosing = true;
      closed ??= closeAll();
      return closed;
    },
  });
}

/** One entry for each channel: STOP goes before what a provider said. */
async function listSuppressions(
  number: string,
  { suppressions, settings: { clock } }: HookParts,
): ReturnType<TelephonyHook['suppressions']> {
  if (typeof number !== 'string' || !E164.test(number)) {
    const why = typeof number === 'string' ? `; it ${formProblemOf(number)}` : '';
    throw new TypeError(`number: it must be a phone number in E.164, such as +14155550123${why}`);
  }
  await suppressions.refresh(number);
  const known = suppressions.of(number);
  const channels = [...new Set(known.map(({ channel }) => channel))];
  return channels
    .flatMap((channel) => suppressionFor(known, channel) ?? [])
    .map(({ channel, reason, untilMs }) => ({
      channel,
      reason: reason === 'NOT_REACHED' ? 'unreachable' : 'stopped',
      until: new Date(clock() + untilMs - steadyMs()),
    }));
}

function emitStateEvent(news: StateEvent, events: EventStream): void {
  switch (news.type) {
    case 'recovered':
      events.emit({ type: 'state.recovered', reason: news.reason, lostMs: news.lostMs });
      return;
    case 'unreadable':
      events.emitFailed({ extension: 'state', reason: 'a record cannot be read', call: undefined });
      return;
    case 'lost':
    case 'warned':
      events.emit({ type: `state.${news.type}`, reason: news.reason, remedy: news.remedy });
  }
}

/**
 * Resolves when every call is answered, every detached send has ended or reached its limit of 10 s, and every late failover that
 * was due has ended. A late failover that is not due yet is dropped.
 */
async function finishCalls({ underWay, lateFailover }: HookParts): Promise<void> {
  lateFailover?.stopWaiting();
  await callsEnd(underWay);
  const late = lateFailover?.underWay ?? new Set();
  await lateFailover?.kept();
  // A send that is refused after its call may start a late failover, so the loop checks again.
  const { detached, messages } = underWay;
  while (detached.size + late.size + messages.size > 0) {
    await Promise.allSettled([...detached, ...late, ...messages]);
  }
  // In one turn: a report that comes later gets 503, and is not confirmed without effect.
  lateFailover?.close();
  underWay.isDrained = true;
  // Repeats may have come meanwhile. They must release their claims before the state is closed.
  await callsEnd(underWay);
}

/** Resolves when all current calls have ended. Calls that come later do not count. */
async function callsEnd({ calls }: HookParts['underWay']): Promise<void> {
  const ends = Array.from(
    calls,
    (call) =>
      new Promise<void>((resolve) => {
        call.onEnd = resolve;
      }),
  );
  await Promise.all(ends);
}

/** How many hooks use each state. Several hooks of a process may share one, and the last one closes it. */
const users = new WeakMap<StatePort, number>();

/** Counts a hook as a user of a state. Returns the function that releases it: the last release closes the state. */
function holdState(state: StatePort): () => unknown {
  users.set(state, (users.get(state) ?? 0) + 1);
  return () => {
    const remaining = (users.get(state) ?? 1) - 1;
    users.set(state, remaining);
    return remaining === 0 ? state.close() : undefined;
  };
}
