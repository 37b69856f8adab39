import { expect } from 'chai';
import { describeRefusal, meaningOf, type MoveOn } from '../../lib/twilio/error-codes.js';

describe('the table of Twilio error codes', () => {
  const rules: [string, MoveOn, number[]][] = [
    ['stops at a wrong number', false, [21211, 21217, 21401]],
    [
      'leaves a number that a trial account refuses to other providers',
      'other-provider',
      [21608, 572005, 21219],
    ],
    ['stops where the code has expired', false, [30036]],
    ['goes on where the number gets no texts', true, [21614, 21635, 30006, 60205]],
    ['goes on where WhatsApp does not reach the recipient', true, [63003, 63015, 63016, 63024, 63032, 63049]],
    [
      'goes on when the sender or the template is wrong',
      true,
      [63007, 21606, 21655, 63027, 63041, 30034, 21408],
    ],
    ['goes on when a queue or a limit is full', true, [20429, 21611, 30001, 63018, 63038]],
    ['leaves the channel that the recipient opted out of', 'other-channel', [21610, 30630, 63014]],
    ['leaves the provider that takes no credentials', 'other-provider', [20003, 20404, 30002]],
  ];
  for (const [rule, moveOn, codes] of rules) {
    for (const code of codes) {
      it(`${rule} (${code})`, () => {
        const described = describeRefusal(code, 400);
        expect(described.moveOn).to.equal(moveOn);
        expect(described.code).to.equal(String(code));
        expect(described.isFraudBlock).to.equal(undefined);
        expect(described.reason).to.equal(meaningOf(code));
      });
    }
  }

  for (const code of [30450, 30453, 30485, 60238, 60410, 60413]) {
    it(`stops everything at the fraud block ${code}`, () => {
      expect(describeRefusal(code, 403)).to.include({ isFraudBlock: true, moveOn: false });
    });
  }

  it('has a meaning for every code of the reference, without a digit that could be a number or a code', () => {
    const codes = [
      21211, 21217, 21401, 21614, 21635, 30006, 60205, 21610, 30630, 21408, 21612, 21703, 21606, 21212, 21603,
      21657, 21659, 21660, 21661, 21608, 572005, 21602, 21617, 21618, 21658, 21609, 21611, 20003, 20404,
      20008, 20429, 20500, 20503, 30001, 30002, 30037, 30003, 30004, 30005, 30007, 30008, 30036, 30034, 30035,
      30032, 30018, 30024, 30022, 30023, 30027, 30038, 30450, 30453, 30485, 60410, 60605, 60238, 60413, 63007,
      21910, 30016, 21654, 21655, 21656, 63015, 63016, 63003, 63024, 63032, 63049, 63014, 63033, 63018, 63017,
      63013, 63005, 63021, 63006, 63027, 63028, 63040, 63041, 63042, 63038, 63001, 63002, 63008, 63020, 63022,
      63051, 63112, 63009, 63010, 63012, 63023, 21201, 21210, 21214, 21215, 21216, 21219, 21202, 21203, 32205,
      13227, 90007, 21624, 30045, 32018, 13521,
    ];
    for (const code of codes) expect(meaningOf(code), String(code)).to.match(/^[A-Z]\D{10,}[^.\d]$/);
  });
});

describe('describeRefusal', () => {
  it('takes an unknown code by its status and goes on', () => {
    expect(describeRefusal(29999, 400)).to.deep.equal({
      code: '29999',
      reason: 'Refused by the provider',
      moveOn: true,
    });
  });

  const statuses: [number, MoveOn][] = [
    [302, true],
    [400, true],
    [401, 'other-provider'],
    [403, true],
    [429, true],
    [503, true],
  ];
  for (const [status, moveOn] of statuses) {
    it(`names status ${status} where there is no code`, () => {
      expect(describeRefusal(undefined, status)).to.include({ code: `HTTP_${status}`, moveOn });
    });
  }

  it('tells what to do, apart from what Okta is told', () => {
    const described = describeRefusal(63007, 400);
    expect(described.remedy).to.be.a('string');
    expect(described.reason).to.not.contain(described.remedy);
  });

  it('knows no code by the name of an inherited property', () => {
    expect(meaningOf(Number.NaN)).to.equal(undefined);
    expect(meaningOf(-1)).to.equal(undefined);
  });
});
