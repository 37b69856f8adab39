import type { About, Health } from '#lib/console/api.js';
import { ExecutionRecord } from '#lib/console/history/execution.js';
import type { LearnedCountry } from '#lib/delivery/learning.js';
import type { LearnOverview } from '#lib/guard/learning-guard.js';
import type { HookEvent } from '#lib/core/events.js';
import { TESTER_PREFIX } from '#lib/okta/inline-hook.js';
import { type ChannelTally, type Execution, type ExecutionOutcome } from '#lib/console/history/answers.js';
import { eventsOf } from '../events/sample-events.js';

/** Made-up data for the console: executions of every outcome, and the health of a gateway. */

export const ABOUT: About = {
  version: '0.1.0',
  org: 'acme.okta.com',
  hook: 'https://id.acme.com/okta/telephony',
  deadlineMs: 2500,
  channels: ['whatsapp', 'sms', 'voice'],
  isShared: false,
  isLearning: false,
  links: [{ title: 'Phones', href: '../phones/' }],
};

const OUTCOMES: readonly ExecutionOutcome[] = [
  'delivered',
  'used',
  'sent',
  'used',
  'undelivered',
  'delivered',
  'failed',
  'pending',
  'used',
  'blocked',
];
const TYPES = ['mfa-verification', 'mfa-verification', 'pre-enrollment', 'password-reset', 'account-unlock'];

/** The execution at this index of a list: outcomes in turn, each half a minute older than the one before. */
export function plantExecution(index: number, now: number, changes: Partial<Execution> = {}): Execution {
  const id = `evt-${String(index).padStart(5, '0')}-b1946ac92492d2347c62`;
  const record = new ExecutionRecord(id);
  for (const [place, event] of stepsOf(index, id, now).entries()) record.add({ event, gateway: 'A', place });
  return { ...record.open(now), ...changes };
}

export function plantExecutions(count: number, now: number): readonly Execution[] {
  return Array.from({ length: count }, (_, index) => plantExecution(index, now));
}

/** The events of the call: for an SMS, first a refused WhatsApp message; then what came after the answer. */
function stepsOf(index: number, id: string, now: number): readonly HookEvent[] {
  const outcome = OUTCOMES[index % OUTCOMES.length] ?? 'sent';
  const isTest = index % 20 === 2;
  const isVoice = index % 7 === 3;
  const channel = isVoice ? 'voice' : index % 3 === 1 ? 'sms' : 'whatsapp';
  const durationMs = 180 + ((index * 37) % 900);
  const profileMs = Math.round(durationMs * 0.25);
  const transactionId = `SM${id.slice(4, 9)}c0ffee0123456789abcdef0123`;
  const request = {
    oktaRequestId: `${isTest ? TESTER_PREFIX : ''}Zq${String(index).padStart(6, '0')}mPZ8KwAAAB7`,
    userId: `00u${(index * 7919 + 1_000_000).toString(36).padStart(17, 'x')}`,
    requestType: `com.okta.user.telephony.${TYPES[index % TYPES.length] ?? ''}`,
    deliveryChannel: isVoice ? 'voice' : 'sms',
    toEnding: String(10 + (index % 90)),
    isPreview: index % 10 === 2,
    testedBy: isTest ? 'Grace Hopper' : undefined,
  } as const;
  const country = index % 4 === 3 ? 'DE' : 'GB';
  const of = eventsOf(id, now - index * 30_000 - 2_000);
  const received = of.received(0, request);
  const repeats = index % 17 === 0 ? [of.repeated(durationMs + 40)] : [];
  if (outcome === 'blocked') {
    const answer = { ...request, country, outcome, code: 'LIMIT_PER_USER' } as const;
    return [
      received,
      of.blocked(4, 'enforce', { country }),
      of.answered(durationMs, 'PENDING', answer),
      ...repeats,
    ];
  }
  const profile: HookEvent = {
    type: 'profile.read',
    at: received.at + profileMs,
    eventId: id,
    oktaRequestId: request.oktaRequestId,
    userId: request.userId,
    source: 'okta',
    reason: undefined,
    durationMs: profileMs - 4,
  };
  const refused = {
    channel: 'whatsapp',
    code: '63015',
    reason: 'The number has not joined the sandbox',
    remedy: 'Let the user send the join word to the sandbox, or use an approved sender.',
    durationMs: Math.round(durationMs * 0.2),
  };
  const landline = {
    code: '30006',
    reason: 'A landline, or a carrier that cannot be reached',
    remedy: 'Let the user enroll a mobile number.',
  };
  const ended = ENDED[outcome] ?? 'accepted';
  const attempt = {
    channel,
    ...(ended === 'refused' ? landline : { transactionId }),
    durationMs: Math.round(durationMs * 0.5),
  };
  const report = (afterMs: number, status: string, over: object = {}): HookEvent =>
    of.status(afterMs, transactionId, status, { channel, ...over });
  const isSecond = channel === 'sms';
  return [
    received,
    profile,
    of.planned(profileMs + 1, isSecond ? ['whatsapp', 'sms'] : [channel]),
    ...(isSecond ? [of.attempt(Math.round(durationMs * 0.46), 'refused', refused)] : []),
    of.attempt(durationMs - 3, ended, attempt),
    of.answered(durationMs, ANSWERS[outcome] ?? 'SUCCESSFUL', {
      ...request,
      country,
      channel,
      provider: 'TWILIO',
      transactionId,
      code: ended === 'refused' ? landline.code : undefined,
      attempts: (isSecond ? [refused, attempt] : [attempt]).map((each) => ({
        provider: 'TWILIO',
        outcome: each === attempt ? ended : ('refused' as const),
        ...each,
      })),
    }),
    ...repeats,
    ...(outcome === 'delivered' || outcome === 'used' ? [report(2600, 'delivered')] : []),
    ...(outcome === 'undelivered'
      ? [
          report(4100, 'undelivered', {
            code: '63024',
            reason: 'The recipient cannot be reached by WhatsApp',
            remedy: 'Nothing to do: the next channel follows where there is one.',
          }),
        ]
      : []),
    ...(outcome === 'used' ? [of.used(21_000, channel, transactionId)] : []),
  ];
}

