import { expect } from 'chai';
import { LRUCache } from 'lru-cache';
import { atMost, RecentMap } from '#lib/core/caches.js';

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

interface Entry {
  readonly value: number;
}
const entry = (value: number): Entry => ({ value });

describe('RecentMap', () => {
  const keysIn = (map: RecentMap<Entry>, count: number): number[] =>
    Array.from({ length: count }, (_, key) => key).filter((key) => map.get(`k${key}`) !== undefined);

  it('always keeps the last entries, and at most a fifth more', () => {
    const map = new RecentMap<Entry>(10);
    for (let key = 0; key < 1_000; key += 1) {
      map.set(`k${key}`, entry(key));
      const there = keysIn(map, key + 1);
      expect(there.length).to.be.within(Math.min(key + 1, 10), 12);
      // No entry is missing between the first and the last.
      expect(there).to.deep.equal(there.map((_, at) => (there[0] ?? 0) + at));
    }
  });

  it('treats an entry that is set again or used as a new one', () => {
    for (const again of [
      (map: RecentMap<Entry>) => {
        map.set('k0', entry(0));
      },
      (map: RecentMap<Entry>) => {
        expect(map.use('k0')).to.deep.equal(entry(0));
      },
    ]) {
      const map = new RecentMap<Entry>(50);
      for (let key = 0; key < 1_000; key += 1) {
        map.set(`k${key}`, entry(key));
        again(map);
      }
      expect(map.get('k0')).to.deep.equal(entry(0));
      expect(keysIn(map, 1_000).length).to.be.within(45, 60);
    }
  });

  it('with one older map keeps the last different entries, however often some of them are used', () => {
    const map = new RecentMap<Entry>(100, 1);
    for (let key = 0; key < 1_000; key += 1) {
      map.set(`k${key}`, entry(key));
      for (let again = 0; again < 5; again += 1) map.use(`k${Math.max(0, key - again * 20)}`);
      const there = keysIn(map, key + 1);
      expect(there.slice(-100)).to.deep.equal(
        Array.from({ length: Math.min(key + 1, 100) }, (_, at) => Math.max(0, key - 99) + at),
      );
      expect(there.length).to.be.at.most(200);
    }
  });

  it('returns the last value of a key that is set repeatedly', () => {
    const map = new RecentMap<Entry>(3);
    for (let value = 0; value < 50; value += 1) {
      map.set('again', entry(value));
      map.set(`k${value}`, entry(value));
      expect(map.get('again')).to.deep.equal(entry(value));
      expect(map.use('again')).to.deep.equal(entry(value));
    }
  });

  it('does not find a deleted key, however old it is', () => {
    const map = new RecentMap<Entry>(3);
    for (const key of ['a', 'b', 'c', 'd', 'a']) map.set(key, entry(1));
    for (const key of ['a', 'b', 'c', 'd']) {
      map.delete(key);
      expect([map.get(key), map.use(key)]).to.deep.equal([undefined, undefined]);
    }
    map.delete('never');
  });

  it('keeps the other entries if one key is set repeatedly', () => {
    const map = new RecentMap<Entry>(3);
    for (const key of ['a', 'b', 'c', 'd']) map.set(key, entry(1));
    for (let times = 0; times < 20; times += 1) map.set('d', entry(times));
    expect(['a', 'b', 'c', 'd'].filter((key) => map.get(key) !== undefined)).to.deep.equal([
      'a',
      'b',
      'c',
      'd',
    ]);
  });
});
