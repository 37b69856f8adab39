import { expect } from 'chai';
import { growthsOf, memoryProblems, type MemoryFact } from './memory.js';

describe('the memory of the gateways of a chaos run', () => {
  const MB = 1024 * 1024;
  const problemsOf = (facts: readonly MemoryFact[]): readonly string[] => memoryProblems(growthsOf(facts));
  /** A use each second. */
  const lifeOf = (seconds: number, useOf: (second: number) => Partial<MemoryFact>): readonly MemoryFact[] =>
    Array.from({ length: seconds }, (_, second) => ({
      ...{ gateway: 1, life: 1, at: second * 1_000, heap: 40 * MB, rss: 150 * MB },
      ...useOf(second),
    }));

  it('is no problem while it stays, or falls, or grows at the start alone', () => {
    expect(problemsOf(lifeOf(60, () => ({})))).to.deep.equal([]);
    expect(problemsOf(lifeOf(60, (second) => ({ rss: (400 - second) * MB })))).to.deep.equal([]);
    expect(problemsOf(lifeOf(60, (second) => ({ heap: Math.min(second, 8) * 10 * MB })))).to.deep.equal([]);
    // One large use is no growth.
    expect(problemsOf(lifeOf(60, (second) => (second === 55 ? { heap: 900 * MB } : {})))).to.deep.equal([]);
  });

  it('is a problem if it grows all the time', () => {
    const heap = problemsOf(lifeOf(60, (second) => ({ heap: second * 2 * MB })));
    expect(heap).to.have.lengthOf(1);
    expect(heap[0]).to.match(/^gateway 1 has grown within 51 s: its heap by \d\d+ MB, the process by 0 MB$/);
    const rss = problemsOf(lifeOf(60, (second) => ({ rss: second * 8 * MB })));
    expect(rss[0]).to.match(/the process by \d{3} MB$/);
  });

  it('says nothing about a short life, and keeps lives apart', () => {
    expect(problemsOf(lifeOf(15, (second) => ({ heap: second * 99 * MB })))).to.deep.equal([]);
    const [one, other] = [lifeOf(30, () => ({})), lifeOf(30, () => ({ life: 2, heap: 400 * MB }))];
    expect(problemsOf([...one, ...other])).to.deep.equal([]);
  });
});
