import { expect } from 'chai';
import type sinon from 'sinon';
import { EXTENSION_REMEDIES } from '#lib/core/event-stream.js';
import type { SkippedChannel } from '#lib/core/events.js';
import { NAME_OR_CREATE } from '#lib/events/describe-answer.js';
import { REFUSALS } from '#lib/okta/hook-answer.js';
import type { HookCall, RecordedRequest } from '#lib/testing/index.js';
import { Closers } from '#harness/closers.js';
import {
  ANA,
  BOB,
  HOOK_SECRET,
  startScene,
  usualCredentials,
  type HookOptions,
  type LogLine,
  type Scene,
  type SceneOptions,
} from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { callApi, eventHook } from '../testing/okta/client.js';

/** An event without its time and its `undefined` fields. */
type PlainEvent = Readonly<Record<string, unknown>> & { readonly type: string };

/** An event, and the log line that it leads to, if any. Its `remedy` is the event's, if the event has one. */
type Expected = readonly [event: PlainEvent, level?: LogLine['level'], message?: string, remedy?: string];

type Parts = Parameters<Extract<SceneOptions['hook'], (...args: never) => unknown>>[0];

interface Story {
  readonly title: string;
  readonly hook?: HookOptions | ((parts: Parts) => HookOptions);
  /** @param now - the time by the hook's clock, which stands still. */
  readonly play: (scene: Scene, now: number) => Promise<unknown>;
  readonly expected: readonly Expected[];
}

/** The default deadline less the reserve for the answer. Time is stopped, so no part of it is used up. */
const BUDGET_MS = 1980;

const IDS = { eventId: 'event-1', oktaRequestId: 'request-1' } as const;
const REQUEST = {
  ...IDS,
  requestType: 'com.okta.user.telephony.mfa-verification',
  deliveryChannel: 'sms',
  userId: ANA.id,
  toEnding: '23',
  isPreview: false,
} as const;
const OF_ANA = { userId: ANA.id, toEnding: '23' } as const;
const OF_BOB = { userId: BOB.id, toEnding: '42' } as const;
const TO_BOB = { userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone } as const;
const OPTED_OUT = {
  code: '21610',
  reason: 'The recipient has opted out of messages from this sender',
  remedy: 'They can end it by sending START to the sender.',
} as const;
const NO_SENDER = {
  code: '63007',
  reason: 'The account has no such WhatsApp sender',
  remedy: 'Check the WhatsApp sender in the Twilio Console and its account at Meta.',
} as const;
const NOT_REGISTERED = {
  code: '30034',
  reason: 'The sender is not registered for the United States',
  remedy: 'Register the sender for the country; until then, use another one in senders.sms.',
} as const;
const NO_ANSWER = { reason: 'No complete answer from Twilio (ECONNRESET)' } as const;
const COUNTRY_REMEDY = 'If you have users there, take GB out of guard.countries.deny.';

const SKIPPED: readonly SkippedChannel[] = [
  { channel: 'line', reason: 'ROLLED_BACK' },
  { channel: 'whatsapp', reason: 'STOPPED' },
];

const ROLLED_BACK: readonly SkippedChannel[] = ['whatsapp', 'sms'].map((channel) => ({
  channel,
  reason: 'ROLLED_BACK',
}));

interface Attempt {
  readonly channel: string;
  readonly provider: string;
  readonly outcome: 'accepted' | 'refused' | 'unknown';
  readonly durationMs: number;
  readonly transactionId?: string;
}

const attempt = (channel: string, outcome: Attempt['outcome'], rest: object): Attempt => ({
  channel,
  provider: 'TWILIO',
  outcome,
  durationMs: 0,
  // Without an answer there is none.
  ...(outcome === 'unknown' ? {} : { providerRequestId: 'RQ…' }),
  ...rest,
});
const BY_WHATSAPP = attempt('whatsapp', 'accepted', { transactionId: 'whatsapp 1' });
const BY_SMS = attempt('sms', 'accepted', { transactionId: 'sms 1' });
const SENT_BY = new Map<unknown, string>([
  ['whatsapp', 'WhatsApp'],
  ['sms', 'SMS'],
  ['voice', 'voice call'],
]);
const BY_CALL = attempt('voice', 'accepted', { transactionId: 'call 1' });

