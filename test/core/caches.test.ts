import { expect } from 'chai';
import { LRUCache } from 'lru-cache';
import { atMost, ExpiringCache } from '#lib/core/caches.js';

describe('atMost()', () => {
  it('drops the least recently used entry when one too many comes', () => {
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

  it('reserves no memory', () => {
    // This number of entries would not fit into memory.
    expect(() => new LRUCache<string, number>(atMost(2 ** 40))).to.not.throw();
  });
});

describe('ExpiringCache', () => {
  it('knows an entry until its life ends, and the rest of it', () => {
    const cache = new ExpiringCache<string>(10);
    cache.set('a', 'first', 0, 50);
    cache.set('a', 'last', 20, 100);
    expect(cache.get('a', 119)).to.deep.equal({ value: 'last', leftMs: 1 });
    expect(cache.get('a', 120)).to.equal(undefined);
    expect(cache.get('b', 0)).to.equal(undefined);
  });

  it('drops the entry that was set first when one too many comes', () => {
    const cache = new ExpiringCache<string>(2);
    for (const key of ['a', 'b', 'a', 'c']) cache.set(key, key, 0, 100);
    expect(['a', 'b', 'c'].filter((key) => cache.get(key, 3) !== undefined)).to.deep.equal(['a', 'c']);
  });

  it('lets go of expired entries as new ones come, also of those behind one that lives longer', () => {
    const cache = new ExpiringCache<string>(10_000);
    cache.set('long', 'x', 0, 1e6);
    for (let at = 0; at < 500; at += 1) cache.set(`short-${at}`, 'x', 0, 100);
    for (let at = 0; at < 200; at += 1) cache.set(`new-${at}`, 'x', 200, 100);
    // With a clock that goes back, an entry that is still held would be found again.
    const isHeld = (key: string): boolean => cache.get(key, 0) !== undefined;
    expect(['long', 'short-0', 'short-499', 'new-0'].map(isHeld)).to.deep.equal([true, false, false, true]);
  });
});
