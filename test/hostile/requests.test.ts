import { expect } from 'chai';
import fc from 'fast-check';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { commandIn, expectAnswer, expectNothingPolluted, expectNoSecretsIn } from './expectations.js';
import { containsCode, startGateway, type Gateway } from './gateway.js';
import { freshEventId, goodBody, spoiledBody, type GoodBody, type GoodData } from './hook-bodies.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';

const MAX_BODY_BYTES = 64 * 1024;

/** The status that sections 5 and 6 of the contract require for a body. */
function expectedStatus(bytes: Buffer): 200 | 400 | 413 {
  if (bytes.length > MAX_BODY_BYTES) return 413;
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    return 400;
  }
  const message = fieldOf(fieldOf(body, 'data'), 'messageProfile');
  const [phoneNumber, otpCode, deliveryChannel] = ['phoneNumber', 'otpCode', 'deliveryChannel'].map((name) =>
    fieldOf(message, name),
  );
  const isNumber =
    (typeof phoneNumber === 'string' && phoneNumber.trim() !== '' && phoneNumber.trim().length <= 64) ||
    (typeof phoneNumber === 'number' && Math.abs(phoneNumber) <= Number.MAX_SAFE_INTEGER);
  const isCode =
    (typeof otpCode === 'string' && /^[\p{L}\p{N}-]{1,32}$/u.test(otpCode.trim())) ||
    (typeof otpCode === 'number' && Number.isSafeInteger(otpCode) && otpCode >= 0);
  const isChannel =
    typeof deliveryChannel === 'string' &&
    /^(sms|call|voice|voicecall|phonecall)$/i.test(deliveryChannel.replace(/[\s_-]+/g, ''));
  return isNumber && isCode && isChannel ? 200 : 400;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

