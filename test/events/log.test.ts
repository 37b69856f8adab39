import { expect } from 'chai';
import type { HookEvent, HookEventOf, Logger } from '#lib/index.js';
import { logListener } from '#lib/events/log.js';
import { ANA, startScene, type LogLine } from '#harness/scene.js';
import { ATTEMPT, EVENTS, eventOf } from './sample-events.js';

const recorder = (): { readonly lines: LogLine[]; readonly logger: Logger } => {
  const lines: LogLine[] = [];
  const write =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, logger: { info: write('info'), warn: write('warn'), error: write('error') } };
};

const answered = EVENTS['request.answered'];
const rejected = (...schemes: readonly ('header' | 'basic' | 'oauth2')[]): HookEventOf<'caller.rejected'> =>
  eventOf('caller.rejected', { count: 3, schemes });

/** The usual fields that a line does not have. */
const isLeftOut = (name: string, value: unknown): boolean =>
  name === 'remainingMs' ||
  (name === 'profileSource' && value === 'okta') ||
  value === false ||
  value === undefined ||
  (Array.isArray(value) && value.length === 0);

describe('the log', () => {
  // Lines of a normal call are in events-of-a-call.test.ts, as the hook emits them.
  const table: readonly (readonly [
    level: LogLine['level'] | undefined,
    message: RegExp,
    event: HookEvent,
    /** The remedy of the table, if the event has none. */
    remedy?: RegExp,
  ])[] = [
    ['warn', /more used codes than the hook can follow\. The others are not counted/, EVENTS['uses.skipped']],
    [
      'warn',
      /Calls to the event hook were rejected in the last minute/,
      { ...rejected('header'), hook: 'event' },
      /^Compare with the event hook in Okta: the header's name/,
    ],
    [
      'warn',
      /sent by SMS, the channel that Okta requested: Okta does not let the hook read users\.$/,
      { ...answered, profileSource: 'none', profileReason: 'OKTA_UNAUTHORIZED' },
      /^Check credentials\.okta/,
    ],
    [
      'info',
      /The code was sent by SMS, without the user's profile \(TIMEOUT\)\.$/,
      { ...answered, profileSource: 'none', profileReason: 'TIMEOUT' },
      /profile\.timeoutMs/,
    ],
    [
      'warn',
      /The code was sent by SMS, without the user's profile \(OKTA_NOT_FOUND\)\.$/,
      { ...answered, profileSource: 'none', profileReason: 'OKTA_NOT_FOUND' },
      /^Nothing, if the user was deleted.*orgUrl is the org that calls the hook/,
    ],
    [
      'warn',
      /The code was sent by SMS, after WhatsApp was refused .* \(OKTA_NOT_FOUND\)\.$/,
      {
        ...answered,
        attempts: [{ ...ATTEMPT, channel: 'whatsapp', outcome: 'refused', remedy: 'of the refusal' }],
        profileSource: 'none',
        profileReason: 'OKTA_NOT_FOUND',
      },
      /^Nothing, if the user was deleted/,
    ],
    [
      'info',
      /The code was sent by SMS, with an older copy of the user's profile \(OKTA_HTTP_ERROR: Okta answered 500\)\.$/,
      { ...answered, profileSource: 'stale', profileReason: 'OKTA_HTTP_ERROR', profileStatus: 500 },
      /status\.okta\.com/,
    ],
    [
      'info',
      /The code was sent by SMS, without the user's profile \(PAUSED\)\.$/,
      { ...answered, profileSource: 'none', profileReason: 'PAUSED' },
      /Rate Limits/,
    ],
    [
      'warn',
      /A repeat got the first answer: the code may have been sent\. Okta got PENDING/,
      { ...answered, outcome: 'unknown', status: 'PENDING', isRepeat: true },
      /^Look for the first line with this eventId/,
    ],
    [
      'warn',
      /A repeat got no answer of the first call: the code may have been sent\. Okta got PENDING/,
      {
        ...answered,
        outcome: 'unknown',
        status: 'PENDING',
        isRepeat: true,
        reason: 'The first call has died',
      },
      /^Look for the first line with this eventId\. If there is none, its gateway died/,
    ],
    [
      'info',
      /A repeat got the first answer: no code was sent\. Okta may send one itself\.$/,
      { ...answered, outcome: 'refused', status: 'ERROR', isRepeat: true },
    ],
    [
      'warn',
      /A provider's fraud filter blocked the code\. Nothing was sent\. Okta got PENDING/,
      { ...answered, outcome: 'blocked', status: 'PENDING', attempts: [{ ...ATTEMPT, outcome: 'refused' }] },
    ],
    [
      'warn',
      /A provider's fraud filter blocked the code\. Nothing was sent\. Okta got an error/,
      { ...answered, outcome: 'blocked', status: 'ERROR', attempts: [{ ...ATTEMPT, outcome: 'refused' }] },
    ],
    // The line of the first answer has warned of it.
    ...(['PENDING', 'ERROR'] as const).map(
      (status) =>
        [
          'info',
          /A repeat got the first answer: the code was blocked\./,
          { ...answered, outcome: 'blocked', status, isRepeat: true },
        ] as const,
    ),
    ['info', /After the deadline: TWILIO accepted the message for SMS\.$/, EVENTS['attempt.settled']],
    [
      'warn',
      /After the deadline: SMS was refused; no message went out\.$/,
      eventOf('attempt.settled', { outcome: 'refused' }),
      /^Look at the log of TWILIO\.$/,
    ],
    ...(
      [
        [rejected('basic', 'basic'), /in Okta: the user name and the password\.$/],
        [rejected('oauth2'), /in Okta: the issuer, the audience, the client and the scope of its/],
        [
          rejected('oauth2', 'header'),
          /in Okta: the issuer, .*; or the header's name and the secret\. .* setup hook --rotate gives it the gateway's\.$/,
        ],
      ] as const
    ).map(
      ([event, remedy]) =>
        [
          'warn',
          /Calls to the inline hook were rejected in the last minute: the callers could not prove/,
          event,
          remedy,
        ] as const,
    ),
    [
      'warn',
      /A status callback or an inbound message was rejected: it does not bear Twilio's signature/,
      eventOf('request.rejected', { status: 403, code: 'BAD_SIGNATURE', fields: [] }),
      /^Compare publicUrl and credentials\.twilio\.authToken/,
    ],
    ...(
      [
        ['warn', /\(63024\)\. It may have been sent by SMS: the outcome is unknown\.$/, 'unknown'],
        ['warn', /\(63024\), and it could not be sent by SMS\.$/, 'refused'],
        ['info', /\(63024\)\. No other channel is needed\.$/, 'dropped', 'SUPERSEDED'],
        ['info', /\(63024\)\. No other channel is needed\.$/, 'dropped', 'DELIVERED'],
        ['warn', /A fraud filter blocked it, so no other channel sends it\.$/, 'dropped', 'FRAUD_BLOCK'],
        ['warn', /The code had ended by then, so no other channel sends it\.$/, 'dropped', 'CODE_EXPIRED'],
        ['warn', /does not know of newer codes, so no other channel sends it\.$/, 'dropped', 'STATE_LOST'],
      ] as const
    ).map(
      ([level, message, outcome, code]) =>
        [
          level,
          message,
          eventOf('failover.ended', {
            cause: { code: '63024', reason: 'x', remedy: 'y' },
            remedy: 'y',
            outcome,
            code,
          }),
        ] as const,
    ),
    [
      'warn',
      /about a message that this process did not send, or no longer knows\.$/,
      EVENTS['callback.unmatched'],
      /one shared state: redisState of okta-telephony-hook\/redis\. /,
    ],
    [
      'warn',
      /: publicUrl: it is not set\. The hook polls/,
      EVENTS['configuration.warned'],
      /^Set publicUrl and credentials\.twilio\.authToken\.$/,
    ],
    [
      'warn',
      /: lateFailover\.afterSeconds\.sms, lateFailover\.afterSeconds\.line: it has no effect, because the channel does not report/,
      eventOf('configuration.warned', {
        option: 'lateFailover.afterSeconds',
        where: ['lateFailover.afterSeconds.sms', 'lateFailover.afterSeconds.line'],
      }),
    ],
    [
      'warn',
      /: senders\.sms, senders\.voice: a number of this length is not known in its country\.$/,
      eventOf('configuration.warned', { option: 'senders.number', where: ['senders.sms', 'senders.voice'] }),
      /^Compare it with the Twilio Console\.$/,
    ],
    [
      'warn',
      /: channels\.line: no user can choose it\.$/,
      eventOf('configuration.warned', { option: 'channels', where: ['channels.line'] }),
      /^Add it to optInChannels/,
    ],
    [
      'warn',
      /does not end with path/,
      eventOf('configuration.warned', { option: 'publicUrl.path', where: ['publicUrl'], remedy: 'x' }),
    ],
    [
      'warn',
      /: texts\.sms\.pt, texts\.sms\.ja: with its code, the text does not fit one GSM-7 segment/,
      eventOf('configuration.warned', {
        option: 'texts.sms',
        where: ['texts.sms.pt', 'texts.sms.ja'],
        remedy: 'x',
      }),
    ],
    [
      'warn',
      /: texts\.voice\.fi: an English voice/,
      eventOf('configuration.warned', { option: 'texts.voice', where: ['texts.voice.fi'], remedy: 'x' }),
    ],
    ['warn', /No status callbacks come from Twilio/, EVENTS['callbacks.missing']],
    ['warn', /rate limit is nearly used up/, EVENTS['okta.paused'], /Rate Limits/],
    ['warn', /Okta answered 429/, eventOf('okta.paused', { reason: 'RATE_LIMITED' }), /Rate Limits/],
    [
      'error',
      /cannot be reached\. Codes still go out; until it is back, each process counts repeats and limits on its own\.$/,
      EVENTS['state.lost'],
    ],
    ['info', /is back\.$/, EVENTS['state.recovered']],
    ['warn', /not as well as it could\.$/, EVENTS['state.warned']],
    [
      'warn',
      /different encryption keys share nothing: no repeats, no limits, no STOP\.$/,
      eventOf('state.warned', { reason: 'OTHER_KEYS' }),
    ],
    [
      'warn',
      /: api\.twilio\.com \(WhatsApp, SMS\) does not answer.* by other channels, or are refused at once\.$/,
      eventOf('breaker.changed', { channels: ['whatsapp', 'sms'] }),
      /provider's status page/,
    ],
    [
      'info',
      /: acme\.okta\.com \(Okta\) is tried again with one call\.$/,
      eventOf('breaker.changed', { host: 'acme.okta.com', state: 'half-open', channels: [] }),
    ],
    [
      'info',
      /: push\[1\] answers again\.$/,
      eventOf('breaker.changed', { host: 'push[1]', state: 'closed', channels: ['push'] }),
    ],
    [
      'info',
      /: sms\.IN\[0\] answers again\.$/,
      eventOf('breaker.changed', { host: 'sms.IN[0]', state: 'closed', channels: ['sms'] }),
    ],
    [
      'warn',
      /: acme\.okta\.com \(Okta\) does not answer.* by the channel that Okta requests\.$/,
      eventOf('breaker.changed', { host: 'acme.okta.com', state: 'open', channels: [] }),
      /status\.okta\.com/,
    ],
    [undefined, /./, eventOf('message.reported', { report: 'delivered', status: 'delivered' })],
  ];
  for (const [level, message, event, remedy] of table) {
    it(`has ${level ?? 'no line'} for ${event.type} ${JSON.stringify('status' in event ? event.status : '')}`, () => {
      const { lines, logger } = recorder();
      logListener(logger)(event);
      expect(lines.map((line) => line.level)).to.deep.equal(level === undefined ? [] : [level]);
      if (level === undefined) return;
      // The logger adds its own time.
      const { type, at, ...fields } = event;
      expect(at).to.equal(1);
      expect(lines[0]?.message)
        .to.match(/^okta-telephony-hook: /)
        .and.to.match(message);
      const { remedy: logged, ...others } = lines[0]?.fields ?? {};
      const { remedy: own, ...expected } = { remedy: undefined, ...fields };
      const told = Object.entries(expected).filter(([name, value]) => !isLeftOut(name, value));
      expect(others).to.deep.equal({ event: type, ...Object.fromEntries(told) });
      expect(Object.values(lines[0]?.fields ?? {})).to.not.include(undefined);
      if (remedy === undefined)
        expect(logged).to.equal(own ?? ('cause' in event ? event.cause.remedy : undefined));
      else expect(logged).to.match(remedy);
      const first = 'userId' in event ? ['event', 'userId'] : ['event'];
      expect(Object.keys(lines[0]?.fields ?? {}).slice(0, first.length)).to.deep.equal(first);
    });
  }

  describe('of a code that went out at once', () => {
    const fieldsOf = (event: Partial<HookEventOf<'request.answered'>>): LogLine['fields'] => {
      const { lines, logger } = recorder();
      logListener(logger)({ ...answered, ...event });
      return lines[0]?.fields ?? {};
    };
    const accepted = { ...ATTEMPT, outcome: 'accepted', transactionId: 'SM1' } as const;
    const refused = { ...ATTEMPT, channel: 'whatsapp', outcome: 'refused', code: '63007' } as const;

    it('has what people need, and nothing twice', () => {
      const attempts = [{ ...accepted, providerRequestId: 'RQ1' }];
      expect(fieldsOf({ attempts, optIn: 'yes' })).to.deep.equal({
        event: 'request.answered',
        userId: ANA.id,
        ...{ eventId: 'event-1', oktaRequestId: 'req-1' },
        requestType: 'com.okta.user.telephony.mfa-verification',
        ...{ deliveryChannel: 'sms', toEnding: '23', country: 'GB', optIn: 'yes' },
        ...{ outcome: 'accepted', status: 'SUCCESSFUL', channel: 'sms', provider: 'TWILIO' },
        ...{ transactionId: 'SM1', providerRequestId: 'RQ1', profileMs: 60, attemptMs: 120, durationMs: 180 },
      });
      expect(fieldsOf({ attempts: [accepted] })).to.not.have.property('providerRequestId');
    });

    it('has what is not usual', () => {
      const unusual = {
        ...{ isPreview: true, isRepeat: true, hasHungUp: true, profileSource: 'cache' as const },
        skipped: [{ channel: 'whatsapp', reason: 'STOPPED' as const }],
      };
      expect(fieldsOf(unusual)).to.deep.include(unusual);
      const attempts = [refused, accepted];
      expect(fieldsOf({ attempts })).to.deep.include({ attempts }).and.not.have.property('attemptMs');
      expect(fieldsOf({ attempts: [refused] })).to.deep.include({ attempts: [refused] });
    });
  });

  it('has no user id field for an event without a user id', () => {
    const { lines, logger } = recorder();
    logListener(logger)({ ...answered, userId: undefined });
    expect(lines[0]?.fields).to.include({ event: 'request.answered', toEnding: '23' });
    expect(lines[0]?.fields).to.not.have.property('userId');
  });

  const failing: readonly (readonly [how: string, fail: () => unknown])[] = [
    [
      'throws',
      () => {
        throw new Error('the disk is full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the disk is full'))],
    ['never resolves', () => new Promise(() => undefined)],
    [
      'throws undefined',
      () => {
        throw undefined;
      },
    ],
  ];
  for (const [how, fail] of failing) {
    it(`does not affect a call if the logger and the listener do this: ${how}`, async () => {
      const logger: Logger = { info: fail, warn: fail, error: fail };
      const scene = await startScene({
        // With senders.sms alone the hook logs nothing when it is made.
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
        // The log line of the rejected call comes a turn later.
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        await scene.close();
      }
    });
  }
});
