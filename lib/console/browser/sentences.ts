import type { AttemptReport, BrokenRule, HookEvent } from '../../core/events.js';
import { sayCount, saySpan } from './moments.js';
import { nameChannel, nameRequestType, type Tone } from './words.js';

/** What happened, in a sentence for people who have never seen an event. */

export interface Sentence {
  readonly text: string;
  readonly tone: Tone;
  /** To look it up by: a provider's code, or one of ours. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
  readonly durationMs?: number | undefined;
  /** A provider's id of the message. */
  readonly transactionId?: string | undefined;
}

type EventOf<Type extends HookEvent['type']> = Extract<HookEvent, { type: Type }>;

export function describeEvent(event: HookEvent): Sentence {
  switch (event.type) {
    case 'request.received':
      return describeReceived(event);
    case 'request.repeated':
      return plain('Okta sent the same request again. It got the first answer; no second message went out.');
    case 'profile.read':
      return describeProfile(event);
    case 'channels.planned':
      return describePlan(event);
    case 'guard.blocked':
      return describeBlocked(event);
    case 'attempt.ended':
      return describeAttempt(event, '');
    case 'attempt.late':
      return describeAttempt(event, 'After the answer: ');
    case 'request.answered':
      return describeAnswer(event);
    case 'message.status':
      return describeStatus(event);
    case 'failover.ended':
      return describeFailover(event);
    case 'code.used':
      return {
        tone: 'good',
        text: `The user entered the code that came by ${nameChannel(event.channel)}, ${saySpan(event.sinceSentMs)} after Okta asked for it.`,
      };
    case 'feedback.failed':
      return {
        tone: 'warn',
        text: `${event.provider} could not be told that its code was used; the user is not concerned.`,
        ...whyOf(event),
        transactionId: event.transactionId,
      };
    case 'extension.failed':
      return {
        tone: 'warn',
        text:
          event.extension === 'rollout'
            ? 'The rollout could not be read; the percentages that it last gave stay in force.'
            : `The gateway's own ${event.extension} failed; the hook went on without it.`,
        reason: event.reason,
        remedy: event.remedy,
      };
    case 'inbound.received':
      return describeInbound(event);
    case 'breaker.changed':
      return BREAKERS[event.state](event.host);
    case 'configuration.warned':
      return {
        tone: 'warn',
        text: `The option ${event.option} works, but not as well as it could: ${event.where.join(', ')}.`,
        remedy: event.remedy,
      };
    case 'caller.rejected':
      return {
        tone: 'warn',
        text: `Callers of the ${event.hook} hook could not prove to be Okta (${sayCount(event.count)}).`,
        reason: event.reason,
        remedy: "Compare the hook's authentication in Okta with the gateway's.",
      };
    case 'request.rejected':
      return {
        tone: 'bad',
        text: `A request was turned down with status ${event.status}${event.fields.length === 0 ? '' : `, for ${event.fields.join(', ')}`}.`,
        ...whyOf(event),
      };
    case 'clock.skewed':
      return {
        tone: 'warn',
        text: `Okta's clock and the gateway's differ by ${saySpan(Math.abs(event.skewMs))}.`,
        remedy: "Check the time synchronisation of the gateway's machine.",
      };
    case 'okta.paused':
      return {
        tone: 'warn',
        text: "Okta's rate limit is nearly used up, so users are not looked up for a while. Codes still go out.",
        code: event.reason,
      };
    case 'state.lost':
      return {
        tone: 'bad',
        text: 'The state that gateways share cannot be reached. Codes go out; repeats and limits count within this process.',
        ...whyOf(event),
      };
    case 'state.recovered':
      return {
        tone: 'good',
        text: `The state that gateways share is back, after ${saySpan(event.lostMs)}.`,
        reason: event.reason,
      };
    case 'state.warned':
      return {
        tone: 'warn',
        text: 'The state that gateways share works, but not as well as it could.',
        ...whyOf(event),
      };
    case 'callbacks.missing':
      return {
        tone: 'warn',
        text: `${sayCount(event.count)} messages in a row went out without a word from Twilio on their delivery.`,
        remedy: event.remedy,
      };
    case 'uses.skipped':
      return plain(`Okta told of ${sayCount(event.count)} more used codes than could be followed.`);
    case 'message.unknown':
      return {
        tone: 'warn',
        text: `${sayCount(event.count)} delivery reports were about messages that this gateway does not know.`,
        remedy: 'Several gateways need one shared state; until then run one.',
        transactionId: event.transactionId,
      };
    default: {
      // A newer gateway on the same state may tell of more.
      const unknown: { readonly type: string } = event;
      return plain(`Something that this console does not know yet: ${unknown.type}.`);
    }
  }
}

function plain(text: string): Sentence {
  return { text, tone: 'plain' };
}

interface Why {
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
}

