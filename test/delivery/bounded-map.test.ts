import { expect } from 'chai';
import { BoundedMap } from '../../lib/delivery/bounded-map.js';

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
    for (let step = 0; step < 20_000; step += 1) {
      const key = `k${random(20)}`;
      const at = model.findIndex(([known]) => known === key);
      if (at !== -1) model.splice(at, 1);
      if (random(5) === 0) map.delete(key);
      else {
        map.set(key, step);
        model.push([key, step]);
        if (model.length > max) model.shift();
      }
      const known = new Map(model);
      expect(map.size).to.equal(known.size);
      for (let number = 0; number < 20; number += 1) {
        expect(map.get(`k${number}`)).to.equal(known.get(`k${number}`));
      }
    }
  });
});
