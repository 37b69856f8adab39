import type { Administration } from './administration.js';
import { asList, fieldOf, textFieldOf } from '../../core/json.js';
import { changesOf, type Setup, type SetupChange, type SetupPlan } from './setup-plan.js';

/** Sets up attributes on the default user profile, by the Schema API: that of the opt-in, and that of the LINE user id. */

const SCHEMA = '/api/v1/meta/schemas/user/default';
const IN_PROFILE_EDITOR = 'Okta: Directory > Profile Editor > User (default)';

/** The user's own access to an attribute. */
type OwnAccess = 'READ_WRITE' | 'READ_ONLY' | 'HIDE';

const MUTABILITY = 'READ_WRITE';
/** Without this, a directory that is a profile source would overwrite the value. */
const MASTER = { type: 'OKTA' };

/** An attribute as a setup makes it. It has no default, because an unset value is no consent. */
interface ProfileAttribute {
  readonly name: string;
  /** The variable that names it, for remedies. */
  readonly variable: string;
  readonly title: string;
  readonly description: string;
  /** A new attribute has the first type. One of another of these types stays as it is. */
  readonly types: readonly [string, ...string[]];
  /** The same for the user's own access. */
  readonly ownAccess: readonly [OwnAccess, ...OwnAccess[]];
  /** What an existing attribute of a wrong type can be used for, by type. */
  readonly uses: Readonly<Record<string, string>>;
}

const NAMES_USE = ' It works as it is where its values are the names of channels in optInChannels.';

/**
 * The attribute by which users opt in: a boolean for WhatsApp, or names of channels.
 *
 * @param isReadOnly - a page of the gateway's owner changes it for users, after a proof. Otherwise they change it themselves.
 */
export function optInAttribute(
  name: string,
  { hasLine, isReadOnly = false }: { readonly hasLine: boolean; readonly isReadOnly?: boolean },
): ProfileAttribute {
  return {
    name,
    variable: 'OPT_IN_ATTRIBUTE',
    ownAccess: [isReadOnly ? 'READ_ONLY' : 'READ_WRITE'],
    ...(hasLine
      ? {
          title: 'Channels of codes',
          description: 'The channels for one-time codes, such as line, in order of preference',
          types: ['array', 'string'],
          uses: { boolean: ' By a boolean users opt in to WhatsApp only.' },
        }
      : {
          title: 'Codes by WhatsApp',
          description: 'Send one-time codes by WhatsApp',
          types: ['boolean'],
          uses: { string: NAMES_USE, array: NAMES_USE },
        }),
  };
}

/** The attribute with the LINE user id. Users may not change it: who changes it gets the codes. */
export const lineUserIdAttribute = (name: string): ProfileAttribute => ({
  name,
  variable: 'LINE_USER_ID_ATTRIBUTE',
  title: 'LINE user id',
  description: 'The LINE account that one-time codes go to',
  types: ['string'],
  ownAccess: ['READ_ONLY', 'HIDE'],
  uses: {},
});

/** Plans the attributes, each in a step of its own. */
export function createAttributeSetup(okta: Administration, attributes: readonly ProfileAttribute[]): Setup {
  return {
    async plan() {
      const definitions = fieldOf(await okta.get(SCHEMA), 'definitions');
      const plans = attributes.map((attribute) => planOf(okta, attribute, definitions));
      return {
        obstacle: plans.find(({ obstacle }) => obstacle !== undefined)?.obstacle,
        warnings: plans.flatMap(({ warnings }) => warnings),
        steps: plans.flatMap(({ steps }) => steps),
      };
    },
  };
}

function planOf(okta: Administration, attribute: ProfileAttribute, definitions: unknown): SetupPlan {
  const { name } = attribute;
  const ofBase = fieldOf(definitions, 'base', 'properties');
  const own = fieldOf(definitions, 'custom', 'properties');
  const found = fieldOf(own, name);
  const obstacle =
    found === undefined
      ? nameObstacle(attribute, namesOf(ofBase), namesOf(own))
      : obstacleOf(attribute, textFieldOf(found, 'type'));
  if (obstacle !== undefined) return { steps: [], obstacle, warnings: [] };
  const changes = changesFrom(found, attribute);
  if (changes.length === 0) return { steps: [], warnings: [] };
  const isNew = found === undefined;
  const properties = { [name]: written(found, attribute) };
  return {
    warnings: isNew ? [] : warningsOf(attribute, found),
    steps: [
      {
        does: `${isNew ? 'Create' : 'Change'} the attribute ${name} of the default user profile`,
        changes,
        run: async () => {
          await okta.post(SCHEMA, { definitions: { custom: { id: '#custom', type: 'object', properties } } });
        },
      },
    ],
  };
}

