import Joi from 'joi';
import { apiToken, headerSecret, orgUrl, servicePrivateKey } from './credentials.js';
import { attributeName, publicUrl } from './schema.js';
import { textOf, urlRule } from './sentences.js';

/** The rules of the options, for the variables that the command line reads them from. */
const RULES = {
  OKTA_ORG_URL: orgUrl,
  OKTA_API_TOKEN: apiToken,
  OKTA_CLIENT_ID: () => textOf('the client id of the service app'),
  OKTA_PRIVATE_KEY: servicePrivateKey,
  OKTA_KEY_ID: () => textOf("the key's id at Okta"),
  OPT_IN_ATTRIBUTE: attributeName,
  PUBLIC_URL: publicUrl,
  HOOK_SECRET: headerSecret,
  HOOK_OAUTH_CLIENT_ID: () => textOf('the id of the client that Okta is, to call the hook'),
  HOOK_OAUTH_CLIENT_SECRET: headerSecret,
  HOOK_OAUTH_KEY_ID: () => textOf("the id of a hook key of Okta's: 'HKY' and 17 characters").pattern(/^HKY/),
  HOOK_OAUTH_TOKEN_URL: () => urlRule('where Okta gets the tokens for the hook', () => true),
  HOOK_OAUTH_SCOPE: () => textOf('the scope of the tokens for the hook'),
  VISUAL: () => textOf('the command of an editor'),
  EDITOR: () => textOf('the command of an editor'),
} satisfies Record<string, () => Joi.AnySchema>;

/** A variable that has a rule. */
export type VariableName = keyof typeof RULES;

/** A sentence for each variable that is wrong, with its name and without its value. */
export function variableProblems(values: Readonly<Partial<Record<VariableName, string>>>): readonly string[] {
  const rules = Object.fromEntries(Object.entries(RULES).map(([name, rule]) => [name, rule()]));
  const { error } = Joi.object(rules).validate(values, {
    abortEarly: false,
    convert: false,
    errors: { wrap: { label: false } },
  });
  return [...new Set((error?.details ?? []).map(({ message }) => message))];
}