const received = (rest: object = {}): Expected => [{ ...REQUEST, type: 'request.received', ...rest }];
const PROFILE_READ: Expected = [
  { ...IDS, userId: ANA.id, type: 'profile.read', source: 'okta', durationMs: 0 },
];
const planned = (channels: readonly string[], skipped: readonly SkippedChannel[] = []): Expected => [
  { ...IDS, userId: ANA.id, type: 'channels.planned', channels, skipped, optIn: 'yes' },
];
const ofBob = ([event]: Expected, rest: object = {}): Expected => [{ ...event, userId: BOB.id, ...rest }];
/** Bob has never chosen. */
const NOT_CHOSEN = { optIn: 'absent', optInAttribute: 'whatsAppOptIn' } as const;
const NOT_CHOSEN_REMEDY = `Nothing, if the user never opted in. ${NAME_OR_CREATE}`;
const ended = (made: Attempt, whose: object = OF_ANA): Expected => [
  { ...IDS, ...whose, type: 'attempt.ended', ...made },
];
const answered = (rest: object): PlainEvent => ({
  ...REQUEST,
  type: 'request.answered',
  country: 'GB',
  isRepeat: false,
  hasHungUp: false,
  attempts: [],
  skipped: [],
  durationMs: 0,
  remainingMs: BUDGET_MS,
  ...rest,
});
/** The answer to a call for which a profile was read and channels were tried; the last one decides. */
const answeredAfter = (attempts: readonly Attempt[], rest: object): PlainEvent => {
  const { channel, provider, transactionId } = attempts.at(-1) as Attempt;
  const by = transactionId === undefined ? { channel, provider } : { channel, provider, transactionId };
  return answered({ ...by, attempts, profileSource: 'okta', profileMs: 0, optIn: 'yes', ...rest });
};
const sent = (attempts: readonly Attempt[], rest: object = {}): Expected => [
  answeredAfter(attempts, { outcome: 'accepted', status: 'SUCCESSFUL', ...rest }),
  'info',
  `The code was sent by ${SENT_BY.get(attempts.at(-1)?.channel)}.`,
];
/** A code that was not sent as planned. Its log line has the reason and the remedy. */
const detoured = ([event, level = 'info']: Expected, message: string, remedy: string): Expected => [
  event,
  level,
  message,
  remedy,
];
const sentToBob: readonly Expected[] = [
  received(OF_BOB),
  ofBob(PROFILE_READ),
  ofBob(planned(['sms']), NOT_CHOSEN),
  ended(BY_SMS, OF_BOB),
  detoured(
    sent([BY_SMS], { ...OF_BOB, ...NOT_CHOSEN, country: 'US' }),
    'The code was sent by SMS, because the profile has no attribute whatsAppOptIn.',
    NOT_CHOSEN_REMEDY,
  ),
];
/** A code that went out by WhatsApp. */
const sentToAna: readonly Expected[] = [
  received(),
  PROFILE_READ,
  planned(['whatsapp', 'sms']),
  ended(BY_WHATSAPP),
  sent([BY_WHATSAPP]),
];
/** What the guard reports for a number in GB, a denied country. */
const JUDGED = {
  ...REQUEST,
  // The requested channel is in the answer.
  deliveryChannel: undefined,
  rule: 'country',
  code: 'COUNTRY_NOT_ALLOWED',
  country: 'GB',
  remedy: COUNTRY_REMEDY,
  rules: [{ rule: 'country', code: 'COUNTRY_NOT_ALLOWED', remedy: COUNTRY_REMEDY }],
} as const;
const INVALID: Expected = [
  {
    type: 'request.rejected',
    count: 1,
    status: 400,
    code: 'INVALID_REQUEST',
    fields: ['data.messageProfile.otpCode', 'data.messageProfile.deliveryChannel'],
  },
  'warn',
  'A request was rejected with status 400 (INVALID_REQUEST).',
  'Look at the fields, and at what else calls the URL.',
];

