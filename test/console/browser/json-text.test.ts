import { expect } from 'chai';
import fc from 'fast-check';
import { findPlace, readJsonText } from '#lib/console/browser/json-text.js';

describe('JSON that is being written', () => {
  const BROKEN: readonly (readonly [text: string, line: number, column: number, problem: string])[] = [
    ['{\n  "a": 1,\n  "b" 2\n}', 3, 7, 'A colon is expected after "b"'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'A comma or } is expected here'],
    ['{"a": 1,}', 1, 9, 'There is a comma before this } that does not belong there'],
    ['[1, 2,\n]', 2, 1, 'There is a comma before this ] that does not belong there'],
    ['[1 2]', 1, 4, 'A comma or ] is expected here'],
    ["{'a': 1}", 1, 2, 'A name in double quotes is expected here'],
    ['{"a": \'x\'}', 1, 7, 'Texts stand in double quotes, not in single ones'],
    ['{"a": undefined}', 1, 7, 'A value is expected here'],
    ['{"a": ', 1, 7, 'The JSON ends here, and a value is missing'],
    [
      '{"a": "x\n"}',
      1,
      7,
      'This text has no end on its line, or a character in it that must be written with \\',
    ],
    ['{} {}', 1, 4, 'There is something after the end of the JSON'],
    ['[01]', 1, 3, 'A comma or ] is expected here'],
    ['['.repeat(300), 1, 202, 'This is nested too deeply'],
  ];
  for (const [text, line, column, problem] of BROKEN) {
    it(`says where ${JSON.stringify(text.slice(0, 30))} breaks, and why`, () => {
      expect(readJsonText(text)).to.deep.equal({ isJson: false, problem, place: { line, column } });
    });
  }

  it('reads all that is JSON, and nothing else', () => {
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
          value = JSON.parse(text);
        } catch {
          isJson = false;
        }
        const read = readJsonText(text);
        expect(read.isJson).to.equal(isJson);
        if (read.isJson) expect(read.value).to.deep.equal(value);
      }),
    );
  });

  it('knows the line of each field, and of one that is missing the nearest around it', () => {
    const text = JSON.stringify(
      { data: { messageProfile: { phoneNumber: '1' }, list: [{ x: 1 }, { y: 2 }] } },
      undefined,
      2,
    );
    const read = readJsonText(text);
    if (!read.isJson) return expect.fail('it is JSON');
    const lineOf = (path: string): number | undefined => findPlace(read.places, path)?.line;
    expect(lineOf('data.messageProfile.phoneNumber')).to.equal(4);
    expect(lineOf('data.messageProfile.otpCode')).to.equal(3);
    expect(lineOf('data.list[1].y')).to.equal(11);
    expect(lineOf('data.list[1].z')).to.equal(10);
    expect(lineOf('data.other.thing')).to.equal(2);
    expect(lineOf('other')).to.equal(undefined);
  });
});
