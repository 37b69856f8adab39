import { expect } from 'chai';
import fc from 'fast-check';
import { CODE } from '#harness/scene.js';
import { commandIn, expectAnswer, expectNothingPolluted, expectNoSecretsIn } from './expectations.js';
import { VENDOR_WORDS } from './http-answers.js';
import type { RawAnswer } from './raw-vendor.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';
import { ANA_KNOWN, SECRETS, startVendorScene, taken, type VendorScene } from './vendor-scene.js';

/** Answers that begin, if at all, and never end. Each case is many calls at once, because each waits for the deadline. */
const BEGINNINGS = [
  '',
  'H',
  'HTTP/1.1 ',
  'HTTP/1.1 201 Created\r\n',
  `HTTP/1.1 201 Created\r\nX: ${VENDOR_WORDS}\r\nContent-Length: 100\r\n\r\n`,
  'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"sid":"SM',
  `HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`,
  'HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{"code":21211',
  'HTTP/1.1 503 Service Unavailable\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n{}',
  'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n',
] as const;

const silence: fc.Arbitrary<RawAnswer> = fc
  .tuple(fc.constantFrom(...BEGINNINGS), fc.nat({ max: 80 }))
  .map(([text, cut]) => ({
    pieces: [text.slice(0, cut), text.slice(cut)].filter((piece) => piece !== ''),
    then: 'keep',
  }));

interface SilentCall {
  readonly okta: RawAnswer | undefined;
  /** `undefined` accepts the message. */
  readonly twilio: RawAnswer | undefined;
  readonly isVoice: boolean;
}
const silentCall: fc.Arbitrary<SilentCall> = fc.record({
  okta: fc.option(silence, { nil: undefined }),
  twilio: fc.option(silence, { nil: undefined, freq: 3 }),
  isVoice: fc.boolean(),
});

const CALLS_AT_ONCE = 12;

describe(withSeed('calls to silent vendors'), function () {
  this.timeout(PATIENCE_MS);
  let scene: VendorScene;
  before(async () => {
    scene = await startVendorScene();
  });
  after(() => scene.close());

  it('get PENDING if Twilio stays silent, and send a message that may have left only once', async () => {
    const batch = fc.array(silentCall, { minLength: 1, maxLength: CALLS_AT_ONCE });
    await check(
      'silence',
      fc.asyncProperty(batch, async (silentCalls) => {
        // The number shows the index NN of the call: +4477009009NN.
        const numberOf = (index: number): string => `+44770090${String(900 + index).padStart(4, '0')}`;
        const ofRequest = ({ path, body }: { path: string; body: string }): number =>
          Number(/silent(\d+)$/.exec(path)?.[1] ?? Number(/44770090(\d{4})/.exec(body)?.[1]) - 900);
        scene.okta.answerWith((request) => silentCalls[ofRequest(request)]?.okta ?? ANA_KNOWN);
        scene.twilio.answerWith((request) => silentCalls[ofRequest(request)]?.twilio ?? taken(request));

        const calls = await Promise.all(
          silentCalls.map(({ isVoice }, index) =>
            scene.call(
              {
                eventId: `evt-silent-${'abcdefghijkl'.charAt(index)}`,
                userId: `00usilent${index}`,
                phoneNumber: numberOf(index),
                deliveryChannel: isVoice ? 'call' : 'sms',
              },
              { deadlineMs: 500 },
            ),
          ),
        );
        scene.okta.hangUp();
        scene.twilio.hangUp();
        await Promise.all(calls.map(({ closed }) => closed));
        expectNothingPolluted();
        for (const [index, { answer, output }] of calls.entries()) {
          expectNoSecretsIn([...SECRETS, numberOf(index).slice(1)], answer.body, output);
          const { status } = commandIn(expectAnswer(answer)) ?? { status: 'ERROR' };
          const sent = scene.twilio.requests.filter((request) => ofRequest(request) === index);
          expect(sent).to.have.length.at.most(1);
          for (const { body } of sent) expect(body.replaceAll('%2C%20', '')).to.include(CODE);
          // On a busy machine the message may not leave in time, which is an error; or it leaves at the last moment, and
          // Twilio does not read it any more.
          if (sent.length === 0) expect(status).to.be.oneOf(['ERROR', 'PENDING']);
          else if (silentCalls[index]?.twilio !== undefined) expect(status).to.equal('PENDING');
          else expect(status).to.be.oneOf(['SUCCESSFUL', 'PENDING']);
        }
      }),
      3,
    );
  });
});
