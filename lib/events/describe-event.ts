import type { AttemptReport, HookEvent, HookEventOf, HookEventType, SkippedChannel } from '../core/events.js';
import type { Extension } from '../core/extensions.js';
import { describeWarning } from './describe-warning.js';
import { nameChannel, nameRequestType } from './names.js';

/**
 * The one table of sentences: the log writes them as messages, the console shows them as steps. Both Node and browsers load this
 * file, so it imports nothing of either.
 *
 * A sentence says what happened and what goes on; `remedy` says what to do. It names channels, providers, hosts, options and
 * rules. Times, counts and ids are fields of the event, so that log lines with the same message can be counted.
 */

/** How good or bad the news is. The console shows it by colour and icon; the log takes its level from it. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad';

export interface EventDescription {
  readonly text: string;
  readonly tone: Tone;
  /** A provider's code, or one of ours, as .docs/codes.md lists them. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
  readonly durationMs?: number | undefined;
  /** The provider's id of the message. */
  readonly transactionId?: string | undefined;
  /** The provider's id of the request. */
  readonly providerRequestId?: string | undefined;
}

type SentencesOf<Value extends string> = Readonly<Record<Value, Pick<EventDescription, 'text' | 'tone'>>>;

export function describeEvent(event: HookEvent): EventDescription {
  // The function for a type takes events of that type, which the compiler cannot follow. A newer gateway on the same state may
  // send types, and words in known fields, that this one does not know.
  const describe = TABLE[event.type] as (event: HookEvent) => EventDescription | undefined;
  const description = Object.hasOwn(TABLE, event.type) ? describe(event) : undefined;
  return description ?? plain(`This version does not know the event ${event.type}.`);
}

