import { expect } from 'chai';
import { asList, asObject, fieldOf, isObject, parseJson, textFieldOf } from '#lib/core/json.js';

describe('JSON of unknown shape', () => {
  it('parseJson() returns undefined for a text that is not JSON', () => {
    for (const text of ['', '{', '<html>', 'undefined', '\uFEFF{}'])
      expect(parseJson(text)).to.equal(undefined);
    expect(parseJson('null')).to.equal(null);
    expect(parseJson('{"a":[1]}')).to.deep.equal({ a: [1] });
  });

  it('asObject() returns {} and asList() returns [] for any other value', () => {
    for (const value of [null, undefined, 1, 'a', true, [{}]]) {
      expect(isObject(value)).to.equal(false);
      expect(asObject(value)).to.deep.equal({});
    }
    for (const value of [null, undefined, 1, 'a', { length: 1 }]) expect(asList(value)).to.deep.equal([]);
    const [object, list] = [{ a: 1 }, [1]];
    expect(asObject(object)).to.equal(object);
    expect(asList(list)).to.equal(list);
  });

  it('fieldOf() returns the field at a path, or undefined if the path ends early', () => {
    const value = { a: { b: { c: 1 }, none: null, list: [{ d: 1 }] } };
    expect(fieldOf(value, 'a', 'b', 'c')).to.equal(1);
    expect(fieldOf(value)).to.equal(value);
    expect(fieldOf(value, 'a', 'none')).to.equal(null);
    for (const path of [['x'], ['a', 'x', 'c'], ['a', 'none', 'c'], ['a', 'list', '0'], ['a', 'b', 'c', 'd']])
      expect(fieldOf(value, ...path), path.join('.')).to.equal(undefined);
    // Inherited properties are not fields.
    for (const name of ['constructor', 'toString', '__proto__'])
      expect(fieldOf({}, name), name).to.equal(undefined);
  });

  it('textFieldOf() returns a text only if it is not empty', () => {
    const value = { text: 'x', empty: '', number: 1, inner: { text: 'y' } };
    expect(textFieldOf(value, 'text')).to.equal('x');
    expect(textFieldOf(value, 'inner', 'text')).to.equal('y');
    for (const name of ['empty', 'number', 'inner', 'missing'])
      expect(textFieldOf(value, name), name).to.equal(undefined);
  });
});
