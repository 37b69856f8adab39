import type { Administration } from '../../../okta/admin/administration.js';
import { createOptInAttributeSetup } from '../../../okta/admin/opt-in-attribute.js';
import { countOptedIn, readAttribute, type ReadOkta } from '../../../okta/admin/org-facts.js';
import { fail, ok, warn, type Finding } from '../finding.js';

/** The attribute by which users opt in, and who has. */

export interface OptInReads {
  readonly schema: Administration;
  /** By the scope of schemas. */
  readonly attributes: ReadOkta;
  readonly users: ReadOkta;
}

/** Types whose values are names of channels: setup makes none of them, and the gateway takes them. */
const OF_NAMES: ReadonlySet<string> = new Set(['string', 'array']);

export async function attributeFinding({ schema, attributes }: OptInReads, name: string): Promise<Finding> {
  const { obstacle, steps, warnings } = await createOptInAttributeSetup(schema, name).plan();
  if (obstacle !== undefined) {
    const { type, isUsersOwn } = await readAttribute(attributes, name);
    if (type === undefined || !OF_NAMES.has(type)) return fail(obstacle.message, obstacle.remedy);
    const whose = isUsersOwn ? 'that users may change' : 'that users may not change themselves';
    return warn(
      `${name} is of the type ${type}, ${whose}: only who has the name of a channel in it has opted in.`,
      'See that its values are names in optInChannels, such as whatsapp; OPT_IN_ATTRIBUTE may name a boolean in its place (okta-telephony-hook setup attribute).',
    );
  }
  const changes = steps.flatMap((step) => step.changes);
  if (changes.length === 0) return ok(`${name} is a boolean that users may change, mastered by Okta.`);
  const remedy = 'okta-telephony-hook setup attribute';
  if (changes.some(({ field }) => field === 'type')) {
    return fail(`The user profile has no attribute ${name}: nobody can opt in.`, `${remedy} creates it.`);
  }
  const wrong = changes.map(({ field, from, to }) => `${field} is ${from ?? 'not set'} in place of ${to}`);
  return warn([`${name}: ${wrong.join(', ')}.`, ...warnings].join(' '), `${remedy} changes that.`);
}

export async function optedInFinding({ attributes, users }: OptInReads, name: string): Promise<Finding> {
  // Who may not see the schema is told so by another line; setup makes a boolean.
  const attribute = await readAttribute(attributes, name).catch(() => undefined);
  if (attribute?.isThere === false) {
    return warn(`Nobody, for there is no attribute ${name}.`, 'See okta.attribute.');
  }
  const isOfNames = OF_NAMES.has(attribute?.type ?? '');
  const { count, hasMore } = await countOptedIn(users, isOfNames ? `${name} pr` : `${name} eq true`);
  if (count > 0) {
    const who = `${hasMore ? 'More than ' : ''}${count} active user${count === 1 ? ' has' : 's have'}`;
    return ok(isOfNames ? `${who} something in ${name}.` : `${who} opted in.`);
  }
  return warn(
    'No active user has opted in: every code goes by SMS or as a call.',
    `Set ${name} to ${isOfNames ? 'whatsapp' : 'true'} for yourself: Okta, Directory > People > you > Profile.`,
  );
}
