import { expect } from 'chai';
import type { MoveOn } from '#lib/core/channel.js';
import { describeRefusal, meaningOf } from '#lib/channels/twilio/outcome.js';

describe('the table of Twilio error codes', () => {
  const rules: [string, MoveOn, number[]][] = [
    ['stops at a number that no channel reaches or may reach', false, [21211, 21217, 21401, 21202, 30038]],
    ['stops if the code has expired', false, [30036]],
    [
      'goes on with another provider if Twilio does not serve the account',
      'other-provider',
      [20003, 20005, 20008, 20404, 30002, 30037],
    ],
    [
      'goes on with another provider if a trial account refuses the number',
      'other-provider',
      [21608, 572005, 21219],
    ],
    [
      'goes on with another channel if the recipient has opted out of this one',
      'other-channel',
      [21610, 30630, 30004, 63014, 63033],
    ],
    [
      'goes on if the number gets no texts or cannot be reached',
      true,
      [21614, 21635, 30006, 60205, 30003, 30005],
    ],
    ['goes on if WhatsApp does not reach the recipient', true, [63003, 63015, 63016, 63024, 63032, 63049]],
    [
      'goes on if the sender may not send there',
      true,
      [
        21408, 60605, 21212, 21603, 21606, 21657, 21659, 21660, 21661, 21612, 21703, 30018, 30024, 30032,
        30034, 30035,
      ],
    ],
    [
      'goes on if Twilio does not accept the message',
      true,
      [21602, 21617, 21618, 21658, 21609, 21624, 30045, 90007, 30007, 30008],
    ],
    [
      'goes on if a queue or a limit is full',
      true,
      [20429, 21611, 30001, 30022, 30023, 30027, 63017, 63018, 63038],
    ],
    [
      'goes on if the WhatsApp sender is not set up correctly',
      true,
      [21910, 30016, 63001, 63002, 63007, 63008, 63020, 63022, 63051, 63112],
    ],
    [
      'goes on if the template is not correct',
      true,
      [21654, 21655, 21656, 63005, 63006, 63013, 63021, 63027, 63028, 63040, 63041, 63042],
    ],
    ['goes on after a fault of Twilio or WhatsApp', true, [20500, 20503, 63009, 63010, 63012, 63023]],
    [
      'goes on if a call cannot be made',
      true,
      [21201, 21203, 21210, 21214, 21215, 21216, 13227, 32205, 13521, 32018],
    ],
  ];
  for (const [rule, moveOn, codes] of rules) {
    it(rule, () => {
      for (const code of codes) {
        const { isFraudBlock, reason, ...described } = describeRefusal(code, 400);
        expect(described, String(code)).to.include({ moveOn, code: String(code) });
        expect(isFraudBlock, String(code)).to.equal(undefined);
        expect(reason, String(code)).to.equal(meaningOf(code)?.reason);
      }
    });
  }

  const fraudBlocks = [30450, 30453, 30485, 60238, 60410, 60413];
  it('stops at a fraud block', () => {
    for (const code of fraudBlocks) {
      expect(describeRefusal(code, 403), String(code)).to.include({ isFraudBlock: true, moveOn: false });
    }
  });

  it('has a reason without a digit (it could be of a number or a code) and a remedy for each', () => {
    for (const code of [...rules.flatMap(([, , codes]) => codes), ...fraudBlocks]) {
      const { reason, remedy } = describeRefusal(code, 400);
      expect(reason, String(code)).to.match(/^[A-Z]\D{10,}[^.\d]$/);
      expect(remedy, String(code)).to.match(/^[A-Z].{20,}\.$/);
    }
  });
});

describe('describeRefusal', () => {
  it('goes on for an unknown code, with a general reason and remedy', () => {
    expect(describeRefusal(29999, 400)).to.deep.equal({
      code: '29999',
      reason: 'Refused by the provider',
      remedy: "Look at the message in the Twilio Console, and at the code in Twilio's error dictionary.",
      moveOn: true,
    });
  });

  const statuses: [number, MoveOn, string][] = [
    [302, true, 'Refused by the provider'],
    [400, true, 'Refused by the provider'],
    [401, 'other-provider', 'Twilio does not accept the credentials'],
    [403, true, 'Refused by the provider'],
    [429, true, 'Too many requests to the provider at once'],
    [499, true, 'Refused by the provider'],
    [500, true, 'The provider is not available'],
    [503, true, 'The provider is not available'],
  ];
  for (const [status, moveOn, reason] of statuses) {
    it(`uses status ${status} if there is no code`, () => {
      expect(describeRefusal(undefined, status)).to.include({ code: `HTTP_${status}`, moveOn, reason });
    });
  }

  it('names the credentials option in the remedy, not in the reason for Okta', () => {
    for (const described of [describeRefusal(20003, 401), describeRefusal(undefined, 401)]) {
      expect(described.reason).to.equal('Twilio does not accept the credentials');
      expect(described.remedy).to.contain('credentials.twilio');
    }
  });

  it('has no meaning for a number that is not a code', () => {
    expect(meaningOf(Number.NaN)).to.equal(undefined);
    expect(meaningOf(-1)).to.equal(undefined);
  });
});
