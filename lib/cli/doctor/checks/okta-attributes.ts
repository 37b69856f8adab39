import { planOptInAttribute } from '../../admin/opt-in-attribute.js';
import { countOptedIn, readAttribute } from '../../admin/org-facts.js';
import { CORRECT_VALUES, NAME_OR_CREATE } from '../../../events/describe-answer.js';
import { fail, ok, warn, type Finding } from '../finding.js';
import type { OktaVariables, OptIn } from '../variables.js';
import { USERS } from '../../org.js';
import { describeDifferences, SCHEMAS, type OrgReader } from './okta-access.js';

/** The checks of the profile's attributes: by one users opt in, another may hold the number to which codes go. */

/** Types of an attribute whose values are channel names. The gateway supports them; `setup attribute` makes a boolean. */
const CHANNEL_NAME_TYPES: ReadonlySet<string> = new Set(['string', 'array']);

const EDITOR = 'Okta: Directory > Profile Editor > User (default)';

export async function attributeFinding(
  org: OrgReader,
  { attribute: name, channel }: OptIn,
): Promise<Finding> {
  if (channel === 'line') return lineAttributeFinding(org, name);
  const { obstacle, steps, warnings } = await planOptInAttribute(org.readOnly(SCHEMAS.scopes), name);
  if (obstacle !== undefined) {
    const { type, isUsersOwn } = await readAttribute(org.reading(SCHEMAS.scopes), name);
    if (type === undefined || !CHANNEL_NAME_TYPES.has(type)) return fail(obstacle.message, obstacle.remedy);
    return warn(
      `${describeNames(name, type, isUsersOwn)}: a user has opted in only if it has the name of a channel.`,
      CORRECT_VALUES,
    );
  }
  const changes = steps.flatMap((step) => step.changes);
  if (changes.length === 0) return ok(`${name} is a boolean that users may change, mastered by Okta.`);
  const remedy = 'okta-telephony-hook setup attribute';
  if (changes.some(({ field }) => field === 'type')) {
    return fail(`The user profile has no attribute ${name}: no user can opt in.`, NAME_OR_CREATE);
  }
  const wrong = describeDifferences(changes);
  return warn([`${name}: ${wrong}.`, ...warnings].join(' '), `${remedy} changes that.`);
}

function describeNames(name: string, type: string, isUsersOwn: boolean): string {
  return `${name} is of the type ${type}, and users may ${isUsersOwn ? 'change it' : 'not change it themselves'}`;
}

/** Without WhatsApp the attribute has the names of channels. `setup attribute` makes a boolean, which is for WhatsApp alone. */
async function lineAttributeFinding(org: OrgReader, name: string): Promise<Finding> {
  const { isThere, type = 'unknown', isUsersOwn } = await readAttribute(org.reading(SCHEMAS.scopes), name);
  if (CHANNEL_NAME_TYPES.has(type)) {
    return ok(
      `${describeNames(name, type, isUsersOwn)}: a user has opted in to LINE if it has the value line.`,
    );
  }
  const another = 'with the value line for each user who opts in';
  return isThere
    ? fail(
        `${name} is of the type ${type}: no user can opt in to LINE by it.`,
        `Set OPT_IN_ATTRIBUTE to an attribute of the type string or string array, ${another}.`,
      )
    : fail(
        `The user profile has no attribute ${name}: no user can opt in.`,
        `Add it in ${EDITOR}, of the type string or string array, ${another}.`,
      );
}

export async function optedInFinding(org: OrgReader, { attribute: name, channel }: OptIn): Promise<Finding> {
  // If the schema cannot be read, okta.attribute says so, and the attribute counts as a boolean.
  const attribute = await readAttribute(org.reading(SCHEMAS.scopes), name).catch(() => undefined);
  if (attribute?.isThere === false) {
    return warn(`No user has opted in, because there is no attribute ${name}.`, 'See okta.attribute.');
  }
  const hasNames = CHANNEL_NAME_TYPES.has(attribute?.type ?? (channel === 'line' ? 'string' : ''));
  if (channel === 'line' && !hasNames)
    return warn(`No user can opt in to LINE by ${name}.`, 'See okta.attribute.');
  const condition = `${name} ${hasNames ? 'pr' : 'eq true'}`;
  const { count, hasMore } = await countOptedIn(org.reading(USERS.scopes), condition);
  if (count > 0) {
    const who = `${hasMore ? 'More than ' : ''}${count} active user${count === 1 ? ' has' : 's have'}`;
    return ok(hasNames ? `${who} a value in ${name}.` : `${who} opted in.`);
  }
  const set = `to ${hasNames ? channel : 'true'} for yourself: Okta, Directory > People > you > Profile.`;
  return warn(
    'No active user has opted in: every code goes by SMS or as a call.',
    attribute === undefined
      ? `Check the spelling of ${name} first: this credential cannot show whether the attribute exists. Then set it ${set}`
      : `Set ${name} ${set}`,
  );
}

export type RecipientCheck = keyof OktaVariables['recipients'];

/** The attributes that decide to whom a code goes. */
const RECIPIENTS: Readonly<
  Record<RecipientCheck, { readonly what: string; readonly another: string; readonly instead: string }>
> = {
  'unverified-phone': {
    what: 'the unverified number',
    another: 'Name another',
    instead: 'remove unverifiedPhoneAttribute, so that codes go to the enrolled phone',
  },
  'line-user-id': {
    what: 'the LINE user id',
    another: 'Name another by LINE_USER_ID_ATTRIBUTE, here and at the gateway',
    instead: 'name another attribute by LINE_USER_ID_ATTRIBUTE',
  },
};

/** Checks an attribute that decides to whom a code goes: it is a string, and users may not change it. */
export async function recipientFinding(
  org: OrgReader,
  check: RecipientCheck,
  name: string,
): Promise<Finding> {
  const { what, another, instead } = RECIPIENTS[check];
  const { isThere, type, isUsersOwn } = await readAttribute(org.reading(SCHEMAS.scopes), name);
  if (!isThere)
    return fail(
      `The user profile has no attribute ${name}.`,
      `${another}, or add it in ${EDITOR}, as a string that users may not change.`,
    );
  if (type !== 'string')
    return fail(`${name} is of the type ${type ?? 'unknown'}, but ${what} is a string.`, `${another}.`);
  if (!isUsersOwn) return ok(`Users may not change ${name}, ${what} to which codes go.`);
  return fail(
    `Users may change ${name}, ${what} to which codes go: somebody with a stolen password can redirect the code to another phone.`,
    `Set its user permission to Read-Only in ${EDITOR}, or ${instead}.`,
  );
}
