// Reads options from the environment without ioredis. Prints as JSON the result without REDIS_URL and the error with it.
import Module from 'node:module';

const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => {
  if (name === 'ioredis') throw Object.assign(new Error('not installed'), { code: 'MODULE_NOT_FOUND' });
  return resolve(name, ...rest);
};
const { optionsFrom } = await import('okta-telephony-hook/environment');
const env = {
  OKTA_ORG_URL: 'https://acme.okta.com',
  OKTA_API_TOKEN: 'token',
  HOOK_SECRET: 'a-secret-that-is-long',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_SMS_FROM: '+15005550006',
};
const { state } = optionsFrom(env);
let failure;
try {
  optionsFrom({
    ...env,
    REDIS_URL: 'redis://127.0.0.1:9',
    STATE_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString('base64'),
  });
} catch ({ name, problems, cause }) {
  failure = { name, problems, cause: cause?.code };
}
process.stdout.write(
  `${JSON.stringify({ 'without-ioredis': { hasState: state !== undefined, told: failure } })}\n`,
);
