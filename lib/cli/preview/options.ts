import { toDialableNumber } from '../../numbers/phone-number.js';
import { REQUEST_TYPES, type RequestType } from '../../core/request-types.js';
import { CommandError } from '../failure.js';
import { textOption } from '../setup/setup.js';

/** What a preview is asked for, by its options. */
export interface PreviewOptions {
  /** What is sent: a file's content (`-`: standard input), or a call about a user. */
  readonly about:
    | { readonly file: string }
    | {
        /** A login or an id. */
        readonly user: string;
        readonly requestType: RequestType;
        readonly deliveryChannel: 'sms' | 'voice';
        /** E.164; `undefined`: the user's own. */
        readonly phone: string | undefined;
      };
  readonly via: 'okta' | 'gateway';
  /** `undefined`: the org's active one. */
  readonly hookId: string | undefined;
  readonly isEdited: boolean;
  readonly isPrinted: boolean;
  readonly isSure: boolean;
}

/** @throws CommandError for options that are wrong, or do not go together; none of their values is told. */
export function readPreviewOptions(options: Readonly<Record<string, unknown>>): PreviewOptions {
  const isGiven = (name: string): boolean => options[name] !== undefined;
  const via = choice(options, 'via', ['okta', 'gateway'], 'okta');
  if (isGiven('hook') && via === 'gateway') {
    throw badUse('--hook names a hook at Okta, which --via gateway passes by.');
  }
  if (isGiven('header') && via === 'okta') throw badUse('--header is for --via gateway: Okta knows its own.');
  return {
    about: readAbout(options),
    via,
    hookId: textOption(options, 'hook'),
    isEdited: options['edit'] === true,
    isPrinted: options['print'] === true,
    isSure: options['yes'] === true,
  };
}

function readAbout(options: Readonly<Record<string, unknown>>): PreviewOptions['about'] {
  const file = textOption(options, 'payload');
  const user = textOption(options, 'user');
  if (file !== undefined) {
    const others = ['user', 'request-type', 'channel', 'phone'].filter((name) => options[name] !== undefined);
    if (others.length === 0) return { file };
    throw badUse(`--payload has all of it: leave out --${others.join(', --')}.`);
  }
  if (user === undefined) throw badUse('Say for whom: --user <login>, or bring a call along by --payload.');
  const phone = textOption(options, 'phone');
  const dialable = phone === undefined ? undefined : toDialableNumber(phone, undefined);
  if (phone !== undefined && dialable === undefined) {
    throw badUse('--phone takes a number in E.164 form: + and digits, the country code first.');
  }
  return {
    user,
    requestType: choice(options, 'request-type', REQUEST_TYPES, 'mfa-verification'),
    deliveryChannel: choice(options, 'channel', ['sms', 'voice'], 'sms'),
    phone: dialable,
  };
}

function choice<Word extends string>(
  options: Readonly<Record<string, unknown>>,
  name: string,
  words: readonly Word[],
  usual: Word,
): Word {
  if (options[name] === undefined) return usual;
  const found = words.find((word) => word === options[name]);
  if (found === undefined) throw badUse(`--${name} takes one of ${words.join(', ')}.`);
  return found;
}

function badUse(message: string): CommandError {
  return new CommandError(
    2,
    'BAD_USE',
    `preview: ${message}`,
    'okta-telephony-hook preview --help says what there is.',
  );
}