const TABLE: { readonly [Type in HookEventType]: (event: HookEventOf<Type>) => EventDescription } = {
  'configuration.warned': (event) => ({ tone: 'warn', ...describeWarning(event) }),

  'request.received': ({ deliveryChannel, toEnding, requestType, isPreview, testedBy }) =>
    plain(
      `Okta requested a code ${by(deliveryChannel)} for the number that ends in ${toEnding}: ${nameRequestType(requestType)}.${isPreview ? ' It is a preview, not a sign-in.' : ''}${testedBy === undefined ? '' : ` ${testedBy} sent it from the console.`}`,
    ),
  'request.rejected': ({ status, code, reason }) =>
    code === 'BAD_SIGNATURE'
      ? {
          tone: 'bad',
          text: "A status callback or an inbound message was rejected: it does not bear Twilio's signature.",
          code,
          reason,
          remedy:
            "Compare publicUrl and credentials.twilio.authToken with what Twilio has (the account's own auth token, not an API key's secret).",
        }
      : {
          tone: 'bad',
          text: `A request was rejected with status ${status} (${code}).`,
          code,
          reason,
          remedy: REJECTION_REMEDIES.get(code),
        },
  'caller.rejected': ({ hook, schemes, reason }) => ({
    tone: 'warn',
    text: `Calls to the ${hook} hook were rejected: the callers could not prove to be Okta.`,
    code: reason,
    remedy: `Compare with the ${hook} hook in Okta: ${[...new Set(schemes)].map((scheme) => PROOFS[scheme]).join('; or ')}.`,
  }),
  'probe.rejected': ({ status, code }) =>
    plain(`A test call of the command line was answered with status ${status} (${code}). It is no attack.`),
  'clock.skewed': () => ({
    tone: 'warn',
    text: "Okta's clock and this machine's clock differ.",
    remedy: 'Check the time synchronisation of this machine.',
  }),

  'profile.read': ({ source, reason, durationMs }) => ({
    ...plain(`The user's profile was read: ${source}.`),
    ...PROFILES[source],
    code: reason,
    remedy: PROFILE_REMEDIES.get(reason ?? ''),
    durationMs,
  }),
  'okta.paused': ({ reason }) => ({
    tone: 'warn',
    text: `${OKTA_PAUSES[reason]}: users are not looked up for a while. Codes still go out.`,
    code: reason,
    remedy: FREE_LIMIT,
  }),
  'okta.resumed': ({ reason, pausedMs }) => ({
    tone: 'good',
    text: "The pause for Okta's rate limit is over: users are looked up again.",
    code: reason,
    durationMs: pausedMs,
  }),
  'guard.blocked': describeBlocked,
  'guard.noticed': describeNoticed,
  'channels.planned': ({ channels, skipped }) => {
    const plan =
      channels.length === 0
        ? 'No channel can be used for this code.'
        : `The plan: ${channels.map(nameChannel).join(', then ')}.`;
    return {
      tone: channels.length === 0 ? 'bad' : 'plain',
      text: plan + skipped.map(describeSkipped).join(''),
    };
  },
  'attempt.ended': (event) => describeAttempt(event, ''),
  'attempt.settled': (event) => describeAttempt(event, 'After the answer to Okta: '),
  'request.answered': describeAnswer,

  'message.reported': ({ channel, report, status, code, reason, transactionId, ...event }) => {
    const { tone, text } = STATUSES.get(status) ?? { tone: 'plain', text: `has the status ${status}` };
    const remedy = event.remedy ?? (report === 'failed' ? lookAfter(channel) : undefined);
    const subject = channel === 'voice' ? 'The call' : `The message ${by(channel)}`;
    return { tone, text: `${subject} ${text}.`, code, reason, remedy, transactionId };
  },
  'callbacks.missing': ({ remedy }) => ({
    tone: 'warn',
    text: 'No status callbacks come from Twilio. The hook polls WhatsApp messages instead, as many as there is room for; it does not see failures of other messages.',
    remedy,
  }),
  'callback.unmatched': ({ transactionId }) => ({
    tone: 'warn',
    text: 'A status callback is about a message that this process did not send, or no longer knows.',
    remedy:
      'Give all gateways one shared state: redisState of okta-telephony-hook/redis. Until then run one gateway, or route callbacks to the gateway that sent the message.',
    transactionId,
  }),
  'failover.ended': describeFailover,
  'inbound.received': describeInbound,

  'code.used': ({ channel, sinceSentMs, transactionId }) => ({
    tone: 'good',
    text: `The user entered the code that was sent ${by(channel)}.`,
    durationMs: sinceSentMs,
    transactionId,
  }),
  'feedback.failed': ({ provider, code, reason, remedy, transactionId }) => ({
    tone: 'warn',
    text: `${provider} did not take the report that its code was used. The user is not affected.`,
    code,
    reason,
    remedy,
    transactionId,
  }),
  'uses.skipped': () => ({
    tone: 'warn',
    text: 'Okta reported more used codes than the hook can follow. The others are not counted, and no provider gets a report of them.',
  }),

  'extension.failed': ({ extension, reason, remedy }) => ({
    tone: 'warn',
    text: `${extension} failed: ${FAILURES[extension] ?? 'the hook goes on without it'}.`,
    reason,
    remedy,
  }),
  'readiness.failed': ({ part, code, reason, remedy }) => ({
    tone: 'bad',
    text: `ready() found that ${faultOf(part)}.`,
    code,
    reason,
    remedy,
  }),
  'state.lost': ({ reason, remedy }) => ({
    tone: 'bad',
    text: 'The shared state store cannot be reached. Codes still go out; until it is back, each process counts repeats and limits on its own.',
    reason,
    remedy,
  }),
  'state.recovered': ({ reason }) => ({ tone: 'good', text: 'The shared state store is back.', reason }),
  'state.warned': ({ reason, remedy }) => ({
    tone: 'warn',
    text: 'The shared state store works, but not as well as it could.',
    reason,
    remedy,
  }),
  'breaker.changed': ({ host, state, channels }) => {
    const { tone, text } = BREAKERS[state];
    const isOkta = channels.length === 0;
    const [first] = channels;
    // A channel without a host has its own name in its place.
    const name =
      host.replace(/\[\d+\]$/, '') === first
        ? nameChannel(host)
        : `${host} (${isOkta ? 'Okta' : channels.map(nameChannel).join(', ')})`;
    const effect = state !== 'open' ? '' : isOkta ? WITHOUT_OKTA : WITHOUT_PROVIDER;
    return {
      tone,
      text: `${name} ${text}.${effect}`,
      remedy:
        state === 'open'
          ? `Look at ${isOkta ? 'status.okta.com' : "the provider's status page"}, and at the way there: egress, DNS, TLS. The hook tries again by itself.`
          : undefined,
    };
  },
};

