import type {
  AttemptReport,
  HookEventOf,
  OfOptIn,
  OfProviders,
  OfResend,
  OptIn,
  SkippedChannel,
} from '../core/events.js';
import {
  bad,
  by,
  describe,
  good,
  nameChannel,
  plain,
  remedyOfUnknown,
  warn,
  type EventDescription,
  type Tone,
} from './description.js';

/**
 * The sentences about a code: its attempts, the answer to Okta, and the opt-in. `preview` and `doctor` use those of the opt-in, too.
 * Node and browsers load this file, as `describe-event.ts`.
 */

/** @param when - the start of the sentence. */
export function describeAttempt(report: AttemptReport, when: string): EventDescription {
  const { provider, outcome } = report;
  const channel = nameChannel(report.channel);
  switch (outcome) {
    case 'accepted':
      return good(`${when}${provider} accepted the message for ${channel}.`, report);
    case 'refused':
      return bad(`${when}${channel} was refused; no message went out.`, {
        ...report,
        remedy: report.remedy ?? `Look at the log of ${provider}.`,
      });
    case 'unknown':
      return warn(
        `${when}${channel} may have gone out: no readable answer came, so no other channel is tried.`,
        { ...report, remedy: report.remedy ?? remedyOfUnknown(report.channel, provider) },
      );
    default:
      return plain(`${when}${channel}: ${String(outcome)}.`, report);
  }
}

type AnsweredEvent = HookEventOf<'request.answered'>;

/** Returns `undefined` for an outcome that only a newer gateway knows. */
export function describeAnswer(event: AnsweredEvent): EventDescription | undefined {
  const sentence = sentenceOf(event);
  if (sentence === undefined) return undefined;
  const [tone, text, remedy = event.remedy] = sentence;
  const { code, reason, durationMs } = event;
  const hungUp = event.hasHungUp ? ' Okta had hung up before.' : '';
  return describe(tone, text + hungUp, { code, reason, remedy, durationMs });
}

function sentenceOf(
  event: AnsweredEvent,
): readonly [tone: Tone, text: string, remedy?: string | undefined] | undefined {
  const { isRepeat, attempts, profileReason = '' } = event;
  const omitted = event.skipped.map(describeSkipped).join('');
  const skipped = omitted + describeResend(event, attempts[0]?.channel, 'went');
  const sentBy =
    event.channel === undefined ? '' : ` ${by(event.channel)}${describeProviders(event.channel, event)}`;
  switch (event.outcome) {
    case 'accepted': {
      if (isRepeat) return ['good', 'A repeat got the first answer: the code was sent.'];
      if (HAS_NO_ACCESS.has(profileReason)) {
        const text = `The code was sent${sentBy}, the channel that Okta requested: Okta does not let the hook read users.`;
        return ['warn', text, PROFILE_REMEDIES.get(profileReason)];
      }
      // Okta requests codes for its own users: the hook may read those of another org.
      const isOtherOrg = profileReason === 'OKTA_NOT_FOUND';
      return [
        isOtherOrg ? 'warn' : 'good',
        `The code was sent${sentBy}${describeDecision(event)}${describeDetour(event)}.${skipped}`,
        isOtherOrg ? PROFILE_REMEDIES.get(profileReason) : remedyOfDetour(event),
      ];
    }
    case 'unknown': {
      const text = isRepeat
        ? `A repeat got ${event.reason === undefined ? 'the first answer' : 'no answer of the first call'}: the code may have been sent.`
        : `The code may have been sent${sentBy}${describeDecision(event)}${describeDetour(event)}: the outcome is unknown.${skipped}`;
      const remedy = isRepeat ? FIND_FIRST : remedyOfUnknown(event.channel, event.provider);
      return ['warn', `${text} ${GOT_PENDING}`, event.remedy ?? remedy];
    }
    case 'blocked': {
      const got = event.status === 'PENDING' ? GOT_PENDING : 'Okta got an error, so it may send one itself.';
      return ['warn', `${describeBlock(event)} ${got}`];
    }
    case 'refused': {
      // An attempt has its own code.
      const code = attempts.length > 0 || event.code === undefined ? '' : ` (${event.code})`;
      // Without a sender of SMS, the opt-in decides whether there is any channel.
      const why = event.code === 'CHANNEL_NOT_CONFIGURED' ? describeDecision(event) : '';
      return [
        'bad',
        isRepeat
          ? 'A repeat got the first answer: no code was sent. Okta may send one itself.'
          : `No code was sent${code}${why}${describeDetour(event)}.${skipped} Okta got an error, so it may send one itself.`,
        // An attempt has its own remedy.
        isRepeat || attempts.length > 0 ? event.remedy : (event.remedy ?? remedyOfDetour(event)),
      ];
    }
    default:
      return undefined;
  }
}

