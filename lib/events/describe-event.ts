import type { Extension, HookEvent, HookEventOf, HookEventType } from '../core/events.js';
import {
  describeAnswer,
  describeAttempt,
  describeDecision,
  describeFallback,
  describeProviders,
  describeResend,
  describeSkipped,
  FREE_LIMIT,
  PROFILE_REMEDIES,
} from './describe-answer.js';
import { describeFailover, describeInbound, describeReport } from './describe-message.js';
import { WARNINGS } from './describe-warning.js';
import {
  bad,
  by,
  describe,
  good,
  nameChannel,
  nameRequestType,
  plain,
  warn,
  type EventDescription,
} from './description.js';

/**
 * The one table of sentences: the log writes them as messages, the console shows them as steps. Both Node and browsers load this
 * file, so it imports nothing of either.
 *
 * A sentence says what happened and what goes on; `remedy` says what to do. It names channels, providers, hosts, options and
 * rules. Times, counts and ids are fields of the event, so that log lines with the same message can be counted.
 */

export function describeEvent(event: HookEvent): EventDescription {
  // The function for a type takes events of that type, which the compiler cannot follow. A newer gateway on the same state may
  // send types, and words in known fields, that this one does not know.
  const describeIt = TABLE[event.type] as (event: HookEvent) => EventDescription | undefined;
  const description = Object.hasOwn(TABLE, event.type) ? describeIt(event) : undefined;
  return description ?? plain(`This version does not know the event ${event.type}.`);
}

