import { expect } from 'chai';
import { readBenchOptions, USAGE } from './options.js';

describe('the options of the bench', () => {
  it('select all parts except for the scale run by default', () => {
    const { isScale, rounds, seconds, connections, parts } = readBenchOptions([]);
    expect({ isScale, rounds, seconds, connections, parts }).to.deep.equal({
      ...{ isScale: false, rounds: 16, seconds: 1, connections: [1, 32] },
      parts: ['servers', 'allocations', 'memory', 'imports'],
    });
  });

  it('accept the rounds, length, load and JSON file of a scale run', () => {
    const args = [
      '--scale',
      '--rounds',
      '3',
      '--seconds',
      '2',
      '--connections',
      '8,64',
      '--json',
      'all.json',
    ];
    const { isScale, rounds, seconds, connections, jsonFile } = readBenchOptions(args);
    expect({ isScale, rounds, seconds, connections, jsonFile }).to.deep.equal({
      ...{ isScale: true, rounds: 3, seconds: 2, connections: [8, 64], jsonFile: 'all.json' },
    });
    expect(USAGE).to.include('--scale');
  });

  it('accept the build of another commit and a version of Node.js', () => {
    const { servers, nodeVersion } = readBenchOptions(['--quick', '--before', 'dist', '--node', '24']);
    expect({ servers, nodeVersion }).to.deep.equal({
      ...{ servers: ['bare + log', 'ours + log', 'before + log'], nodeVersion: '24' },
    });
    expect(() => readBenchOptions(['--node', 'latest'])).to.throw('--node takes a version');
  });

  for (const other of [
    ['--only', 'ours'],
    ['--parts', 'memory'],
    ['--profile', 'a.cpuprofile'],
  ]) {
    it(`refuse ${other[0] ?? ''} beside --scale`, () => {
      expect(() => readBenchOptions(['--scale', ...other])).to.throw('--scale is a run of its own');
    });
  }
});
