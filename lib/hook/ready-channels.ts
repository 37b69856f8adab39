import type { Channel, ChannelParts } from '../channels/channel.js';
import { brokenSenderRules, type SenderInCountry } from '../channels/sender-rules.js';
import type { TwilioPort } from '../channels/twilio/client.js';
import { SID_NAMESPACE } from '../channels/twilio/outcome.js';
import { VOICE, type ConnectedChannel, type Logger } from '../core/channel.js';
import type { OfCall, OptionWarning } from '../core/events.js';
import { ConfigurationError } from '../core/errors.js';
import type { Breaker } from '../delivery/breaker.js';
import type { ReadyChannel, ReadyReceiver } from '../delivery/attempt.js';
import type { HttpDispatcher } from '../core/http.js';
import { listFor } from '../options/channel-lists.js';
import { channelProblems, isConnected } from '../options/combinations.js';
import type { HookSettings } from '../options/settings.js';
import type { HookParts } from './call.js';

/**
 * Makes every configured channel ready to send, and puts it behind the breaker of its host. The factory calls this once.
 *
 * @throws ConfigurationError that names every channel which cannot be made.
 */
export function connectChannels(
  settings: HookSettings,
  parts: {
    readonly twilio: TwilioPort | undefined;
    readonly dispatcher: HttpDispatcher;
    readonly logger: Logger;
    readonly breakerOf: (host: string) => Breaker;
    /** Called with what a channel did wrong, and its call if there is one. */
    readonly onMistake: (channel: string, mistake: string, call: OfCall | undefined) => void;
  },
): HookParts['channels'] {
  const { twilio, dispatcher, logger, breakerOf, onMistake } = parts;
  const { publicUrl } = settings;
  const ready = new Map<string, readonly ReadyChannel[]>();
  const errors: ConfigurationError[] = [];
  for (const [name, { providers }] of settings.channels) {
    ready.set(
      name,
      providers.flatMap(({ channel: blueprint, key }, index): readonly ReadyChannel[] => {
        const made = connect(blueprint, `channels.${key}`, {
          twilio,
          dispatcher,
          logger,
          clock: settings.clock,
          channel: name,
          voiceTexts: settings.texts,
        });
        if (made instanceof ConfigurationError) {
          errors.push(made);
          return [];
        }
        const receiver: ReadyReceiver | undefined =
          publicUrl === undefined || made.receive === undefined
            ? undefined
            : { port: made.receive, hasReported: false };
        const client = {
          dispatcher,
          onMistake: (mistake: string, call?: OfCall) => {
            onMistake(key, mistake, call);
          },
          callbackUrl: receiver && `${publicUrl}${callbackPath(name, index)}`,
        };
        const { provider = name.toUpperCase(), host = key, idNamespace = `${name}.${index}` } = made;
        const breaker = breakerOf(host);
        return [
          {
            name,
            key,
            provider,
            port: made,
            idNamespace,
            get reports() {
              return reportsOf(made, receiver);
            },
            receiver,
            client,
            breaker,
          },
        ];
      }),
    );
  }
  const [first] = errors;
  if (first === undefined) return ready;
  const problems = errors.flatMap((error) => error.problems);
  throw new ConfigurationError(problems, { cause: first.cause });
}

/** @param path - the channel's place in the options. */
function connect(
  blueprint: Channel,
  path: string,
  parts: ChannelParts,
): ConnectedChannel | ConfigurationError {
  let made: unknown;
  try {
    made = typeof blueprint === 'function' ? blueprint(parts) : (blueprint.connect?.(parts) ?? blueprint);
  } catch (cause) {
    const problems =
      cause instanceof ConfigurationError
        ? cause.problems
        : [`its ${typeof blueprint === 'function' ? 'function' : 'connect()'} threw; see the cause`];
    return new ConfigurationError(
      problems.map((problem) => `${path}: ${problem}`),
      { cause },
    );
  }
  if (!isConnected(made)) {
    return new ConfigurationError([
      `${path}: it must make, at once, an object with a send function and, if any, a provider as text`,
    ]);
  }
  const problems = channelProblems(path, made);
  return problems.length > 0 ? new ConfigurationError(problems) : made;
}

/**
 * What a channel reports. Its silence counts only if its reports arrive: `publicUrl` must be set, and the first report must have come,
 * because the URL at the provider or the secret of its signatures may be wrong.
 */
function reportsOf(port: ConnectedChannel, receiver: ReadyReceiver | undefined): ConnectedChannel['reports'] {
  const isProven = receiver === undefined || receiver.hasReported || port.lookUp !== undefined;
  const claimed = claimedReportsOf(port, receiver);
  return claimed === 'deliveries' && !isProven ? 'failures' : claimed;
}

/** The same without asking whether a report has come. */
function claimedReportsOf(
  { reports, receive, lookUp }: ConnectedChannel,
  receiver: ReadyReceiver | undefined,
): ConnectedChannel['reports'] {
  if (receiver !== undefined) return reports ?? 'failures';
  return receive !== undefined && lookUp === undefined ? undefined : reports;
}

