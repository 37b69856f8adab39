import { expect } from 'chai';
import fc from 'fast-check';
import { readJsonText } from '#lib/console/json-text.js';

const UNENDED = 'The text that begins here does not end on its line';
const ESCAPE = 'A backslash is followed by one of "\\/bfnrt, or by u and four hexadecimal digits';

describe('readJsonText()', () => {
  for (const text of [
    '{}',
    '[]',
    ' {"a": [1, -2.5e3, true, null, "\\u00e9\\n"]} \n',
    '\uFEFF{"a":1}',
    '"a"',
    '0',
  ]) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const read = readJsonText(text);
      expect(read.isJson && read.value).to.deep.equal(JSON.parse(text.replace('\uFEFF', '')) as unknown);
    });
  }

  const BROKEN: readonly (readonly [text: string, line: number, column: number, problem: string])[] = [
    ['', 1, 1, 'The JSON ends here, and a value is missing'],
    ['{', 1, 2, 'The JSON ends here, and a name in double quotes is missing'],
    ['[', 1, 2, 'The JSON ends here, and a value is missing'],
    ['[1', 1, 3, 'The JSON ends here, and a comma or ] is missing'],
    ['{"a"', 1, 5, 'The JSON ends here, and a colon after the name is missing'],
    ['{"a":', 1, 6, 'The JSON ends here, and a value is missing'],
    ['{"a": ', 1, 7, 'The JSON ends here, and a value is missing'],
    ['{"a": 1', 1, 8, 'The JSON ends here, and a comma or } is missing'],
    ['{"a":1,', 1, 8, 'The JSON ends here, and a name in double quotes is missing'],
    ['{\n  "a": 1,\n}', 3, 1, 'The comma before this } does not belong there'],
    ['[1,\n2,]', 2, 3, 'The comma before this ] does not belong there'],
    ['{\n  "a": 1,\n  "b" 2\n}', 3, 7, 'A colon after the name is expected here'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'A comma or } is expected here'],
    ['{"a": 1\r\n "b": 2}', 2, 2, 'A comma or } is expected here'],
    ['{"a": 1\r "b": 2}', 2, 2, 'A comma or } is expected here'],
    ["{'a': 1}", 1, 2, 'A name in double quotes is expected here'],
    ['{"a": \'x\'}', 1, 7, 'Texts stand in double quotes, not in single ones'],
    ['{"a": +44}', 1, 7, 'A value is expected here'],
    ['{"a": 007}', 1, 8, 'A comma or } is expected here'],
    ['{"a": tru}', 1, 7, 'A value is expected here'],
    ['{"a": "x\n}', 1, 7, UNENDED],
    ['{"a": "x', 1, 7, UNENDED],
    ['{"a": "\\x"}', 1, 8, ESCAPE],
    ['{"a": "\\u00g9"}', 1, 8, ESCAPE],
    ['{"a": "x\ty"}', 1, 9, 'This character, such as a tab, must be written with a backslash'],
    ['{"é🙂": }', 1, 8, 'A value is expected here'],
    ['\uFEFF{"a": }', 1, 7, 'A value is expected here'],
    ['{} {}', 1, 4, 'Nothing may follow the end of the JSON'],
    ['// no\n{}', 1, 1, 'A value is expected here'],
    ['['.repeat(5000), 1, 202, 'This is nested too deeply'],
    ['{"a":'.repeat(5000), 1, 1006, 'This is nested too deeply'],
    // Each bracket needs its own closing bracket.
    ['[}', 1, 2, 'A value is expected here'],
    ['[1}', 1, 3, 'A comma or ] is expected here'],
    ['{]', 1, 2, 'A name in double quotes is expected here'],
    ['{"a":1]', 1, 7, 'A comma or } is expected here'],
    ['[1 2]', 1, 4, 'A comma or ] is expected here'],
    ['[01]', 1, 3, 'A comma or ] is expected here'],
    ['[1.]', 1, 3, 'A comma or ] is expected here'],
    ['[1e]', 1, 3, 'A comma or ] is expected here'],
    // The parser skips the valid part before it.
    [
      '{ "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9" : [ -0.5e+10 , 10E-2 , 0 , { } , [ ] , true , false , null ] , "b" : x}',
      1,
      97,
      'A value is expected here',
    ],
  ];
  for (const [text, line, column, problem] of BROKEN) {
    it(`finds a problem at line ${line}, column ${column}: ${JSON.stringify(text.slice(0, 30))}`, () => {
      const read = readJsonText(text);
      expect(read).to.deep.include({ isJson: false, problem });
      expect(!read.isJson && read.position).to.deep.include({ line, column });
    });
  }

  it('describes a problem without quoting the text', () => {
    for (const text of ['{"a": secretword}', '{"a": "secretword', '{secretword: 1}', '{"secretword" 1}']) {
      const read = readJsonText(text);
      expect(read.isJson).to.equal(false);
      expect(JSON.stringify(read)).to.not.include('secretword');
    }
  });

  it('accepts exactly what JSON.parse accepts', () => {
    const texts = fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify(value, undefined, 2)),
      fc.json().chain((text) => fc.nat(text.length).map((at) => text.slice(0, at) + text.slice(at + 1))),
      fc.string(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let value: unknown;
        let isJson = true;
        try {
          value = JSON.parse(text.replace(/^\uFEFF/, ''));
        } catch {
          isJson = false;
        }
        const read = readJsonText(text);
        expect(read.isJson).to.equal(isJson);
        if (read.isJson) expect(read.value).to.deep.equal(value);
      }),
    );
  });

  it('finds the line of each field, or of the nearest object around a missing field', () => {
    const text = JSON.stringify(
      { data: { messageProfile: { phoneNumber: '1' }, list: [{ x: 1 }, { y: 2 }] } },
      undefined,
      2,
    );
    const read = readJsonText(text);
    if (!read.isJson) return expect.fail('it is not JSON');
    const lineOf = (path: string): number | undefined => read.positionOf(path)?.line;
    expect(lineOf('data.messageProfile.phoneNumber')).to.equal(4);
    expect(lineOf('data.messageProfile.otpCode')).to.equal(3);
    expect(lineOf('data.list[1].y')).to.equal(11);
    expect(lineOf('data.list[1].z')).to.equal(10);
    expect(lineOf('data.other.thing')).to.equal(2);
    expect(lineOf('other')).to.equal(undefined);
    expect(read.hasField('data.list[1].y')).to.equal(true);
    expect(read.hasField('data.list[1].z')).to.equal(false);
    expect(read.positionOf('data.list')?.index).to.equal(text.indexOf('"list"'));
  });
});
