import { hash, timingSafeEqual } from 'node:crypto';
import Joi from 'joi';
import { VOICE, type Message, type Outcome, type Refusal, effectOf } from '../core/channel.js';
import { ConfigurationError } from '../core/errors.js';
import { isOrigin, mustBe, textOf, urlRule } from '../core/option-rules.js';
import { E164, formProblemOf, numberOfSender, numberProblemOf } from '../numbers/phone-number.js';

/** What the channels of every provider share: refusals, and rules of their options. */

/** What a provider's error code means for the log and the plan. The texts hold no digits: none may be a number or a code. */
export type RefusalMeaning = Omit<Refusal, 'status' | 'code' | 'hasLeft' | 'remedy'> & {
  readonly remedy: string;
};

/** A provider's error codes by subject, in the order of docs/reference/provider-codes.md. */
export type ErrorTable = Readonly<Record<string, Readonly<Record<string, RefusalMeaning>>>>;

/** The meanings in tables, by code. */
export const meaningsIn = (...tables: readonly ErrorTable[]): ReadonlyMap<string, RefusalMeaning> =>
  new Map(tables.flatMap((table) => Object.values(table).flatMap((codes) => Object.entries(codes))));

export const REPORT_BUG = 'Please report this as a fault of okta-telephony-hook.';
export const ENROLL_OTHER = 'Have the user enroll another number, or set defaultCountry.';

export const WRONG_NUMBER: RefusalMeaning = {
  reason: 'Not a valid phone number',
  remedy: ENROLL_OTHER,
  cause: 'wrong-number',
};

/** The remedy if this channel does not reach the user. */
export const OTHER_CHANNEL =
  'Nothing, if another channel sent the code. If none did, the user needs another one, such as SMS.';

/** A refusal because something is missing on our side. It does not count against the provider. */
export function notSent(refusal: Pick<Refusal, 'code' | 'reason' | 'remedy'>): Outcome {
  return { status: 'refused', ...refusal, ...effectOf('never-left') };
}

/** The time to live of a message, so that an expired code does not arrive: seconds, at least the provider's shortest one. */
export function ttlSecondsOf(
  { expiresAt }: Pick<Message, 'expiresAt'>,
  nowMs: number,
  shortest: number,
): number {
  return Math.max(Math.floor((expiresAt.getTime() - nowMs) / 1000), shortest);
}

/** @throws ConfigurationError if the channel is named `voice`: a user who requested a call must not get a text. */
export function requireTextChannel(channel: string, factory: string): void {
  if (channel !== VOICE) return;
  throw new ConfigurationError([`${factory} sends texts; mount it under another name than ${VOICE}`], {
    of: factory,
  });
}

/** @throws ConfigurationError unless the channel is named `voice`: a user who requested a text must not get a call. */
export function requireVoiceChannel(channel: string, factory: string): void {
  if (channel === VOICE) return;
  throw new ConfigurationError([`${factory} makes calls; mount it as ${VOICE} only`], { of: factory });
}

/** E.164 of a user's number, which providers also write without a plus; `undefined` if it is no number. */
export function numberOfUser(text: string | undefined): string | undefined {
  const number = `+${(text ?? '').replace(/^\+/, '')}`;
  return E164.test(number) ? number : undefined;
}

/** Compares two texts of any length in constant time. */
export const isSameText = (one: string, other: string): boolean =>
  timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));

/** A secret that a header can carry: visible characters only. */
export const secretRule = (what: string): Joi.StringSchema =>
  textOf(`${what}, as text without spaces`).pattern(/^[\x21-\x7e]+$/);

/** A secret or, while it is rotated, the current and the next one. */
export const rotatedRule = (secret: Joi.Schema, name: string): Joi.Schema =>
  Joi.alternatives().conditional(Joi.array(), {
    then: Joi.array()
      .items(secret)
      .length(2)
      .messages(mustBe(`a text, or an array of the current and the next ${name}`)),
    otherwise: secret,
  });

/** The provider's origin by default, or another that is safe to send secrets to. */
export const originRule = (origin: string): Joi.AnySchema =>
  urlRule(`an origin without a path, such as ${origin}`, isOrigin, ', or be left out').default(origin);

/**
 * A sender: a number, or another one of this pattern. The problem says what is wrong with the form of a number.
 *
 * @param toNumber - writes a number with `+`, for a provider that takes it without. Default: the `+` is required.
 */
export const numberRule = (
  what: string,
  otherSender?: RegExp,
  toNumber = (value: string): string => value,
): Joi.StringSchema =>
  refuseUnknownCallingCode(
    textOf(what)
      .custom((value: string, helpers) => {
        const number = toNumber(value);
        if (E164.test(number) || otherSender?.test(value) === true) return value;
        const isNumber = otherSender === undefined || !/\p{L}/u.test(value);
        return helpers.error('number.form', { why: isNumber ? `; the value ${formProblemOf(number)}` : '' });
      })
      .messages({ 'number.form': `{{#label}} must be ${what}{{#why}}` }),
  );

/** Refuses a sender's number whose calling code no country has. A sender may also be a name or an id. */
const refuseUnknownCallingCode = (sender: Joi.StringSchema): Joi.StringSchema =>
  sender
    .custom((value: string, helpers) => {
      const number = numberOfSender(value);
      const isWrong = number !== undefined && numberProblemOf(number) === 'calling code';
      return isWrong ? helpers.error('number.callingCode') : value;
    })
    .messages({
      'number.callingCode':
        "{{#label}} is a number whose calling code no country has; compare it with the provider's console",
    });

/** A service of Twilio Verify. */
export const serviceSidRule = (): Joi.StringSchema =>
  textOf("the Verify service's SID: 'VA' and 32 hexadecimal digits").pattern(/^VA[0-9a-zA-Z]{1,64}$/);
