import { createOptInAttributeSetup } from '../../../okta/admin/opt-in-attribute.js';
import { countOptedIn, readAttribute } from '../../../okta/admin/org-facts.js';
import { fail, ok, warn, type Finding } from '../finding.js';
import { describeDifferences, SCHEMAS, USERS, type OrgReader } from './okta-access.js';

/** The checks of the profile's attributes: by one users opt in, another may hold the number to which codes go. */

/** Types of an attribute whose values are channel names. The gateway supports them; `setup attribute` makes a boolean. */
const CHANNEL_NAME_TYPES: ReadonlySet<string> = new Set(['string', 'array']);

export async function attributeFinding(org: OrgReader, name: string): Promise<Finding> {
  const { obstacle, steps, warnings } = await createOptInAttributeSetup(
    org.readOnly(SCHEMAS.scopes),
    name,
  ).plan();
  if (obstacle !== undefined) {
    const { type, isUsersOwn } = await readAttribute(org.reading(SCHEMAS.scopes), name);
    if (type === undefined || !CHANNEL_NAME_TYPES.has(type)) return fail(obstacle.message, obstacle.remedy);
    const access = isUsersOwn ? 'and users may change it' : 'and users may not change it themselves';
    return warn(
      `${name} is of the type ${type}, ${access}: a user has opted in only if it has the name of a channel.`,
      'Check that its values are names in optInChannels, such as whatsapp, or set OPT_IN_ATTRIBUTE to a boolean (okta-telephony-hook setup attribute).',
    );
  }
  const changes = steps.flatMap((step) => step.changes);
  if (changes.length === 0) return ok(`${name} is a boolean that users may change, mastered by Okta.`);
  const remedy = 'okta-telephony-hook setup attribute';
  if (changes.some(({ field }) => field === 'type')) {
    return fail(`The user profile has no attribute ${name}: no user can opt in.`, `${remedy} creates it.`);
  }
  const wrong = describeDifferences(changes);
  return warn([`${name}: ${wrong}.`, ...warnings].join(' '), `${remedy} changes that.`);
}

export async function optedInFinding(org: OrgReader, name: string): Promise<Finding> {
  // If the schema cannot be read, okta.attribute says so, and the attribute counts as a boolean.
  const attribute = await readAttribute(org.reading(SCHEMAS.scopes), name).catch(() => undefined);
  if (attribute?.isThere === false) {
    return warn(`No user has opted in, because there is no attribute ${name}.`, 'See okta.attribute.');
  }
  const hasNames = CHANNEL_NAME_TYPES.has(attribute?.type ?? '');
  const condition = `${name} ${hasNames ? 'pr' : 'eq true'}`;
  const { count, hasMore } = await countOptedIn(org.reading(USERS.scopes), condition);
  if (count > 0) {
    const who = `${hasMore ? 'More than ' : ''}${count} active user${count === 1 ? ' has' : 's have'}`;
    return ok(hasNames ? `${who} a value in ${name}.` : `${who} opted in.`);
  }
  return warn(
    'No active user has opted in: every code goes by SMS or as a call.',
    `Set ${name} to ${hasNames ? 'whatsapp' : 'true'} for yourself: Okta, Directory > People > you > Profile.`,
  );
}

/** Checks that users may not change the attribute with the unverified number. */
export async function phoneFinding(org: OrgReader, name: string): Promise<Finding> {
  const { isThere, isUsersOwn } = await readAttribute(org.reading(SCHEMAS.scopes), name);
  const editor = 'Okta: Directory > Profile Editor > User (default)';
  if (!isThere)
    return fail(`The user profile has no attribute ${name}.`, `Name another, or add it in ${editor}.`);
  if (!isUsersOwn) return ok(`Users may not change ${name}, the unverified number to which codes go.`);
  return fail(
    `Users may change ${name}, the unverified number to which codes go: somebody with a stolen password can redirect the code to another phone.`,
    `Set its user permission to Read-Only in ${editor}, or remove unverifiedPhoneAttribute, so that codes go to the enrolled phone.`,
  );
}
