import { Breaker } from '../delivery/breaker.js';
import { VOICE, type Logger } from '../core/channel.js';
import type { ReadyChannel } from '../delivery/dispatch.js';
import { GuardedState } from '../delivery/guarded-state.js';
import { EventStream, Throttle, Throttles } from '../core/events.js';
import { HeldEvents } from '../guard/held-events.js';
import { createAgent, type HttpDispatcher } from '../http/call.js';
import { questionContext } from '../delivery/late/question-context.js';
import { createRollout } from '../delivery/rollout.js';
import { RunningCalls } from '../delivery/running-calls.js';
import { SuppressionList } from '../delivery/suppression-list.js';
import type { StateNews } from '../delivery/state.js';
import { TIMED_OUT, waitAtMost } from '../core/wait-at-most.js';
import { drain } from './call.js';
import { tellStateFailed } from './parts.js';
import { createConsoleMount } from './consoles.js';
import { readStatus } from './hook-status.js';
import { createDefaultLogger } from '../events/default-logger.js';
import { logListener } from '../events/log.js';
import { createMetrics } from '../events/metrics.js';
import { channelProblems } from '../options/combinations.js';
import { createOktaApiClient } from '../okta/api-client.js';
import { createProfileReader } from '../okta/user-profile.js';
import { createCallerVerifier } from '../okta/verify-caller.js';
import type { Channel, ChannelParts, ConsoleOptions, OktaTelephonyHookOptions } from '../options/options.js';
import { createRouter } from './router.js';
import { withLateFailover } from './send-code.js';
import { readOptions, type HookSettings } from '../options/settings.js';
import { createCodeUses } from './callbacks/sign-in-outcome.js';
import { holdState } from '../state/holders.js';
import { heldEventsOf } from '../state/memory/memory-state.js';
import type { HookStatus, Readiness, TelephonyHook } from './telephony-hook.js';
import { createTwilioConnection, type TwilioConnection } from '../channels/twilio/client.js';
import { ConfigurationError, TelephonyHookError } from '../core/errors.js';

/** May be named in a rollout whether they have a sender or not. */
const USUAL_CHANNELS: ReadonlySet<string> = new Set(['whatsapp', 'sms', VOICE]);

/** Where no callback comes. */
const LEAD_CALLBACKS_HERE =
  'See that publicUrl + /twilio/status reaches this gateway from the internet, and compare credentials.twilio.authToken; in the Twilio Console, see what its debugger says of the callbacks.';

/** What `ready()` takes at most, and `close()` for each of its steps, milliseconds. */
export const READY_TIMEOUT_MS = 4_000;
const ASK_AGAIN =
  'See that the gateway may call it (egress, DNS, TLS) and that it is not held up by work of its own; then ask ready() again.';

