import fc from 'fast-check';
import type { Outcome } from '#lib/index.js';
import { oddText, oddValue } from './arbitraries.js';
import { expectAnswer, expectNothingPolluted, expectNoSecretsIn } from './expectations.js';
import { startGateway, type Gateway } from './gateway.js';
import { freshEventId, goodBody, type GoodBody, type GoodData } from './hook-bodies.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';

/** The ways in which a channel may repeat a secret. */
const SPELLINGS: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => secret.toUpperCase(),
  (secret) => secret.toLowerCase(),
  (secret) => ` ${secret}.`,
  (secret) => `to=${secret};`,
  (secret) => `"${secret}"`,
  (secret) => `${secret}\n${secret}`,
  (secret) => `x_${secret}_x`,
];

/** The same for digits: separated, in other scripts, or encoded. */
const SPELLINGS_OF_DIGITS: readonly ((digits: string) => string)[] = [
  (digits) => Array.from(digits).join(' '),
  (digits) => Array.from(digits).join(', '),
  (digits) => digits.replace(/(...)/g, '$1-').replace(/-$/, ''),
  (digits) => inScript(digits, 0x660),
  (digits) => inScript(digits, 0x966),
  (digits) => inScript(digits, 0xff10),
  // Like the message ids of WhatsApp's API.
  ...['', '\x1c', '\x18\x0c'].flatMap((before) => [
    (digits: string) => `wamid.${Buffer.from(`${before}${digits}`).toString('base64')}`,
    (digits: string) =>
      `wamid.${Buffer.from(`${before}${digits}\x15\x02\0`.repeat(2)).toString('base64url')}`,
  ]),
];
const inScript = (digits: string, zero: number): string =>
  digits.replace(/[0-9]/g, (digit) => String.fromCodePoint(zero + Number(digit)));
/** The national form of a number. */
const national = (number: string): string => number.slice(-9);

/** A channel that repeats a secret in its outcome. */
const indiscretion = fc.record({
  which: fc.nat({ max: 4 }),
  spelling: fc.constantFrom(...SPELLINGS),
  digits: fc.option(fc.constantFrom(...SPELLINGS_OF_DIGITS, national), { nil: undefined }),
  around: fc.tuple(oddText, oddText),
  place: fc.constantFrom(
    'transactionId' as const,
    'code' as const,
    'reason' as const,
    'unknown' as const,
    'remedy' as const,
    'thrown' as const,
  ),
});

describe(withSeed('secrets in the words of channels, functions and requests'), function () {
  this.timeout(PATIENCE_MS);
  let gateway: Gateway;
  let send: () => Outcome = () => ({ status: 'accepted', transactionId: 'T1' });
  let compose: () => string = () => '';
  before(async () => {
    const channel = {
      // An error of `send` is a rejection.
      send: () => Promise.resolve().then(() => send()),
    };
    gateway = await startGateway({
      hook: { channels: { sms: channel, voice: channel, whatsapp: channel }, composeText: () => compose() },
    });
  });
  after(() => gateway.close());

  const post = async ({ body, secrets, ids }: GoodBody, hasEventId = false): Promise<void> => {
    const eventId = freshEventId();
    const answer = await gateway.post(JSON.stringify(hasEventId ? body : { ...body, eventId }));
    expectAnswer(answer);
    expectNothingPolluted();
    expectNoSecretsIn(secrets, answer.body, gateway.takeOutput(), [eventId, ...ids]);
  };
  const isSmall = ({ body }: GoodBody): boolean => JSON.stringify(body).length < 30_000;

  it('are masked if a channel or a function repeats the code, the number, the login or a name', async () => {
    await check(
      'indiscretions',
      fc.asyncProperty(
        goodBody.filter(isSmall),
        indiscretion,
        async (good, { which, spelling, digits, around, place }) => {
          const { userProfile } = good.body['data'] as GoodData;
          const { login, firstName, lastName } = userProfile as Readonly<Record<string, string>>;
          const secrets = [good.code, good.number, login ?? '', firstName ?? '', lastName ?? ''];
          // Masking finds a name only as a whole word: within another word it can occur by chance.
          const apart = which > 2 ? ' ' : '';
          const secret = secrets[which] ?? '';
          const isOfDigits = /^\+?[0-9]{6,}$/.test(secret);
          const spelled =
            isOfDigits && digits !== undefined && (digits !== national || which === 1)
              ? digits(secret)
              : spelling(secret);
          const words = around[0] + apart + spelled + apart + around[1];
          const refused = { status: 'refused', code: 'NO', reason: 'no' } as const;
          const outcomes: Readonly<Record<typeof place, Outcome | undefined>> = {
            transactionId: { status: 'accepted', transactionId: words },
            code: { ...refused, code: words },
            reason: { ...refused, reason: words },
            remedy: { ...refused, remedy: words },
            unknown: { status: 'unknown', reason: words },
            thrown: undefined,
          };
          send = () => {
            const outcome = outcomes[place];
            if (outcome === undefined) throw Object.assign(new Error(words), { code: words });
            return outcome;
          };
          compose = () => {
            throw new Error(words);
          };
          await post({ ...good, secrets: isOfDigits ? [...good.secrets, spelled.trim()] : good.secrets });
        },
      ),
      80,
    );
  });

  it('are masked if a request has them in the wrong field', async () => {
    // Not the user id: the hook looks up the user by it.
    const places = fc.constantFrom('eventId' as const, 'requestType' as const, 'id' as const);
    await check(
      'misplaced fields',
      fc.asyncProperty(
        goodBody.filter(isSmall),
        fc.nat({ max: 4 }),
        places,
        fc.boolean(),
        async (good, which, place, isRefused) => {
          const data = good.body['data'] as GoodData;
          const { login, firstName, lastName } = data.userProfile as Readonly<Record<string, string>>;
          const secret = [good.code, good.number, login ?? '', firstName ?? '', lastName ?? ''][which] ?? '';
          const context = { request: { id: place === 'id' ? secret : 'reqZ' } };
          const body: Record<string, unknown> = { ...good.body, data: { ...data, context } };
          if (place === 'eventId' || place === 'requestType') body[place] = `evt-${secret}`;
          send = () =>
            isRefused
              ? { status: 'refused', code: 'NO', reason: 'no' }
              : { status: 'accepted', transactionId: 'T1' };
          compose = () => '';
          await post({ ...good, body }, place === 'eventId');
        },
      ),
      40,
    );
  });

  it('stay out of a valid answer if a channel or a function returns a value of any shape', async () => {
    const outcome = fc.oneof(
      oddValue,
      fc.record({
        status: fc.oneof(
          fc.constantFrom<unknown>('accepted', 'refused', 'unknown', 'ACCEPTED', '__proto__'),
          oddValue,
        ),
        transactionId: oddValue,
        code: oddValue,
        reason: oddValue,
        moveOn: fc.oneof(fc.constantFrom<unknown>(true, false, 'other-channel', 'other-provider'), oddValue),
        isFraudBlock: oddValue,
        hasLeft: oddValue,
        remedy: oddValue,
      }),
    );
    await check(
      'outcomes of any shape',
      fc.asyncProperty(goodBody.filter(isSmall), outcome, oddValue, async (good, given, text) => {
        // Channels in JavaScript can return anything.
        send = () => given as Outcome;
        compose = () => text as string;
        await post(good);
        send = () => ({ status: 'accepted', transactionId: 'T1' });
        // A success, so that no breaker opens.
        await post(good);
      }),
      40,
    );
  });
});