/** Makes a call with the expected event id and Okta request id. */
function ask(scene: Scene, call: Parameters<Scene['call']>[0] = {}, id = 'request-1'): Promise<HookCall> {
  const setId = (payload: Record<string, unknown>): void => {
    const { data } = payload as { data: { context: { request: { id: string } } } };
    data.context.request.id = id;
  };
  return scene.call({ eventId: 'event-1', change: setId, ...call });
}

const askInvalid = (scene: Scene, headers?: Record<string, string>): Promise<HookCall> =>
  ask(scene, {
    change: () => ({ data: { messageProfile: { phoneNumber: ANA.phone } } }),
    ...(headers === undefined ? {} : { headers }),
  });

/** Posts a status callback about the first message, signed as by Twilio. */
async function report(scene: Scene, MessageStatus: string, ErrorCode: string): Promise<void> {
  const { sid = '', channel, to = '' } = scene.twilio.messages[0] ?? {};
  const url = `${scene.url}/twilio/status`;
  const To = channel === 'whatsapp' ? `whatsapp:${to}` : to;
  const params = { MessageSid: sid, MessageStatus, ErrorCode, To };
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'x-twilio-signature': scene.twilio.sign(url, params) },
    body: new URLSearchParams(params),
  });
  expect(answer.status).to.equal(204);
}

/** Makes a verified event hook in Okta. */
async function registerEventHook({ okta, url }: Scene): Promise<void> {
  const hook = await callApi(okta, 'POST', '/api/v1/eventHooks', eventHook(`${url}/events`, HOOK_SECRET));
  await callApi(okta, 'POST', `/api/v1/eventHooks/${String(hook.body['id'])}/lifecycle/verify`);
}

const isWhatsApp = ({ form }: RecordedRequest): boolean => String(form?.['To']).startsWith('whatsapp:');
const untilEvent = (scene: Scene, type: string): Promise<void> =>
  until(() => scene.events.some((event) => event.type === type));

/** Codes that the hook refuses without the guard. */
const REFUSED: readonly {
  readonly code: keyof typeof REFUSALS;
  readonly hook: HookOptions;
  readonly call: (now: number) => Parameters<Scene['call']>[0];
  readonly request: object;
  readonly steps: readonly Expected[];
  readonly rest: object;
  /** What the sentence says about the plan. Default: nothing. */
  readonly skipped?: string;
}[] = [
  {
    code: 'NO_DIALABLE_NUMBER',
    // The guard does not check an invalid number.
    hook: { guard: { countries: { allow: ['GB'] } } },
    call: () => ({ phoneNumber: '07700 900123' }),
    request: { toEnding: '' },
    steps: [],
    rest: { country: undefined },
  },
  {
    code: 'CODE_EXPIRED',
    hook: {},
    call: (now) => ({ otpExpires: new Date(now - 120_001) }),
    request: {},
    steps: [],
    rest: { country: undefined },
  },
  {
    code: 'ROLLED_BACK',
    hook: { rollout: { whatsapp: 0, sms: 0 } },
    call: () => ({}),
    request: {},
    steps: [PROFILE_READ, planned([], ROLLED_BACK)],
    rest: { skipped: ROLLED_BACK, optIn: 'yes', profileSource: 'okta', profileMs: 0 },
    skipped:
      ' WhatsApp was skipped: the rollout has it off for this user. SMS was skipped: the rollout has it off for this user.',
  },
];

