import { expect } from 'chai';
import fc from 'fast-check';
import { createSealing, type NamedKind, type SealedKind } from '#lib/state/redis/sealing.js';
import { check, PATIENCE_MS, withSeed } from '../../hostile/runs.js';

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);
const ANOTHER = Buffer.alloc(32, 3);
const KINDS: readonly SealedKind[] = ['answer', 'message'];
const NAMED: readonly NamedKind[] = ['event', 'limit', 'person', 'message', 'lastCode', 'newest'];

const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const kind = fc.constantFrom(...KINDS);

describe(withSeed('a sealed text'), function () {
  this.timeout(PATIENCE_MS);
  const sealing = createSealing(NEW, 'prefix');

  it('opens unchanged', () =>
    check(
      'sealing opens',
      fc.asyncProperty(kind, text, text, async (of, name, plain) => {
        expect(sealing.open(of, name, sealing.seal(of, name, plain))).to.equal(plain);
        await Promise.resolve();
      }),
      200,
    ));

  it('does not open if one bit has changed, or a part is missing', () =>
    check(
      'sealing is tamper-proof',
      fc.asyncProperty(kind, text, text, fc.nat(), fc.nat(7), async (of, name, plain, at, bit) => {
        const sealed = sealing.seal(of, name, plain);
        const place = at % sealed.length;
        expect(sealing.open(of, name, sealed.subarray(0, place))).to.equal(undefined);
        expect(sealing.open(of, name, sealed.subarray(place + 1))).to.equal(undefined);
        sealed[place] = sealed[place]! ^ (1 << bit);
        expect(sealing.open(of, name, sealed)).to.equal(undefined);
        await Promise.resolve();
      }),
      300,
    ));

  it('does not open if its end is missing, at any length', () => {
    const sealed = sealing.seal('message', 'a name', 'a text');
    for (let length = 0; length < sealed.length; length += 1) {
      expect(sealing.open('message', 'a name', sealed.subarray(0, length)), String(length)).to.equal(
        undefined,
      );
    }
  });

  it('does not open under another name, as another kind, or with another key', () =>
    check(
      'sealing is bound',
      fc.asyncProperty(kind, text, text, text, async (of, name, otherName, plain) => {
        fc.pre(name !== otherName);
        const sealed = sealing.seal(of, name, plain);
        const otherKind = of === 'answer' ? 'message' : 'answer';
        expect(sealing.open(of, otherName, sealed)).to.equal(undefined);
        expect(sealing.open(otherKind, name, sealed)).to.equal(undefined);
        expect(createSealing(ANOTHER, 'prefix').open(of, name, sealed)).to.equal(undefined);
        await Promise.resolve();
      }),
      200,
    ));

  it('does not open if the bytes are not sealed ones', () =>
    check(
      'sealing opens nothing else',
      fc.asyncProperty(kind, text, fc.uint8Array({ maxLength: 200 }), async (of, name, bytes) => {
        expect(sealing.open(of, name, Buffer.from(bytes))).to.equal(undefined);
        await Promise.resolve();
      }),
      200,
    ));

  it('has different bytes each time, and shows none of the text', () => {
    const plain = 'code 204981 of +447700900123';
    const seen = new Set(
      Array.from({ length: 1000 }, () => sealing.seal('answer', 'name', plain).toString('latin1')),
    );
    expect(seen.size).to.equal(1000);
    for (const sealed of seen) expect(sealed).to.not.match(/204981|447700/);
  });
});

describe('the names of Redis keys', () => {
  it('differ by encryption key, kind, text and prefix, and show only the kind', () => {
    const sealing = createSealing(OLD, 'prefix');
    const names = NAMED.flatMap((named) =>
      ['+447700900123', '+447700900124'].map((of) => sealing.nameOf(named, of)),
    );
    expect(new Set(names.map((name) => name.split(':')[2])).size).to.equal(names.length);
    for (const name of names) expect(name).to.match(/^\{prefix\}:[a-zA-Z]+:[\w-]{22}$/);
    const byAnother = createSealing(NEW, 'prefix');
    expect(byAnother.nameOf('event', 'a')).to.not.equal(sealing.nameOf('event', 'a'));
    expect(createSealing(OLD, 'other').nameOf('event', 'a')).to.match(/^\{other\}:event:/);
    expect(sealing.nameOf('newest', 'a')).to.equal(`{prefix}:newest:${sealing.digestOf('newest', 'a')}`);
  });
});