/** Every type that an event may have. */
export const EVENT_TYPES: readonly string[] = Object.keys(TABLE);

function plain(text: string): EventDescription {
  return { text, tone: 'plain' };
}

/** Within a sentence: `by SMS`, `by voice call`. */
function by(channel: string): string {
  return `by ${channel === 'voice' ? 'voice call' : nameChannel(channel)}`;
}

/** What must be the same at both sides, by the kind of authentication. */
const PROOFS = {
  header: "the header's name and the secret",
  basic: 'the user name and the password',
  oauth2: 'the issuer, the audience, the client and the scope of its access tokens',
} as const;

const FREE_LIMIT =
  'Nothing at once: it passes with the window of the limit. If it comes again, look at Reports > Rate Limits in Okta, or raise profile.cache.ttlSeconds.';

/** Why users are not looked up. */
export const OKTA_PAUSES: Readonly<Record<HookEventOf<'okta.paused'>['reason'], string>> = {
  LOW: "Okta's rate limit is nearly used up",
  RATE_LIMITED: 'Okta answered 429, because its rate limit is used up',
};

/** By the code of a rejected request. The proof of a caller has its own event. */
const REJECTION_REMEDIES: ReadonlyMap<string, string> = new Map([
  ['INVALID_REQUEST', 'Look at the fields, and at what else calls the URL.'],
  ['METHOD_NOT_ALLOWED', 'Look at what else calls the URL; a browser does by GET.'],
  ['UNSUPPORTED_MEDIA_TYPE', 'Look at what stands between Okta and the gateway.'],
  ['PAYLOAD_TOO_LARGE', 'Look at what else calls the URL.'],
  ['REQUEST_TIMEOUT', 'Look at the way from Okta, and at what holds the process up.'],
  ['BODY_ALREADY_READ', 'Mount the hook ahead of what reads bodies.'],
  [
    'PROOF_UNAVAILABLE',
    "See that issuer (or jwksUri) in credentials.hook is the custom authorization server's, and that the gateway may call it.",
  ],
  ['CLOSING', 'Nothing: the gateway was shutting down.'],
  ['INTERNAL_ERROR', 'Please report the reason, unless a channel of your own failed.'],
]);

const PROFILES: SentencesOf<HookEventOf<'profile.read'>['source']> = {
  okta: plain("The user's profile was read from Okta."),
  cache: plain("The user's profile was still in the cache."),
  stale: {
    tone: 'warn',
    text: "The user's profile was not read from Okta, so the hook used an older one.",
  },
  none: {
    tone: 'warn',
    text: "The user's profile was not read, so the code goes by the channel that Okta requested.",
  },
};

const CHECK_WAY_TO_OKTA =
  "See that credentials.okta.orgUrl is the org's own address, and that the gateway may call it: egress, DNS, TLS, proxies.";

const PROFILE_REMEDIES: ReadonlyMap<string, string> = new Map([
  [
    'OKTA_UNAUTHORIZED',
    "Check credentials.okta: Okta does not accept the API token, or the service app's key.",
  ],
  ['OKTA_FORBIDDEN', 'Check credentials.okta: grant okta.users.read, or an admin role that may read users.'],
  ['PAUSED', FREE_LIMIT],
  ['OKTA_RATE_LIMITED', FREE_LIMIT],
  ['BREAKER_OPEN', 'Nothing: Okta did not answer several times, and reads start again within 30 s.'],
  ['OKTA_HTTP_ERROR', 'Look at status.okta.com, and at a proxy if one stands in between.'],
  ['OKTA_UNREACHABLE', CHECK_WAY_TO_OKTA],
  ['OKTA_NO_ANSWER', CHECK_WAY_TO_OKTA],
  ['OKTA_UNREADABLE', CHECK_WAY_TO_OKTA],
  ['OKTA_WRONG_USER', CHECK_WAY_TO_OKTA],
  ['TIMEOUT', 'Look at the way to Okta, and at what holds the process up. profile.timeoutMs is the limit.'],
]);