describe(withSeed('hostile requests'), function () {
  this.timeout(PATIENCE_MS);
  let gateway: Gateway;
  let clock: ReturnType<typeof stopTime>;
  before(async () => {
    await warmUp();
    gateway = await startGateway();
    // Else, on a busy machine, a deadline could pass, and the message of one case would leave during the next.
    clock = stopTime();
  });
  after(() => {
    clock.restore();
    return gateway.close();
  });

  /** Posts one body, and checks answer and output against the contract. At most one message leaves. */
  const post = async (
    bytes: Buffer,
    secrets: readonly string[],
    ids: readonly string[] = [],
  ): Promise<{ command: ReturnType<typeof commandIn>; sent: ReturnType<Gateway['takeSent']> }> => {
    const answer = await gateway.post(bytes);
    const sent = gateway.takeSent();
    const body = expectAnswer(answer);
    const command = commandIn(body);
    expectNothingPolluted();
    // The date header can contain a code by chance.
    const whole = answer.body + JSON.stringify({ ...answer.headers, date: '' });
    expectNoSecretsIn(secrets, whole, gateway.takeOutput(), ids);
    expect(answer.status).to.equal(expectedStatus(bytes));
    expect(sent).to.have.length(command?.status === 'SUCCESSFUL' ? 1 : 0);
    return { command, sent };
  };

  it('send each valid code once, to its number only', async () => {
    await check(
      'good requests',
      fc.asyncProperty(goodBody, async ({ body, code, number, isVoice, secrets, ids }) => {
        const eventId = freshEventId();
        const bytes = Buffer.from(JSON.stringify({ ...body, eventId }));
        fc.pre(bytes.length <= MAX_BODY_BYTES);
        const { command, sent } = await post(bytes, secrets, [eventId, ...ids]);
        expect(command).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
        expect(sent).to.have.length(1);
        const [message] = sent;
        expect(message?.to).to.equal(number);
        expect(message?.channel === 'voice').to.equal(isVoice);
        expect(message !== undefined && containsCode(message, code), message?.text).to.equal(true);
      }),
      60,
    );
  });

  it('send a code once and get the same answer if its event comes again with other fields', async () => {
    const copies = fc.array(goodBody, { minLength: 1, maxLength: 3 });
    // The lifetime of the code by Okta's times, milliseconds.
    const lives = fc.oneof(fc.integer({ min: -10, max: 20 }), fc.integer({ min: 0, max: 20 * 60_000 }));
    await check(
      'repeats',
      fc.asyncProperty(goodBody, copies, lives, async (first, others, lifeMs) => {
        const eventId = freshEventId();
        const now = Date.now();
        const eventTime = new Date(now).toISOString();
        const otpExpires = new Date(now + lifeMs).toISOString();
        const same = ({ body }: GoodBody): string => {
          const data = body['data'] as GoodData;
          const { userProfile, messageProfile } = first.body['data'] as GoodData;
          const { phoneNumber, otpCode, deliveryChannel } = messageProfile;
          const message = { ...data.messageProfile, phoneNumber, otpCode, deliveryChannel, otpExpires };
          const whole = { ...body, requestType: first.body['requestType'], eventId, eventTime };
          return JSON.stringify({ ...whole, data: { ...data, userProfile, messageProfile: message } });
        };
        const bodies = [first, ...others, first].map(same);
        fc.pre(bodies.every((body) => Buffer.byteLength(body) <= MAX_BODY_BYTES));
        const answers = await Promise.all(bodies.map((body) => gateway.post(body)));
        // The hook remembers an event as long as its code is valid.
        if (lifeMs <= 0 || lifeMs > 60_000) answers.push(await gateway.post(bodies[0] ?? ''));
        const sent = gateway.takeSent();
        expectNoSecretsIn(first.secrets, answers.map(({ body }) => body).join(), gateway.takeOutput(), [
          eventId,
          ...first.ids,
        ]);
        expect(sent).to.have.length(1);
        for (const answer of answers) {
          expect(commandIn(expectAnswer(answer))).to.include({ status: 'SUCCESSFUL' });
          expect(answer.body).to.equal(answers[0]?.body);
        }
      }),
      40,
    );
  });

  it('get 200 or 400 as the contract requires if a field of the body is wrong', async () => {
    await check(
      'spoiled requests',
      fc.asyncProperty(spoiledBody, async ({ body, secrets, ids }) => {
        const bytes = Buffer.from(JSON.stringify(body));
        await post(bytes, secrets, ids);
      }),
      120,
    );
  });

  it('get the status that the contract requires for any bytes as the body, and for sizes around the limit', async () => {
    const bytesOf = fc.oneof(
      // A valid body with some bytes changed, left out, or cut off.
      fc
        .tuple(goodBody, fc.nat(), fc.nat({ max: 4 }), fc.uint8Array({ maxLength: 4 }), fc.boolean())
        .map(([{ body }, at, dropped, put, isCut]) => {
          const whole = Buffer.from(JSON.stringify({ ...body, eventId: freshEventId() }));
          const place = at % whole.length;
          const rest = isCut ? Buffer.alloc(0) : whole.subarray(place + dropped);
          return Buffer.concat([whole.subarray(0, place), put, rest]);
        }),
      // Just below or above the size limit.
      fc.tuple(goodBody, fc.integer({ min: -3, max: 3 })).map(([{ body }, over]) => {
        const whole = Buffer.from(JSON.stringify({ ...body, eventId: freshEventId() }));
        return Buffer.concat([whole, Buffer.alloc(Math.max(0, MAX_BODY_BYTES + over - whole.length), ' ')]);
      }),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(
          '',
          ' ',
          'null',
          '[]',
          '{}',
          '"{}"',
          '1e400',
          '\ufeff{}',
          '{"data":',
          '[[',
          '{"__proto__":{}}',
        )
        .map((text) => Buffer.from(text)),
      fc.integer({ min: 1, max: 60_000 }).map((depth) => Buffer.from('['.repeat(depth))),
      fc.integer({ min: 1, max: 30_000 }).map((depth) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))),
    );
    await check(
      'any bytes',
      fc.asyncProperty(bytesOf, async (bytes) => {
        await post(bytes, []);
      }),
      80,
    );
  });
});
