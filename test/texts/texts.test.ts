import { expect } from 'chai';
import type sinon from 'sinon';
import type { Channel, Message, TelephonyRequest } from '#lib/index.js';
import { Budget } from '#lib/core/budget.js';
import { oktaText, textFor } from '#lib/texts/texts.js';
import type { ComposeText } from '#lib/core/option-types.js';
import { ANA, CODE, startScene } from '#harness/scene.js';
import { stopTime } from '#harness/stopped-time.js';

const OKTA_TEXT = `Your code is ${CODE}`;
const request = { otpCode: CODE, msgTemplate: OKTA_TEXT } as TelephonyRequest;

describe("Okta's text", () => {
  const plain = `Your verification code is ${CODE}`;
  const table: readonly (readonly [what: string, msgTemplate: string | undefined, text: string])[] = [
    ['is what Okta sent', OKTA_TEXT, OKTA_TEXT],
    ['is a built-in sentence if Okta sent none', undefined, plain],
    ['is a built-in sentence if it does not contain the code', 'Your code is 11111', plain],
    ['is a built-in sentence if it is too long', `${CODE}${'x'.repeat(1595)}`, plain],
    ['may have 1600 characters', `${CODE}${'x'.repeat(1594)}`, `${CODE}${'x'.repeat(1594)}`],
  ];
  for (const [what, msgTemplate, text] of table) {
    it(what, () => {
      expect(oktaText({ ...request, msgTemplate })).to.equal(text);
    });
  }
});

describe('composeText', () => {
  let budget: Budget;
  let clock: sinon.SinonFakeTimers;
  const failures: string[] = [];
  beforeEach(() => {
    clock = stopTime();
    budget = new Budget(500);
    failures.length = 0;
  });
  afterEach(() => {
    budget.close();
    clock.restore();
  });
  const compose = (composeText: unknown): Promise<string> =>
    textFor('sms', request, undefined, {
      composeText: composeText as ComposeText,
      budget,
      otherwise: OKTA_TEXT,
      onFailure: (error) => failures.push(error instanceof Error ? error.message : 'no error'),
    });

  const longest = CODE.padEnd(1600, '.');
  for (const [what, result] of [
    ['a text', `Ana's code: ${CODE}`],
    ['a text of 1600 characters', longest],
    ['the code alone', CODE],
  ] as const) {
    it(`may return ${what}, directly or as a promise`, async () => {
      expect(await compose(() => result)).to.equal(result);
      expect(await compose(() => Promise.resolve(result))).to.equal(result);
      expect(failures).to.deep.equal([]);
    });
  }

  const failing: readonly (readonly [what: string, composeText: () => unknown, reason: string])[] = [
    [
      'throws',
      () => {
        throw new Error('no template');
      },
      'no template',
    ],
    ['rejects', () => Promise.reject(new Error('no template')), 'no template'],
    [
      'throws a string',
      () => {
        throw 'text';
      },
      'no error',
    ],
    ['never settles', () => new Promise(() => undefined), 'too slow'],
    [
      'returns a text without the code',
      () => 'Your code is on its way',
      'no text with the code and of a length that can be sent',
    ],
    [
      'returns a text that is too long',
      () => `${longest}.`,
      'no text with the code and of a length that can be sent',
    ],
    ['returns nothing', () => undefined, 'no text with the code and of a length that can be sent'],
    ['returns an object', () => ({ text: CODE }), 'no text with the code and of a length that can be sent'],
    ['returns an array', () => [CODE], 'no text with the code and of a length that can be sent'],
    ['returns an empty text', () => '', 'no text with the code and of a length that can be sent'],
  ];
  for (const [what, composeText, reason] of failing) {
    it(`gives way to Okta's text if it ${what}`, async () => {
      const composing = compose(composeText);
      // The time-out is a quarter of the budget without the tenth for the answer.
      await clock.tickAsync(Math.ceil((500 - 50) / 4));
      let text: string | undefined;
      void composing.then((composed) => {
        text = composed;
      });
      await clock.tickAsync(0);
      expect(text).to.equal(OKTA_TEXT);
      expect(failures).to.deep.equal([reason]);
    });
  }

  it('does not end the process if it rejects after its time-out', async () => {
    let fail: () => void = () => undefined;
    const late = new Promise<string>((_resolve, reject) => {
      fail = () => {
        reject(new Error('late'));
      };
    });
    const composing = compose(() => late);
    await clock.tickAsync(500);
    expect(await composing).to.equal(OKTA_TEXT);
    fail();
    // The witness fails the test after an unhandled rejection.
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('composeText in a hook', () => {
  const sent: Message[] = [];
  const refusing: Channel = {
    send: (message) => {
      sent.push(message);
      return Promise.resolve({ status: 'refused', code: 'X', reason: 'not now' });
    },
  };
  beforeEach(() => {
    sent.length = 0;
  });

  it('runs for each channel, with the request and the profile', async () => {
    const asked: unknown[] = [];
    const scene = await startScene({
      hook: {
        sandboxNumber: undefined,
        senders: undefined,
        channels: { whatsapp: refusing, sms: refusing },
        composeText: ({ otpCode, userId }, profile, channel) => {
          asked.push([userId, profile?.['login'], channel]);
          return `${channel}: ${otpCode}`;
        },
      },
    });
    try {
      await scene.call();
      expect(asked).to.deep.equal([
        [ANA.id, ANA.login, 'whatsapp'],
        [ANA.id, ANA.login, 'sms'],
      ]);
      expect(sent.map(({ text }) => text)).to.deep.equal([`whatsapp: ${CODE}`, `sms: ${CODE}`]);
    } finally {
      await scene.close();
    }
  });

  it('does not run for voice or for templates', async () => {
    const asked: string[] = [];
    const scene = await startScene({
      hook: ({ twilio }) => ({
        sandboxNumber: undefined,
        senders: {
          voice: twilio.voiceNumber,
          whatsapp: { from: twilio.sandboxNumber, templates: { default: `HX${'0a'.repeat(16)}` } },
        },
        composeText: ({ otpCode }, _profile, channel) => {
          asked.push(channel);
          return `mine: ${otpCode}`;
        },
      }),
    });
    try {
      await scene.call({ deliveryChannel: 'CALL' });
      await scene.call({ deliveryChannel: 'SMS' });
      expect(scene.twilio.requests).to.have.length(2);
      expect(asked).to.deep.equal([]);
    } finally {
      await scene.close();
    }
  });

  it("gives way to Okta's text in the message if it fails, and the failure is reported once", async () => {
    const scene = await startScene({
      hook: ({ twilio }) => ({
        sandboxNumber: undefined,
        senders: { sms: twilio.smsNumber },
        composeText: () => 'without the code',
      }),
    });
    try {
      expect((await scene.call()).okta.action).to.equal('sent');
      expect(scene.twilio.messages.map(({ body }) => body)).to.deep.equal([OKTA_TEXT]);
      expect(scene.events.filter(({ type }) => type === 'extension.failed')).to.have.length(1);
    } finally {
      await scene.close();
    }
  });
});
