import { expect } from 'chai';
import { describeEvent } from '#lib/events/describe-event.js';
import { REQUEST_ERROR_CODES } from '#lib/core/request-error.js';
import type { HookEvent, HookEventOf } from '#lib/core/events.js';
import { ATTEMPT, EVENTS } from './sample-events.js';

describe('describeEvent()', () => {
  for (const event of Object.values(EVENTS)) {
    it(`describes ${event.type} in whole sentences`, () => {
      const { text } = describeEvent(event);
      expect(text).to.match(/^[A-Za-z0-9].*\.$/);
      expect(text).to.not.match(/undefined|\[object|does not know the event/);
    });
  }

  it('gives a refusal its code, its reason and its remedy', () => {
    const refused = {
      outcome: 'refused',
      code: '63015',
      reason: 'Not joined',
      remedy: 'Let them join.',
    } as const;
    expect(describeEvent({ ...EVENTS['attempt.ended'], ...refused })).to.deep.include({
      text: 'SMS was refused; no message went out.',
      tone: 'bad',
      code: '63015',
      reason: 'Not joined',
      remedy: 'Let them join.',
      durationMs: 120,
    });
  });

  for (const [source, text] of [
    ['okta', /was read from Okta\.$/],
    ['cache', /still in the cache/],
    ['stale', /was not read from Okta, so the hook used an older one/],
    ['none', /was not read, so the code goes by the channel that Okta requested/],
  ] as const) {
    it(`says where a profile came from: ${source}`, () => {
      expect(describeEvent({ ...EVENTS['profile.read'], source }).text).to.match(text);
    });
  }

  it('takes each detail from its own field', () => {
    const refused = { ...ATTEMPT, outcome: 'refused', code: '63007' } as const;
    const unread = { profileSource: 'none', profileReason: 'TIMEOUT' } as const;
    const answered = { ...EVENTS['request.answered'], ...unread, outcome: 'refused' } as const;
    expect(describeEvent(EVENTS['okta.resumed'])).to.include({ code: 'LOW', durationMs: 21_000 });
    // The attempt has its own remedy; without an attempt, the profile's counts.
    expect(describeEvent({ ...answered, attempts: [refused] }).remedy).to.equal(undefined);
    expect(describeEvent({ ...answered, attempts: [] }).remedy).to.match(/profile\.timeoutMs/);
  });

  it('describes an answer with what Okta does next', () => {
    const answered = EVENTS['request.answered'];
    expect(describeEvent(answered).text).to.equal('The code was sent by SMS.');
    expect(describeEvent({ ...answered, outcome: 'unknown', hasHungUp: true }).text).to.match(
      /Okta got PENDING, so it sends no code itself\. Okta had hung up before\.$/,
    );
    expect(describeEvent({ ...answered, outcome: 'refused' })).to.include({ tone: 'bad' });
  });

  it('says why a code with an unknown outcome did not go as planned', () => {
    const whatsApp = { ...ATTEMPT, channel: 'whatsapp', outcome: 'refused', code: '63007' } as const;
    const unknown = {
      ...EVENTS['request.answered'],
      outcome: 'unknown',
      channel: 'sms',
      attempts: [whatsApp, { ...ATTEMPT, outcome: 'unknown' }],
      skipped: [{ channel: 'line', reason: 'STOPPED' }],
    } as const;
    expect(describeEvent(unknown).text).to.equal(
      'The code may have been sent by SMS, after WhatsApp was refused (63007): the outcome is unknown.' +
        ' LINE was skipped: the user sent STOP. Okta got PENDING, so it sends no code itself.',
    );
  });

  it('names the provider that refused a code if another one of its channel was tried, too', () => {
    const refused = { ...ATTEMPT, provider: 'AWS', outcome: 'refused', code: 'ThrottlingException' } as const;
    const answered = { ...EVENTS['request.answered'], attempts: [refused, ATTEMPT] };
    expect(describeEvent(answered).text).to.equal(
      'The code was sent by SMS, after SMS by AWS was refused (ThrottlingException).',
    );
  });

  it('says why a code was blocked, and what Okta does next', () => {
    const described = (changes: Partial<HookEventOf<'request.answered'>>): string => {
      const { text, tone } = describeEvent({
        ...EVENTS['request.answered'],
        outcome: 'blocked',
        status: 'PENDING',
        ...changes,
      });
      return `${tone}: ${text}`;
    };
    expect([
      described({ code: 'SUPERSEDED' }),
      described({ code: 'LIMIT_PER_USER', attempts: [], status: 'ERROR' }),
      described({ code: '30450', attempts: [{ ...ATTEMPT, outcome: 'refused' }] }),
      described({ isRepeat: true }),
    ]).to.deep.equal([
      'warn: The code is superseded: the user has a newer one. Nothing was sent. Okta got PENDING, so it sends no code itself.',
      'warn: The guard blocked the code (LIMIT_PER_USER). Nothing was sent. Okta got an error, so it may send one itself.',
      "warn: A provider's fraud filter blocked the code. Nothing was sent. Okta got PENDING, so it sends no code itself.",
      'warn: A repeat got the first answer: the code was blocked. Okta got PENDING, so it sends no code itself.',
    ]);
  });

  it('says why each channel was skipped, and if none is left', () => {
    const planned = EVENTS['channels.planned'];
    const skipped = [
      { channel: 'whatsapp', reason: 'STOPPED' },
      { channel: 'line', reason: 'ROLLED_BACK' },
      { channel: 'viber', reason: 'OPTED_OUT' },
      { channel: 'signal', reason: 'NOT_REACHED' },
    ] as const;
    expect(describeEvent({ ...planned, channels: ['sms'], skipped }).text).to.equal(
      'The plan: SMS. WhatsApp was skipped: the user sent STOP. LINE was skipped: the rollout has it off for this user.' +
        ' viber was skipped: the provider says that the user opted out. signal was skipped: it did not reach the user lately.',
    );
    expect(describeEvent({ ...planned, channels: [] })).to.include({
      tone: 'bad',
      text: 'No channel can be used for this code.',
    });
  });

  it('says what the failure of an extension or a part means', () => {
    const failed = (['rollout', 'channel', 'authorize', 'chooseChannels'] as const).map((extension) => ({
      ...EVENTS['extension.failed'],
      extension,
    }));
    const unready = ['okta', 'twilio', 'hookKeys', 'state', 'channels.line'].map((part) => ({
      ...EVENTS['readiness.failed'],
      part,
    }));
    expect([...failed, ...unready].map((event) => describeEvent(event).text)).to.deep.equal([
      'rollout failed: the percentages that it last gave stay in force.',
      'channel failed: it may be unknown whether its codes went out.',
      'authorize failed: the console lets nobody in.',
      'chooseChannels failed: the hook goes on without it.',
      'ready() found that the hook cannot read users from Okta (okta).',
      'ready() found that Twilio would not take a message (twilio).',
      "ready() found that the keys that check Okta's access tokens cannot be fetched (hookKeys).",
      'ready() found that the state store cannot be used (state).',
      'ready() found that channels.line would not take a message.',
    ]);
  });

  it('describes each status of Twilio for messages and calls, and an unknown one', () => {
    const reported = EVENTS['message.reported'];
    const describeAs = (channel: string, statuses: readonly string[]): readonly string[] =>
      statuses.map((status) => {
        const { tone, text } = describeEvent({ ...reported, channel, status });
        return `${tone}: ${text}`;
      });
    const ofMessages = [
      'queued',
      'sending',
      'sent',
      'delivered',
      'read',
      'undelivered',
      'failed',
      'canceled',
    ];
    const ofCalls = ['initiated', 'ringing', 'in-progress', 'answered', 'completed', 'busy', 'no-answer'];
    expect(describeAs('sms', [...ofMessages, 'new'])).to.deep.equal([
      'plain: The message by SMS is waiting at the provider.',
      'plain: The message by SMS is on its way to the carrier.',
      'plain: The message by SMS was handed to the carrier.',
      'good: The message by SMS was delivered.',
      'good: The message by SMS was read.',
      'bad: The message by SMS was not delivered.',
      'bad: The message by SMS failed.',
      'bad: The message by SMS was cancelled.',
      'plain: The message by SMS has the status new.',
    ]);
    const failed = { ...reported, report: 'failed', status: 'undelivered', code: '30005' } as const;
    expect(describeEvent(failed).text).to.equal('The call was not delivered (30005).');
    expect(describeAs('voice', ofCalls)).to.deep.equal([
      'plain: The call was started.',
      'plain: The call is ringing.',
      'plain: The call was picked up.',
      'good: The call was picked up.',
      'good: The call was heard to its end.',
      'bad: The call met a busy line.',
      'bad: The call was not picked up.',
    ]);
  });

  it('describes each result of a late failover, and marks the harmless ones', () => {
    const ended = EVENTS['failover.ended'];
    const describeAs = (changes: Partial<typeof ended>): string => {
      const { text, tone } = describeEvent({ ...ended, ...changes });
      return `${tone}: ${text}`;
    };
    expect(describeAs({})).to.equal(
      'good: WhatsApp did not deliver the code (63024), so it was sent by SMS.',
    );
    expect(describeAs({ fromChannel: 'sms', provider: 'AZURE' })).to.equal(
      'good: SMS did not deliver the code (63024), so it was sent by SMS with another provider (AZURE).',
    );
    expect(describeAs({ outcome: 'unknown' })).to.match(
      /^warn: .* may have been sent by SMS: the outcome is unknown\.$/,
    );
    expect(describeAs({ outcome: 'refused' })).to.match(/^bad: .* it could not be sent by SMS\.$/);
    expect(describeAs({ outcome: 'dropped', channel: undefined, code: 'SUPERSEDED' })).to.match(
      /^plain: .* No other channel is needed\.$/,
    );
    expect(describeAs({ outcome: 'dropped', channel: undefined, code: 'CODE_EXPIRED' })).to.match(/^warn: /);
  });

  it('says if a code was blocked, or only recorded', () => {
    const blocked = EVENTS['guard.blocked'];
    expect(describeEvent(blocked).text).to.equal(
      'The guard blocked the code: over the limit per user (10 in 600 s). Nothing was sent.',
    );
    expect(describeEvent(EVENTS['guard.noticed']).text).to.include(
      "It is sent, because guard.mode is 'record'",
    );
    const other = describeEvent({ ...blocked, isOtherNumber: true }).text;
    expect(other)
      .to.include("blocked the number in the user's profile for WhatsApp")
      .and.include('The code goes to the enrolled number.');
  });

  it('has a remedy for every rejection, every refusal and every failed message', () => {
    const rejected = EVENTS['request.rejected'];
    const attempt = { ...EVENTS['attempt.ended'], outcome: 'refused', code: 'OWN' } as const;
    const reported = { ...EVENTS['message.reported'], report: 'failed', code: undefined } as const;
    const unknown = { outcome: 'unknown', remedy: undefined, channel: 'voice', provider: 'TWILIO' } as const;
    expect(describeEvent({ ...EVENTS['failover.ended'], ...unknown }).remedy).to.match(
      /^Look for the call in the log of TWILIO/,
    );
    const failover = { ...EVENTS['failover.ended'], outcome: 'refused', remedy: undefined } as const;
    const cause = { code: '30003', reason: undefined, remedy: 'The user must turn the phone on.' };
    for (const event of [
      ...[...REQUEST_ERROR_CODES, 'INTERNAL_ERROR']
        .filter((code) => code !== 'CALLER_NOT_PROVEN')
        .map((code) => ({ ...rejected, code })),
      EVENTS['caller.rejected'],
      attempt,
      { ...reported, channel: 'voice', status: 'no-answer' },
      { ...reported, status: 'undelivered' },
      { ...failover, cause },
    ])
      expect(describeEvent(event).remedy, JSON.stringify(event)).to.match(/^[A-Z].{10,}\.$/);
  });

  it('has a sentence for unknown values from a newer gateway', () => {
    const newer = [
      { ...EVENTS['attempt.ended'], outcome: 'queued' },
      { ...EVENTS['profile.read'], source: 'directory' },
      { ...EVENTS['request.answered'], outcome: 'deferred' },
      { ...EVENTS['channels.planned'], channels: ['sms'], skipped: [{ channel: 'line', reason: 'ASLEEP' }] },
      { ...EVENTS['failover.ended'], outcome: 'queued' },
    ] as unknown as readonly HookEvent[];
    expect(newer.map((event) => describeEvent(event).text)).to.deep.equal([
      'SMS: queued.',
      "The user's profile was read: directory.",
      'This version does not know the event request.answered.',
      'The plan: SMS. LINE was skipped: ASLEEP.',
      'This version does not know the event failover.ended.',
    ]);
  });

  it('says that it does not know an event type of a newer gateway, for any name', () => {
    for (const type of ['pigeon.sent', 'constructor']) {
      const newer = { at: 1, type } as unknown as HookEvent;
      expect(describeEvent(newer).text).to.equal(`This version does not know the event ${type}.`);
    }
  });
});
