import { expect } from 'chai';
import { readJsonText } from '#lib/cli/preview/json-text.js';

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
    ['', 1, 1, 'it ends where a value should be'],
    ['{', 1, 2, 'it ends where a name in double quotes should be'],
    ['{\n  "a": 1,\n}', 3, 1, 'there is a comma too many before }'],
    ['[1,\n2,]', 2, 3, 'there is a comma too many before ]'],
    ['{"a" 1}', 1, 6, 'a colon after the name should be here'],
    ['{"a": 1\r\n "b": 2}', 2, 2, 'a comma, or } should be here'],
    ['{"a": 1\r "b": 2}', 2, 2, 'a comma, or } should be here'],
    ["{'a': 1}", 1, 2, 'a name in double quotes should be here'],
    ['{"a": \'x\'}', 1, 7, 'a value should be here'],
    ['{"a": +44}', 1, 7, 'a value should be here'],
    ['{"a": 007}', 1, 8, 'a comma, or } should be here'],
    ['{"a": tru}', 1, 7, 'a value should be here'],
    ['{"a": "x\n}', 1, 7, 'the text that begins here does not end on its line'],
    ['{"a": "x', 1, 7, 'the text that begins here does not end on its line'],
    ['{"a": "\\x"}', 1, 8, 'a backslash has to be followed by one of "\\/bfnrt or by u and four digits'],
    ['{"a": "\\u00g9"}', 1, 8, 'a backslash has to be followed by one of "\\/bfnrt or by u and four digits'],
    ['{"é🙂": }', 1, 8, 'a value should be here'],
    ['{} {}', 1, 4, 'nothing may follow the end of the JSON'],
    ['{"a": 1', 1, 8, 'it ends where a comma, or }, should be'],
    ['// no\n{}', 1, 1, 'a value should be here'],
    ['['.repeat(5000), 1, 202, 'it is nested too deeply'],
    ['{"a":'.repeat(5000), 1, 1006, 'it is nested too deeply'],
    // A bracket closes its own kind.
    ['[}', 1, 2, 'a value should be here'],
    ['[1}', 1, 3, 'a comma, or ] should be here'],
    ['{]', 1, 2, 'a name in double quotes should be here'],
    ['{"a":1]', 1, 7, 'a comma, or } should be here'],
    ['[1 2]', 1, 4, 'a comma, or ] should be here'],
    ['[', 1, 2, 'it ends where a value should be'],
    ['[1', 1, 3, 'it ends where a comma, or ], should be'],
    ['{"a"', 1, 5, 'it ends where a colon after the name should be'],
    ['{"a":', 1, 6, 'it ends where a value should be'],
    ['{"a":1,', 1, 8, 'it ends where a name in double quotes should be'],
    ['[1.]', 1, 3, 'a comma, or ] should be here'],
    ['[1e]', 1, 3, 'a comma, or ] should be here'],
    // What is right before it is passed over.
    [
      '{ "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9" : [ -0.5e+10 , 10E-2 , 0 , { } , [ ] , true , false , null ] , "b" : x}',
      1,
      97,
      'a value should be here',
    ],
  ] as const) {
    it(`is none, at line ${line}, column ${column}: ${JSON.stringify(text.slice(0, 20))}`, () => {
      expect(readJsonText(text)).to.deep.equal({ problem: { line, column, problem } });
    });
  }

  it('is told of without any of its words', () => {
    for (const text of ['{"a": secretword}', '{"a": "secretword', '{secretword: 1}', '{} secretword']) {
      expect(JSON.stringify(readJsonText(text).problem)).to.not.include('secretword');
    }
  });
});