/** Why the code was not sent as planned. */
function describeDetour({ attempts, profileSource, profileReason, profileStatus }: AnsweredEvent): string {
  const providersOf = (name: string): ReadonlySet<string> =>
    new Set(attempts.filter(({ channel }) => channel === name).map(({ provider }) => provider));
  const refused = attempts
    .filter(({ outcome }) => outcome === 'refused')
    .map(({ channel, provider, code }) => {
      const by = providersOf(channel).size > 1 ? ` by ${provider}` : '';
      return `${nameChannel(channel)}${by} was refused (${code})`;
    });
  const after = refused.length === 0 ? '' : `, after ${refused.join(' and ')}`;
  if (profileReason === undefined) return after;
  const profile =
    profileSource === 'stale' ? "with an older copy of the user's profile" : "without the user's profile";
  const status = profileStatus === undefined ? '' : `: Okta answered ${profileStatus}`;
  return `${after}, ${profile} (${profileReason}${status})`;
}

function remedyOfDetour(event: AnsweredEvent): string | undefined {
  const { attempts, profileReason = '', skipped } = event;
  return (
    attempts.findLast(({ remedy }) => remedy !== undefined)?.remedy ??
    PROFILE_REMEDIES.get(profileReason) ??
    (skipped.some(({ reason }) => reason === 'STOPPED' || reason === 'OPTED_OUT') ? LIFT_STOP : undefined) ??
    remedyOfDecision(event)
  );
}

/** How a user ends a STOP. STOP also leaves Twilio's sandbox, which passes no START on until the phone has joined again. */
export const LIFT_STOP =
  "The user gets codes there again after START to the sender. In Twilio's WhatsApp sandbox, they send its “join …” words first.";

const FIND_FIRST =
  "Look for the first line with this eventId. If there is none, its gateway died: the provider's log shows whether the code went out.";

const GOT_PENDING = 'Okta got PENDING, so it sends no code itself.';

function describeBlock({ isRepeat, code, attempts }: AnsweredEvent): string {
  // The event has the outcome of the first call's code, but not its reason.
  if (isRepeat) return 'A repeat got the first answer: the code was blocked.';
  if (code === 'SUPERSEDED') return 'The code is superseded: the user has a newer one. Nothing was sent.';
  return attempts.length === 0 || code?.startsWith('LEARN_') === true
    ? `The guard blocked the code${code === undefined ? '' : ` (${code})`}. Nothing was sent.`
    : "A provider's fraud filter blocked the code. Nothing was sent.";
}

const SKIPPED: ReadonlyMap<string, string> = new Map<SkippedChannel['reason'], string>([
  ['ROLLED_BACK', 'the rollout has it off for this user'],
  ['STOPPED', 'the user sent STOP'],
  ['OPTED_OUT', 'the provider says that the user opted out'],
  ['NOT_REACHED', 'it did not reach the user lately'],
  ['BLOCKED', 'the guard blocked it'],
]);

export function describeSkipped({ channel, reason }: SkippedChannel): string {
  // A newer gateway may know more reasons.
  return ` ${nameChannel(channel)} was skipped: ${SKIPPED.get(reason) ?? reason}.`;
}

/** The remedy while Okta's rate limit is used up. */
export const FREE_LIMIT =
  'Nothing at once: it passes with the window of the limit. If it comes again, look at Reports > Rate Limits in Okta, or raise profile.cache.ttlSeconds.';

const CHECK_WAY_TO_OKTA =
  "See that credentials.okta.orgUrl is the org's own address, and that the gateway may call it: egress, DNS, TLS, proxies.";

/** By the reason why a profile was not read. */
export const PROFILE_REMEDIES: ReadonlyMap<string, string> = new Map([
  [
    'OKTA_UNAUTHORIZED',
    "Check credentials.okta: Okta does not accept the API token, or the service app's key.",
  ],
  ['OKTA_FORBIDDEN', 'Check credentials.okta: grant okta.users.read, or an admin role that may read users.'],
  [
    'OKTA_NOT_FOUND',
    'Nothing, if the user was deleted or the call is a test. Otherwise see that credentials.okta.orgUrl is the org that calls the hook.',
  ],
  ['PAUSED', FREE_LIMIT],
  ['OKTA_RATE_LIMITED', FREE_LIMIT],
  ['BREAKER_OPEN', 'Nothing: Okta did not answer several times, and reads start again within 30 s.'],
  ['OKTA_HTTP_ERROR', 'Look at status.okta.com, and at a proxy if one stands in between.'],
  ['OKTA_UNREACHABLE', CHECK_WAY_TO_OKTA],
  ['OKTA_NO_ANSWER', CHECK_WAY_TO_OKTA],
  ['OKTA_UNREADABLE', CHECK_WAY_TO_OKTA],
  ['OKTA_WRONG_USER', CHECK_WAY_TO_OKTA],
  ['TIMEOUT', 'Check the network to Okta, and whether the process is busy. profile.timeoutMs is the limit.'],
]);

