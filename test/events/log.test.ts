import { expect } from 'chai';
import type { HookEvent, Logger } from '#lib/index.js';
import { logListener } from '#lib/events/log.js';
import { ANA, startScene, type LogLine } from '#harness/scene.js';
import { answeredEvent } from './told-events.js';

const recorder = (): { readonly lines: LogLine[]; readonly logger: Logger } => {
  const lines: LogLine[] = [];
  const write =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, logger: { info: write('info'), warn: write('warn'), error: write('error') } };
};

const ids = { eventId: 'event-1', oktaRequestId: 'req-1' };
const answered = answeredEvent({ profileMs: 5, durationMs: 20, remainingMs: 2000 });
const rejected = (
  ...schemes: readonly ('header' | 'basic' | 'oauth2')[]
): Extract<HookEvent, { type: 'caller.rejected' }> => ({
  at: 1,
  type: 'caller.rejected',
  count: 3,
  reason: 'CALLER_NOT_PROVEN',
  hook: 'inline',
  schemes,
});
const attempt = { channel: 'sms', provider: 'TWILIO', durationMs: 3 };

describe('the log', () => {
  // Those of a usual call are in events-of-a-call.test.ts, as the hook emits them.
  const table: readonly (readonly [
    level: LogLine['level'] | undefined,
    message: RegExp,
    event: HookEvent,
  ])[] = [
    [
      'warn',
      /a provider could not be told that its code was used$/,
      {
        at: 1,
        type: 'feedback.failed',
        ...ids,
        count: 2,
        channel: 'sms',
        provider: 'TWILIO',
        code: 'HTTP_500',
        reason: 'The provider is not available',
        remedy: undefined,
        transactionId: 'SM1',
      },
    ],
    [
      'warn',
      /more codes that were used than could be followed; these are not counted/,
      { at: 1, type: 'uses.skipped', count: 46 },
    ],
    [
      'warn',
      /compare with the event hook in Okta: the header's name/,
      { ...rejected('header'), hook: 'event' },
    ],
    [
      'warn',
      /does not let us read users; check credentials\.okta$/,
      { ...answered, profileSource: 'none', profileReason: 'OKTA_UNAUTHORIZED' },
    ],
    ['info', /a code was sent$/, { ...answered, profileSource: 'none', profileReason: 'TIMEOUT' }],
    [
      'warn',
      /a repeat was answered as the first: a code may have been sent, or was held back$/,
      { ...answered, status: 'PENDING', isRepeat: true },
    ],
    [
      'warn',
      /a provider's fraud filter held the code back; nothing was sent$/,
      { ...answered, status: 'PENDING', attempts: [{ ...attempt, outcome: 'refused' }] },
    ],
    [
      'info',
      /ended after the answer/,
      { at: 1, type: 'attempt.late', ...ids, ...attempt, outcome: 'accepted' },
    ],
    [
      'warn',
      /ended after the answer/,
      { at: 1, type: 'attempt.late', ...ids, ...attempt, outcome: 'refused' },
    ],
    ['warn', /in Okta: the user name and the password$/, rejected('basic', 'basic')],
    ['warn', /in Okta: the issuer, the audience, the client and the scope of its/, rejected('oauth2')],
    ['warn', /in Okta: the issuer, .*; or the header's name and the secret$/, rejected('oauth2', 'header')],
    [
      'warn',
      /a delivery callback or an inbound message was rejected.+compare publicUrl and credentials\.twilio\.authToken/,
      {
        at: 1,
        type: 'request.rejected',
        count: 1,
        status: 403,
        code: 'BAD_SIGNATURE',
        fields: [],
        reason: undefined,
      },
    ],
    ...(
      [
        ['warn', /may have been sent by the next channel$/, 'unknown'],
        ['warn', /could not be sent by another channel$/, 'refused'],
        ['info', /nothing more was sent$/, 'dropped', 'OVERTAKEN'],
        ['info', /nothing more was sent$/, 'dropped', 'DELIVERED'],
        ['warn', /nothing more could be sent$/, 'dropped', 'NO_CHANNEL_LEFT'],
        ['warn', /nothing more could be sent$/, 'dropped', 'FRAUD_BLOCK'],
        ['warn', /nothing more could be sent$/, 'dropped', 'CODE_EXPIRED'],
        ['warn', /nothing more could be sent$/, 'dropped', 'STATE_LOST'],
      ] as const
    ).map(
      ([level, message, outcome, code]) =>
        [
          level,
          message,
          {
            at: 1,
            type: 'failover.ended',
            ...ids,
            fromChannel: 'whatsapp',
            why: '63024',
            whyReason: 'x',
            whyRemedy: 'y',
            remedy: 'y',
            userId: ANA.id,
            to: '…23',
            outcome,
            channel: 'sms',
            provider: 'TWILIO',
            code,
            reason: undefined,
            transactionId: undefined,
            attempts: [],
          },
        ] as const,
    ),
    [
      'warn',
      /one state that they share, redisState of okta-telephony-hook\/redis: /,
      { at: 1, type: 'message.unknown', count: 3, transactionId: 'SM1' },
    ],
    [
      'warn',
      /seen by polling only.+set publicUrl/,
      { at: 1, type: 'configuration.warned', option: 'publicUrl', where: ['publicUrl'] },
    ],
    [
      'warn',
      /: lateFailover\.afterSeconds\.sms, lateFailover\.afterSeconds\.line: the channel does not report/,
      {
        at: 1,
        type: 'configuration.warned',
        option: 'lateFailover.afterSeconds',
        where: ['lateFailover.afterSeconds.sms', 'lateFailover.afterSeconds.line'],
      },
    ],
    [
      'warn',
      /: channels\.line: no user can choose it; add it to optInChannels/,
      { at: 1, type: 'configuration.warned', option: 'channels', where: ['channels.line'] },
    ],
    [
      'warn',
      /does not end with path/,
      { at: 1, type: 'configuration.warned', option: 'publicUrl.path', where: ['publicUrl'], remedy: 'x' },
    ],
    [
      'warn',
      /: texts\.sms\.pt, texts\.sms\.ja: when it is filled in, it leaves one GSM-7 segment/,
      {
        at: 1,
        type: 'configuration.warned',
        option: 'texts.sms',
        where: ['texts.sms.pt', 'texts.sms.ja'],
        remedy: 'x',
      },
    ],
    [
      'warn',
      /: texts\.voice\.fi: an English voice/,
      { at: 1, type: 'configuration.warned', option: 'texts.voice', where: ['texts.voice.fi'], remedy: 'x' },
    ],
    ['warn', /callbacks do not come/, { at: 1, type: 'callbacks.missing', count: 20, remedy: 'x' }],
    ['warn', /time synchronisation/, { at: 1, type: 'clock.skewed', skewMs: 31_000 }],
    ['warn', /rate limit/, { at: 1, type: 'okta.paused', reason: 'LOW', untilMs: 2 }],
    [
      'warn',
      /composeText failed; went on without it/,
      {
        at: 1,
        type: 'extension.failed',
        ...ids,
        extension: 'composeText',
        count: 1,
        reason: 'x',
        remedy: 'y',
      },
    ],
    [
      'error',
      /is lost; codes go out, and repeats and limits count within this process until it is back$/,
      { at: 1, type: 'state.lost', reason: 'TIMEOUT', remedy: 'x' },
    ],
    ['info', /is back$/, { at: 1, type: 'state.recovered', reason: 'TIMEOUT', lostMs: 5 }],
    ['warn', /not as well as it could$/, { at: 1, type: 'state.warned', reason: 'EVICTION', remedy: 'x' }],
    ['warn', /does not answer/, { at: 1, type: 'breaker.changed', host: 'api.twilio.com', state: 'open' }],
    [
      'info',
      /is tried again/,
      { at: 1, type: 'breaker.changed', host: 'api.twilio.com', state: 'half-open' },
    ],
    ['info', /answers again/, { at: 1, type: 'breaker.changed', host: 'api.twilio.com', state: 'closed' }],
    [
      undefined,
      /./,
      {
        at: 1,
        type: 'message.status',
        channel: 'sms',
        transactionId: 'SM1',
        status: 'delivered',
        code: undefined,
        reason: undefined,
      },
    ],
  ];
  for (const [level, message, event] of table) {
    it(`has ${level ?? 'no line'} of ${event.type} ${JSON.stringify('status' in event ? event.status : '')}`, () => {
      const { lines, logger } = recorder();
      logListener(logger)(event);
      expect(lines.map((line) => line.level)).to.deep.equal(level === undefined ? [] : [level]);
      if (level === undefined) return;
      // The line has a time of its own.
      const { type, at, ...fields } = event;
      expect(at).to.equal(1);
      expect(lines[0]?.message)
        .to.match(/^okta-telephony-hook: /)
        .and.to.match(message);
      expect(lines[0]?.fields).to.deep.equal({ event: type, ...fields });
      const first = 'userId' in event ? ['event', 'userId'] : ['event'];
      expect(Object.keys(lines[0]?.fields ?? {}).slice(0, first.length)).to.deep.equal(first);
    });
  }

  const failing: readonly (readonly [how: string, fail: () => unknown])[] = [
    [
      'throws',
      () => {
        throw new Error('the disk is full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the disk is full'))],
    ['never ends', () => new Promise(() => undefined)],
    [
      'throws nothing at all',
      () => {
        throw undefined;
      },
    ],
  ];
  for (const [how, fail] of failing) {
    it(`changes nothing when the logger and the listener ${how}`, async () => {
      const logger: Logger = { info: fail, warn: fail, error: fail };
      const scene = await startScene({
        // With senders.sms alone nothing is told when the hook is made.
        hook: ({ twilio }) => ({
          sandboxNumber: undefined,
          senders: { sms: twilio.smsNumber },
          logger,
          onEvent: fail,
        }),
      });
      try {
        const call = await scene.call();
        expect(call.okta.action).to.equal('sent');
        const rejected = await scene.call({ headers: { Authorization: 'wrong' } });
        expect(rejected.httpStatus).to.equal(401);
        expect(scene.twilio.messages).to.have.length(1);
        // The witness hears of what was rejected.
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        await scene.close();
      }
    });
  }
});
