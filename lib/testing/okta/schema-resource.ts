import type { SchemaAttributes } from './attributes.js';

/** The attributes of the default user type. */
export interface UserSchemaView {
  /** The attributes of every org, e.g. `mobilePhone`. */
  readonly base: SchemaAttributes;
  /** The custom attributes. */
  readonly custom: SchemaAttributes;
}

/** The parts of a schema's resource beside the attributes. */
export interface SchemaFacts {
  readonly orgUrl: string;
  readonly created: string;
  readonly lastUpdated: string;
}

/** The id of the default user type. */
export const USER_TYPE_ID = 'oty1a2b3c4d5e6f7g8h9';
/** The id of its schema, which is also found as `default`. */
export const SCHEMA_ID = 'osc1a2b3c4d5e6f7g8h9';

const DESCRIPTION = 'Okta user profile template with default permission settings';
/** Okta's own user, which created the default type. */
const SYSTEM_PRINCIPAL = 'sprz9fj1ycBcsgopy1d6';

/** The resource of the Schema API. */
export function schemaResource(
  { base, custom }: UserSchemaView,
  { orgUrl, created, lastUpdated }: SchemaFacts,
): object {
  const part = (id: string, properties: SchemaAttributes): object => ({
    id,
    type: 'object',
    properties,
    required: Object.keys(properties).filter((name) => properties[name]?.required === true),
  });
  return {
    id: `${orgUrl}/meta/schemas/user/default`,
    $schema: 'http://json-schema.org/draft-04/schema#',
    name: 'user',
    title: 'User',
    description: DESCRIPTION,
    lastUpdated,
    created,
    definitions: { custom: part('#custom', custom), base: part('#base', base) },
    type: 'object',
    properties: { profile: { allOf: [{ $ref: '#/definitions/custom' }, { $ref: '#/definitions/base' }] } },
    _links: {
      self: { rel: 'self', href: schemaUrl(orgUrl), method: 'GET' },
    },
  };
}

/** The default user type, which leads to the schema. */
export function typeResource({ orgUrl, created }: SchemaFacts): object {
  return {
    id: USER_TYPE_ID,
    displayName: 'User',
    name: 'user',
    description: DESCRIPTION,
    createdBy: SYSTEM_PRINCIPAL,
    lastUpdatedBy: SYSTEM_PRINCIPAL,
    created,
    lastUpdated: created,
    default: true,
    _links: {
      schema: { rel: 'schema', href: schemaUrl(orgUrl), method: 'GET' },
      self: { rel: 'self', href: typeUrl(orgUrl), method: 'GET' },
    },
  };
}

function schemaUrl(orgUrl: string): string {
  return `${orgUrl}/api/v1/meta/schemas/user/${SCHEMA_ID}`;
}

function typeUrl(orgUrl: string): string {
  return `${orgUrl}/api/v1/meta/types/user/${USER_TYPE_ID}`;
}