/**
 * The middleware at the other end of Okta's telephony inline hook. Opens nothing and asks nobody until a
 * request comes, or `ready()` is called.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function oktaTelephonyHook(options: OktaTelephonyHookOptions): TelephonyHook {
  const settings = readOptions(options);
  const connectTimeoutMs = Math.min(700, settings.deadlineMs * 0.4);
  const dispatcher = settings.dispatcher ?? createAgent(connectTimeoutMs);
  const { logger, flush } =
    settings.logger === undefined ? createDefaultLogger() : { logger: settings.logger, flush: undefined };
  const metrics = settings.metrics === undefined ? undefined : createMetrics(settings.metrics);
  const listeners = metrics === undefined ? [] : [metrics.listener];
  const events = new EventStream(
    { log: logListener(logger), listeners, onEvent: settings.onEvent },
    settings.clock,
  );

  const verifierParts = {
    dispatcher,
    clock: settings.clock,
    keysWaitMs: Math.min(800, settings.deadlineMs * 0.4),
  };
  const verifier = createCallerVerifier(settings.hookSchemes, verifierParts);
  const oktaClient = createOktaApiClient({
    credentials: settings.okta,
    dispatcher,
    clock: settings.clock,
    connectTimeoutMs,
  });
  const breakers = new Map<string, Breaker>();
  const breakerOf = (host: string): Breaker => {
    const known = breakers.get(host);
    if (known !== undefined) return known;
    const breaker = new Breaker(host, (state) => {
      events.emit({ type: 'breaker.changed', at: events.now(), host, state });
    });
    breakers.set(host, breaker);
    return breaker;
  };
  const profiles = createProfileReader({
    client: oktaClient,
    options: settings.profile,
    breaker: breakerOf(new URL(settings.okta.orgUrl).host),
    clock: settings.clock,
    onPaused: (pause) => {
      events.emit({ type: 'okta.paused', at: events.now(), ...pause });
    },
  });
  const twilio = createTwilioConnection({
    settings: settings.twilio,
    dispatcher,
    onCallbacksMissing: (count) => {
      events.emit({ type: 'callbacks.missing', at: events.now(), count, remedy: LEAD_CALLBACKS_HERE });
    },
  });
  const channels = readyChannels(settings, { twilio, dispatcher, logger }, breakerOf);

  const failures = new Throttles(settings.clock);
  const state = new GuardedState(settings.state, tellStateFailed({ events, failures }));
  const parts = withLateFailover({
    settings,
    events,
    verifier,
    profiles,
    channels,
    twilioCallbacks: twilio.callbacks,
    rejections: new Throttles(settings.clock),
    skews: new Throttle(settings.clock),
    oktaClock: { skewMs: 0 },
    failures,
    rollout: createRollout(settings.rollout, (name) => USUAL_CHANNELS.has(name) || channels.has(name)),
    heldEvents: heldEventsOf(settings.state) ?? new HeldEvents(),
    runningCalls: new RunningCalls(),
    state,
    suppressions: new SuppressionList(state, settings.clock),
    underWay: {
      calls: new Set(),
      detached: new Set(),
      lastSuccess: new Map(),
      isClosing: false,
      isDrained: false,
    },
  });
  const codeUses = createCodeUses(parts);
  const eventHook = { verifier: createCallerVerifier(settings.eventHookSchemes, verifierParts), codeUses };
  const router = createRouter(parts, { twilio, eventHook });
  const letGoOfState = holdState(settings.state);
  const stopWatching = settings.state.watch?.((news) => {
    tellOfState(news, events);
  });
  for (const warning of settings.warnings) {
    events.emit({ type: 'configuration.warned', at: events.now(), ...warning });
  }
  warnOfSilentChannels(settings, channels, events);

  const status = (): HookStatus => readStatus(parts, breakers);
  const consoles = createConsoleMount(() => ({ parts, status, oktaClient }));

  const closeAll = async (): Promise<void> => {
    const drained = Promise.all([drain(parts), codeUses.close()]);
    // What is remembered goes to the state as long as it is there.
    await Promise.all([drained, consoles.close(drained)]);
    stopWatching?.();
    // What cannot be closed must not keep the gateway from ending.
    await inTime(letGoOfState);
    // A dispatcher of the user's own is left open.
    if (settings.dispatcher === undefined) await inTime(() => dispatcher.destroy());
    metrics?.close();
    if (flush !== undefined) await inTime(flush);
  };
  let closed: Promise<void> | undefined;
  const hook: TelephonyHook = Object.assign(router, {
    ready: async (): Promise<Readiness> => {
      const [okta, twilioState, hookKeys, state, channelStates] = await Promise.all([
        inTime(() => profiles.check(READY_TIMEOUT_MS)),
        inTime(() => twilio.check(READY_TIMEOUT_MS)),
        inTime(() => verifier.warmUp()),
        inTime(() => settings.state.check()),
        checkChannels(channels),
      ]);
      return { okta, twilio: twilioState, hookKeys, state, channels: channelStates };
    },
    status,
    console: (options: ConsoleOptions) => consoles.mount(options),
    close: (): Promise<void> => {
      parts.underWay.isClosing = true;
      closed ??= closeAll();
      return closed;
    },
  });
  metrics?.watch(status);
  return hook;
}

/** Every configured channel, connected, behind the breaker of its host. */
function readyChannels(
  settings: HookSettings,
  parts: { twilio: TwilioConnection; dispatcher: HttpDispatcher; logger: Logger },
  breakerOf: (host: string) => Breaker,
): ReadonlyMap<string, readonly ReadyChannel[]> {
  const ready = new Map<string, readonly ReadyChannel[]>();
  for (const [name, list] of settings.channels) {
    ready.set(
      name,
      list.map((blueprint, index) => {
        const port = connect(blueprint, { ...parts, clock: settings.clock, channel: name });
        const provider = port.provider ?? name.toUpperCase();
        return {
          name,
          provider,
          port,
          breaker: breakerOf(port.host ?? placeName(name, list, index)),
        };
      }),
    );
  }
  return ready;
}