/** These errors do not go away by themselves, and until then no user's opt-in counts. */
const HAS_NO_ACCESS: ReadonlySet<string> = new Set(['OKTA_UNAUTHORIZED', 'OKTA_FORBIDDEN']);

const RULES: Readonly<Record<HookEventOf<'guard.blocked'>['rule'], string>> = {
  perUser: 'over the limit per user',
  perNumber: 'over the limit per number',
  perIp: 'over the limit per IP address',
  country: 'the country is not allowed',
  numberType: 'the type of the number is not allowed',
};

function describeBlocked(event: HookEventOf<'guard.blocked'>): EventDescription {
  const { isOtherNumber = false, code, remedy } = event;
  const effect = isOtherNumber ? 'The code goes to the enrolled number' : 'Nothing was sent';
  return { tone: 'warn', text: `The guard blocked ${nameJudged(event)}. ${effect}.`, code, remedy };
}

function describeNoticed(event: HookEventOf<'guard.noticed'>): EventDescription {
  const { isOtherNumber = false, code, remedy } = event;
  const effect = `It is ${isOtherNumber ? 'used' : 'sent'}, because guard.mode is 'record'`;
  return {
    tone: 'warn',
    text: `The guard would have blocked ${nameJudged(event)}. ${effect}.`,
    code,
    remedy,
  };
}

/** What broke which rules. */
function nameJudged({
  isOtherNumber = false,
  rules,
}: HookEventOf<'guard.blocked' | 'guard.noticed'>): string {
  const what = isOtherNumber ? "the number in the user's profile for WhatsApp" : 'the code';
  const broken = rules.map(({ rule, points, seconds }) =>
    points === undefined || seconds === undefined
      ? RULES[rule]
      : `${RULES[rule]} (${points} in ${seconds} s)`,
  );
  return `${what}: ${broken.join(', and ')}`;
}

const SKIPPED: ReadonlyMap<string, string> = new Map<SkippedChannel['reason'], string>([
  ['ROLLED_BACK', 'the rollout has it off for this user'],
  ['STOPPED', 'the user sent STOP'],
  ['OPTED_OUT', 'the provider says that the user opted out'],
  ['NOT_REACHED', 'it did not reach the user lately'],
]);

function describeSkipped({ channel, reason }: SkippedChannel): string {
  // A newer gateway may know more reasons.
  return ` ${nameChannel(channel)} was skipped: ${SKIPPED.get(reason) ?? reason}.`;
}

/** For a refusal of a channel that gives no remedy. */
const lookInto = (provider: string): string => `Look at the log of ${provider}.`;

/** For a failed message of a provider that gives no remedy. */
const lookAfter = (channel: string): string =>
  channel === 'voice'
    ? 'The user must pick up, or choose another method.'
    : "Look at the message in the provider's log.";

function describeAttempt(report: AttemptReport, when: string): EventDescription {
  const { provider, outcome, code, reason, durationMs, transactionId } = report;
  const channel = nameChannel(report.channel);
  const remedy = report.remedy ?? (outcome === 'refused' ? lookInto(provider) : undefined);
  const sentences: SentencesOf<AttemptReport['outcome']> = {
    accepted: { tone: 'good', text: `${provider} accepted the message for ${channel}.` },
    refused: { tone: 'bad', text: `${channel} was refused; no message went out.` },
    unknown: {
      tone: 'warn',
      text: `${channel} may have gone out: no readable answer came, so no other channel is tried.`,
    },
  };
  const { tone, text } = { ...plain(`${channel}: ${outcome}.`), ...sentences[outcome] };
  const { providerRequestId } = report;
  return { tone, text: when + text, code, reason, remedy, durationMs, transactionId, providerRequestId };
}