const STORIES: readonly Story[] = [
  { title: 'that WhatsApp accepts', play: (scene) => ask(scene), expected: sentToAna },
  {
    title: 'that WhatsApp refuses and SMS accepts',
    play: (scene) => {
      scene.twilio.refuseWith({ code: 63_007, match: isWhatsApp });
      return ask(scene);
    },
    expected: [
      received(),
      PROFILE_READ,
      planned(['whatsapp', 'sms']),
      ended(attempt('whatsapp', 'refused', NO_SENDER)),
      ended(BY_SMS),
      detoured(
        sent([attempt('whatsapp', 'refused', NO_SENDER), BY_SMS]),
        'The code was sent by SMS, after WhatsApp was refused (63007).',
        NO_SENDER.remedy,
      ),
    ],
  },
  {
    title: 'that every channel refuses',
    play: (scene) => {
      scene.twilio.refuseWith({ code: 21_610 });
      return ask(scene);
    },
    expected: [
      received(),
      PROFILE_READ,
      planned(['whatsapp', 'sms']),
      ended(attempt('whatsapp', 'refused', OPTED_OUT)),
      ended(attempt('sms', 'refused', OPTED_OUT)),
      [
        answeredAfter([attempt('whatsapp', 'refused', OPTED_OUT), attempt('sms', 'refused', OPTED_OUT)], {
          outcome: 'refused',
          status: 'ERROR',
          ...OPTED_OUT,
        }),
        'error',
        'No code was sent, after WhatsApp was refused (21610) and SMS was refused (21610). Okta got an error, so it may send one itself.',
      ],
    ],
  },
  {
    title: 'whose outcome is unknown',
    play: (scene) => {
      scene.twilio.fault({ kind: 'reset' });
      return ask(scene);
    },
    expected: [
      received(),
      PROFILE_READ,
      planned(['whatsapp', 'sms']),
      ended(attempt('whatsapp', 'unknown', NO_ANSWER)),
      [
        answeredAfter([attempt('whatsapp', 'unknown', NO_ANSWER)], {
          outcome: 'unknown',
          status: 'PENDING',
          ...NO_ANSWER,
        }),
        'warn',
        'The code may have been sent by WhatsApp: the outcome is unknown. Okta got PENDING, so it sends no code itself.',
        'Look for the message in the log of TWILIO, if it has one: that shows whether it went out.',
      ],
    ],
  },
  ...(['PENDING', 'ERROR'] as const).map((status): Story => ({
    title: `that the guard blocks and Okta gets ${status} for`,
    hook: { guard: { countries: { deny: ['GB'] }, answer: status === 'ERROR' ? 'error' : 'pending' } },
    play: (scene) => ask(scene),
    expected: [
      received(),
      [
        { ...JUDGED, type: 'guard.blocked' },
        'warn',
        'The guard blocked the code: the country is not allowed. Nothing was sent.',
      ],
      [
        answered({
          outcome: 'blocked',
          status,
          code: 'COUNTRY_NOT_ALLOWED',
          reason: 'Codes are not sent to the country of the number, GB',
          remedy: COUNTRY_REMEDY,
        }),
        'info',
        `The guard blocked the code (COUNTRY_NOT_ALLOWED). Nothing was sent. ${
          status === 'PENDING'
            ? 'Okta got PENDING, so it sends no code itself.'
            : 'Okta got an error, so it may send one itself.'
        }`,
      ],
    ],
  })),
  {
    title: 'that the guard would block',
    hook: { guard: { mode: 'record', countries: { deny: ['GB'] } } },
    play: (scene) => ask(scene),
    expected: [
      received(),
      [
        { ...JUDGED, type: 'guard.noticed' },
        'warn',
        "The guard would have blocked the code: the country is not allowed. It is sent, because guard.mode is 'record'.",
      ],
      ...sentToAna.slice(1),
    ],
  },
  {
    title: 'that skips a rolled-back channel and one that the user has stopped',
    hook: {
      rollout: { line: 0 },
      chooseChannels: () => ['line', 'whatsapp'],
      channels: { line: { send: () => Promise.resolve({ status: 'accepted', transactionId: 'line' }) } },
    },
    play: async (scene) => {
      const url = `${scene.url}/twilio/inbound`;
      await scene.twilio.receive({ from: ANA.phone, channel: 'whatsapp', body: 'STOP', url });
      await ask(scene);
    },
    expected: [
      [
        {
          type: 'inbound.received',
          channel: 'whatsapp',
          messageId: 'inbound 1',
          keyword: 'stop',
          isHandled: false,
          fromEnding: '23',
        },
        'info',
        'A user sent STOP by WhatsApp and gets no codes there.',
      ],
      received(),
      PROFILE_READ,
      [{ ...planned(['sms'], SKIPPED)[0], optIn: undefined }],
      ended(BY_SMS),
      detoured(
        sent([BY_SMS], { skipped: SKIPPED, optIn: undefined }),
        'The code was sent by SMS. LINE was skipped: the rollout has it off for this user. WhatsApp was skipped: the user sent STOP.',
        "The user gets codes there again after START to the sender. In Twilio's WhatsApp sandbox, they send its “join …” words first.",
      ),
    ],
  },
  {
    title: 'from an Okta whose clock is behind',
    play: (scene, now) => ask(scene, { eventTime: new Date(now - 45_000) }),
    expected: [
      received(),
      [
        { type: 'clock.skewed', skewMs: 45_000 },
        'warn',
        "Okta's clock and this machine's clock differ.",
        'Check the time synchronisation of this machine.',
      ],
      ...sentToAna.slice(1),
    ],
  },
  {
    title: 'that Okta repeats',
    play: async (scene) => {
      await ask(scene);
      await ask(scene, {}, 'request-2');
    },
    expected: [
      ...sentToAna,
      received({ oktaRequestId: 'request-2' }),
      [
        answered({
          oktaRequestId: 'request-2',
          outcome: 'accepted',
          status: 'SUCCESSFUL',
          isRepeat: true,
        }),
        'info',
        'A repeat got the first answer: the code was sent.',
      ],
    ],
  },
  {
    title: 'by voice',
    play: (scene) => ask(scene, { deliveryChannel: 'voice call' }),
    expected: [
      received({ deliveryChannel: 'voice' }),
      PROFILE_READ,
      planned(['voice']),
      ended(BY_CALL),
      sent([BY_CALL], { deliveryChannel: 'voice' }),
    ],
  },
  {
    title: "of the preview in Okta's Admin Console",
    play: (scene) => ask(scene, { preview: true }),
    expected: [
      received({ isPreview: true }),
      PROFILE_READ,
      planned(['whatsapp', 'sms']),
      ended(BY_WHATSAPP),
      sent([BY_WHATSAPP], { isPreview: true }),
    ],
  },
  ...REFUSED.map(({ code, hook, call, request, steps, rest, skipped = '' }): Story => ({
    title: `that the hook itself refuses: ${code}`,
    hook,
    play: (scene, now) => ask(scene, call(now)),
    expected: [
      received(request),
      ...steps,
      [
        answered({
          ...request,
          outcome: 'refused',
          status: 'ERROR',
          code,
          reason: REFUSALS[code].reason,
          remedy: REFUSALS[code].remedy,
          ...rest,
        }),
        'error',
        `No code was sent (${code}).${skipped} Okta got an error, so it may send one itself.`,
      ],
    ],
  })),
  {
    title: 'of an unverified caller: the first at once, the others on close()',
    play: async (scene) => {
      for (let made = 0; made < 3; made += 1) await ask(scene, { headers: { Authorization: 'wrong' } });
    },
    expected: [1, 2].map((count) => [
      {
        type: 'caller.rejected',
        count,
        reason: 'CALLER_NOT_PROVEN',
        hook: 'inline',
        schemes: ['header'],
      },
      'warn',
      count === 1
        ? 'A call to the inline hook was rejected: the caller could not prove that it is Okta.'
        : 'Calls to the inline hook were rejected in the last minute: the callers could not prove that they are Okta.',
      "Compare with the inline hook in Okta: the header's name and the secret. Okta does not show its secret: okta-telephony-hook setup hook --rotate gives it the gateway's.",
    ]),
  },
  {
    title: 'with an invalid body: each one of a verified caller',
    play: async (scene) => {
      await askInvalid(scene);
      await askInvalid(scene);
    },
    expected: [INVALID, INVALID],
  },
  {
    title: 'with an invalid body: each one of a caller verified by an access token',
    hook: ({ okta, twilio }) => ({
      credentials: {
        ...usualCredentials(okta, twilio),
        hook: {
          scheme: 'oauth2',
          issuer: okta.issuer,
          audience: 'api://default',
          clientId: '0oahookclient0001d7',
          scope: 'telephony',
        },
      },
    }),
    play: async (scene) => {
      const token = await scene.okta.issueHookToken({ cid: '0oahookclient0001d7', scp: ['telephony'] });
      await askInvalid(scene, { Authorization: `Bearer ${token}` });
      await askInvalid(scene, { Authorization: `Bearer ${token}` });
    },
    expected: [INVALID, INVALID],
  },
  ...(['failed', 'undelivered'] as const).map((status): Story => ({
    title: `whose message is ${status} later by Twilio's status callback`,
    play: async (scene) => {
      await ask(scene, TO_BOB);
      await report(scene, status, '30034');
    },
    expected: [
      ...sentToBob,
      [
        {
          ...IDS,
          type: 'message.reported',
          userId: BOB.id,
          toEnding: '42',
          channel: 'sms',
          transactionId: 'sms 1',
          report: 'failed',
          status,
          ...NOT_REGISTERED,
        },
        'warn',
        `The message by SMS ${status === 'failed' ? 'failed' : 'was not delivered'} (30034).`,
      ],
      [
        {
          ...IDS,
          type: 'failover.ended',
          userId: BOB.id,
          toEnding: '42',
          fromChannel: 'sms',
          cause: NOT_REGISTERED,
          attempts: [BY_SMS],
          outcome: 'dropped',
          code: 'NO_CHANNEL_LEFT',
          reason: 'No other channel can deliver the code',
        },
        'warn',
        'SMS did not deliver the code (30034), and no other channel can send it.',
        NOT_REGISTERED.remedy,
      ],
    ],
  })),
  {
    title: 'whose message fails later, after which SMS accepts',
    play: async (scene) => {
      await ask(scene);
      await report(scene, 'failed', '63007');
      await untilEvent(scene, 'failover.ended');
    },
    expected: [
      ...sentToAna,
      [
        {
          ...IDS,
          type: 'message.reported',
          userId: ANA.id,
          toEnding: '23',
          channel: 'whatsapp',
          transactionId: 'whatsapp 1',
          report: 'failed',
          status: 'failed',
          ...NO_SENDER,
        },
        'warn',
        'The message by WhatsApp failed (63007).',
      ],
      ended(BY_SMS),
      [
        {
          ...IDS,
          type: 'failover.ended',
          userId: ANA.id,
          toEnding: '23',
          fromChannel: 'whatsapp',
          cause: NO_SENDER,
          attempts: [BY_WHATSAPP, BY_SMS],
          outcome: 'accepted',
          channel: 'sms',
          provider: 'TWILIO',
          transactionId: 'sms 1',
        },
        'info',
        'WhatsApp did not deliver the code (63007), so it was sent by SMS.',
        NO_SENDER.remedy,
      ],
    ],
  },
  {
    title: 'whose code the user enters',
    play: async (scene, now) => {
      await registerEventHook(scene);
      await ask(scene, { ...TO_BOB, eventTime: new Date(now - 9000) });
      await scene.okta.userSignedIn(BOB.id, { published: new Date(now) });
      await untilEvent(scene, 'code.used');
    },
    expected: [
      ...sentToBob,
      [
        {
          ...IDS,
          type: 'code.used',
          requestType: REQUEST.requestType,
          deliveryChannel: 'sms',
          userId: BOB.id,
          channel: 'sms',
          provider: 'TWILIO',
          country: 'US',
          transactionId: 'sms 1',
          sinceSentMs: 9000,
        },
        'info',
        'The user entered the code that was sent by SMS.',
      ],
    ],
  },
  {
    title: 'for which composeText fails',
    hook: {
      composeText: () => {
        throw new Error(`no text for ${BOB.phone}`);
      },
    },
    play: (scene) => ask(scene, TO_BOB),
    expected: [
      received(OF_BOB),
      ofBob(PROFILE_READ),
      ofBob(planned(['sms']), NOT_CHOSEN),
      [
        {
          ...IDS,
          type: 'extension.failed',
          extension: 'composeText',
          count: 1,
          reason: 'no text for …',
          remedy: EXTENSION_REMEDIES.composeText,
          userId: BOB.id,
        },
        'warn',
        'composeText failed: the hook goes on without it.',
      ],
      ended(BY_SMS, OF_BOB),
      detoured(
        sent([BY_SMS], { ...OF_BOB, ...NOT_CHOSEN, country: 'US' }),
        'The code was sent by SMS, because the profile has no attribute whatsAppOptIn.',
        NOT_CHOSEN_REMEDY,
      ),
    ],
  },
  {
    title: 'that ends with a defect of a channel',
    hook: ({ twilio }) => ({
      senders: { voice: twilio.voiceNumber },
      channels: {
        sms: {
          // A custom channel that throws when the hook reads a property.
          get usesText(): boolean {
            throw new Error(`broken at ${BOB.phone}`);
          },
          send: () => Promise.resolve({ status: 'accepted', transactionId: 'never' }),
        },
      },
    }),
    play: (scene) => ask(scene, TO_BOB),
    expected: [
      received(OF_BOB),
      ofBob(PROFILE_READ),
      ofBob(planned(['sms']), NOT_CHOSEN),
      [
        {
          type: 'request.rejected',
          count: 1,
          status: 500,
          code: 'INTERNAL_ERROR',
          fields: [],
          reason: 'broken at …',
          ...IDS,
          userId: BOB.id,
        },
        'warn',
        'A request was rejected with status 500 (INTERNAL_ERROR).',
        'Please report the reason, unless a channel of your own failed.',
      ],
    ],
  },
];

