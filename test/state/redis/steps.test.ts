import { expect } from 'chai';
import type { Client } from '#lib/state/redis/clients.js';
import { RedisSteps, type Step } from '#lib/state/redis/steps.js';

describe('the steps of one turn of the event loop', () => {
  /** The arguments that the command gets for these steps. */
  const commandOf = async (steps: readonly Step[]): Promise<unknown[]> => {
    let given: unknown[] = [];
    const client = {
      runStepsBuffer: (...args: unknown[]) => {
        given = args;
        return Promise.resolve(steps.map((_, at) => [1, at]));
      },
    };
    const redisSteps = new RedisSteps((work) => work(client as unknown as Client));
    const replies = await Promise.all(steps.map((step) => redisSteps.run(step)));
    expect(replies.flat()).to.deep.equal(steps.map((_, at) => at));
    return given;
  };

  it('become lines of text; a value that does not fit a line follows as its own argument', async () => {
    const bytes = Buffer.from('a\nb*');
    const given = await commandOf([
      { name: 'claimEvent', keys: ['k1', 'k2'], args: ['', 5, 'a b'] },
      { name: 'settleEvent', keys: ['k1'], args: ['token', bytes] },
      { name: 'releaseEvent', keys: [], args: [] },
    ]);
    const lines = ['claimEvent\n2\n\n5\na b\n', 'settleEvent\n1\ntoken\n*\n', bytes, 'releaseEvent\n0\n'];
    expect(given).to.deep.equal([3, 'k1', 'k2', 'k1', ...lines]);
  });

  it('are encoded without ambiguity for any text', async () => {
    const args = ['*', 'two\nlines', '', '**', '\n'];
    const given = await commandOf([
      { name: 'exchange', keys: ['k1'], args },
      { name: 'releaseEvent', keys: ['k2'], args: ['t'] },
    ]);
    const lines = ['exchange\n1\n*\n*\n\n**\n*\n', '*', 'two\nlines', '\n', 'releaseEvent\n1\nt\n'];
    expect(given).to.deep.equal([2, 'k1', 'k2', ...lines]);
  });
});