function whyOf({ code, reason, remedy }: Why): Why {
  return { code, reason, remedy };
}

function describeReceived(event: EventOf<'request.received'>): Sentence {
  const asked = event.deliveryChannel === 'voice' ? 'by a voice call' : 'by SMS';
  const origin = event.isPreview ? ' It is a preview, not a sign-in.' : '';
  return plain(
    `Okta asked for a code ${asked} to the number ending in ${lastDigits(event.to)}: ${nameRequestType(event.requestType)}.${origin}`,
  );
}

const PROFILES: Readonly<Record<EventOf<'profile.read'>['source'], Sentence>> = {
  okta: plain("The user's profile was read from Okta."),
  cache: plain("The user's profile was known from a moment ago."),
  stale: {
    tone: 'warn',
    text: "Okta could not be asked for the user's profile in time; an older one was used.",
  },
  none: {
    tone: 'warn',
    text: "The user's profile could not be read, so the code went on by the channel that Okta asked for.",
  },
};

const PROFILE_REMEDIES: ReadonlyMap<string, string> = new Map([
  [
    'OKTA_UNAUTHORIZED',
    "Okta does not accept the gateway's credentials: check the API token or the service app's key.",
  ],
  [
    'OKTA_FORBIDDEN',
    "The gateway's credentials may not read users: grant okta.users.read, or an admin role that may.",
  ],
  ['PAUSED', "Okta's rate limit was nearly used up; it passes by itself."],
  ['BREAKER_OPEN', 'Okta had not answered lately, so it was not asked; it is tried again within 30 s.'],
]);

function describeProfile(event: EventOf<'profile.read'>): Sentence {
  const code = event.reason;
  return {
    ...PROFILES[event.source],
    code,
    remedy: code === undefined ? undefined : PROFILE_REMEDIES.get(code),
    durationMs: event.durationMs,
  };
}

const PASSED_OVER: ReadonlyMap<string, string> = new Map([
  ['ROLLED_BACK', 'the rollout has it off for this user'],
  ['STOPPED', 'the user said STOP there'],
  ['OPTED_OUT', 'the provider says that the user opted out'],
  ['NOT_REACHED', 'nobody was reached there lately'],
]);

function describePlan(event: EventOf<'channels.planned'>): Sentence {
  const { channels, passedOver } = event;
  const left = passedOver.map((entry) => {
    const [channel = '', why = ''] = entry.split(':', 2);
    return `${nameChannel(channel)} was left out, for ${PASSED_OVER.get(why) ?? why}`;
  });
  const plan =
    channels.length === 0
      ? 'No channel can be used for this code.'
      : `The plan: ${channels.map(nameChannel).join(', then ')}.`;
  return {
    tone: channels.length === 0 ? 'bad' : 'plain',
    text: left.length === 0 ? plain(plan).text : `${plan} ${left.join('; ')}.`,
  };
}

const RULES: Readonly<Record<BrokenRule['rule'], string>> = {
  perUser: "the user's limit",
  perNumber: "the number's limit",
  perIp: "the address's limit",
  country: 'the rule of countries',
  numberType: 'the rule of numbers that cost more',
};

function describeBlocked(event: EventOf<'guard.blocked'>): Sentence {
  const rules = new Intl.ListFormat('en').format(
    event.rules.map(({ rule, points, seconds }) =>
      points === undefined || seconds === undefined
        ? RULES[rule]
        : `${RULES[rule]} (${sayCount(points)} codes in ${saySpan(seconds * 1000)})`,
    ),
  );
  if (event.isOtherNumber === true) {
    return {
      tone: 'warn',
      text:
        event.mode === 'enforce'
          ? `The guard does not let WhatsApp go to the profile's number, by ${rules}: it goes to the enrolled one.`
          : `The guard would not let WhatsApp go to the profile's number, by ${rules}. It only records, so it did.`,
      code: event.code,
      remedy: event.remedy,
    };
  }
  return {
    tone: 'warn',
    text:
      event.mode === 'enforce'
        ? `The guard held the code back, by ${rules}. Nothing was sent.`
        : `The guard would have held the code back, by ${rules}. It only records, so the code went out.`,
    code: event.code,
    remedy: event.remedy,
  };
}

function describeAttempt(report: AttemptReport, when: string): Sentence {
  const channel = nameChannel(report.channel);
  const texts = {
    accepted: `${when}${report.provider} accepted the message for ${channel}.`,
    refused: `${when}${channel} was refused: nothing went out by it.`,
    unknown: `${when}${channel} may have gone out: no readable answer came, so nothing else was tried.`,
  } as const;
  const tones = { accepted: 'good', refused: 'bad', unknown: 'warn' } as const;
  return {
    tone: tones[report.outcome],
    text: texts[report.outcome],
    ...whyOf(report),
    durationMs: report.durationMs,
    transactionId: report.transactionId,
  };
}

