import type { OfOptIn, OptIn } from '../core/events.js';

/** The sentences about the opt-in attribute, which `preview` and `doctor` use, too. Node and browsers load this file, as `describe-event.ts`. */

/** The remedy if the attribute has another name, or the org has none. */
export const NAME_OR_CREATE =
  'If the attribute has another name, set OPT_IN_ATTRIBUTE to it, at the gateway as optInAttribute. If the org has none, okta-telephony-hook setup attribute creates it.';

/** The remedy if the values of the attribute may be no names of channels. */
export const CORRECT_VALUES =
  'Check that its values are names in optInChannels, such as whatsapp, or set OPT_IN_ATTRIBUTE to a boolean (okta-telephony-hook setup attribute).';

const REMEDIES: ReadonlyMap<string, string> = new Map<OptIn, string>([
  ['absent', `Nothing, if the user never opted in. ${NAME_OR_CREATE}`],
  ['unusable', CORRECT_VALUES],
]);

/** What a profile says, after `because` or on its own. */
export function describeOptIn(optIn: OptIn, attribute: string): string {
  switch (optIn) {
    case 'yes':
      return `the user has opted in (${attribute})`;
    case 'no':
      return `the user has not opted in (${attribute})`;
    case 'absent':
      return `the profile has no attribute ${attribute}`;
    case 'unusable':
      return `the value of ${attribute} names no channel`;
    case 'unread':
      return 'the profile was not read';
    default:
      // A newer gateway may know more.
      return `the opt-in is ${String(optIn)} (${attribute})`;
  }
}

/** Why a text goes by SMS, if the opt-in decided that. */
export function describeDecision({ optIn, optInAttribute }: OfOptIn): string {
  return optIn === undefined || optInAttribute === undefined
    ? ''
    : `, because ${describeOptIn(optIn, optInAttribute)}`;
}

export function remedyOfDecision({ optIn = 'unread', optInAttribute }: OfOptIn): string | undefined {
  return optInAttribute === undefined ? undefined : REMEDIES.get(optIn);
}