function describeAnswer(event: HookEventOf<'request.answered'>): EventDescription {
  const { code, reason, durationMs, profileReason = '' } = event;
  const hungUp = event.hasHungUp ? ' Okta had hung up before.' : '';
  const of = (tone: Tone, text: string, remedy = event.remedy): EventDescription => ({
    tone,
    text: text + hungUp,
    code,
    reason,
    remedy,
    durationMs,
  });
  const sentBy = event.channel === undefined ? '' : ` ${by(event.channel)}`;
  switch (event.outcome) {
    case 'accepted':
      if (event.isRepeat) return of('good', 'A repeat got the first answer: the code was sent.');
      return HAS_NO_ACCESS.has(profileReason)
        ? of(
            'warn',
            `The code was sent${sentBy}, the channel that Okta requested: Okta does not let the hook read users.`,
            PROFILE_REMEDIES.get(profileReason),
          )
        : of(
            'good',
            `The code was sent${sentBy}${describeDetour(event)}.${event.skipped.map(describeSkipped).join('')}`,
            remedyOfDetour(event),
          );
    case 'unknown':
      return of(
        'warn',
        event.isRepeat
          ? `A repeat got the first answer: the code may have been sent. ${GOT_PENDING}`
          : `The code may have been sent${sentBy}: the outcome is unknown. ${GOT_PENDING}`,
      );
    case 'blocked':
      return of(
        'warn',
        `${describeBlock(event)} ${event.status === 'PENDING' ? GOT_PENDING : 'Okta got an error, so it may send one itself.'}`,
      );
    case 'refused':
      return of(
        'bad',
        event.isRepeat
          ? 'A repeat got the first answer: no code was sent. Okta may send one itself.'
          : 'No code was sent. Okta got an error, so it may send one itself.',
      );
  }
}

/** Why the code was not sent as planned: the line of a call that went well then says it, too. */
function describeDetour({ attempts, profileSource, profileReason }: HookEventOf<'request.answered'>): string {
  const refused = attempts.filter(({ outcome }) => outcome === 'refused');
  const after = refused.map(({ channel, code }) => `${nameChannel(channel)} was refused (${code})`);
  const profile =
    profileSource === 'stale' ? "with an older copy of the user's profile" : "without the user's profile";
  return [
    after.length === 0 ? '' : `, after ${after.join(' and ')}`,
    profileReason === undefined ? '' : `, ${profile} (${profileReason})`,
  ].join('');
}

function remedyOfDetour({
  attempts,
  profileReason = '',
  skipped,
}: HookEventOf<'request.answered'>): string | undefined {
  return (
    attempts.findLast(({ remedy }) => remedy !== undefined)?.remedy ??
    PROFILE_REMEDIES.get(profileReason) ??
    (skipped.some(({ reason }) => reason === 'STOPPED' || reason === 'OPTED_OUT') ? LIFT_STOP : undefined)
  );
}

const LIFT_STOP = 'The user gets codes there again after START to the sender.';

const GOT_PENDING = 'Okta got PENDING, so it sends no code itself.';

function describeBlock({ isRepeat, code, attempts }: HookEventOf<'request.answered'>): string {
  // The event has the outcome of the first call's code, but not its reason.
  if (isRepeat) return 'A repeat got the first answer: the code was blocked.';
  if (code === 'SUPERSEDED') return 'The code is superseded: the user has a newer one. Nothing was sent.';
  return attempts.length === 0
    ? 'The guard blocked the code. Nothing was sent.'
    : "A provider's fraud filter blocked the code. Nothing was sent.";
}

/** Twilio's words; they follow `The message by …` or `The call`. */
const STATUSES: ReadonlyMap<string, Pick<EventDescription, 'text' | 'tone'>> = new Map([
  ['queued', { tone: 'plain', text: 'is waiting at the provider' }],
  ['sending', { tone: 'plain', text: 'is on its way to the carrier' }],
  ['sent', { tone: 'plain', text: 'was handed to the carrier' }],
  ['delivered', { tone: 'good', text: 'was delivered' }],
  ['read', { tone: 'good', text: 'was read' }],
  ['undelivered', { tone: 'bad', text: 'was not delivered' }],
  ['failed', { tone: 'bad', text: 'failed' }],
  ['canceled', { tone: 'bad', text: 'was cancelled' }],
  ['initiated', { tone: 'plain', text: 'was started' }],
  ['ringing', { tone: 'plain', text: 'is ringing' }],
  ['in-progress', { tone: 'plain', text: 'was picked up' }],
  ['answered', { tone: 'good', text: 'was picked up' }],
  ['completed', { tone: 'good', text: 'was heard to its end' }],
  ['busy', { tone: 'bad', text: 'met a busy line' }],
  ['no-answer', { tone: 'bad', text: 'was not picked up' }],
]);

