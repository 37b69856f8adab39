import { isSchema } from './own-checks.js';

/** Changes parts of an OpenAPI document. Each function returns a changed copy. */

export type Json = Readonly<Record<string, unknown>>;

const METHODS = new Set(['get', 'put', 'post', 'delete', 'patch']);

export function withOperations(document: Json, change: (operation: Json) => Json): Json {
  const paths = Object.entries(asObject(document['paths'])).map(([path, item]) => [
    path,
    Object.fromEntries(
      Object.entries(asObject(item)).map(([name, entry]) => [
        name,
        METHODS.has(name) ? change(asObject(entry)) : entry,
      ]),
    ),
  ]);
  return { ...document, paths: Object.fromEntries(paths) as Json };
}

export function answerWith(schema: Json): Json {
  return { description: 'An error', content: { 'application/json': { schema } } };
}

/** Adds answers for statuses that an operation does not describe. */
export function withAnswers(document: Json, answers: Json): Json {
  return withOperations(document, (operation) => ({
    ...operation,
    responses: { ...answers, ...asObject(operation['responses']) },
  }));
}

/** Changes every object of a document, inner objects first. */
export function withEach(node: Json, change: (node: Json) => Json): Json {
  const deep = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(deep);
    return isSchema(value) ? withEach(value, change) : value;
  };
  return change(Object.fromEntries(Object.entries(node).map(([name, value]) => [name, deep(value)])));
}

export function schemasOf(document: Json): Json {
  return asObject(asObject(document['components'])['schemas']);
}

export function withSchema(document: Json, name: string, change: (schema: Json) => Json): Json {
  const schemas = schemasOf(document);
  const changed = { ...schemas, [name]: change(asObject(schemas[name])) };
  return { ...document, components: { ...asObject(document['components']), schemas: changed } };
}

export function withProperties(schema: Json, properties: Json): Json {
  return { ...schema, properties: { ...asObject(schema['properties']), ...properties } };
}

const refTo = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** Replaces a discriminator by a oneOf of its schemas, each with its values of the property. */
export function withChoice(document: Json, name: string): Json {
  const { discriminator, ...common } = asObject(schemasOf(document)[name]);
  const { propertyName, mapping } = asObject(discriminator);
  const leads = Object.entries(asObject(mapping)).map(([value, ref]) => [value, String(ref)] as const);
  if (typeof propertyName !== 'string' || leads.length === 0) return document;
  const base = `${name}Common`;
  const refs = [...new Set(leads.map(([, ref]) => ref))];
  const choices = refs.map((ref) => {
    const values = leads.filter(([, other]) => other === ref).map(([value]) => value);
    const bound = { type: 'object', required: [propertyName] };
    return {
      allOf: [{ $ref: ref }, withProperties(bound, { [propertyName]: { type: 'string', enum: values } })],
    };
  });
  const subtypes = refs.map((ref) => ref.replace('#/components/schemas/', ''));
  const withBase = subtypes.reduce(
    (changed, subtype) =>
      withSchema(changed, subtype, (schema) =>
        withEach(schema, (node) => (node['$ref'] === refTo(name)['$ref'] ? refTo(base) : node)),
      ),
    document,
  );
  return withSchema(
    withSchema(withBase, base, () => common),
    name,
    () => ({ oneOf: choices }),
  );
}

export function asObject(value: unknown): Json {
  return isSchema(value) ? value : {};
}
