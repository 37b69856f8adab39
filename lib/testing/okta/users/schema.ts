import { okReply, type Reply } from '../../server/reply.js';
import { listBy, withResource, type ApiCall, type Operation, type Route } from '../api/route.js';
import {
  ATTRIBUTE_DEFAULTS,
  attributeProblem,
  BASE_ATTRIBUTES,
  type SchemaAttribute,
  type SchemaAttributes,
  type UserSchemaView,
} from './attributes.js';
import type { OrgContext } from '../api/context.js';
import { oktaError, validationFailed } from '../api/errors.js';
import { fieldOf, isObject, type JsonObject } from '../../../core/json.js';

/** How long a change of the schema takes. Default: 0. */
export interface SchemaDelay {
  /** A change is answered with 200 at once, and shows after this time. */
  readonly propagationMs?: number | undefined;
  /** For this time after its removal, the name of an attribute cannot be used again. */
  readonly cleanUpMs?: number | undefined;
}

/** The id of the schema, which is also found as `default`. */
const SCHEMA_ID = 'osc1a2b3c4d5e6f7g8h9';
export const USER_TYPE_ID = 'oty1a2b3c4d5e6f7g8h9';
const DESCRIPTION = 'Okta user profile template with default permission settings';
/** Okta's own user, which created the default type. */
const SYSTEM_PRINCIPAL = 'sprz9fj1ycBcsgopy1d6';

const SCHEMA_ROLES = ['API_ACCESS_MANAGEMENT_ADMIN', 'APP_ADMIN', 'ORG_ADMIN'];

export class UserSchema {
  readonly #context: OrgContext;
  readonly #onRemoved: (names: readonly string[]) => void;
  readonly #created: string;
  #lastUpdated: string;
  #delay: SchemaDelay = {};
  #view: UserSchemaView = { base: BASE_ATTRIBUTES, custom: {} };
  /** A change that does not show yet. */
  #pending: { readonly view: UserSchemaView; readonly visibleAt: number } | undefined;
  readonly #cleanUpUntil = new Map<string, number>();

  /** @param onRemoved - called with the names of removed attributes. */
  constructor(context: OrgContext, onRemoved: (names: readonly string[]) => void) {
    this.#context = context;
    this.#onRemoved = onRemoved;
    this.#created = new Date(context.clock()).toISOString();
    this.#lastUpdated = this.#created;
  }

  get view(): UserSchemaView {
    if (this.#pending !== undefined && this.#pending.visibleAt <= this.#context.clock()) {
      this.#view = this.#pending.view;
      this.#pending = undefined;
    }
    return this.#view;
  }

  setDelay(delay: SchemaDelay): void {
    this.#delay = delay;
  }

  /** Sets an attribute or removes a custom one, without rules and delay. */
  set(name: string, attribute: SchemaAttribute | null): void {
    const { base, custom } = this.#pending?.view ?? this.#view;
    if (name in base) {
      if (attribute === null) throw new Error('An attribute of the base cannot be taken away.');
      this.#write({ base: { ...base, [name]: { ...base[name], ...attribute } }, custom }, 0);
      return;
    }
    const added = attribute && { [name]: { ...ATTRIBUTE_DEFAULTS, title: name, ...attribute } };
    this.#write({ base, custom: { ...without(custom, [name]), ...added } }, 0);
    if (attribute === null) this.#onRemoved([name]);
  }

