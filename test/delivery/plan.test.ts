import { expect } from 'chai';
import type { TelephonyRequest, UserProfile } from '#lib/index.js';
import { optedInChannels, planChannels } from '#lib/delivery/plan.js';
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
      expect(optedInChannels({ optIn: value }, 'optIn', allowed)).to.deep.equal(channels);
    });
  }

  it('is never inherited', () => {
    const profile = Object.create({ optIn: true }) as UserProfile;
    expect(optedInChannels(profile, 'optIn', ['whatsapp'])).to.deep.equal([]);
    expect(optedInChannels({}, 'constructor', ['whatsapp'])).to.deep.equal([]);
    expect(optedInChannels({}, '__proto__', ['whatsapp'])).to.deep.equal([]);
  });

  it('is none where there is no profile', () => {
    expect(optedInChannels(undefined, 'optIn', ['whatsapp'])).to.deep.equal([]);
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
    );

  it('of a text is what the user opted in to, then sms', () => {
    expect(plan(text, true)).to.deep.equal(['whatsapp', 'sms']);
    expect(plan(text, ['line', 'whatsapp'])).to.deep.equal(['line', 'whatsapp', 'sms']);
    expect(plan(text, ['line', 'line'])).to.deep.equal(['line', 'sms']);
    expect(plan(text, false)).to.deep.equal(['sms']);
  });

  it('of a text holds only what is configured, and never a call', () => {
    expect(plan(text, true, undefined, ['sms'])).to.deep.equal(['sms']);
    expect(plan(text, true, undefined, ['whatsapp'])).to.deep.equal(['whatsapp']);
    expect(plan(text, false, undefined, ['whatsapp', 'voice'])).to.deep.equal([]);
  });

  it('of a call is a call, and nobody is asked', () => {
    let asked = 0;
    const choose = (): string[] => {
      asked += 1;
      return ['whatsapp'];
    };
    expect(plan(call, true, choose)).to.deep.equal(['voice']);
    expect(plan(call, true, choose, ['sms', 'whatsapp'])).to.deep.equal([]);
    expect(asked).to.equal(0);
  });

  const chosen: readonly (readonly [what: string, chosen: unknown, channels: readonly string[]])[] = [
    ['keeps its order and has sms behind it', ['line', 'whatsapp'], ['line', 'whatsapp', 'sms']],
    ['keeps sms where it put it', ['sms', 'line'], ['sms', 'line']],
    ['is sms alone where it is empty', [], ['sms']],
    ['goes before the opt-in', ['line'], ['line', 'sms']],
    ['never becomes a call', ['voice', 'line'], ['line', 'sms']],
    ['loses what is not configured', ['telegram', 'line'], ['line', 'sms']],
    ['holds each once', ['line', 'line', 'sms', 'sms'], ['line', 'sms']],
  ];
  for (const [what, value, channels] of chosen) {
    it(`of chooseChannels ${what}`, () => {
      expect(plan(text, true, () => value)).to.deep.equal(channels);
      // What is passed over is told: it is a misspelling more often than not.
      const isPassedOver = (value as string[]).some((name) => ['voice', 'telegram'].includes(name));
      expect(failures).to.deep.equal(
        isPassedOver ? ['named a channel that is not configured, or voice; it is passed over'] : [],
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
    it(`is the opt-in's when chooseChannels returns ${Object.prototype.toString.call(value)} ${JSON.stringify(value) as string | undefined}`, () => {
      expect(plan(text, true, () => value)).to.deep.equal(['whatsapp', 'sms']);
      expect(failures).to.deep.equal(['did not return an array of channel names']);
    });
  }

  it("is the opt-in's when chooseChannels throws", () => {
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

  it("is the opt-in's when chooseChannels is async, and its failure ends no process", async () => {
    expect(plan(text, true, () => Promise.reject(new Error('no database')))).to.deep.equal([
      'whatsapp',
      'sms',
    ]);
    // Node tells of rejections after the microtasks of a turn; the witness hears of them.
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).to.have.length(1);
  });

  it('hands chooseChannels the request and the profile', () => {
    const seen: unknown[] = [];
    plan(text, 'line', (...args: unknown[]) => {
      seen.push(...args);
      return [];
    });
    expect(seen).to.deep.equal([text, { optIn: 'line' }]);
  });
});
