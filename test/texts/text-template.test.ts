import { inspect } from 'node:util';
import { expect } from 'chai';
import { cleanName, fillIn, readTemplate } from '#lib/texts/text-template.js';

describe('a text with placeholders', () => {
  const fill = (text: string, firstName = 'Ana'): string =>
    fillIn(readTemplate(text), { code: '204981', minutes: '5', firstName });

  it('gets the value of each placeholder as often as it occurs', () => {
    expect(fill('{firstName}, {code} ({minutes} min)\n{code}')).to.equal('Ana, 204981 (5 min)\n204981');
    expect(fill('{code}')).to.equal('204981');
    expect(fill('$& $1 {code}', '$&{code}')).to.equal('$& $1 204981');
  });

  it('does not fill in a placeholder inside a value', () => {
    expect(fill('{firstName}: {code}', '{code}')).to.equal('{code}: 204981');
  });

  const nameless: readonly (readonly [text: string, filled: string])[] = [
    ['Hi {firstName}, your code is {code}', 'Hi, your code is 204981'],
    ['Hello, {firstName}! Your code is {code}', 'Hello! Your code is 204981'],
    ['¡Hola {firstName}! Tu código es {code}', '¡Hola! Tu código es 204981'],
    ['Bonjour {firstName} : {code}', 'Bonjour : 204981'],
    ['{firstName}, your code is {code}.', 'Your code is 204981.'],
    ['{firstName}: {code}', '204981'],
    ['{firstName}، رمزك {code}', 'رمزك 204981'],
    ['{code} is your code, {firstName}.', '204981 is your code.'],
    ['{code} is for {firstName}', '204981 is for'],
    ['Acme\n{firstName}, {code}', 'Acme, 204981'],
    ['{firstName} {firstName} {code}', '204981'],
  ];
  for (const [text, filled] of nameless) {
    it(`turns ${JSON.stringify(text)} into ${JSON.stringify(filled)} if no name is known`, () => {
      expect(fill(text, '')).to.equal(filled);
    });
  }
});

describe('a first name in a text', () => {
  const table: readonly (readonly [name: unknown, clean: string])[] = [
    ['Ana', 'Ana'],
    ['  Ana   Luísa ', 'Ana Luísa'],
    ['Ana\r\nLuísa\u2028Maria\tX', 'Ana Luísa Maria X'],
    ["O'Neil-D’Arc", "O'Neil-D’Arc"],
    ['Gal·la', 'Gal·la'],
    ['J.P.', 'J P'],
    ['\u202eana\u2069\u200f', 'ana'],
    ['A\u200bn\u00ada\ufeff', 'Ana'],
    ['\u0000A\u0007na\u009f', 'A na'],
    ['https://evil.example/?a=b', 'https evil example a b'],
    ['evil．example', 'evil example'],
    ['ana@evil.example', 'ana evil example'],
    ['{code}', 'code'],
    ['<b>Ana</b>', 'b Ana b'],
    ['Ana 123456 is your code', 'Ana is your code'],
    ['１２３４', ''],
    ['😀', ''],
    ["-'·", ''],
    ['', ''],
    ['e\u0301le\u0300ne', 'élène'],
    ['प्रिया', 'प्रिया'],
    ['山田', '山田'],
    ['محمد', 'محمد'],
    ['x'.repeat(41), 'x'.repeat(40)],
    [`${'x'.repeat(39)} y`, 'x'.repeat(39)],
    ['𠮷'.repeat(41), '𠮷'.repeat(40)],
    ['x'.repeat(100_000), 'x'.repeat(40)],
    ['\ud800Ana', 'Ana'],
    [undefined, ''],
    [null, ''],
    [7, ''],
    [['Ana'], ''],
  ];
  for (const [name, clean] of table) {
    it(`is ${JSON.stringify(clean.slice(0, 24))} for ${inspect(name).slice(0, 45)}`, () => {
      expect(cleanName(name)).to.equal(clean);
    });
  }
});