  get routes(): readonly Route[] {
    const path = '/api/v1/meta/schemas/user/:id';
    const withSchema = (answer: (schema: this, call: ApiCall) => Reply): Operation =>
      withResource('UserSchema', (id) => (id === 'default' || id === SCHEMA_ID ? this : undefined), answer);
    const read = withSchema(() => okReply(this.#resource(this.view, this.#lastUpdated)));
    const update = withSchema((_schema, { body }) => this.#update(body));
    const types = (): Reply => okReply([this.#typeResource()]);
    return [
      ['get', path, { scope: 'okta.schemas.read', roles: SCHEMA_ROLES }, read],
      ['post', path, { scope: 'okta.schemas.manage', roles: SCHEMA_ROLES }, update],
      ['get', '/api/v1/meta/types/user', { scope: 'okta.userTypes.read' }, listBy([], types)],
    ];
  }

  #resource({ base, custom }: UserSchemaView, lastUpdated: string): object {
    const part = (id: string, properties: SchemaAttributes): object => ({
      id,
      type: 'object',
      properties,
      required: Object.keys(properties).filter((name) => properties[name]?.required === true),
    });
    return {
      id: `${this.#context.orgUrl}/meta/schemas/user/default`,
      $schema: 'http://json-schema.org/draft-04/schema#',
      name: 'user',
      title: 'User',
      description: DESCRIPTION,
      lastUpdated,
      created: this.#created,
      definitions: { custom: part('#custom', custom), base: part('#base', base) },
      type: 'object',
      properties: { profile: { allOf: [{ $ref: '#/definitions/custom' }, { $ref: '#/definitions/base' }] } },
      _links: { self: this.#link('self') },
    };
  }

  /** The default user type, which leads to the schema. */
  #typeResource(): object {
    const href = `${this.#context.orgUrl}/api/v1/meta/types/user/${USER_TYPE_ID}`;
    return {
      id: USER_TYPE_ID,
      displayName: 'User',
      name: 'user',
      description: DESCRIPTION,
      createdBy: SYSTEM_PRINCIPAL,
      lastUpdatedBy: SYSTEM_PRINCIPAL,
      created: this.#created,
      lastUpdated: this.#created,
      default: true,
      _links: { schema: this.#link('schema'), self: { rel: 'self', href, method: 'GET' } },
    };
  }

  #link(rel: string): object {
    return { rel, href: `${this.#context.orgUrl}/api/v1/meta/schemas/user/${SCHEMA_ID}`, method: 'GET' };
  }

  #update(body: unknown): Reply {
    const now = this.#context.clock();
    const { base, custom } = this.view;
    if (this.#pending !== undefined) {
      // Okta answers 500 to a change while another one is in progress: terraform-provider-okta retries then.
      return oktaError(500, 'E0000009', 'Internal Server Error');
    }
    const asked = fieldOf(body, 'definitions', 'custom', 'properties') ?? {};
    const askedBase = fieldOf(body, 'definitions', 'base', 'properties') ?? {};
    if (!isObject(body) || !isObject(asked) || !isObject(askedBase)) return validationFailed('schema');

    const problems: string[] = [];
    const changed: [string, SchemaAttribute][] = [];
    const removed: string[] = [];
    for (const [name, attribute] of Object.entries(asked)) {
      if (attribute === null) removed.push(name);
      else {
        const merged = { ...ATTRIBUTE_DEFAULTS, ...custom[name], ...(isObject(attribute) ? attribute : {}) };
        const problem = this.#problemOf(name, merged);
        if (problem === undefined) changed.push([name, merged]);
        else problems.push(problem);
      }
    }
    for (const name of Object.keys(askedBase)) {
      problems.push(`${name}: An attribute of the base cannot be changed.`);
    }
    if (problems.length > 0) return validationFailed('schema', ...problems);

    const next = {
      base,
      custom: { ...without(custom, removed), ...Object.fromEntries(changed.map(withoutFalse)) },
    };
    return {
      ...okReply(this.#resource(next, new Date(now).toISOString())),
      commit: () => {
        const gone = removed.filter((name) => name in custom);
        for (const name of gone) this.#cleanUpUntil.set(name, now + (this.#delay.cleanUpMs ?? 0));
        this.#write(next, this.#delay.propagationMs ?? 0);
        this.#onRemoved(gone);
      },
    };
  }

  #problemOf(name: string, attribute: JsonObject): string | undefined {
    const { base, custom } = this.view;
    if (name in base) return `${name}: An attribute of the base has this name.`;
    const problem = attributeProblem(name, attribute);
    if (problem !== undefined) return problem;
    const known = custom[name];
    if (known !== undefined && known.type !== attribute['type']) {
      return `${name}: The type of an attribute cannot be changed.`;
    }
    if (known !== undefined && (known.unique ?? false) !== (attribute['unique'] ?? false)) {
      return `${name}: Whether an attribute is unique cannot be changed.`;
    }
    if ((this.#cleanUpUntil.get(name) ?? 0) > this.#context.clock()) {
      // terraform-provider-okta waits on this sentence.
      return `${name} was deleted. Wait until the data clean up process finishes and then try again.`;
    }
    return undefined;
  }

  #write(view: UserSchemaView, delayMs: number): void {
    const now = this.#context.clock();
    this.#lastUpdated = new Date(now).toISOString();
    this.#pending = delayMs === 0 ? undefined : { view, visibleAt: now + delayMs };
    if (delayMs === 0) this.#view = view;
  }
}

function without(attributes: SchemaAttributes, names: readonly string[]): SchemaAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

/** Okta leaves `required: false` and the like out of its answers. */
function withoutFalse([name, attribute]: readonly [string, SchemaAttribute]): [string, SchemaAttribute] {
  const { required, unique, ...rest } = attribute;
  return [name, { ...rest, ...(required === true && { required }), ...(unique === true && { unique }) }];
}
