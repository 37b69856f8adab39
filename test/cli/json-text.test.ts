import { expect } from 'chai';
import { readJsonText } from '#lib/cli/json-text.js';

describe('a JSON text', () => {
  for (const text of [
    '{}',
    '[]',
    ' {"a": [1, -2.5e3, true, null, "\\u00e9\\n"]} \n',
    '\uFEFF{"a":1}',
    '"a"',
    '0',
  ]) {
    it(`is read: ${JSON.stringify(text)}`, () => {
      expect(readJsonText(text)).to.deep.equal({ value: JSON.parse(text.replace('\uFEFF', '')) as unknown });
    });
  }

  for (const [text, line, column, problem] of [
    ['', 1, 1, 'ends where a value'],
    ['{', 1, 2, 'ends where a name'],
    ['{\n  "a": 1,\n}', 3, 1, 'a comma too many before }'],
    ['[1,\n2,]', 2, 3, 'a comma too many before ]'],
    ['{"a" 1}', 1, 6, 'a colon'],
    ['{"a": 1\r\n "b": 2}', 2, 2, 'a comma, or }'],
    ["{'a': 1}", 1, 2, 'a name in double quotes'],
    ['{"a": \'x\'}', 1, 7, 'a value'],
    ['{"a": +44}', 1, 7, 'a value'],
    ['{"a": 007}', 1, 8, 'a comma'],
    ['{"a": tru}', 1, 7, 'a value'],
    ['{"a": "x\n}', 1, 7, 'does not end on its line'],
    ['{"a": "x', 1, 7, 'does not end on its line'],
    ['{"a": "\\x"}', 1, 8, 'a backslash'],
    ['{"é🙂": }', 1, 8, 'a value'],
    ['{} {}', 1, 4, 'nothing may follow'],
    ['{"a": 1', 1, 8, 'ends where a comma, or }'],
    ['// no\n{}', 1, 1, 'a value'],
    ['['.repeat(5000), 1, 202, 'too deeply'],
  ] as const) {
    it(`is none, at line ${line}, column ${column}: ${JSON.stringify(text.slice(0, 20))}`, () => {
      const read = readJsonText(text);
      expect(read.problem).to.include({ line, column });
      expect(read.problem?.problem).to.include(problem);
    });
  }

  it('is told of without any of its words', () => {
    for (const text of ['{"a": secretword}', '{"a": "secretword', '{secretword: 1}', '{} secretword']) {
      expect(JSON.stringify(readJsonText(text).problem)).to.not.include('secretword');
    }
  });
});
