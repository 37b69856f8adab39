import { expect } from 'chai';
import { LRUCache } from 'lru-cache';
import { atMost } from '#lib/core/cache-size.js';

describe('the size of a cache', () => {
  it('drops the entry that was not used for the longest, as the one too many comes', () => {
    const dropped: string[] = [];
    const cache = new LRUCache<string, number>({
      ...atMost(3),
      dispose: (_value, key, why) => dropped.push(`${key} ${why}`),
    });
    for (const key of ['a', 'b', 'c']) cache.set(key, 1);
    cache.get('a');
    cache.set('d', 1);
    expect(dropped).to.deep.equal(['b evict']);
    expect([...cache.keys()]).to.have.members(['a', 'c', 'd']);
  });

  it('reserves nothing: a hook is made with it', () => {
    // What it allows would not fit into the memory of the process.
    expect(() => new LRUCache<string, number>(atMost(2 ** 40))).to.not.throw();
  });
});
