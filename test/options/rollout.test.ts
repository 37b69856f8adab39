import { expect } from 'chai';
import type { TelephonyRequest } from '#lib/core/channel.js';
import { ConfigurationError } from '#lib/core/errors.js';
import { withinRollout } from '#lib/delivery/plan.js';
import { createRollout } from '#lib/options/rollout.js';
import type { Rollout } from '#lib/core/option-types.js';

const isChannel = (name: string): boolean => ['whatsapp', 'sms', 'voice', 'line'].includes(name);
const requestOf = (userId: string | undefined, phoneNumber = '+447700900123'): TelephonyRequest =>
  ({ userId, phoneNumber }) as TelephonyRequest;
const USERS = Array.from({ length: 2000 }, (_, count) => `00u${count}`);
const reached = (channel: string, share: number): string[] =>
  USERS.filter(
    (userId) => withinRollout([channel], requestOf(userId), new Map([[channel, share]])).length === 1,
  );

describe('the rollout of a channel', () => {
  it('reaches about its percentage of the users, and always the same users', () => {
    for (const share of [1, 25, 50, 99.5]) {
      const users = reached('whatsapp', share);
      expect(Math.abs(users.length / USERS.length - share / 100)).to.be.below(0.04);
      expect(reached('whatsapp', share)).to.deep.equal(users);
    }
  });

  it('reaches all users at 100 and none at 0', () => {
    expect(reached('whatsapp', 100)).to.deep.equal(USERS);
    expect(reached('whatsapp', 0)).to.deep.equal([]);
  });

  it('keeps its users when the percentage grows', () => {
    expect(reached('whatsapp', 50)).to.include.members(reached('whatsapp', 25));
  });

  it('starts with other users than another channel', () => {
    const byLine = new Set(reached('line', 25));
    const both = reached('whatsapp', 25).filter((user) => byLine.has(user));
    expect(Math.abs(both.length / USERS.length - 0.0625)).to.be.below(0.03);
  });

  it('uses the number if there is no user id', () => {
    const shares = new Map([['whatsapp', 50]]);
    const numbers = Array.from({ length: 400 }, (_, count) => `+4477009${count + 10_000}`);
    const isOn = (userId: string | undefined, number: string): boolean =>
      withinRollout(['whatsapp'], requestOf(userId, number), shares).length === 1;
    expect(numbers.filter((number) => isOn(undefined, number)).length).to.be.within(140, 260);
    expect(new Set(numbers.map((number) => isOn('00u1', number))).size).to.equal(1);
  });

  it('removes the channel from the plan at 0, and the others keep their order', () => {
    const shares = new Map([
      ['whatsapp', 0],
      ['line', 100],
    ]);
    expect(withinRollout(['line', 'whatsapp', 'sms'], requestOf('00u1'), shares)).to.deep.equal([
      'line',
      'sms',
    ]);
    expect(withinRollout(['whatsapp'], requestOf('00u1'), shares)).to.deep.equal([]);
    expect(withinRollout(['whatsapp', 'sms'], requestOf('00u1'), new Map())).to.deep.equal([
      'whatsapp',
      'sms',
    ]);
  });
});

describe('the percentages of a rollout', () => {
  const failures: unknown[] = [];
  beforeEach(() => {
    failures.length = 0;
  });
  const readBy = (option: unknown): (() => Record<string, number>) => {
    const read = createRollout(option as Rollout | (() => Rollout) | undefined, isChannel);
    return () =>
      Object.fromEntries(
        read((error, percentages) => {
          failures.push([error instanceof Error ? error.message : 'no error', percentages]);
        }),
      );
  };

  it('are empty without the option, and omit undefined channels', () => {
    expect(readBy(undefined)()).to.deep.equal({});
    expect(readBy({ whatsapp: 25, line: undefined })()).to.deep.equal({ whatsapp: 25 });
    expect(failures).to.deep.equal([]);
  });

  const boom = (): never => {
    throw new Error('no database');
  };
  const noObject = 'did not return an object of percentages by channel';
  const nonsense: readonly (readonly [
    title: string,
    give: () => unknown,
    failure: string,
    problem?: RegExp,
  ])[] = [
    ['throws', boom, 'no database', /^rollout: the function threw when it was first asked; see the cause/],
    [
      'throws a value that is no error',
      () => {
        throw null;
      },
      'no error',
      /threw when it was first asked/,
    ],
    ['returns nothing', () => undefined, noObject],
    ['returns null', () => null, noObject],
    ['returns a number', () => 0, noObject],
    ['returns a list', () => ['whatsapp'], noObject],
    ['returns a map', () => new Map([['whatsapp', 50]]), noObject],
    [
      'returns a getter that throws',
      () => Object.defineProperty({}, 'sms', { get: boom, enumerable: true }),
      'no database',
      /threw when it was first asked/,
    ],
    [
      'is async',
      () => Promise.resolve({ whatsapp: 50 }),
      'returned a promise',
      /promise; let it not be async/,
    ],
    [
      'is async and fails',
      () => Promise.reject(new Error('x')),
      'returned a promise',
      /promise; let it not be async/,
    ],
    [
      'returns undefined for a channel',
      () => ({ whatsapp: undefined }),
      'gave the channel whatsapp what is no number from 0 to 100',
    ],
    [
      'returns a text',
      () => ({ whatsapp: '0' }),
      'gave the channel whatsapp what is no number from 0 to 100',
    ],
    ['returns NaN', () => ({ whatsapp: NaN }), 'gave the channel whatsapp what is no number from 0 to 100'],
    [
      'returns a negative number',
      () => ({ sms: -1 }),
      'gave the channel sms what is no number from 0 to 100',
    ],
    [
      'returns a number above 100',
      () => ({ whatsapp: 101 }),
      'gave the channel whatsapp what is no number from 0 to 100',
    ],
    [
      'misspells a channel',
      () => ({ whatsap: 0 }),
      'named the channel whatsap, which is not configured',
      /look for a misspelling/,
    ],
    [
      'names an impossible channel',
      () => ({ '+447700900123': 0 }),
      'named a channel, which is not configured',
    ],
    [
      'is wrong for one channel only',
      () => ({ whatsapp: 100, line: 'ten' }),
      'gave the channel line what is no number from 0 to 100',
    ],
  ];
  for (const [
    title,
    give,
    failure,
    problem = new RegExp(`^rollout: the function ${failure}; l`),
  ] of nonsense) {
    it(`stay unchanged while the function ${title}`, async () => {
      let answer: () => unknown = () => ({ whatsapp: 0 });
      const read = readBy(() => answer());
      answer = give;
      expect(read()).to.deep.equal({ whatsapp: 0 });
      expect(failures).to.deep.equal([[failure, { whatsapp: 0 }]]);
      answer = () => ({ whatsapp: 5 });
      expect(read()).to.deep.equal({ whatsapp: 5 });
      // An unhandled rejection would end the process here.
      await new Promise((resolve) => setImmediate(resolve));
    });

    it(`cause a ConfigurationError if the function ${title} from the start`, async () => {
      let thrown: unknown;
      try {
        readBy(give);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).to.be.instanceOf(ConfigurationError);
      const { problems } = thrown as ConfigurationError;
      expect(problems).to.have.length(1);
      expect(problems[0]).to.match(problem).and.not.include('no database');
      await new Promise((resolve) => setImmediate(resolve));
    });
  }
});