/** The path of a provider's callbacks, below `publicUrl` and `path`. */
export function callbackPath(name: string, index: number): string {
  return `/callbacks/${name}${index === 0 ? '' : `/${index}`}`;
}

/** The channels that call a host, or that have its breaker by their own name. */
export function channelsCalling(host: string, channels: HookParts['channels']): readonly string[] {
  return [...channels]
    .filter(([, providers]) => providers.some(({ breaker }) => breaker.host === host))
    .map(([name]) => name);
}

/** The resends that are known; `undefined` without a second route, and if nothing ever says which texts were delivered. */
export function knownResends(
  settings: HookSettings,
  channels: HookParts['channels'],
): { readonly withinMs: number } | undefined {
  const { nextRoute, withinSeconds } = settings.resend;
  const routes = [...channels].flatMap(([name, providers]) => (name === VOICE ? [] : providers));
  const isKnown = routes.some((channel) => claimsDeliveries(channel, settings));
  const isOffered = nextRoute && routes.length > 1 && isKnown;
  return isOffered ? { withinMs: withinSeconds * 1000 } : undefined;
}

/**
 * Whether a channel says that it reports deliveries. Unlike its silence, a user who asks again needs no proof that its reports arrive, and
 * all gateways say the same. Only late failover asks a channel with `lookUp`.
 */
export function claimsDeliveries(
  { port, receiver }: Pick<ReadyChannel, 'port' | 'receiver'>,
  { lateFailover, publicUrl }: Pick<HookSettings, 'lateFailover' | 'publicUrl'>,
): boolean {
  const isPushed = receiver !== undefined || (publicUrl !== undefined && port.idNamespace === SID_NAMESPACE);
  return (isPushed || lateFailover !== false) && claimedReportsOf(port, receiver) === 'deliveries';
}

/** What the channels say about options that may be a mistake, as `warningsOf` does for the options alone. */
export function channelWarnings(
  settings: HookSettings,
  channels: HookParts['channels'],
  twilio: TwilioPort | undefined,
): readonly OptionWarning[] {
  const all: readonly OptionWarning[] = [
    { option: 'channels.receive', where: deafChannels(channels) },
    { option: 'lateFailover.afterSeconds', where: silentChannels(settings, channels) },
    { option: 'senders', where: twilio === undefined ? [] : unusedSenders(twilio) },
    sendersByCountry(settings, channels),
  ];
  return all.filter(({ where }) => where.length > 0);
}

/** Channels that could receive reports, if `publicUrl` were set. */
function deafChannels(channels: HookParts['channels']): readonly string[] {
  return [...channels.values()]
    .flat()
    .filter(({ port, receiver }) => port.receive !== undefined && receiver === undefined)
    .map(({ key }) => `channels.${key}`);
}

/** The entries of `lateFailover.afterSeconds` for channels that report no deliveries: their silence means nothing. */
function silentChannels(settings: HookSettings, channels: HookParts['channels']): readonly string[] {
  const { lateFailover } = settings;
  const reportsDeliveries = (name: string): boolean =>
    channels.get(name)?.some((channel) => claimsDeliveries(channel, settings)) ?? false;
  return Object.entries(lateFailover === false ? {} : lateFailover.afterSeconds)
    .filter(([name, seconds]) => seconds !== undefined && !reportsDeliveries(name))
    .map(([name]) => `lateFailover.afterSeconds.${name}`);
}

/** Senders that no channel sends from, because the user's own channel takes the place of Twilio's. */
function unusedSenders({ settings: { senders }, usedSenders }: TwilioPort): readonly string[] {
  return (['sms', 'voice', 'whatsapp'] as const)
    .filter((kind) => senders[kind] !== undefined && !usedSenders.has(kind))
    .map((kind) =>
      kind === 'whatsapp' && senders.whatsapp?.kind === 'sandbox' ? 'sandboxNumber' : `senders.${kind}`,
    );
}

/** Senders that do not work in countries of `guard.countries.allow`. Of other countries it is not known whether codes go there. */
function sendersByCountry(
  { guard: { countries }, channels: settings }: HookSettings,
  channels: HookParts['channels'],
): OptionWarning {
  const allowed = countries?.kind === 'allow' ? [...countries.of] : [];
  const senders = [...settings].flatMap(([name, { lists }]) =>
    allowed.flatMap((country) => {
      const list = listFor(lists, country);
      return (lists.get(list) ?? []).flatMap((index): readonly SenderInCountry[] => {
        const { key = name, port } = channels.get(name)?.[index] ?? {};
        const sender = port?.senderFor?.(country);
        if (sender === undefined) return [];
        const isNamed = sender.isNamed === true || list === country;
        return [{ ...sender, option: sender.option ?? `channels.${key}`, isNamed, country }];
      });
    }),
  );
  const broken = brokenSenderRules(senders);
  return {
    option: 'senders.countries',
    where: [...new Set(broken.map(({ option }) => option))],
    remedy: broken.map(({ option, problem, rule }) => `${option}: ${problem} ${rule.remedy}`).join(' '),
  };
}