const TABLE: {
  readonly [Type in HookEventType]: (event: HookEventOf<Type>) => EventDescription | undefined;
} = {
  'configuration.warned': (event) => {
    const { text, remedy } = WARNINGS[event.option];
    return warn(`${event.where.join(', ')}: ${text}.`, { remedy: event.remedy ?? remedy });
  },

  'request.received': ({ deliveryChannel, toEnding, requestType, isPreview, testedBy }) =>
    plain(
      `Okta requested a code ${by(deliveryChannel)} for the number that ends in ${toEnding}: ${nameRequestType(requestType)}.${isPreview ? ' It is a preview, not a sign-in.' : ''}${testedBy === undefined ? '' : ` ${testedBy} sent it from the console.`}`,
    ),
  'request.rejected': ({ status, code, reason, channel }) =>
    channel !== undefined
      ? bad(`A callback to the channel ${channel} was rejected: its sender is not proven.`, {
          code,
          remedy: `Compare the secret of the callbacks of ${channel} with what the provider has. Others may call this URL, too: their requests do nothing.`,
        })
      : code === 'BAD_SIGNATURE'
        ? bad("A status callback or an inbound message was rejected: it does not bear Twilio's signature.", {
            code,
            reason,
            remedy:
              "Compare publicUrl and credentials.twilio.authToken with what Twilio has (the account's own auth token, not an API key's secret).",
          })
        : bad(`A request was rejected with status ${status} (${code}).`, {
            code,
            reason,
            remedy: REJECTION_REMEDIES.get(code),
          }),
  'caller.rejected': ({ hook, schemes, reason, count }) =>
    warn(
      count === 1
        ? `A call to the ${hook} hook was rejected: the caller could not prove that it is Okta.`
        : `Calls to the ${hook} hook were rejected in the last minute: the callers could not prove that they are Okta.`,
      {
        code: reason,
        remedy: remedyForCaller(hook, schemes),
      },
    ),
  'probe.rejected': ({ status, code }) =>
    plain(`A test call of the command line was answered with status ${status} (${code}).`),
  'clock.skewed': () =>
    warn("Okta's clock and this machine's clock differ.", {
      remedy: 'Check the time synchronisation of this machine.',
    }),

  'profile.read': ({ source, reason, httpStatus, durationMs }) => {
    const { tone, text } = PROFILES.get(source) ?? plain(`The user's profile was read: ${source}.`);
    const status = httpStatus === undefined ? '' : ` Okta answered ${httpStatus}.`;
    return describe(tone, text + status, {
      code: reason,
      remedy: PROFILE_REMEDIES.get(reason ?? ''),
      durationMs,
    });
  },
  'okta.paused': ({ reason }) =>
    warn(`${OKTA_PAUSES[reason]}: users are not looked up for a while. Codes still go out.`, {
      code: reason,
      remedy: FREE_LIMIT,
    }),
  'okta.resumed': ({ reason, pausedMs }) =>
    good("The pause for Okta's rate limit is over: users are looked up again.", {
      code: reason,
      durationMs: pausedMs,
    }),
  'guard.blocked': describeGuard,
  'guard.noticed': describeGuard,
  'guard.blind': ({ remedy }) =>
    warn(
      'The guard that learns is blind: codes go out, and Okta reports no use. It blocks nothing until a use is reported.',
      { remedy },
    ),
  'guard.recovered': ({ blindMs }) =>
    good('The guard that learns sees used codes again. It counts from zero.', { durationMs: blindMs }),
  'guard.lifted': ({ country, liftedBy }) =>
    plain(
      `${liftedBy ?? 'An administrator'} lifted the blocks of guard.learn for an hour, for ${country === 'none' ? 'numbers without a country' : country}.`,
    ),
  'channels.planned': (event) => {
    const { channels, skipped } = event;
    const omitted = skipped.map(describeSkipped).join('') + describeResend(event, channels[0], 'goes');
    const why = describeDecision(event);
    return channels.length === 0
      ? bad(`No channel can be used for this code${why}.${omitted}`)
      : plain(
          `The plan: ${channels.map((channel) => nameChannel(channel) + describeProviders(channel, event)).join(', then ')}${why}.${omitted}`,
        );
  },
  'attempt.ended': (event) => describeAttempt(event, ''),
  'attempt.settled': (event) => describeAttempt(event, 'After the deadline: '),
  'request.answered': describeAnswer,

  'message.reported': describeReport,
  'callbacks.missing': (event) =>
    warn(
      'No status callbacks come from Twilio. The hook polls WhatsApp messages instead, as many as there is room for; it does not see failures of other messages.',
      event,
    ),
  'callback.unmatched': ({ transactionId }) =>
    warn('A status callback is about a message that this process did not send, or no longer knows.', {
      remedy:
        'Give all gateways one shared state: redisState of okta-telephony-hook/redis. Until then run one gateway, or route callbacks to the gateway that sent the message.',
      transactionId,
    }),
  'failover.ended': describeFailover,
  'inbound.received': describeInbound,

  'code.used': ({ channel, sinceSentMs, transactionId }) =>
    good(`The user entered the code that was sent ${by(channel)}.`, {
      durationMs: sinceSentMs,
      transactionId,
    }),
  'feedback.failed': (event) =>
    warn(
      `${event.provider} did not take the report that its code was used. The user is not affected.`,
      event,
    ),
  'okta.fell-back': describeFallback,
  'uses.skipped': () =>
    warn(
      'Okta reported more used codes than the hook can follow. The others are not counted, and no provider gets a report of them.',
    ),

  'extension.failed': (event) =>
    warn(`${event.extension} failed: ${FAILURES[event.extension] ?? 'the hook goes on without it'}.`, event),
  'readiness.failed': (event) =>
    bad(`ready() found that ${FAULTS.get(event.part) ?? `${event.part} would not take a message`}.`, event),
  'state.lost': (event) =>
    bad(
      'The shared state store cannot be reached. Codes still go out; until it is back, each process counts repeats and limits on its own.',
      event,
    ),
  'state.recovered': (event) => good('The shared state store is back.', event),
  'state.warned': (event) =>
    warn(
      STATE_WARNINGS.get(event.reason) ?? 'The shared state store works, but not as well as it could.',
      event,
    ),
  'breaker.changed': ({ host, state, channels }) => {
    const isOkta = channels.length === 0;
    // A channel without a host has its own name in its place.
    const name =
      host.replace(/(?:\.(?:default|[A-Z]{2}))?(?:\[\d+\])?$/, '') === channels[0]
        ? nameChannel(host)
        : `${host} (${isOkta ? 'Okta' : channels.map(nameChannel).join(', ')})`;
    switch (state) {
      case 'closed':
        return good(`${name} answers again.`);
      case 'half-open':
        return plain(`${name} is tried again with one call.`);
      case 'open':
        return bad(
          `${name} does not answer and is not called for a while. Until then codes go by ${isOkta ? 'profiles in the cache, or by the channel that Okta requests' : 'other channels, or are refused at once'}.`,
          {
            remedy: `Look at ${isOkta ? 'status.okta.com' : "the provider's status page"}, and at the way there: egress, DNS, TLS. The hook tries again by itself.`,
          },
        );
    }
  },
};

/** Every type that an event may have. */
export const EVENT_TYPES: readonly string[] = Object.keys(TABLE);

/** The warnings about a shared state that harm more than they slow down, by their reason. */
const STATE_WARNINGS: ReadonlyMap<string, string> = new Map([
  ['OTHER_KEYS', 'Gateways with different encryption keys share nothing: no repeats, no limits, no STOP.'],
  ['WRITES_DROPPED', 'Writes that waited for the shared state store were dropped.'],
]);

/** What must be the same at both sides, by the kind of authentication. */
const PROOFS = {
  header: "the header's name and the secret",
  basic: 'the user name and the password',
  oauth2: 'the issuer, the audience, the client and the scope of its access tokens',
} as const;

