import Joi from 'joi';
import {
  accountSid,
  apiKeySecret,
  apiKeySid,
  apiToken,
  headerSecret,
  oneAuthToken,
  orgUrl,
  servicePrivateKey,
  twilioBaseUrl,
} from './credentials.js';
import { attributeName, publicUrl } from './schema.js';
import { contentSid, phone, smsSender } from './senders.js';
import { textOf, urlRule } from '../core/option-rules.js';

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
  UNVERIFIED_PHONE_ATTRIBUTE: attributeName,
  TWILIO_ACCOUNT_SID: accountSid,
  TWILIO_API_KEY_SID: apiKeySid,
  TWILIO_API_KEY_SECRET: apiKeySecret,
  TWILIO_AUTH_TOKEN: oneAuthToken,
  TWILIO_BASE_URL: twilioBaseUrl,
  TWILIO_SANDBOX_NUMBER: phone,
  TWILIO_WHATSAPP_FROM: phone,
  TWILIO_WHATSAPP_TEMPLATE: contentSid,
  TWILIO_SMS_FROM: smsSender,
  TWILIO_VOICE_FROM: phone,
  TWILIO_VERIFY_SERVICE_SID: () =>
    textOf("the Verify service's SID: 'VA' and 32 hexadecimal digits").pattern(/^VA[0-9a-zA-Z]{1,64}$/),
  // What is wrong with them, the options of the state say.
  REDIS_URL: () => Joi.string(),
  STATE_ENCRYPTION_KEY: () => Joi.string(),
} satisfies Record<string, () => Joi.AnySchema>;

/** A variable that has a rule. */
export type VariableName = keyof typeof RULES;
/** All of them. */
export const VARIABLES: readonly string[] = Object.keys(RULES);

/** A sentence for each variable that is wrong, with its name and without its value. */
export function variableProblems(values: Readonly<Partial<Record<VariableName, string>>>): readonly string[] {
  const wrapped = Object.entries(values)
    .filter(([name, value]) => isWrapped(name, value))
    .map(([name]) => name);
  const rules = Object.fromEntries(
    Object.entries(RULES).map(([name, rule]) => [name, wrapped.includes(name) ? Joi.any() : rule()]),
  );
  const { error } = Joi.object(rules).validate(values, {
    abortEarly: false,
    convert: false,
    errors: { wrap: { label: false } },
  });
  return [
    ...wrapped.map(
      (name) =>
        `${name} has quotes or spaces around its value, or an invisible character such as a carriage return: remove them, since docker's --env-file and kubectl's --from-env-file keep them`,
    ),
    ...new Set((error?.details ?? []).map(({ message }) => message)),
  ];
}

/** Whether a value has around it what an env file may leave there. */
function isWrapped(name: string, value: string): boolean {
  // Commands of a shell, in which quotes are usual.
  if (name === 'VISUAL' || name === 'EDITOR') return false;
  // A PEM ends with a line end.
  const text = name === 'OKTA_PRIVATE_KEY' ? value.trim() : value;
  return /^[\s\p{Quotation_Mark}]|[\s\p{Quotation_Mark}]$|\p{Cf}/u.test(text);
}