function connect(blueprint: Channel, parts: ChannelParts): Channel {
  const path = `channels.${parts.channel}`;
  let port: Channel;
  try {
    port = blueprint.connect?.(parts) ?? blueprint;
  } catch (cause) {
    const problems =
      cause instanceof ConfigurationError ? cause.problems : ['its connect() threw; see the cause'];
    throw new ConfigurationError(
      problems.map((problem) => `${path}: ${problem}`),
      { cause },
    );
  }
  const problems = channelProblems(path, port);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return port;
}

/** Asks each that can be asked. */
async function checkChannels(
  channels: ReadonlyMap<string, readonly ReadyChannel[]>,
): Promise<Readiness['channels']> {
  const asking = [...channels].flatMap(([name, providers]) =>
    providers.map(async ({ port }, index): Promise<readonly [string, 'ok' | Error][]> => {
      if (port.check === undefined) return [];
      const context = questionContext(READY_TIMEOUT_MS, READY_TIMEOUT_MS);
      return [[placeName(name, providers, index), await inTime(() => port.check?.(context))]];
    }),
  );
  return Object.fromEntries((await Promise.all(asking)).flat());
}

/** A provider of a channel: the channel's name, which says it all where there is one. */
function placeName(name: string, providers: readonly unknown[], index: number): string {
  return providers.length === 1 ? name : `${name}[${index}]`;
}

/** `'ok'` or the error, in time. A channel of the user's own may throw, or return no promise. */
async function inTime(work: () => unknown): Promise<'ok' | Error> {
  try {
    const end = await waitAtMost(Promise.resolve(work()), READY_TIMEOUT_MS);
    return end === TIMED_OUT
      ? new TelephonyHookError('NOT_READY_IN_TIME', 'No answer within 4 s', { remedy: ASK_AGAIN })
      : 'ok';
  } catch (error) {
    if (error instanceof TelephonyHookError) return error;
    return new TelephonyHookError('NOT_READY', 'The check failed; see its cause', { cause: error });
  }
}

function tellOfState(news: StateNews, events: EventStream): void {
  const at = events.now();
  const { reason } = news;
  if (news.type === 'recovered') {
    events.emit({ type: 'state.recovered', at, reason, lostMs: news.lostMs });
  } else {
    events.emit({ type: `state.${news.type}`, at, reason, remedy: news.remedy });
  }
}

/** Silence says nothing of a channel that does not tell what was delivered. */
function warnOfSilentChannels(
  { lateFailover }: HookSettings,
  channels: ReadonlyMap<string, readonly ReadyChannel[]>,
  events: EventStream,
): void {
  const named = Object.entries(lateFailover?.afterSeconds ?? {}).filter(
    ([, seconds]) => seconds !== undefined,
  );
  const tells = (name: string): boolean =>
    channels.get(name)?.some(({ port }) => port.reports === 'deliveries') ?? false;
  const option = 'lateFailover.afterSeconds';
  const where = named.filter(([name]) => !tells(name)).map(([name]) => `${option}.${name}`);
  if (where.length > 0) events.emit({ type: 'configuration.warned', at: events.now(), option, where });
}
