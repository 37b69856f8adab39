/**
 * The variables that say which org and which account. One of them is enough to mean the real thing, so that a
 * deployment that lost a variable stops instead of sending codes to an emulator.
 */
export const PRODUCT_VARIABLES = [
  'OKTA_ORG_URL',
  'OKTA_API_TOKEN',
  'OKTA_CLIENT_ID',
  'OKTA_PRIVATE_KEY',
  'OKTA_KEY_ID',
  'OKTA_PREFERENCES_API_TOKEN',
  'OKTA_PREFERENCES_CLIENT_ID',
  'OKTA_PREFERENCES_PRIVATE_KEY',
  'OKTA_PREFERENCES_KEY_ID',
  'ACCOUNT_NAME',
  'ACCOUNT_PASSWORD',
  'ACCOUNT_OKTA_USER_ID',
  'ACCOUNT_IS_ADMINISTRATOR',
  'HOOK_SECRET',
  'TWILIO_ACCOUNT_SID',
  'TWILIO_API_KEY_SID',
  'TWILIO_API_KEY_SECRET',
  'TWILIO_AUTH_TOKEN',
  'TWILIO_BASE_URL',
  'TWILIO_SANDBOX_NUMBER',
  'TWILIO_WHATSAPP_FROM',
  'TWILIO_WHATSAPP_TEMPLATE',
  'TWILIO_SMS_FROM',
  'TWILIO_VOICE_FROM',
  'PUBLIC_URL',
  'REDIS_URL',
  'STATE_ENCRYPTION_KEY',
] as const;

export const PREFERENCES_VARIABLES = PRODUCT_VARIABLES.filter((name) => name.startsWith('OKTA_PREFERENCES_'));
export const ACCOUNT_VARIABLES = PRODUCT_VARIABLES.filter((name) => name.startsWith('ACCOUNT_'));
const VARIABLES = [...PRODUCT_VARIABLES, 'OPT_IN_ATTRIBUTE', 'PORT', 'NODE_ENV', 'DEMO'] as const;
export type Name = (typeof VARIABLES)[number];
export type Read = (name: Name) => string | undefined;

/** A value, which is only used where there are no problems. */
export interface Reading<Value> {
  readonly value: Value;
  readonly problems: readonly string[];
}

export function hasAny(read: Read, names: readonly Name[]): boolean {
  return names.some((name) => read(name) !== undefined);
}

export function required(read: Read, name: Name, what: string): Reading<string> {
  const value = read(name);
  return { value: value ?? '', problems: value === undefined ? [`${name} is missing: ${what}`] : [] };
}

/**
 * A value is refused, in place of being mended, for what an env file may leave around it: other readers of the same file, such
 * as the command line, and Node itself of `NODE_ENV`, would go by it as it stands. The command line has the same rule.
 */
export function wrappingProblems(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return VARIABLES.filter((name) => {
    const value = env[name] ?? '';
    // A PEM ends with a line end.
    const text = name.endsWith('PRIVATE_KEY') ? value.trim() : value;
    return /^[\s\p{Quotation_Mark}]|[\s\p{Quotation_Mark}]$|\p{Cf}/u.test(text);
  }).map(
    (name) =>
      `${name} has quotes or spaces around its value, or an invisible character such as a carriage return: remove them, since docker's --env-file and kubectl's --from-env-file keep them`,
  );
}
