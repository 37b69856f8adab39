import { dialingProblemOf, toDialableNumber } from '../../numbers/phone-number.js';
import { REQUEST_TYPES, type RequestType } from '../../core/request-types.js';
import { badUse } from '../failure.js';
import { textOption, type OptionValues } from '../command.js';

export interface PreviewOptions {
  /** The payload: that of a file (`-`: standard input), or a sample call for a user. */
  readonly about:
    | { readonly file: string }
    | {
        /** A login or an id. */
        readonly user: string;
        readonly requestType: RequestType;
        readonly deliveryChannel: 'sms' | 'voice';
        /** E.164; `undefined`: the phone that the user enrolled. */
        readonly phone: string | undefined;
      };
  readonly via: 'okta' | 'gateway';
  /** `undefined`: the org's active hook. */
  readonly hookId: string | undefined;
  readonly isEdited: boolean;
  readonly isPrinted: boolean;
  readonly isSure: boolean;
}

/** @throws CommandError for options that are wrong, or do not go together. It repeats no value. */
export function readPreviewOptions(options: OptionValues): PreviewOptions {
  const isGiven = (name: string): boolean => options[name] !== undefined;
  const via = choice(options, 'via', ['okta', 'gateway'], 'okta');
  if (isGiven('hook') && via === 'gateway') {
    throw badUse('preview', '--hook names a hook at Okta, but --via gateway does not use Okta.');
  }
  if (isGiven('header') && via === 'okta') throw badUse('preview', '--header is for --via gateway only.');
  return {
    about: readAbout(options),
    via,
    hookId: textOption(options, 'hook'),
    isEdited: options['edit'] === true,
    isPrinted: options['print'] === true,
    isSure: options['yes'] === true,
  };
}

function readAbout(options: OptionValues): PreviewOptions['about'] {
  const file = textOption(options, 'payload');
  const user = textOption(options, 'user');
  if (file !== undefined) {
    const others = ['user', 'request-type', 'channel', 'phone'].filter((name) => options[name] !== undefined);
    if (others.length === 0) return { file };
    throw badUse('preview', `--payload is a whole call: remove --${others.join(', --')}.`);
  }
  if (user === undefined)
    throw badUse('preview', 'Name a user with --user <login>, or a call with --payload <file>.');
  const phone = textOption(options, 'phone');
  const dialable = phone === undefined ? undefined : toDialableNumber(phone, undefined);
  if (phone !== undefined && dialable === undefined) {
    const rule = '--phone takes a number in E.164 form: + and digits, the country code first.';
    throw badUse('preview', `${rule} The value ${dialingProblemOf(phone)}.`);
  }
  return {
    user,
    requestType: choice(options, 'request-type', REQUEST_TYPES, 'mfa-verification'),
    deliveryChannel: choice(options, 'channel', ['sms', 'voice'], 'sms'),
    phone: dialable,
  };
}

function choice<Word extends string>(
  options: OptionValues,
  name: string,
  words: readonly Word[],
  byDefault: Word,
): Word {
  if (options[name] === undefined) return byDefault;
  const found = words.find((word) => word === options[name]);
  if (found === undefined) throw badUse('preview', `--${name} takes one of ${words.join(', ')}.`);
  return found;
}
