import { expect } from 'chai';
import type { TelephonyRequest, UserProfile } from '#lib/index.js';
import { nextRoute, planChannels, readOptIn, skipSuppressed, suppressionFor } from '#lib/delivery/plan.js';
import type { Suppression } from '#lib/delivery/suppressions.js';
import type { PlanStep, SuppressionReason } from '#lib/delivery/records.js';
import type { ChooseChannels } from '#lib/core/option-types.js';

const text = { deliveryChannel: 'sms', otpCode: '204981' } as TelephonyRequest;
const call = { ...text, deliveryChannel: 'voice' } as TelephonyRequest;

describe('the opt-in', () => {
  const both = ['whatsapp', 'line'];
  const table: readonly (readonly [
    value: unknown,
    allowed: readonly string[],
    channels: readonly string[],
  ])[] = [
    [true, ['whatsapp'], ['whatsapp']],
    [true, ['line'], []],
    [true, [], []],
    [false, both, []],
    ['true', both, []],
    ['TRUE', both, []],
    [1, both, []],
    ['1', both, []],
    ['yes', both, []],
    [null, both, []],
    [undefined, both, []],
    ['', both, []],
    [{}, both, []],
    [{ whatsapp: true }, both, []],
    ['whatsapp', both, ['whatsapp']],
    ['line', both, ['line']],
    ['line', ['whatsapp'], []],
    ['WhatsApp', both, []],
    [' whatsapp ', both, []],
    ['whatsapp,line', both, []],
    [['whatsapp'], both, ['whatsapp']],
    [['whatsapp', 'line'], both, ['whatsapp', 'line']],
    [['line', 'whatsapp'], both, ['line', 'whatsapp']],
    [['telegram', 'line', 7, null, true, ['whatsapp']], both, ['line']],
    [[], both, []],
    ['voice', [...both, 'voice'], []],
    [['voice', 'line'], [...both, 'voice'], ['line']],
    ['constructor', both, []],
  ];
  for (const [value, allowed, channels] of table) {
    it(`of ${JSON.stringify(value) as string | undefined} chooses [${channels.join()}] among [${allowed.join()}]`, () => {
      expect(readOptIn({ optIn: value }, 'optIn', allowed).channels).to.deep.equal(channels);
    });
  }

  const said: readonly (readonly [value: unknown, optIn: string])[] = [
    [true, 'yes'],
    ['line', 'yes'],
    [['telegram', 'line'], 'yes'],
    [false, 'no'],
    [null, 'no'],
    ['', 'no'],
    [[], 'no'],
    ['sms', 'no'],
    [undefined, 'absent'],
    ['true', 'unusable'],
    ['false', 'unusable'],
    [1, 'unusable'],
    [{ whatsapp: true }, 'unusable'],
    ['telegram', 'unusable'],
    ['voice', 'unusable'],
    [['telegram'], 'unusable'],
    [[true], 'unusable'],
  ];
  for (const [value, optIn] of said) {
    it(`of ${JSON.stringify(value) as string | undefined} is ${optIn}`, () => {
      expect(readOptIn({ optIn: value }, 'optIn', both).optIn).to.equal(optIn);
    });
  }

  it('of true is unusable if users cannot choose WhatsApp', () => {
    expect(readOptIn({ optIn: true }, 'optIn', ['line']).optIn).to.equal('unusable');
  });

  it('is not read from a prototype', () => {
    const profile = Object.create({ optIn: true }) as UserProfile;
    const absent = { optIn: 'absent', channels: [] };
    expect(readOptIn(profile, 'optIn', ['whatsapp'])).to.deep.equal(absent);
    expect(readOptIn({}, 'constructor', ['whatsapp'])).to.deep.equal(absent);
    expect(readOptIn({}, '__proto__', ['whatsapp'])).to.deep.equal(absent);
  });

  it('chooses no channel without a profile', () => {
    expect(readOptIn(undefined, 'optIn', ['whatsapp'])).to.deep.equal({ optIn: 'unread', channels: [] });
  });
});

