import { fieldOf, textFieldOf } from '../../core/json.js';

/** Says what Send does, to whom and to which number, before someone presses it. */

/** The shortest number that can be dialled, with its country code. */
const FEWEST_DIGITS = 7;

/** @param payload - the request in the editor; `undefined` if there is none. */
export function warnOfSending(payload: unknown, nowMs: number): string {
  if (payload === undefined) return 'Nothing is sent before you press Send.';
  const profile = fieldOf(payload, 'data', 'messageProfile');
  const digits = digitsIn(payload);
  if (digits === '')
    return 'The request has no phone number yet: put one in data.messageProfile.phoneNumber.';
  const isExpired = Date.parse(String(fieldOf(profile, 'otpExpires'))) <= nowMs;
  const renewed = isExpired ? ' The code of this request has expired: Send renews it for five minutes.' : '';
  if (digits.length < FEWEST_DIGITS)
    return `The number in data.messageProfile.phoneNumber is very short: Send asks the hook all the same, which sends nothing to a number that cannot be dialled.${renewed}`;
  const isCall = /voice|call/i.test(String(fieldOf(profile, 'deliveryChannel')));
  const to = `the number that ends in ${digits.slice(-2)}`;
  return isCall
    ? `Send makes a real call to ${to}.${renewed}`
    : `Send makes a real message go out to ${to}: by the channel that the user opted in to, else by SMS.${renewed}`;
}

/** The user's name, and the last two digits of the number. Each is empty if the request does not have it. */
export function nameRecipient(payload: unknown): readonly [name: string, ending: string] {
  const user = fieldOf(payload, 'data', 'userProfile');
  const name = textFieldOf(user, 'firstName') ?? '';
  return [name || (textFieldOf(user, 'login') ?? ''), digitsIn(payload).slice(-2)];
}

function digitsIn(payload: unknown): string {
  const number = fieldOf(payload, 'data', 'messageProfile', 'phoneNumber');
  return typeof number === 'string' || typeof number === 'number' ? String(number).replace(/\D/g, '') : '';
}
