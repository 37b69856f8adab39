import { textFieldOf } from '../../core/json.js';
import type { EmulatedUser } from '../okta/users/users.js';

/** What the emulated Okta knows of the people on the page. */

/** The number of a user's phone. A user without one is not on the page. */
export function phoneOf(user: EmulatedUser): string | undefined {
  return user.phoneFactors[0]?.phoneNumber ?? textFieldOf(user.profile, 'mobilePhone');
}

export function languageOf({ profile }: EmulatedUser): string | undefined {
  return (textFieldOf(profile, 'preferredLanguage') ?? textFieldOf(profile, 'locale'))?.replace('_', '-');
}
