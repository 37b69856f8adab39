import type { Administration } from '../../../okta/admin/administration.js';
import { createOptInAttributeSetup } from '../../../okta/admin/opt-in-attribute.js';
import { countOptedIn, readAttribute, type ReadOkta } from '../../../okta/admin/org-facts.js';
import { fail, ok, warn, type Finding } from '../finding.js';

/** Reads of the org for the checks of the opt-in. */
export interface OptInReads {
  /** With the scope of schemas, for the plan of `setup attribute`. */
  readonly schema: Administration;
  /** With the scope of schemas. */
  readonly attributes: ReadOkta;
  readonly users: ReadOkta;
}

/** Types of an attribute whose values are channel names. The gateway supports them; `setup attribute` makes a boolean. */
const CHANNEL_NAME_TYPES: ReadonlySet<string> = new Set(['string', 'array']);

/** Checks the attribute by which users opt in. */

export async function attributeFinding({ schema, attributes }: OptInReads, name: string): Promise<Finding> {
  const { obstacle, steps, warnings } = await createOptInAttributeSetup(schema, name).plan();
  if (obstacle !== undefined) {
    const { type, isUsersOwn } = await readAttribute(attributes, name);
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
  const wrong = changes.map(({ field, from, to }) => `${field} is ${from ?? 'not set'} instead of ${to}`);
  return warn([`${name}: ${wrong.join(', ')}.`, ...warnings].join(' '), `${remedy} changes that.`);
}

/** Counts the active users who have opted in. */
export async function optedInFinding({ attributes, users }: OptInReads, name: string): Promise<Finding> {
  // If the schema cannot be read, okta.attribute says so, and the attribute counts as a boolean.
  const attribute = await readAttribute(attributes, name).catch(() => undefined);
  if (attribute?.isThere === false) {
    return warn(`No user has opted in, because there is no attribute ${name}.`, 'See okta.attribute.');
  }
  const hasNames = CHANNEL_NAME_TYPES.has(attribute?.type ?? '');
  const { count, hasMore } = await countOptedIn(users, hasNames ? `${name} pr` : `${name} eq true`);
  if (count > 0) {
    const who = `${hasMore ? 'More than ' : ''}${count} active user${count === 1 ? ' has' : 's have'}`;
    return ok(hasNames ? `${who} a value in ${name}.` : `${who} opted in.`);
  }
  return warn(
    'No active user has opted in: every code goes by SMS or as a call.',
    `Set ${name} to ${hasNames ? 'whatsapp' : 'true'} for yourself: Okta, Directory > People > you > Profile.`,
  );
}