/** The user has a newer code, or this one, so that this message is not needed. */
const NOT_NEEDED: ReadonlySet<string> = new Set(['SUPERSEDED', 'DELIVERED']);

function describeFailover(event: HookEventOf<'failover.ended'>): EventDescription {
  const { outcome, cause, code, reason, remedy, transactionId } = event;
  const failed = `${nameChannel(event.fromChannel)} did not deliver the code (${cause.code})`;
  const next = event.channel === undefined ? 'by another channel' : by(event.channel);
  switch (outcome) {
    case 'accepted':
      return { tone: 'good', text: `${failed}, so it was sent ${next}.`, ...cause, transactionId };
    case 'unknown':
      return {
        tone: 'warn',
        text: `${failed}. It may have been sent ${next}: the outcome is unknown.`,
        code: code ?? cause.code,
        reason: reason ?? cause.reason,
        remedy: remedy ?? cause.remedy,
      };
    case 'refused':
      return {
        tone: 'bad',
        text: `${failed}, and it could not be sent ${next}.`,
        code,
        reason,
        remedy: remedy ?? cause.remedy,
      };
    case 'dropped':
      return NOT_NEEDED.has(code ?? '')
        ? { tone: 'plain', text: `${failed}. No other channel is needed.`, code, reason, remedy }
        : {
            tone: 'warn',
            text: `${failed}, and no other channel can send it.`,
            code,
            reason,
            remedy: remedy ?? cause.remedy,
          };
  }
}

function describeInbound({
  keyword,
  channel,
  fromEnding,
}: HookEventOf<'inbound.received'>): EventDescription {
  const where = channel === 'rcs' ? 'RCS' : nameChannel(channel);
  if (keyword !== 'stop' && keyword !== 'start') return plain(`A user wrote ${by(where)}.`);
  const word = keyword.toUpperCase();
  if (fromEnding === undefined) {
    return plain(
      `A user whose number is hidden sent ${word} ${by(where)}. It takes effect once a message shows the number.`,
    );
  }
  // Twilio sends by RCS what the hook sends as SMS.
  const affected = channel === 'whatsapp' ? 'there' : 'by SMS';
  const effect = keyword === 'stop' ? `gets no codes ${affected}` : `gets codes ${affected} again`;
  return plain(`A user sent ${word} ${by(where)} and ${effect}.`);
}

const FAILURES: Partial<Record<Extension, string>> = {
  rollout: 'the percentages that it last gave stay in force',
  channel: 'it may be unknown whether its codes went out',
  authorize: 'the console lets nobody in',
};

/** What is wrong with a part, for `ready() found that …`. */
function faultOf(part: string): string {
  return UNREADY_PARTS.get(part) ?? `${part} would not take a message`;
}

const UNREADY_PARTS: ReadonlyMap<string, string> = new Map([
  ['okta', 'the hook cannot read users from Okta (okta)'],
  ['twilio', 'Twilio would not take a message (twilio)'],
  ['hookKeys', "the keys that check Okta's access tokens cannot be fetched (hookKeys)"],
  ['state', 'the state store cannot be used (state)'],
]);

const WITHOUT_PROVIDER = ' Until then codes go by other channels, or are refused at once.';
const WITHOUT_OKTA = ' Until then codes go by profiles in the cache, or by the channel that Okta requests.';

const BREAKERS: SentencesOf<HookEventOf<'breaker.changed'>['state']> = {
  closed: { tone: 'good', text: 'answers again' },
  open: {
    tone: 'bad',
    text: 'does not answer and is not called for a while',
  },
  'half-open': { tone: 'plain', text: 'is tried again with one call' },
};