/** The attribute in the request. The Schema API merges it with the existing one, so settings of others are sent unchanged. */
function written(found: unknown, wanted: ProfileAttribute): object {
  const type = keptOf(wanted.types, textFieldOf(found, 'type'));
  const scope = textFieldOf(found, 'scope');
  const attribute = {
    title: textFieldOf(found, 'title') ?? wanted.title,
    ...(found === undefined ? { description: wanted.description } : {}),
    type,
    ...(found === undefined && type === 'array' ? { items: { type: 'string' } } : {}),
    scope: scope ?? 'NONE',
    mutability: MUTABILITY,
    permissions: [{ principal: 'SELF', action: keptOf(wanted.ownAccess, ownAccessOf(found)) }],
    master: MASTER,
  };
  return defaultOf(found) === undefined ? attribute : { ...attribute, default: null };
}

/** What is there if it is one of these values, and otherwise the first of them. */
const keptOf = (values: readonly [string, ...string[]], found: string | undefined): string =>
  values.find((value) => value === found) ?? values[0];

function changesFrom(found: unknown, { types, ownAccess }: ProfileAttribute): readonly SetupChange[] {
  const type = textFieldOf(found, 'type');
  const mutability = textFieldOf(found, 'mutability');
  const access = ownAccessOf(found);
  const master = textFieldOf(found, 'master', 'type');
  return changesOf([
    ['type', type, keptOf(types, type)],
    ['mutability', mutability, MUTABILITY],
    ['user permission', access, keptOf(ownAccess, access)],
    ['source', master, MASTER.type],
    ['default', defaultOf(found) ?? 'none', 'none'],
  ]);
}

function obstacleOf(
  { name, variable, types, uses }: ProfileAttribute,
  type = 'unknown',
): SetupPlan['obstacle'] {
  if (types.includes(type)) return undefined;
  return {
    message: `The attribute ${name} is there, of the type ${type}, and Okta changes no type.${uses[type] ?? ''}`,
    remedy: `Name another attribute by ${variable}; or remove this one, with all its values, in ${IN_PROFILE_EDITOR}, and run this again.`,
  };
}

/** Okta does not accept a second name that differs by case only. */
function nameObstacle(
  { name, variable }: ProfileAttribute,
  ofBase: readonly string[],
  own: readonly string[],
): SetupPlan['obstacle'] {
  const isTaken = (taken: string): boolean => taken.toLowerCase() === name.toLowerCase();
  const theirs = ofBase.find(isTaken);
  if (theirs !== undefined) {
    return {
      message: `${theirs} is an attribute of Okta's own, which every org has.`,
      remedy: `Name another attribute by ${variable}, here and at the gateway.`,
    };
  }
  const similar = own.find(isTaken);
  if (similar === undefined) return undefined;
  return {
    message: `The org has an attribute ${similar}, which differs from ${name} by case only.`,
    remedy: `If it is the one that is meant, set ${variable}=${similar}, here and at the gateway; if not, name another.`,
  };
}

function namesOf(properties: unknown): readonly string[] {
  return Object.keys(Object(properties) as object);
}

function ownAccessOf(found: unknown): string | undefined {
  const isOwn = (principal: unknown): boolean => principal === 'SELF';
  const own = asList(fieldOf(found, 'permissions')).find((permission) =>
    isOwn(fieldOf(permission, 'principal')),
  );
  return textFieldOf(own, 'action');
}

function warningsOf({ name, ownAccess }: ProfileAttribute, found: unknown): readonly string[] {
  const warnings: string[] = [];
  if (defaultOf(found) === 'true') {
    warnings.push(
      `${name} has the default true: it counts for everyone who never chose, and that is no consent to WhatsApp.`,
    );
  }
  if (ownAccess.includes('READ_WRITE') && ownAccessOf(found) === 'READ_ONLY') {
    warnings.push(
      `${name} is Read Only for users, who opt in without any proof once they may change it: where a page of yours does it for them, keep it so by --read-only.`,
    );
  }
  return warnings;
}

/** The default as text; `undefined` if there is none, which Okta may write as `null`. */
function defaultOf(found: unknown): string | undefined {
  const value = fieldOf(found, 'default');
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}
