import {
  answerWith,
  asObject,
  schemasOf,
  withAnswers,
  withChoice,
  withEach,
  withOperations,
  withProperties,
  withSchema,
  type Json,
} from './document-parts.js';

/** A correction of a document that differs from the service: the change, its reason and its source. */
interface Amendment {
  readonly why: string;
  readonly source: string;
  readonly change: (document: Json) => Json;
}

/** The path under which Okta's webhook becomes an operation of the document. */
export const HOOK_PATH = '/okta/telephony';

export const TWILIO_AMENDMENTS: readonly Amendment[] = [
  {
    why: 'no operation describes the answer to an error; all errors have this body',
    source: 'https://www.twilio.com/docs/usage/twilios-response',
    change: (document) => withAnswers(document, { '4XX': TWILIO_ERROR, '5XX': TWILIO_ERROR }),
  },
  {
    why: 'without an encoding, prism treats the fields of a form as texts; OpenAPI repeats the field for a list',
    source: 'https://spec.openapis.org/oas/v3.0.3#encoding-object',
    change: (document) => withOperations(document, withListEncoding),
  },
  {
    why: 'nullable without a type has no meaning, and prism silently checks nothing of a body that contains it',
    source: 'https://spec.openapis.org/oas/v3.0.3#fixed-fields-20',
    change: (document) =>
      withEach(document, (node) => {
        const { nullable, ...others } = node;
        return nullable !== undefined && node['type'] === undefined ? others : node;
      }),
  },
  {
    why: "the page links of the API of 2010 are paths, not URIs, also in the document's examples",
    source: 'https://www.twilio.com/docs/usage/twilios-response#response-formats-list-paging-information',
    change: (document) =>
      withEach(document, (node) =>
        Object.fromEntries(
          Object.entries(node).map(([name, value]) =>
            /^((first|next|previous)_page_)?uri$/.test(name) && asObject(value)['format'] === 'uri'
              ? [name, { ...asObject(value), format: 'uri-reference' }]
              : [name, value],
          ),
        ),
      ),
  },
];