function remedyForCaller(
  hook: HookEventOf<'caller.rejected'>['hook'],
  schemes: HookEventOf<'caller.rejected'>['schemes'],
): string {
  const compare = `Compare with the ${hook} hook in Okta: ${[...new Set(schemes)].map((scheme) => PROOFS[scheme]).join('; or ')}.`;
  if (!schemes.includes('header')) return compare;
  const command = hook === 'event' ? 'setup event-hook' : 'setup hook';
  return `${compare} Okta does not show its secret: okta-telephony-hook ${command} --rotate gives it the gateway's.`;
}

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
  ['REQUEST_TIMEOUT', 'Check the network from Okta, and whether the process is busy.'],
  ['BODY_ALREADY_READ', 'Mount the hook ahead of what reads bodies.'],
  [
    'PROOF_UNAVAILABLE',
    "See that issuer (or jwksUri) in credentials.hook is the custom authorization server's, and that the gateway may call it.",
  ],
  [
    'BUSY',
    'Nothing, if it was a peak: the provider sends it again. Else see who posts large bodies to publicUrl + /callbacks.',
  ],
  ['CLOSING', 'Nothing: the gateway was shutting down.'],
  ['INTERNAL_ERROR', 'Please report the reason, unless a channel of your own failed.'],
]);

type ProfileSource = HookEventOf<'profile.read'>['source'];

const PROFILES: ReadonlyMap<string, EventDescription> = new Map<ProfileSource, EventDescription>([
  ['okta', plain("The user's profile was read from Okta.")],
  ['cache', plain("The user's profile was still in the cache.")],
  ['stale', warn("The user's profile was not read from Okta, so the hook used an older one.")],
  ['none', warn("The user's profile was not read, so the code goes by the channel that Okta requested.")],
]);

const RULES: Readonly<Record<HookEventOf<'guard.blocked'>['rule'], string>> = {
  perUser: 'over the limit per user',
  perNumber: 'over the limit per number',
  perIp: 'over the limit per IP address',
  country: 'the country is not allowed',
  numberType: 'the type of the number is not allowed',
  assess: 'guard.assess decided so',
  'learn.country': 'too few codes to the country are used',
  'learn.prefix': 'too few codes to numbers with the same beginning are used',
  'learn.ip': 'the IP address requested codes for too many countries, and none was used',
};

function describeGuard(event: HookEventOf<'guard.blocked' | 'guard.noticed'>): EventDescription {
  const { allowedChannels = [], blockedChannels } = event;
  const isOther = event.isOtherNumber === true;
  const part = blockedChannels?.map(nameChannel).join(' and ');
  const what = isOther
    ? "the number in the user's profile for WhatsApp"
    : allowedChannels.length > 0
      ? `${part} for the code`
      : 'the code';
  const broken = event.rules.map(({ rule, points, seconds }) => {
    // The limits of guard.learn change all the time: they are fields.
    if (rule.startsWith('learn.')) return RULES[rule];
    const detail = points === undefined || seconds === undefined ? event.reason : `${points} in ${seconds} s`;
    return detail === undefined ? RULES[rule] : `${RULES[rule]} (${detail})`;
  });
  const left = allowedChannels.map(nameChannel).join(' and ');
  const blockEffect = isOther
    ? 'The code goes to the enrolled number'
    : left === ''
      ? 'Nothing was sent'
      : `The hook still tries ${left}`;
  const why =
    blockedChannels === undefined ? "guard.mode is 'record'" : 'guard.learn records only, or still warms up';
  const [did, effect] =
    event.type === 'guard.blocked'
      ? ['blocked', blockEffect]
      : ['would have blocked', `It is ${isOther ? 'used' : 'sent'}, because ${why}`];
  return warn(`The guard ${did} ${what}: ${broken.join(', and ')}. ${effect}.`, event);
}

const FAILURES: Partial<Record<Extension, string>> = {
  rollout: 'the percentages that it last gave stay in force',
  'guard.assess': 'the code goes out, unless another rule blocks it',
  channel: 'it may be unknown whether its codes went out',
  authorize: 'the console lets nobody in',
};

/** What is wrong, for `ready() found that …`. Other parts are channels. */
const FAULTS: ReadonlyMap<string, string> = new Map([
  ['hook', 'the hook is closed'],
  ['okta', 'the hook cannot read users from Okta (okta)'],
  ['twilio', 'Twilio would not take a message (twilio)'],
  ['hookKeys', "the keys that check Okta's access tokens cannot be fetched (hookKeys)"],
  ['state', 'the state store cannot be used (state)'],
]);