/** These errors do not go away by themselves, and until then no user's opt-in counts. */
const HAS_NO_ACCESS: ReadonlySet<string> = new Set(['OKTA_UNAUTHORIZED', 'OKTA_FORBIDDEN']);

/** The remedy if the attribute has another name, or the org has none. */
export const NAME_OR_CREATE =
  'If the attribute has another name, set OPT_IN_ATTRIBUTE to it, at the gateway as optInAttribute. If the org has none, okta-telephony-hook setup attribute creates it.';

/** The remedy if the values of the attribute may be no names of channels. */
export const CORRECT_VALUES =
  'Check that its values are names in optInChannels, such as whatsapp, or set OPT_IN_ATTRIBUTE to a boolean (okta-telephony-hook setup attribute).';

const REMEDIES: ReadonlyMap<string, string> = new Map<OptIn, string>([
  ['absent', `Nothing, if the user never opted in. ${NAME_OR_CREATE}`],
  ['unusable', CORRECT_VALUES],
]);

/** What a profile says, after `because` or on its own. */
export function describeOptIn(optIn: OptIn, attribute: string): string {
  switch (optIn) {
    case 'yes':
      return `the user has opted in (${attribute})`;
    case 'no':
      return `the user has not opted in (${attribute})`;
    case 'absent':
      return `the profile has no attribute ${attribute}`;
    case 'unusable':
      return `the value of ${attribute} names no channel`;
    case 'unread':
      return 'the profile was not read';
    default:
      // A newer gateway may know more.
      return `the opt-in is ${String(optIn)} (${attribute})`;
  }
}

/** Why a text goes by SMS, if the opt-in decided that. */
export function describeDecision({ optIn, optInAttribute }: OfOptIn): string {
  return optIn === undefined || optInAttribute === undefined
    ? ''
    : `, because ${describeOptIn(optIn, optInAttribute)}`;
}

/** Which list of a channel a number gets, if the channel has providers by country. */
export function describeProviders(channel: string, { providersOf }: OfProviders): string {
  const list = providersOf?.[channel];
  if (list === undefined) return '';
  return ` (by the ${list === 'default' ? 'default providers' : `providers for ${list}`})`;
}

/**
 * That the user asked for a code again, and by which channel it was tried first.
 *
 * @param verb - `went` or `goes`.
 */
export function describeResend(
  { resendOf, resendOfChannel }: OfResend,
  first: string | undefined,
  verb: string,
): string {
  if (resendOf === undefined || first === undefined) return '';
  const earlier = resendOfChannel === undefined ? 'the earlier code' : `the code ${by(resendOfChannel)}`;
  const way = first === resendOfChannel ? 'by another provider' : by(first);
  return ` The user asked again, and nothing says that ${earlier} arrived: this one ${verb} ${way} first.`;
}

function remedyOfDecision({ optIn = 'unread', optInAttribute }: OfOptIn): string | undefined {
  return optInAttribute === undefined ? undefined : REMEDIES.get(optIn);
}

type Fallback = HookEventOf<'okta.fell-back'>;

const CHECK_WAY_FROM_OKTA =
  'See that publicUrl reaches the gateways from the internet with a valid certificate, and what stands between: DNS, firewall, load balancer.';
const CHECK_ANSWERS =
  "See what answers at publicUrl besides the hook, such as a proxy's error page, and the log's request.rejected lines of the time.";

const FALLBACKS: Readonly<Record<Fallback['code'], { readonly why: string; readonly remedy: string }>> = {
  TIMEOUT: {
    why: 'no answer came in time',
    remedy:
      'Compare durationMs of the call, if the log has it: if the hook was in time, look at the network and proxies between Okta and publicUrl; else lower deadlineMs, or add gateways.',
  },
  HTTP_STATUS: { why: 'the answer did not have status 200', remedy: CHECK_ANSWERS },
  UNREACHABLE: { why: 'it could not connect', remedy: CHECK_WAY_FROM_OKTA },
  BAD_RESPONSE: { why: 'it could not use the answer', remedy: CHECK_ANSWERS },
  OTHER: { why: 'its reason says more', remedy: CHECK_WAY_FROM_OKTA },
};

/** What Okta's reasons are about. */
export const FALLBACK_CODES = Object.keys(FALLBACKS);

export function describeFallback(event: Fallback): EventDescription | undefined {
  const { code, reason, isHookUnknown } = event;
  // A newer gateway on the same state may have more codes.
  const { why, remedy } = Object.hasOwn(FALLBACKS, code) ? FALLBACKS[code] : FALLBACKS.OTHER;
  const which = isHookUnknown ? ' It may be another inline hook of the org.' : '';
  return bad(`Okta gave up on a call of the hook: ${why}. It sends the code itself, if it can.${which}`, {
    code,
    reason,
    remedy,
  });
}