function describeAnswer(event: EventOf<'request.answered'>): Sentence {
  const by = event.channel === undefined ? '' : ` by ${nameChannel(event.channel)}`;
  const hungUp = event.hasHungUp ? ' Okta had hung up before.' : '';
  const again = event.isRepeat ? ', as the first time' : '';
  const left = `with ${saySpan(event.remainingMs)} to spare`;
  const texts = {
    SUCCESSFUL: `Okta was told that the code was sent${by}${again}, ${left}.`,
    PENDING: `Okta was told that the code is on its way, unconfirmed${again}, so that it sends none itself.`,
    ERROR: `Okta was told that nothing was sent${again}. It may send the code itself.`,
  } as const;
  const tones = { SUCCESSFUL: 'good', PENDING: 'warn', ERROR: 'bad' } as const;
  return {
    tone: tones[event.status],
    text: texts[event.status] + hungUp,
    ...whyOf(event),
  };
}

/** What Twilio's words mean to people. */
const STATUSES: ReadonlyMap<string, Pick<Sentence, 'text' | 'tone'>> = new Map([
  ['queued', { tone: 'plain', text: 'is waiting at the provider' }],
  ['sending', { tone: 'plain', text: 'is being handed to the carrier' }],
  ['sent', { tone: 'plain', text: 'was handed to the carrier' }],
  ['delivered', { tone: 'good', text: 'was delivered' }],
  ['read', { tone: 'good', text: 'was read' }],
  ['undelivered', { tone: 'bad', text: 'did not arrive' }],
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

function describeStatus(event: EventOf<'message.status'>): Sentence {
  const known = STATUSES.get(event.status);
  const subject = event.channel === 'voice' ? 'The call' : `The message by ${nameChannel(event.channel)}`;
  return {
    tone: known?.tone ?? 'plain',
    text: `${subject} ${known?.text ?? `is told to be ${event.status}`}.`,
    ...whyOf(event),
    transactionId: event.transactionId,
  };
}

const DROPPED: ReadonlyMap<string, string> = new Map([
  ['OVERTAKEN', 'a newer code of the same user took its place'],
  ['DELIVERED', 'it did arrive after all'],
  ['CODE_EXPIRED', 'the code had expired by then'],
  ['STATE_LOST', 'what was known of it was lost'],
]);

function describeFailover(event: EventOf<'failover.ended'>): Sentence {
  const from = nameChannel(event.fromChannel);
  const why = { code: event.why, reason: event.whyReason, remedy: event.whyRemedy };
  const next = event.channel === undefined ? 'the next channel' : nameChannel(event.channel);
  const { code, reason, remedy, transactionId } = event;
  switch (event.outcome) {
    case 'accepted':
      return {
        tone: 'good',
        text: `${from} did not arrive, so the code was sent again by ${next}.`,
        ...why,
        transactionId,
      };
    case 'unknown':
      return {
        tone: 'warn',
        text: `${from} did not arrive; the code may have been sent again by ${next}.`,
        code: code ?? event.why,
        reason: reason ?? event.whyReason,
        remedy: remedy ?? event.whyRemedy,
      };
    case 'refused':
      return {
        tone: 'bad',
        text: `${from} did not arrive (${event.why}), and ${next} could not send the code either.`,
        code,
        reason,
        remedy: remedy ?? event.whyRemedy,
      };
    case 'dropped': {
      const isFine = code === 'OVERTAKEN' || code === 'DELIVERED';
      return {
        tone: isFine ? 'plain' : 'warn',
        text: `${from} was given up on (${event.why}), and nothing more was sent: ${DROPPED.get(code ?? '') ?? reason ?? code ?? 'no channel was left'}.`,
        code,
        remedy: remedy ?? event.whyRemedy,
      };
    }
  }
}

function describeInbound(event: EventOf<'inbound.received'>): Sentence {
  const who =
    event.from === undefined
      ? 'Somebody whose number WhatsApp hides'
      : `The owner of the number ending in ${lastDigits(event.from)}`;
  const where = nameChannel(event.channel);
  if (event.keyword === 'stop') return plain(`${who} said STOP by ${where}.`);
  if (event.keyword === 'start') return plain(`${who} said START by ${where}.`);
  return plain(`${who} wrote by ${where}.`);
}

const BREAKERS: Readonly<Record<EventOf<'breaker.changed'>['state'], (host: string) => Sentence>> = {
  closed: (host) => ({ tone: 'good', text: `${host} answers again.` }),
  open: (host) => ({ tone: 'bad', text: `${host} does not answer; for a moment it is not called.` }),
  'half-open': (host) => plain(`${host} is tried again with one call.`),
};

/** Of a masked number: `…23`, `•••23` or `23`. */
export function lastDigits(masked: string): string {
  return /\d+$/.exec(masked)?.[0] ?? masked;
}
