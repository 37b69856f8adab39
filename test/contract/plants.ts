import { nameOperation, type Finding } from './findings.js';
import { answerSchema, isOpen, isSchema, partsOf, propertiesOf, requestSchema } from './own-checks.js';
import { readBody, type Schema, type SeenAnswer, type SeenRequest } from './prism.js';
import type { Exchange } from './proxy.js';
import { showsSecret } from './subjects.js';

/** An exchange with one planted fault, which the checks must find. */
interface Plant {
  readonly fault: string;
  readonly request: SeenRequest;
  readonly answer: SeenAnswer;
}

/**
 * Proves that the checks work: plants one fault after the other in every field of each kind of exchange, and expects a
 * finding for each.
 */
export async function findUnseenFaults(
  exchanges: readonly Exchange[],
): Promise<{ readonly findings: readonly Finding[]; readonly planted: number }> {
  const findings: Finding[] = [];
  let planted = 0;
  for (const exchange of oneOfEachKind(exchanges)) {
    const { document, operation } = exchange;
    const complain = (what: string): void => {
      findings.push({ document: document.name, operation: nameOperation(operation), what });
    };
    for (const { fault, request, answer } of plantsOf(exchange)) {
      planted += 1;
      const { problems } = await document.examine(request, answer);
      if (problems.length === 0) complain(`A planted fault is not found: ${fault}`);
      if (problems.some(showsSecret)) complain(`What is said of a planted fault shows a secret: ${fault}`);
    }
  }
  return { findings, planted };
}

/** The kind of an exchange: operation, status and the names of its fields. */
function oneOfEachKind(exchanges: readonly Exchange[]): readonly Exchange[] {
  const kinds = new Map<string, Exchange>();
  for (const exchange of exchanges) {
    const { document, operation, request, answer } = exchange;
    const sent = isForm(request)
      ? [...new URLSearchParams(request.body).keys()]
      : Object.keys(asObject(readBody(request)));
    const kind = [document.name, operation.method, operation.path, answer.status, ...sent.sort()].join(' ');
    if (!kinds.has(kind)) kinds.set(kind, exchange);
  }
  return [...kinds.values()];
}

function* plantsOf(exchange: Exchange): Generator<Plant> {
  const { request, answer } = exchange;
  for (const [fault, changed] of requestFaults(exchange)) {
    yield { fault, request: { ...request, ...changed }, answer };
  }
  for (const [fault, changed] of answerFaults(exchange)) {
    yield { fault, request, answer: { ...answer, ...changed } };
  }
}

function* requestFaults({ operation, request }: Exchange): Generator<[string, Partial<SeenRequest>]> {
  yield ['a query parameter that is not in the document', { query: [...request.query, ['Planted', '1']] }];
  const { authorization, ...others } = request.headers;
  if (operation.security?.some((schemes) => schemes.length > 0) === true) {
    yield ['no authorization', { headers: others }];
    yield ['another authorization', { headers: { ...request.headers, authorization: 'Planted x' } }];
  }
  for (const { name, schema } of operation.request?.path ?? []) {
    if (schema?.['pattern'] !== undefined) {
      yield [`a wrong ${name} in the path`, { path: withPathParameter(operation.path, request.path, name) }];
    }
  }
  const schema = requestSchema(operation, request);
  if (schema === undefined || request.body === '') return;
  yield ['a body of another type', { headers: { ...request.headers, 'content-type': 'text/planted' } }];
  if (isForm(request)) yield* formFaults(schema, new URLSearchParams(request.body));
  else {
    for (const [fault, changed] of jsonFaults('the request', schema, readBody(request))) {
      yield [fault, { body: JSON.stringify(changed) }];
    }
  }
}

function* formFaults(schema: Schema, form: URLSearchParams): Generator<[string, Partial<SeenRequest>]> {
  const required = namesIn(schema['required']);
  for (const [name, property] of propertiesOf(schema)) {
    if (!form.has(name)) continue;
    const others = [...form].filter(([other]) => other !== name);
    const withField = (field: string, value: string): Partial<SeenRequest> => ({
      body: new URLSearchParams([...others, [field, value]]).toString(),
    });
    yield [`${name} by a misspelt name`, withField(`${name}s`, form.get(name) ?? '')];
    if (required.includes(name)) {
      yield [`no ${name}`, { body: new URLSearchParams(others).toString() }];
    }
    const { type, format, pattern } = property;
    const isBound = pattern !== undefined || property['enum'] !== undefined || format === 'uri';
    if (isBound || type === 'integer' || type === 'boolean' || type === 'number') {
      yield [`${name} with a value of another kind`, withField(name, 'planted value')];
    }
  }
}

function* answerFaults({ operation, answer }: Exchange): Generator<[string, Partial<SeenAnswer>]> {
  yield ['a success of another status', { status: 299 }];
  const schema = answerSchema(operation, answer.status);
  if (schema === undefined || answer.body === '') return;
  yield ['an answer of another type', { headers: { ...answer.headers, 'content-type': 'text/planted' } }];
  yield ['an answer that is no JSON', { body: '{"planted"' }];
  for (const [fault, changed] of jsonFaults('the answer', schema, readBody(answer))) {
    yield [fault, { body: JSON.stringify(changed) }];
  }
}

/** Copies of a value, each with a fault in one property at any depth; of a list, in its first entry. */
function* jsonFaults(where: string, schema: Schema, value: unknown): Generator<[string, unknown]> {
  if (Array.isArray(value)) {
    const { items } = schema;
    const [first, ...rest] = value as readonly unknown[];
    if (!isSchema(items)) return;
    for (const [fault, changed] of jsonFaults(where, items, first)) yield [fault, [changed, ...rest]];
    return;
  }
  if (!isSchema(value)) return;
  const required = namesIn(schema['required']);
  for (const [name, property] of propertiesOf(schema)) {
    const { [name]: entry, ...others } = value;
    // prism ignores read-only properties in requests.
    if (entry === undefined || (property['readOnly'] === true && where.endsWith('the request'))) continue;
    const wrong = valueOfAnotherType(property);
    if (wrong !== undefined) yield [`${name} of ${where} with another type`, { ...value, [name]: wrong }];
    if (!isOpen(schema)) {
      yield [`${name} of ${where} by a misspelt name`, { ...others, [`${name}_planted`]: entry }];
    }
    if (required.includes(name)) yield [`no ${name} in ${where}`, others];
    for (const [fault, changed] of jsonFaults(`${name} of ${where}`, property, entry)) {
      yield [fault, { ...value, [name]: changed }];
    }
  }
}

/** `undefined` if any value is allowed. */
function valueOfAnotherType(schema: Schema): unknown {
  const types = partsOf(schema).flatMap(({ type }): readonly unknown[] =>
    Array.isArray(type) ? type : [type],
  );
  if (types.every((type) => type === undefined)) return undefined;
  if (!types.includes('object')) return { planted: true };
  return types.includes('string') ? undefined : 'planted';
}

/** The path with another value of one parameter. */
function withPathParameter(template: string, path: string, name: string): string {
  const values = path.split('/');
  return template
    .split('/')
    .map((segment, index) =>
      segment.includes(`{${name}}`) ? segment.replace(`{${name}}`, 'planted') : values[index],
    )
    .join('/');
}

function isForm(request: SeenRequest): boolean {
  return /^application\/x-www-form-urlencoded\b/.test(request.headers['content-type'] ?? '');
}

function namesIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asObject(value: unknown): Schema {
  return isSchema(value) ? value : {};
}