const ENDED: Partial<Record<ExecutionOutcome, 'refused' | 'unknown'>> = {
  failed: 'refused',
  pending: 'unknown',
};
const ANSWERS: Partial<Record<ExecutionOutcome, 'ERROR' | 'PENDING'>> = {
  failed: 'ERROR',
  pending: 'PENDING',
};

export function plantHealth(now: number, changes: Partial<Health> = {}): Health {
  return {
    at: now,
    inFlight: 3,
    detached: 1,
    closing: false,
    state: 'ok',
    breakers: [
      { host: 'api.twilio.com', state: 'closed', channels: ['whatsapp', 'sms', 'voice'] },
      { host: 'api.line.me', state: 'open', channels: ['line'] },
    ],
    channels: [
      { channel: 'whatsapp', providers: ['TWILIO'], lastSuccess: now - 14_000, rollout: 50 },
      { channel: 'sms', providers: ['TWILIO'], lastSuccess: now - 190_000 },
      { channel: 'voice', providers: ['TWILIO'] },
    ],
    limits: {
      mode: 'enforce',
      rules: [{ rule: 'perUser', points: 10, seconds: 600 }],
      countries: 'only DE, FR, GB',
      blocked: 12,
    },
    rejectedCalls: [{ code: 'CALLER_NOT_PROVEN', count: 3, tone: 'bad' }],
    windowSeconds: 3600,
    deliveries: [
      tally('sms', [340, 12, 4, 3, 290, 9, 251]),
      tally('voice', [41, 2, 0, 1, 33, 5, 30]),
      tally('whatsapp', [812, 61, 0, 8, 755, 22, 701]),
    ],
    ...changes,
  };
}

function tally(channel: string, counts: readonly number[]): ChannelTally {
  const [accepted = 0, refused = 0, blocked = 0, unknown = 0, delivered = 0, undelivered = 0, used = 0] =
    counts;
  return { channel, accepted, refused, blocked, unknown, delivered, undelivered, used };
}

/** One country is blocked, and prefixes of another. */
export function plantLearning(now: number, changes: Partial<LearnOverview> = {}): LearnOverview {
  const country = (name: string, over: Partial<LearnedCountry>): LearnedCountry => ({
    rule: 'learn.country',
    country: name,
    hour: 0,
    day: 0,
    sent: 0,
    used: 0,
    hourLimit: 20,
    dayLimit: 50,
    blockedUntilMs: undefined,
    partBlockedUntilMs: undefined,
    liftedUntilMs: undefined,
    ...over,
  });
  return {
    mode: 'enforce',
    warmUpUntilMs: undefined,
    isBlind: false,
    countries: [
      country('GB', { sent: 812, used: 601, hour: 0.2, day: 0.35, hourLimit: 102, dayLimit: 613 }),
      country('DE', { sent: 64, used: 40, hour: 0.4, partBlockedUntilMs: now + 1_500_000 }),
      country('LK', { sent: 43, used: 0, hour: 1, day: 0.9, blockedUntilMs: now + 3_000_000 }),
      country('none', { sent: 1, used: 1 }),
      country('FR', {}),
    ],
    ...changes,
  };
}
