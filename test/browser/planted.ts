import type { CodeOutcome, HookEvent } from '#lib/core/events.js';
import type { Execution, ExecutionOutcome, ExecutionSummary } from '#lib/core/history.js';
import type { About, Health } from '#lib/console/api.js';

/** Made-up data for the console: executions of every outcome, and the health of a gateway. */

export const ABOUT: About = {
  version: '0.1.0',
  org: 'acme.okta.com',
  hook: 'https://id.acme.com/okta/telephony',
  deadlineMs: 2500,
  channels: ['whatsapp', 'sms', 'voice'],
  isShared: false,
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
const ATTEMPTS: Partial<Record<ExecutionOutcome, 'refused' | 'unknown'>> = {
  failed: 'refused',
  pending: 'unknown',
};
const ANSWERS: Partial<Record<ExecutionOutcome, 'ERROR' | 'PENDING'>> = {
  failed: 'ERROR',
  pending: 'PENDING',
  blocked: 'PENDING',
};
const CODE_OUTCOMES: Partial<Record<ExecutionOutcome, CodeOutcome>> = {
  failed: 'refused',
  pending: 'unknown',
  blocked: 'blocked',
};
const CODES: Partial<Record<ExecutionOutcome, string>> = {
  undelivered: '63024',
  failed: '30006',
  blocked: 'LIMIT_PER_USER',
};
const TYPES = ['mfa-verification', 'mfa-verification', 'pre-enrollment', 'password-reset', 'account-unlock'];

/** The execution at this index of a list: outcomes in turn, each half a minute older than the one before. */
export function plantExecution(index: number, now: number, changes: Partial<Execution> = {}): Execution {
  const outcome = OUTCOMES[index % OUTCOMES.length] ?? 'sent';
  const startedAt = now - index * 30_000 - 2_000;
  const id = `evt-${String(index).padStart(5, '0')}-b1946ac92492d2347c62`;
  const oktaRequestId = `Zq${String(index).padStart(6, '0')}mPZ8KwAAAB7`;
  const isVoice = index % 7 === 3;
  const channel = isVoice ? 'voice' : index % 3 === 1 ? 'sms' : 'whatsapp';
  const userId = `00u${(index * 7919 + 1_000_000).toString(36).padStart(17, 'x')}`;
  const requestType = `com.okta.user.telephony.${TYPES[index % TYPES.length] ?? ''}`;
  const toEnding = String(10 + (index % 90));
  const summary = {
    id,
    startedAt,
    oktaRequestId,
    userId,
    requestType,
    deliveryChannel: isVoice ? ('voice' as const) : ('sms' as const),
    toEnding,
    isPreview: index % 10 === 2,
    isTest: index % 20 === 2,
    testedBy: index % 20 === 2 ? 'Grace Hopper' : undefined,
    outcome,
    way: wayTo(channel, outcome),
    channel: outcome === 'blocked' ? undefined : channel,
    provider: 'TWILIO',
    code: CODES[outcome],
    durationMs: 180 + ((index * 37) % 900),
    repeats: index % 17 === 0 ? 1 : 0,
  };
  return { ...summary, steps: stepsOf(summary), omittedSteps: 0, ...changes };
}

/** An SMS follows a refused WhatsApp. */
function wayTo(channel: string, outcome: ExecutionOutcome): ExecutionSummary['way'] {
  if (outcome === 'blocked') return [];
  const last = { channel, hasFailed: outcome === 'failed' || outcome === 'undelivered' };
  return channel === 'sms' ? [{ channel: 'whatsapp', hasFailed: true }, last] : [last];
}

export function plantExecutions(count: number, now: number): readonly Execution[] {
  return Array.from({ length: count }, (_, index) => plantExecution(index, now));
}

/** The events of the call: for an SMS, first a refused WhatsApp message; then what came after the answer. */
function stepsOf(summary: ExecutionSummary): readonly HookEvent[] {
  const { startedAt, id, oktaRequestId, userId, requestType, toEnding, outcome } = summary;
  const ofCall = { eventId: id, oktaRequestId, userId };
  const durationMs = summary.durationMs ?? 0;
  const deliveryChannel = summary.deliveryChannel ?? 'sms';
  const channel = summary.channel ?? 'sms';
  const transactionId = `SM${id.slice(4, 9)}c0ffee0123456789abcdef0123`;
  const request = { requestType, deliveryChannel, userId, toEnding, isPreview: summary.isPreview };
  const attempt = {
    channel,
    provider: 'TWILIO',
    outcome: ATTEMPTS[outcome] ?? ('accepted' as const),
    code: outcome === 'failed' ? '30006' : undefined,
    reason: outcome === 'failed' ? 'A landline, or a carrier that cannot be reached' : undefined,
    remedy: outcome === 'failed' ? 'Let the user enroll a mobile number.' : undefined,
    transactionId: outcome === 'failed' ? undefined : transactionId,
    durationMs: Math.round(durationMs * 0.5),
  };
  const refused = {
    channel: 'whatsapp',
    provider: 'TWILIO',
    outcome: 'refused' as const,
    code: '63015',
    reason: 'The number has not joined the sandbox',
    remedy: 'Let the user send the join word to the sandbox, or use an approved sender.',
    durationMs: Math.round(durationMs * 0.2),
  };
  const isSecond = channel === 'sms';
  const attempts = isSecond ? [refused, attempt] : [attempt];
  const answered: HookEvent = {
    type: 'request.answered',
    at: startedAt + durationMs,
    ...ofCall,
    ...request,
    outcome: CODE_OUTCOMES[outcome] ?? 'accepted',
    status: ANSWERS[outcome] ?? 'SUCCESSFUL',
    code: outcome === 'undelivered' ? undefined : summary.code,
    reason: undefined,
    remedy: undefined,
    country: 'GB',
    isRepeat: false,
    hasHungUp: false,
    channel: summary.channel,
    provider: summary.provider,
    transactionId,
    attempts,
    skipped: [],
    profileSource: 'okta',
    profileReason: undefined,
    profileMs: 80,
    durationMs,
    remainingMs: 2500 - durationMs,
  };
  const received: HookEvent = { type: 'request.received', at: startedAt + 2, ...ofCall, ...request };
  if (outcome === 'blocked') {
    const rule = { rule: 'perUser', code: 'LIMIT_PER_USER', points: 10, seconds: 600 } as const;
    const remedy = 'Raise guard.perUser, where one user may ask for more codes.';
    return [
      received,
      {
        type: 'guard.blocked',
        at: startedAt + 4,
        country: 'GB',
        rules: [{ ...rule, remedy }],
        ...rule,
        remedy,
        ...ofCall,
        requestType,
        userId,
        toEnding,
        isPreview: false,
      },
      answered,
    ];
  }
  const profileMs = Math.round(durationMs * 0.25);
  const steps: HookEvent[] = [
    received,
    {
      type: 'profile.read',
      at: startedAt + profileMs,
      source: 'okta',
      reason: undefined,
      durationMs: profileMs - 4,
      ...ofCall,
    },
    {
      type: 'channels.planned',
      at: startedAt + profileMs + 1,
      channels: isSecond ? ['whatsapp', 'sms'] : [channel],
      skipped: [],
      ...ofCall,
    },
    ...(isSecond
      ? [
          {
            type: 'attempt.ended' as const,
            at: startedAt + Math.round(durationMs * 0.46),
            ...refused,
            ...ofCall,
            userId,
            toEnding,
          },
        ]
      : []),
    { type: 'attempt.ended', at: startedAt + durationMs - 3, ...attempt, ...ofCall, userId, toEnding },
    answered,
  ];
  if (outcome === 'delivered' || outcome === 'used') {
    steps.push({
      type: 'message.reported',
      at: startedAt + 2600,
      channel,
      transactionId,
      report: 'delivered',
      status: 'delivered',
      code: undefined,
      reason: undefined,
    });
  }
  if (outcome === 'undelivered') {
    steps.push({
      type: 'message.reported',
      at: startedAt + 4100,
      channel,
      transactionId,
      report: 'failed',
      status: 'undelivered',
      code: '63024',
      reason: 'The recipient cannot be reached by WhatsApp',
      remedy: 'Nothing to do: the next channel follows where there is one.',
    });
  }
  if (outcome === 'used' && userId !== undefined) {
    steps.push({
      type: 'code.used',
      at: startedAt + 21_000,
      ...ofCall,
      requestType,
      deliveryChannel,
      userId,
      channel,
      provider: 'TWILIO',
      country: 'GB',
      transactionId,
      sinceSentMs: 21_000,
    });
  }
  return steps;
}

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
      {
        channel: 'sms',
        accepted: 340,
        refused: 12,
        blocked: 4,
        unknown: 3,
        delivered: 290,
        undelivered: 9,
        used: 251,
      },
      {
        channel: 'voice',
        accepted: 41,
        refused: 2,
        blocked: 0,
        unknown: 1,
        delivered: 33,
        undelivered: 5,
        used: 30,
      },
      {
        channel: 'whatsapp',
        accepted: 812,
        refused: 61,
        blocked: 0,
        unknown: 8,
        delivered: 755,
        undelivered: 22,
        used: 701,
      },
    ],
    ...changes,
  };
}
