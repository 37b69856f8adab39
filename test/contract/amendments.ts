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

/** Where a document says less, or something else, than the service does: what is changed in it, why, and who says so. */
interface Amendment {
  readonly why: string;
  readonly source: string;
  readonly change: (document: Json) => Json;
}

/** Where the webhook of Okta's document is put, so that it is an operation like others. */
export const HOOK_PATH = '/okta/telephony';

export const TWILIO_AMENDMENTS: readonly Amendment[] = [
  {
    why: 'no operation has an answer for errors; every error has this body',
    source: 'https://www.twilio.com/docs/usage/twilios-response',
    change: (document) => withAnswers(document, { '4XX': TWILIO_ERROR, '5XX': TWILIO_ERROR }),
  },
  {
    why: 'prism takes the fields of a form for texts where no encoding is given; OpenAPI repeats a list then',
    source: 'https://spec.openapis.org/oas/v3.0.3#encoding-object',
    change: (document) => withOperations(document, withListEncoding),
  },
  {
    why: 'nullable without a type says nothing; prism checks nothing of a body that has it anywhere, and does not tell',
    source: 'https://spec.openapis.org/oas/v3.0.3#fixed-fields-20',
    change: (document) =>
      withEach(document, (node) => {
        const { nullable, ...others } = node;
        return nullable !== undefined && node['type'] === undefined ? others : node;
      }),
  },
  {
    why: "the pages of the API of 2010 are paths, in the document's own examples too, and not URIs",
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
    why: 'few operations have an answer for a token that is not valid, or for a method; the body is the same',
    source: 'https://developer.okta.com/docs/reference/error-codes/',
    change: (document) =>
      withAnswers(document, { 400: OKTA_ERROR, 401: OKTA_ERROR, 404: OKTA_ERROR, 405: OKTA_ERROR }),
  },
  {
    why: "the schema of a hook's answer leaves out the error object, which its example has as a list, and debugContext",
    source: 'https://developer.okta.com/docs/concepts/inline-hooks/#inline-hook-response',
    change: (document) =>
      withSchema(document, 'TelephonyResponse', (schema) =>
        withProperties(schema, { error: HOOK_ERROR, debugContext: { type: 'object' } }),
      ),
  },
  {
    why: "the hook is a webhook, which OpenAPI 3.0 has no place for; its caller is not one of Okta's API",
    source: 'https://developer.okta.com/docs/concepts/inline-hooks/#http-header',
    change: (document) => {
      const hook = asObject(asObject(document['x-webhooks'])['CreateTelephonyInlineHook']);
      const post = { ...asObject(hook['post']), security: [] };
      return { ...document, paths: { ...asObject(document['paths']), [HOOK_PATH]: { post } } };
    },
  },
  {
    why: 'prism passes over a discriminator: what it leads to has to be a choice',
    source: 'https://spec.openapis.org/oas/v3.0.3#discriminator-object',
    change: (document) =>
      Object.keys(schemasOf(document)).reduce((changed, name) => withChoice(changed, name), document),
  },
  {
    why: 'execute has one of six bodies, of which none needs anything: whatever fits one fits others. Ours is telephony',
    source: 'https://developer.okta.com/docs/guides/telephony-inline-hook/',
    change: (document) => {
      const isExecute = (operation: Json): boolean => operation['operationId'] === 'executeInlineHook';
      return withOperations(document, (operation) =>
        isExecute(operation) ? withTelephony(operation) : operation,
      );
    },
  },
  {
    why: "a provider's settings are one of four, each with one property, which none of them needs",
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
    why: 'an attribute is taken away by null, which the document says by an extension',
    source: 'https://developer.okta.com/docs/reference/api/schemas/#remove-property-from-user-profile-schema',
    change: (document) =>
      withSchema(document, 'UserSchemaAttribute', (schema) => ({ ...schema, nullable: true })),
  },
  {
    why: "an attribute's default is nullable, which its description says and its schema does not",
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
    why: 'the schema of users has a description, which the document leaves out',
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

/** Of several bodies the one that is about telephony. */
function withTelephony(operation: Json): Json {
  return withEach(operation, (node) => {
    const { oneOf } = node;
    const telephony = (Array.isArray(oneOf) ? (oneOf as readonly unknown[]) : []).find((choice) =>
      String(asObject(choice)['$ref']).includes('/Telephony'),
    );
    return telephony === undefined ? node : asObject(telephony);
  });
}
