import { expect } from 'chai';
import { messagesOfTwiml, wordsOfTwiml } from '#lib/testing/twilio/spoken-twiml.js';

describe('wordsOfTwiml', () => {
  const spoken: [string, string][] = [
    ['<Response><Say>Hello</Say></Response>', 'Hello'],
    ['<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n<Say>Hello</Say>\n</Response>\n', 'Hello'],
    [`<Response><Say voice='a' language="de-DE">A &amp; B &#228; &#xe4;</Say></Response>`, 'A & B ä ä'],
    ['<Response><Say loop="2">1, 2</Say><Pause length="1"/><Say>end</Say></Response>', '1, 2 1, 2 end'],
    [
      '<Response><Say>Your<break time="1s"/>code <say-as interpret-as="digits">12</say-as>!</Say></Response>',
      'Your code 12!',
    ],
    ['<Response><Gather><Say>1</Say></Gather></Response>', '1'],
    ['<Response/>', ''],
  ];
  for (const [twiml, words] of spoken) {
    it(`returns ${JSON.stringify(words)} for ${JSON.stringify(twiml)}`, () => {
      expect(wordsOfTwiml(twiml)).to.equal(words);
    });
  }

  const malformed = [
    '',
    'text',
    '<Say>1</Say>',
    '<Response><Say>1</Response>',
    '<Response><Say>1</say></Response>',
    '<Response><Say>A & B</Say></Response>',
    '<Response><Say>1 < 2</Say></Response>',
    '<Response><Say voice=a>1</Say></Response>',
    '<Response></Response><Response></Response>',
    '<Response></Response>text',
    '<Response/>text',
    '<Response>',
  ];
  for (const twiml of malformed) {
    it(`returns undefined for ${JSON.stringify(twiml)}, which is not a well-formed response`, () => {
      expect(wordsOfTwiml(twiml)).to.equal(undefined);
    });
  }
});

describe('messagesOfTwiml', () => {
  const replies: [string, string[] | undefined][] = [
    [
      '<Response><Message>One</Message><Say>no</Say><Message><Body>T &amp; wo</Body></Message></Response>',
      ['One', 'T & wo'],
    ],
    ['<Response><Message> \n </Message></Response>', []],
    ['<Response/>', []],
    ['<Message>One</Message>', undefined],
    ['', undefined],
  ];
  for (const [twiml, messages] of replies) {
    it(`returns ${JSON.stringify(messages)} for ${JSON.stringify(twiml)}`, () => {
      expect(messagesOfTwiml(twiml)).to.deep.equal(messages);
    });
  }
});
