import { expect } from 'chai';
import { readChaosOptions } from './options.js';

describe('the options of a chaos run', () => {
  it('have defaults, and a new seed for each run', () => {
    const { seed, ...options } = readChaosOptions([]);
    expect(options).to.deep.equal({
      ...{ rate: 50, events: 10_000, gateways: 3, nodes: [], schedules: undefined, steps: undefined },
      ...{ users: 3, state: undefined, isHelp: false },
    });
    expect(seed).to.not.equal(readChaosOptions([]).seed);
  });

  it('take the length in seconds, programs of Node.js, and steps of a schedule', () => {
    const args = ['--seconds', '5', '--rate', '20', '--node', '/a/node', '--node', '/b/node'];
    expect(readChaosOptions(args)).to.deep.include({ events: 100, nodes: ['/a/node', '/b/node'] });
    const schedule = ['--schedules', '1', '--seed', '7', '--users', '5', '--state', 'memory'];
    expect(readChaosOptions([...schedule, '--steps', '0,2,5'])).to.deep.include({
      ...{ schedules: 1, seed: 7, users: 5, state: 'memory', steps: [0, 2, 5] },
    });
  });

  it('say what is wrong', () => {
    for (const [args, problem] of [
      [['--events', '5', '--seconds', '5'], '--events or --seconds, not both'],
      [['--gateways', '1'], '--gateways takes a whole number from 2 up, not 1'],
      [['--state', 'disk'], '--state takes memory or redis, not disk'],
      [['--steps', '0,x'], '--steps takes a whole number from 0 up, not x'],
    ] as const) {
      expect(() => readChaosOptions(args)).to.throw(problem);
    }
  });
});
