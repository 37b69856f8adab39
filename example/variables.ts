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
export type Name = (typeof PRODUCT_VARIABLES)[number] | 'OPT_IN_ATTRIBUTE' | 'PORT' | 'NODE_ENV' | 'DEMO';
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
