import type { Administration } from './administration.js';
import { asList, fieldOf, textFieldOf } from '../../core/json.js';
import { changesOf, type SetupChange, type SetupPlan } from './setup-plan.js';

/** Sets up the opt-in attribute on the default user profile, by the Schema API. */

export const SCHEMA = '/api/v1/meta/schemas/user/default';
const TITLE = 'Codes by WhatsApp';
const DESCRIPTION = 'Send one-time codes by WhatsApp';
const IN_PROFILE_EDITOR = 'Okta: Directory > Profile Editor > User (default)';

/** In a permission: the user whose profile it is. */
const SELF = 'SELF';
/** The user's own access to the attribute. */
type OwnAccess = 'READ_WRITE' | 'READ_ONLY';

const MUTABILITY = 'READ_WRITE';
/** Without this, a directory that is a profile source would overwrite the user's choice. */
const MASTER = { type: 'OKTA' };

/**
 * Plans the attribute: a boolean, mastered by Okta, without a default, because an unset value is no consent.
 *
 * @param name - the attribute's variable name.
 * @param ownAccess - `READ_WRITE`: users change their consent themselves. `READ_ONLY`: a page of the gateway's owner changes it
 *   for them, after a proof.
 * @throws OktaApiError
 */
export async function planOptInAttribute(
  okta: Administration,
  name: string,
  ownAccess: OwnAccess = 'READ_WRITE',
): Promise<SetupPlan> {
  const definitions = fieldOf(await okta.get(SCHEMA), 'definitions');
  const ofBase = fieldOf(definitions, 'base', 'properties');
  const own = fieldOf(definitions, 'custom', 'properties');
  const found = fieldOf(own, name);
  const obstacle =
    found === undefined ? nameObstacle(name, namesOf(ofBase), namesOf(own)) : obstacleOf(name, found);
  if (obstacle !== undefined) return { steps: [], obstacle, warnings: [] };
  const changes = changesFrom(found, ownAccess);
  if (changes.length === 0) return { steps: [], warnings: [] };
  const isNew = found === undefined;
  const custom = { id: '#custom', type: 'object', properties: { [name]: written(found, ownAccess) } };
  return {
    warnings: isNew ? [] : warningsOf(name, found, ownAccess),
    steps: [
      {
        does: `${isNew ? 'Create' : 'Change'} the attribute ${name} of the default user profile`,
        changes,
        run: async () => {
          await okta.post(SCHEMA, { definitions: { custom } });
        },
      },
    ],
  };
}

/** The attribute in the request. The Schema API merges it with the existing one, so settings of others are sent unchanged. */
function written(found: unknown, ownAccess: OwnAccess): object {
  const scope = textFieldOf(found, 'scope');
  const attribute = {
    title: textFieldOf(found, 'title') ?? TITLE,
    ...(found === undefined ? { description: DESCRIPTION } : {}),
    type: 'boolean',
    scope: scope ?? 'NONE',
    mutability: MUTABILITY,
    permissions: [{ principal: SELF, action: ownAccess }],
    master: MASTER,
  };
  return defaultOf(found) === undefined ? attribute : { ...attribute, default: null };
}

function changesFrom(found: unknown, ownAccess: OwnAccess): readonly SetupChange[] {
  const master = textFieldOf(found, 'master', 'type');
  const mutability = textFieldOf(found, 'mutability');
  const type = found === undefined ? undefined : textFieldOf(found, 'type');
  return changesOf([
    ['type', type, 'boolean'],
    ['mutability', mutability, MUTABILITY],
    ['user permission', ownAccessOf(found), ownAccess],
    ['source', master, MASTER.type],
    ['default', defaultOf(found) ?? 'none', 'none'],
  ]);
}

function obstacleOf(name: string, found: unknown): SetupPlan['obstacle'] {
  const type = textFieldOf(found, 'type');
  if (type === 'boolean') return undefined;
  const asItIs =
    type === 'string' || type === 'array'
      ? ' You need not change it if its values are the names of channels in optInChannels.'
      : '';
  return {
    message: `The attribute ${name} is there, of the type ${type ?? 'unknown'}, and Okta changes no type.${asItIs}`,
    remedy: `Name another attribute by OPT_IN_ATTRIBUTE; or remove this one, with all its values, in ${IN_PROFILE_EDITOR}, and run this again.`,
  };
}

/** Okta does not accept a second name that differs by case only. */
function nameObstacle(
  name: string,
  ofBase: readonly string[],
  own: readonly string[],
): SetupPlan['obstacle'] {
  const isTaken = (taken: string): boolean => taken.toLowerCase() === name.toLowerCase();
  const theirs = ofBase.find(isTaken);
  if (theirs !== undefined) {
    return {
      message: `${theirs} is an attribute of Okta's own, which every org has.`,
      remedy: 'Name another attribute by OPT_IN_ATTRIBUTE, here and at the gateway.',
    };
  }
  const similar = own.find(isTaken);
  if (similar === undefined) return undefined;
  return {
    message: `The org has an attribute ${similar}, which differs from ${name} by case only.`,
    remedy: `If it is the one that is meant, set OPT_IN_ATTRIBUTE=${similar}, here and at the gateway; if not, name another.`,
  };
}

function namesOf(properties: unknown): readonly string[] {
  return Object.keys(Object(properties) as object);
}

/** The user's own access to an attribute of the schema; `undefined` if it has none. */
export function ownAccessOf(attribute: unknown): string | undefined {
  const own = asList(fieldOf(attribute, 'permissions')).find(
    (permission) => fieldOf(permission, 'principal') === SELF,
  );
  return textFieldOf(own, 'action');
}

function warningsOf(name: string, found: unknown, ownAccess: OwnAccess): readonly string[] {
  const warnings: string[] = [];
  if (defaultOf(found) === 'true') {
    warnings.push(
      `${name} has the default true: it counts for everyone who never chose, and that is no consent to WhatsApp.`,
    );
  }
  if (ownAccess === 'READ_WRITE' && ownAccessOf(found) === 'READ_ONLY') {
    warnings.push(
      `${name} is Read Only for users. If they may change it, they turn WhatsApp on without any proof. If a page of your own changes it for them, use setup attribute --read-only.`,
    );
  }
  return warnings;
}

/** The default as text; `undefined` if there is none, which Okta may write as `null`. */
function defaultOf(found: unknown): string | undefined {
  const value = fieldOf(found, 'default');
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}
