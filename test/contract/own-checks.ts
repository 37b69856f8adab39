import { readBody, type Operation, type Schema, type SeenAnswer, type SeenRequest } from './prism.js';

/**
 * Checks that prism does not make. It ignores unknown fields of forms, so that only Twilio would notice a misspelt one.
 * It does the same with JSON and queries, as JSON Schema requires. Of a credential in a header it only checks that there
 * is one.
 */
export function misfitsOf(operation: Operation, request: SeenRequest, answer: SeenAnswer): string[] {
  return [
    ...strangersOfQuery(operation, request),
    ...strangersOfBody(operation, request),
    ...wrongScheme(operation, request),
    ...strangersOfAnswer(operation, answer),
  ];
}

const FORM = 'application/x-www-form-urlencoded';

/** The schema of a request's body, by its `Content-Type`. */
export function requestSchema(operation: Operation, request: SeenRequest): Schema | undefined {
  const contents = operation.request?.body?.contents ?? [];
  return contents.find(({ mediaType }) => mediaType === mediaTypeOf(request))?.schema;
}

/** The schema of an answer's body, by its status. */
export function answerSchema(operation: Operation, status: number): Schema | undefined {
  const codes = [String(status), `${String(status)[0] ?? ''}XX`, 'default'];
  const described = codes.flatMap((code) => operation.responses.filter((response) => response.code === code));
  return described[0]?.contents?.[0]?.schema;
}

/** The parts of a composed schema; else only the schema itself. */
export function partsOf(schema: Schema): readonly Schema[] {
  const lists = ['allOf', 'oneOf', 'anyOf'].flatMap((word) => asList(schema[word]));
  return [schema, ...lists.filter(isSchema).flatMap(partsOf)];
}

/** The properties of all parts of an object by name. A property of several parts is a choice of their schemas. */
export function propertiesOf(schema: Schema): ReadonlyMap<string, Schema> {
  const found = new Map<string, Schema>();
  for (const { properties } of partsOf(schema)) {
    for (const [name, property] of isSchema(properties) ? Object.entries(properties) : []) {
      const known = found.get(name);
      if (isSchema(property)) found.set(name, known === undefined ? property : { anyOf: [known, property] });
    }
  }
  return found;
}

/** Whether an object may have other properties: if it says so, or names none. */
export function isOpen(schema: Schema): boolean {
  const says = partsOf(schema).some(
    ({ additionalProperties }) => additionalProperties !== undefined && additionalProperties !== false,
  );
  return says || propertiesOf(schema).size === 0;
}

function strangersOfQuery(operation: Operation, request: SeenRequest): string[] {
  const known = new Set(operation.request?.query?.map(({ name }) => name));
  return request.query
    .filter(([name]) => !known.has(name))
    .map(([name]) => `Request query parameter ${name} is not in the document`);
}

function strangersOfBody(operation: Operation, request: SeenRequest): string[] {
  const schema = requestSchema(operation, request);
  if (request.body === '') return missingWithoutBody(operation);
  // prism has already reported an unexpected body or content type.
  if (schema === undefined) return [];
  if (mediaTypeOf(request) !== FORM) return strangersIn(readBody(request), schema, 'Request body');
  const known = propertiesOf(schema);
  const names = [...new URLSearchParams(request.body).keys()];
  return [...new Set(names)].flatMap((name) => {
    const property = known.get(name);
    if (property === undefined) return [`Request body field ${name} is not in the document`];
    const isRepeated = names.indexOf(name) !== names.lastIndexOf(name);
    return isRepeated && property['type'] !== 'array' ? [`Request body field ${name} comes twice`] : [];
  });
}

/** Twilio's documents never require a body, only fields. */
function missingWithoutBody(operation: Operation): string[] {
  const required = operation.request?.body?.contents?.[0]?.schema?.['required'];
  return asList(required).map((name) => `Request body must have required property '${String(name)}'`);
}

function strangersOfAnswer(operation: Operation, answer: SeenAnswer): string[] {
  const schema = answerSchema(operation, answer.status);
  return schema === undefined || answer.body === ''
    ? []
    : strangersIn(readBody(answer), schema, 'Response body');
}

function strangersIn(value: unknown, schema: Schema, where: string): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isSchema(items) ? [...new Set(value.flatMap((item) => strangersIn(item, items, where)))] : [];
  }
  if (!isSchema(value)) return [];
  const known = propertiesOf(schema);
  return Object.entries(value).flatMap(([name, entry]) => {
    const property = known.get(name);
    if (property !== undefined) return strangersIn(entry, property, `${where} ${name}`);
    return isOpen(schema) ? [] : [`${where} property ${name} is not in the document`];
  });
}

/** Okta's API accepts an API token as `SSWS`, an access token as `Bearer`, or as `DPoP` with a proof. */
function wrongScheme(operation: Operation, request: SeenRequest): string[] {
  if (!operation.path.startsWith('/api/v1/')) return [];
  const [scheme] = (request.headers['authorization'] ?? '').split(' ');
  if (scheme === 'SSWS' || scheme === 'Bearer') return [];
  if (scheme === 'DPoP' && request.headers['dpop'] !== undefined) return [];
  return ['Request header authorization is neither SSWS nor Bearer, nor DPoP with a proof'];
}

function mediaTypeOf(message: { readonly headers: Readonly<Record<string, string>> }): string {
  return (message.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Any object: a schema, or a JSON object to compare with one. */
export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