describe('the plan', () => {
  const failures: string[] = [];
  beforeEach(() => {
    failures.length = 0;
  });
  const plan = (
    request: TelephonyRequest,
    optIn: unknown,
    chooseChannels?: unknown,
    configured: readonly string[] = ['whatsapp', 'line', 'sms', 'voice'],
  ): readonly string[] =>
    planChannels(
      request,
      { optIn },
      {
        chooseChannels: chooseChannels as ChooseChannels | undefined,
        optInAttribute: 'optIn',
        optInChannels: ['whatsapp', 'line'],
        isConfigured: (channel) => configured.includes(channel),
        onFailure: (error) => failures.push(error instanceof Error ? error.message : 'no error'),
      },
    ).channels;

  it('of a text has the channels that the user opted in to, then sms', () => {
    expect(plan(text, true)).to.deep.equal(['whatsapp', 'sms']);
    expect(plan(text, ['line', 'whatsapp'])).to.deep.equal(['line', 'whatsapp', 'sms']);
    expect(plan(text, ['line', 'line'])).to.deep.equal(['line', 'sms']);
    expect(plan(text, false)).to.deep.equal(['sms']);
  });

  it('of a text has only configured channels, and never voice', () => {
    expect(plan(text, true, undefined, ['sms'])).to.deep.equal(['sms']);
    expect(plan(text, true, undefined, ['whatsapp'])).to.deep.equal(['whatsapp']);
    expect(plan(text, false, undefined, ['whatsapp', 'voice'])).to.deep.equal([]);
  });

  it('of a call has only voice, if configured, and does not call chooseChannels', () => {
    let calls = 0;
    const choose = (): string[] => {
      calls += 1;
      return ['whatsapp'];
    };
    expect(plan(call, true, choose)).to.deep.equal(['voice']);
    expect(plan(call, true, choose, ['sms', 'whatsapp'])).to.deep.equal([]);
    expect(calls).to.equal(0);
  });

  const chosen: readonly (readonly [what: string, chosen: unknown, channels: readonly string[]])[] = [
    ['keeps its order, and sms follows', ['line', 'whatsapp'], ['line', 'whatsapp', 'sms']],
    ['keeps sms in its place', ['sms', 'line'], ['sms', 'line']],
    ['is sms alone if it is empty', [], ['sms']],
    ['replaces the opt-in', ['line'], ['line', 'sms']],
    ['never contains voice', ['voice', 'line'], ['line', 'sms']],
    ['leaves out a channel that is not configured', ['telegram', 'line'], ['line', 'sms']],
    ['contains each channel once', ['line', 'line', 'sms', 'sms'], ['line', 'sms']],
  ];
  for (const [what, value, channels] of chosen) {
    it(`of chooseChannels ${what}`, () => {
      expect(plan(text, true, () => value)).to.deep.equal(channels);
      // A skipped channel is reported: it is a misspelling more often than not.
      const isSkipped = (value as string[]).some((name) => ['voice', 'telegram'].includes(name));
      expect(failures).to.deep.equal(
        isSkipped ? ['named a channel that is not configured, or voice; it is passed over'] : [],
      );
    });
  }

  for (const value of [
    undefined,
    null,
    'line',
    1,
    {},
    { length: 1, 0: 'line' },
    [1],
    ['line', undefined],
    new Set(['line']),
  ]) {
    it(`is that of the opt-in if chooseChannels returns ${Object.prototype.toString.call(value)} ${JSON.stringify(value) as string | undefined}`, () => {
      expect(plan(text, true, () => value)).to.deep.equal(['whatsapp', 'sms']);
      expect(failures).to.deep.equal(['did not return an array of channel names']);
    });
  }

  it('is that of the opt-in if chooseChannels throws', () => {
    expect(
      plan(text, true, () => {
        throw new Error('no database');
      }),
    ).to.deep.equal(['whatsapp', 'sms']);
    expect(
      plan(text, true, () => {
        throw null;
      }),
    ).to.deep.equal(['whatsapp', 'sms']);
    expect(failures).to.deep.equal(['no database', 'no error']);
  });

  it('is that of the opt-in if chooseChannels is async, and its rejection is handled', async () => {
    expect(plan(text, true, () => Promise.reject(new Error('no database')))).to.deep.equal([
      'whatsapp',
      'sms',
    ]);
    // Node reports unhandled rejections after the microtasks of a turn, and the witness sees them.
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).to.have.length(1);
  });

  it('passes the request and the profile to chooseChannels', () => {
    const seen: unknown[] = [];
    plan(text, 'line', (...args: unknown[]) => {
      seen.push(...args);
      return [];
    });
    expect(seen).to.deep.equal([text, { optIn: 'line' }]);
  });
});

describe('the suppressed channels of a plan', () => {
  const begun = (reason: SuppressionReason, channel = 'whatsapp'): Suppression => ({
    channel,
    reason,
    atMs: 0,
    untilMs: 9e15,
  });

  it('have the reason of STOP before that of the provider, in any order', () => {
    const both = [begun('NOT_REACHED'), begun('STOPPED')];
    expect(suppressionFor(both, 'whatsapp')?.reason).to.equal('STOPPED');
    expect(suppressionFor(both, 'line')).to.equal(undefined);
  });

  it('leave the user the last channel, unless they sent STOP to it', () => {
    const all: Readonly<Record<string, SuppressionReason>> = { whatsapp: 'STOPPED', line: 'OPTED_OUT' };
    const of = (channel: string): Suppression | undefined => {
      const reason = all[channel];
      return reason === undefined ? undefined : begun(reason, channel);
    };
    const stopped = { channel: 'whatsapp', reason: 'STOPPED' };
    expect(skipSuppressed(['whatsapp', 'line', 'sms'], of)).to.deep.equal({
      channels: ['sms'],
      skipped: [stopped, { channel: 'line', reason: 'OPTED_OUT' }],
    });
    expect(skipSuppressed(['whatsapp', 'line'], of)).to.deep.equal({
      channels: ['line'],
      skipped: [stopped],
    });
    expect(skipSuppressed(['whatsapp'], of)).to.deep.equal({ channels: [], skipped: [stopped] });
  });
});

describe('the next route', () => {
  const step = (name: string): PlanStep => ({
    channel: name.slice(0, -1),
    provider: Number(name.slice(-1)),
    to: '+447700900123',
  });
  for (const [plan, sentBy, next] of [
    ['whatsapp0 sms0 sms1', 'whatsapp0', 'sms0 sms1 whatsapp0'],
    ['whatsapp0 sms0 sms1', 'sms0', 'sms1 whatsapp0 sms0'],
    // The last one: it starts again.
    ['whatsapp0 sms0 sms1', 'sms1', 'whatsapp0 sms0 sms1'],
    ['whatsapp0 whatsapp1', 'whatsapp0', 'whatsapp1 whatsapp0'],
    ['sms0', 'sms0', undefined],
    ['sms0 sms1', 'whatsapp0', undefined],
    ['', 'sms0', undefined],
  ] as const) {
    it(`of ${plan || 'nothing'} after ${sentBy} is ${next ?? 'not known'}`, () => {
      const steps = nextRoute(plan.split(' ').filter(Boolean).map(step), step(sentBy));
      expect(steps?.map(({ channel, provider }) => `${channel}${provider}`).join(' ')).to.equal(next);
    });
  }
});
