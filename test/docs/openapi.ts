import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { parse } from 'yaml';
import { ROOT } from '#harness/consumer.js';
import type { RawAnswer } from '#harness/raw-http.js';

/** The OpenAPI document of our routes, and its checks of bodies and answers. */

interface Header {
  readonly required?: boolean;
}
interface Response {
  readonly headers?: Readonly<Record<string, Header | Reference>>;
  readonly content?: Readonly<Record<string, object>>;
}
interface Reference {
  readonly $ref: string;
}
interface Operation {
  readonly responses: Readonly<Record<string, Response | Reference>>;
}
interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const ID = 'openapi.yaml';

export const document = parse(readFileSync(join(ROOT, 'docs', ID), 'utf8')) as Document;
const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
ajv.addSchema(document, ID);

/** Every answer in the document, such as `post /okta/telephony 200`. */
export const documentedAnswers: readonly string[] = Object.entries(document.paths).flatMap(
  ([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses }]) =>
      Object.keys(responses).map((status) => `${method} ${path} ${status}`),
    ),
);

/** The value at this path of the document. Follows references, except those of a schema. */
function at(...keys: readonly string[]): { readonly value: unknown; readonly pointer: string } {
  let value: unknown = document;
  let pointer = '#';
  for (const key of keys) {
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[key];
    pointer += `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const { $ref } = Object(value) as Partial<Reference>;
    if ($ref !== undefined && key !== 'schema') {
      ({ value, pointer } = at(...$ref.slice(2).split('/')));
    }
  }
  return { value, pointer };
}

/** The check of the schema at this path of the document. */
export function schemaAt(...keys: readonly string[]): ValidateFunction {
  return ajv.compile({ $ref: `${ID}${at(...keys).pointer.replaceAll('%', '%25')}` });
}

/** Fails if status, headers or body of an answer are not as the document describes. */
export function expectDocumented(answer: RawAnswer, method: string, path: string): void {
  const what = `${method} ${path} ${answer.status}`;
  const place = ['paths', path, method, 'responses', String(answer.status)];
  const response = at(...place).value as Response | undefined;
  if (response === undefined) return expect.fail(`${what} is not in the document`);
  for (const name of Object.keys(response.headers ?? {})) {
    const given = answer.headers[name.toLowerCase()];
    const { required = false } = at(...place, 'headers', name).value as Header;
    expect(given !== undefined || !required, `${what}: ${name}`).to.equal(true);
    const fits = schemaAt(...place, 'headers', name, 'schema');
    if (given !== undefined) expect(fits(given), `${what}: ${name}: ${given}`).to.equal(true);
  }
  const [type] = Object.keys(response.content ?? {});
  if (type === undefined) {
    expect(answer.body, what).to.equal('');
    return;
  }
  expect(answer.headers['content-type'], what).to.equal(`${type}; charset=utf-8`);
  const body: unknown = type === 'application/json' ? JSON.parse(answer.body) : answer.body;
  const fits = schemaAt(...place, 'content', type, 'schema');
  expect(fits(body), `${what}: ${answer.body} ${ajv.errorsText(fits.errors)}`).to.equal(true);
}