export const OKTA_AMENDMENTS: readonly Amendment[] = [
  {
    why: 'few operations describe the answer to an invalid token or a wrong method; the body is the same',
    source: 'https://developer.okta.com/docs/reference/error-codes/',
    change: (document) =>
      withAnswers(document, { 400: OKTA_ERROR, 401: OKTA_ERROR, 404: OKTA_ERROR, 405: OKTA_ERROR }),
  },
  {
    why: "the schema of a hook's answer lacks the error object, which its example has as a list, and debugContext",
    source: 'https://developer.okta.com/docs/concepts/inline-hooks/#inline-hook-response',
    change: (document) =>
      withSchema(document, 'TelephonyResponse', (schema) =>
        withProperties(schema, { error: HOOK_ERROR, debugContext: { type: 'object' } }),
      ),
  },
  {
    why: "OpenAPI 3.0 has no webhooks; and the caller of the hook does not use the credentials of Okta's API",
    source: 'https://developer.okta.com/docs/concepts/inline-hooks/#http-header',
    change: (document) => {
      const hook = asObject(asObject(document['x-webhooks'])['CreateTelephonyInlineHook']);
      const post = { ...asObject(hook['post']), security: [] };
      return { ...document, paths: { ...asObject(document['paths']), [HOOK_PATH]: { post } } };
    },
  },
  {
    why: 'prism ignores a discriminator: its schemas must be a oneOf',
    source: 'https://spec.openapis.org/oas/v3.0.3#discriminator-object',
    change: (document) =>
      Object.keys(schemasOf(document)).reduce((changed, name) => withChoice(changed, name), document),
  },
  {
    why: 'execute has one of six bodies without required properties, so that one body fits several. Ours is telephony',
    source: 'https://developer.okta.com/docs/guides/telephony-inline-hook/',
    change: (document) => {
      const isExecute = (operation: Json): boolean => operation['operationId'] === 'executeInlineHook';
      return withOperations(document, (operation) =>
        isExecute(operation) ? withTelephony(operation) : operation,
      );
    },
  },
  {
    why: "a provider's settings are one of four schemas, each with one property, which is not required",
    source:
      'https://developer.okta.com/docs/api/openapi/okta-management/management/tag/CustomTelephonyProvider/',
    change: (document) =>
      Object.keys(schemasOf(document))
        .filter((name) => /^CustomTelephonyProviderSettings./.test(name))
        .reduce(
          (changed, name) =>
            withSchema(changed, name, (schema) => ({
              ...schema,
              required: Object.keys(asObject(schema['properties'])),
            })),
          document,
        ),
  },
  {
    why: 'null removes an attribute, which the document says only by an extension',
    source: 'https://developer.okta.com/docs/reference/api/schemas/#remove-property-from-user-profile-schema',
    change: (document) =>
      withSchema(document, 'UserSchemaAttribute', (schema) => ({ ...schema, nullable: true })),
  },
  {
    why: "an attribute's default is nullable by its description, but not by its schema",
    source: 'https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Schema/',
    change: (document) =>
      withSchema(document, 'UserSchemaAttribute', (schema) => {
        const properties = asObject(schema['properties']);
        const byDefault = asObject(properties['default']);
        const choices = (byDefault['oneOf'] as readonly unknown[]).map((choice) =>
          asObject(choice)['type'] === 'string' ? { ...asObject(choice), nullable: true } : choice,
        );
        return { ...schema, properties: { ...properties, default: { ...byDefault, oneOf: choices } } };
      }),
  },
  {
    why: 'the schema of users has a description, which the document lacks',
    source: 'https://developer.okta.com/docs/reference/api/schemas/#response-example',
    change: (document) =>
      withSchema(document, 'UserSchema', (schema) =>
        withProperties(schema, { description: { type: 'string' } }),
      ),
  },
];

const TWILIO_ERROR = answerWith({
  type: 'object',
  required: ['code', 'message', 'more_info', 'status'],
  properties: {
    code: { type: 'integer' },
    message: { type: 'string' },
    more_info: { type: 'string', format: 'uri' },
    status: { type: 'integer' },
  },
});

const OKTA_ERROR = answerWith({ $ref: '#/components/schemas/Error' });

const HOOK_ERROR = {
  type: 'object',
  nullable: true,
  required: ['errorSummary'],
  properties: {
    errorSummary: { type: 'string' },
    errorCauses: {
      type: 'array',
      items: {
        type: 'object',
        properties: Object.fromEntries(
          ['errorSummary', 'reason', 'locationType', 'location', 'domain'].map((name) => [
            name,
            { type: 'string' },
          ]),
        ),
      },
    },
  },
};

function withListEncoding(operation: Json): Json {
  const body = asObject(operation['requestBody']);
  const content = asObject(body['content']);
  const form = asObject(content['application/x-www-form-urlencoded']);
  const properties = Object.entries(asObject(asObject(form['schema'])['properties']));
  const lists = properties.filter(([, property]) => asObject(property)['type'] === 'array');
  if (lists.length === 0) return operation;
  const encoding = Object.fromEntries(lists.map(([name]) => [name, { style: 'form', explode: true }]));
  const withForm = { ...content, 'application/x-www-form-urlencoded': { ...form, encoding } };
  return { ...operation, requestBody: { ...body, content: withForm } };
}

/** Keeps only the telephony schema of several bodies. */
function withTelephony(operation: Json): Json {
  return withEach(operation, (node) => {
    const { oneOf } = node;
    const telephony = (Array.isArray(oneOf) ? (oneOf as readonly unknown[]) : []).find((choice) =>
      String(asObject(choice)['$ref']).includes('/Telephony'),
    );
    return telephony === undefined ? node : asObject(telephony);
  });
}
