import { fieldOf, type JsonObject } from '../../../core/json.js';

/** An attribute of the user profile, as the Schema API has it. */
export interface SchemaAttribute {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly type?: 'array' | 'boolean' | 'integer' | 'number' | 'string' | undefined;
  readonly required?: boolean | undefined;
  readonly unique?: boolean | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly enum?: readonly (string | number)[] | undefined;
  readonly mutability?: 'IMMUTABLE' | 'READ_ONLY' | 'READ_WRITE' | 'WRITE_ONLY' | undefined;
  readonly scope?: 'NONE' | 'SELF' | undefined;
  /** What users may do with their own value: `action` is `READ_WRITE`, `READ_ONLY` or `HIDE`. */
  readonly permissions?: readonly { readonly principal: string; readonly action: string }[] | undefined;
  /** The source of its value. */
  readonly master?: { readonly type: 'OKTA' | 'OVERRIDE' | 'PROFILE_MASTER' } | undefined;
  /** Other properties of the Schema API, e.g. `pattern` or `format`. */
  readonly [more: string]: unknown;
}

/** Attributes by name. */
export type SchemaAttributes = Readonly<Record<string, SchemaAttribute>>;

export const ATTRIBUTE_DEFAULTS: SchemaAttribute = {
  mutability: 'READ_WRITE',
  scope: 'NONE',
  permissions: [{ principal: 'SELF', action: 'READ_ONLY' }],
  master: { type: 'PROFILE_MASTER' },
};

type Limits = Pick<SchemaAttribute, 'minLength' | 'maxLength' | 'required'> & { readonly format?: string };

/** Name, title, whether users may change their own value by default, and limits. */
const BASE: readonly (readonly [string, string, boolean, Limits?])[] = [
  ['login', 'Username', false, { required: true, minLength: 5, maxLength: 100 }],
  ['firstName', 'First name', true, { required: true, minLength: 1, maxLength: 50 }],
  ['lastName', 'Last name', true, { required: true, minLength: 1, maxLength: 50 }],
  ['middleName', 'Middle name', true],
  ['honorificPrefix', 'Honorific prefix', true],
  ['honorificSuffix', 'Honorific suffix', true],
  ['email', 'Primary email', true, { required: true, format: 'email', minLength: 5, maxLength: 100 }],
  ['title', 'Title', true],
  ['displayName', 'Display name', true],
  ['nickName', 'Nickname', true],
  ['profileUrl', 'Profile Url', true, { format: 'uri' }],
  ['secondEmail', 'Secondary email', true, { format: 'email', minLength: 5, maxLength: 100 }],
  ['mobilePhone', 'Mobile phone', true, { maxLength: 100 }],
  ['primaryPhone', 'Primary phone', true, { maxLength: 100 }],
  ['streetAddress', 'Street address', true, { maxLength: 1024 }],
  ['city', 'City', true, { maxLength: 128 }],
  ['state', 'State', true, { maxLength: 128 }],
  ['zipCode', 'Zip code', true, { maxLength: 50 }],
  ['countryCode', 'Country code', true, { format: 'country-code', maxLength: 2 }],
  ['postalAddress', 'Postal Address', true, { maxLength: 4096 }],
  ['preferredLanguage', 'Preferred language', true, { format: 'language-code' }],
  ['locale', 'Locale', true, { format: 'locale' }],
  ['timezone', 'Time zone', true, { format: 'timezone' }],
  ['userType', 'User type', false],
  ['employeeNumber', 'Employee number', false],
  ['costCenter', 'Cost center', false],
  ['organization', 'Organization', false],
  ['division', 'Division', false],
  ['department', 'Department', false],
  ['managerId', 'ManagerId', false],
  ['manager', 'Manager', false],
];

export const BASE_ATTRIBUTES: SchemaAttributes = Object.fromEntries(
  BASE.map(([name, title, isUsers, limits]): [string, SchemaAttribute] => {
    const permissions = [{ principal: 'SELF', action: isUsers ? 'READ_WRITE' : 'READ_ONLY' }];
    return [name, { title, type: 'string', ...limits, ...ATTRIBUTE_DEFAULTS, permissions }];
  }),
);

/** Why an attribute cannot be written; `undefined` if it can. */
export function attributeProblem(name: string, attribute: JsonObject): string | undefined {
  const { title, type, permissions, master, mutability, scope } = attribute;
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    // The sentence is Okta's (udplabs/zartan#242).
    return `Invalid property name: ${name}. Property name should only have alphanumeric characters and underscores. It should not start with a digit.`;
  }
  if (typeof title !== 'string' || title === '') return `${name}: title is missing.`;
  const choices: readonly (readonly [property: string, value: unknown, allowed: readonly string[]])[] = [
    ['type', type, ['array', 'boolean', 'integer', 'number', 'string']],
    ['mutability', mutability, ['IMMUTABLE', 'READ_ONLY', 'READ_WRITE', 'WRITE_ONLY']],
    ['scope', scope, ['NONE', 'SELF']],
    ['master', fieldOf(master, 'type'), ['OKTA', 'OVERRIDE', 'PROFILE_MASTER']],
    ...(Array.isArray(permissions) ? permissions : [permissions]).flatMap((permission) => [
      ['permissions', fieldOf(permission, 'principal'), ['SELF']] as const,
      ['permissions', fieldOf(permission, 'action'), ['READ_WRITE', 'READ_ONLY', 'HIDE']] as const,
    ]),
  ];
  const wrong = choices.find(([, value, allowed]) => !allowed.some((one) => one === value));
  return wrong && `${name}: ${wrong[0]} is none of ${wrong[2].join(', ')}.`;
}

/** Why a user cannot have this value of an attribute; `undefined` if they can. */
export function valueProblem(name: string, attribute: SchemaAttribute, value: unknown): string | undefined {
  const { type = 'string', minLength = 0, maxLength = Number.POSITIVE_INFINITY } = attribute;
  if (!isOfType(type, value)) return `${name}: The value is not of the type ${type}.`;
  if (typeof value === 'string' && (value.length < minLength || value.length > maxLength)) {
    return `${name}: The value has not between ${minLength} and ${maxLength} characters.`;
  }
  if (attribute.enum !== undefined && !attribute.enum.some((allowed) => allowed === value)) {
    return `${name}: The value is none of the enum.`;
  }
  return undefined;
}

function isOfType(type: NonNullable<SchemaAttribute['type']>, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

/** The attributes of the default user type. */
export interface UserSchemaView {
  /** The attributes of every org, e.g. `mobilePhone`. */
  readonly base: SchemaAttributes;
  /** The custom attributes. */
  readonly custom: SchemaAttributes;
}
