import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { runs } from '#harness/thoroughness.js';
import { BoundedMap } from '#lib/core/bounded-map.js';

/** What it has let go cannot be seen from outside but by this. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a map of so many entries at most', () => {
  it('drops the one that was set the longest ago, asked for or not', () => {
    const map = new BoundedMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect(['a', 'b', 'c'].map((key) => map.get(key))).to.deep.equal([undefined, 2, 3]);
  });

  it('takes one that is set again for the newest', () => {
    const map = new BoundedMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.set('c', 4);
    expect(['a', 'b', 'c'].map((key) => map.get(key))).to.deep.equal([3, undefined, 4]);
  });

  it('drops the right one whatever was set again or taken out before', () => {
    const max = 7;
    const map = new BoundedMap<number>(max);
    const model: [key: string, value: number][] = [];
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const keys = Array.from({ length: 20 }, (_, number) => `k${number}`);
    for (let step = 0; step < runs(2_000, 20_000); step += 1) {
      const key = keys[random(20)] ?? '';
      const at = model.findIndex(([known]) => known === key);
      if (at !== -1) model.splice(at, 1);
      if (random(5) === 0) map.delete(key);
      else {
        map.set(key, step);
        model.push([key, step]);
        if (model.length > max) model.shift();
      }
      const known = new Map(model);
      const wrong = keys.filter((one) => map.get(one) !== known.get(one));
      expect([map.size, wrong]).to.deep.equal([known.size, []]);
    }
  });

  it('holds as many as it may, and no more, when it was emptied and is filled again, many times', () => {
    const max = 50;
    const map = new BoundedMap<number>(max);
    const keysOf = (round: number): readonly string[] =>
      Array.from({ length: 3 * max }, (_, at) => `${round} ${at}`);
    // Each place of a gap below comes once, or more often.
    for (let round = 0; round < runs(max, 10 * max); round += 1) {
      const keys = keysOf(round);
      const sizes = keys.map((key, at) => {
        map.set(key, at);
        return map.size;
      });
      expect(sizes).to.deep.equal(keys.map((_, at) => Math.min(at + 1, max)));
      const left = keys.filter((key) => map.get(key) !== undefined);
      expect(left).to.deep.equal(keys.slice(-max));
      expect(left.map((key) => map.get(key))).to.deep.equal(keys.map((_, at) => at).slice(-max));
      // Another gap each round at another place: what was passed over does not hide what came after it.
      map.delete(left[round % max] ?? '');
      expect(map.size).to.equal(max - 1);
      map.set(`again ${round}`, round);
      expect(map.get(left[0] ?? '')).to.equal(round % max === 0 ? undefined : 2 * max);
      for (const key of [...left, `again ${round}`]) map.delete(key);
      expect(map.size).to.equal(0);
    }
  });

  it('takes out what is not there without another going', () => {
    const map = new BoundedMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    for (const key of ['c', 'd', 'e']) map.delete(key);
    expect([map.get('a'), map.get('b'), map.size]).to.deep.equal([1, 2, 2]);
  });

  it('holds nothing of those that were taken out, when it is not full again', () => {
    const map = new BoundedMap<number>(1000);
    for (let number = 0; number <= 1000; number += 1) map.set(`k${number}`, number);
    for (let number = 0; number <= 1000; number += 1) map.delete(`k${number}`);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let number = 0; number < 200_000; number += 1) {
      map.set(`k${number}`, number);
      map.delete(`k${number}`);
    }
    collectGarbage();
    expect(map.size).to.equal(0);
    expect(process.memoryUsage().heapUsed - before).to.be.below(5_000_000);
  });
});