describe('the events and the log lines of a call', () => {
  const closers = new Closers();
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(async () => {
    clock?.restore();
    await closers.closeAll();
  });

  for (const { title, hook, play, expected } of STORIES) {
    it(`are complete for one ${title}`, async () => {
      const now = Date.now();
      const scene = closers.add(
        await startScene({
          hook: (parts) => ({
            publicUrl: `${parts.origin}/okta/telephony`,
            clock: () => now,
            ...(typeof hook === 'function' ? hook(parts) : hook),
          }),
        }),
        (opened) => opened.close(),
      );
      // The test posts Twilio's callbacks itself.
      scene.twilio.faultCallbacks({ copies: 0 });
      clock = stopTime();
      await play(scene, now);
      await scene.hook.close();

      const { events, log } = normalised(scene);
      expect(events).to.deep.equal(expected.map(([event]) => defined({ at: now, ...event })));
      expect(log).to.deep.equal(
        expected.flatMap(([event, level, message, remedy]) =>
          level === undefined
            ? []
            : [{ level, message: `okta-telephony-hook: ${message}`, fields: fieldsOf(event, remedy) }],
        ),
      );
      const acceptedBy = expected
        .map(([event]) => event)
        .filter(({ type, outcome }) => type === 'attempt.ended' && outcome === 'accepted')
        .map(({ channel }) => [channel, new Date(now)] as const);
      expect(scene.hook.status().lastSuccess).to.deep.equal(Object.fromEntries(acceptedBy));
    });
  }
});

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** The fields of the line of an event: without `false` and empty lists, and with an only accepted attempt flat. */
function fieldsOf(event: PlainEvent, remedy: string | undefined): unknown {
  const { type, remainingMs, profileSource, attempts, ...others } = event;
  const [first] = (attempts ?? []) as readonly Attempt[];
  const isAccepted = type === 'request.answered' && first?.outcome === 'accepted';
  const fields = {
    ...{ event: type, remedy, ...others },
    ...(profileSource === 'okta' ? {} : { profileSource }),
    ...(isAccepted ? { attemptMs: 0, providerRequestId: 'RQ…' } : { attempts }),
  };
  const told = Object.entries(fields).filter(([, value]) => value !== false && !isEmpty(value));
  return defined(Object.fromEntries(told));
}

/** As JSON, so without `undefined` fields. */
function defined(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** What a hook emitted and logged, with plain names in place of the ids that the emulator makes up. */
function normalised({ events, log, twilio }: Scene): { events: unknown; log: unknown } {
  const names = new Map<string, string>();
  const count = (kind: string): number =>
    [...names.values()].filter((name) => name.startsWith(kind)).length + 1;
  for (const { sid, channel } of twilio.messages) names.set(sid, `${channel} ${count(channel)}`);
  for (const { sid } of twilio.calls) names.set(sid, `call ${count('call')}`);
  for (const { sid } of twilio.received) names.set(sid, `inbound ${count('inbound')}`);
  const named = (value: object): unknown =>
    JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
      typeof item === 'string' ? (names.get(item) ?? item.replace(/^RQ[\da-f]{32}$/, 'RQ…')) : item,
    );
  return { events: named(events), log: named(log) };
}
