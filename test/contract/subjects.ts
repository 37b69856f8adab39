import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';

/** The users, numbers and secrets of the run. No finding may show them. */

/** A made-up SID of Twilio. */
export function sid(prefix: string): string {
  return prefix + randomBytes(16).toString('hex');
}

/** Numbers from ranges reserved for fiction. */
export const AMERICAN = '+12025550142';
export const BRITON = '+447700900123';
export const CODE = String(randomInt(100_000, 1_000_000));

export const ACCOUNT = {
  accountSid: sid('AC'),
  apiKeySid: sid('SK'),
  apiKeySecret: randomBytes(16).toString('hex'),
  authToken: randomBytes(16).toString('hex'),
};

export const API_TOKEN = { apiToken: `00${randomBytes(20).toString('hex')}` };

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const SERVICE_APP = {
  clientId: '0oacontract',
  keyId: 'contract',
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

/** Values that no finding may show. */
const SECRETS = [
  AMERICAN.slice(1),
  BRITON.slice(1),
  CODE,
  ...Object.values(ACCOUNT),
  API_TOKEN.apiToken,
  SERVICE_APP.privateKey,
];

/** Whether a text contains one of these values. */
export function showsSecret(text: string): boolean {
  return SECRETS.some((secret) => text.includes(secret));
}
