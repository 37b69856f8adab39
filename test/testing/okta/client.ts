import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import type { OktaEmulator } from '#lib/testing/index.js';
import { jsonOf } from '../local.js';

/** An answer of the emulated API. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** `{}` if the answer has none or if it is a list. */
  readonly body: Record<string, unknown>;
  /** The body if it is a list, else empty. */
  readonly list: readonly Record<string, unknown>[];
  /** The summaries of the causes of an error. */
  readonly causes: string;
}

/** Makes an API request, by default with the API token of the emulator. */
export async function callApi(
  okta: OktaEmulator,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiAnswer> {
  const response = await fetch(okta.orgUrl + path, {
    method,
    headers: { authorization: `SSWS ${okta.apiToken}`, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json: unknown = text === '' ? {} : JSON.parse(text);
  const causes = (json as { errorCauses?: { errorSummary: string }[] }).errorCauses ?? [];
  return {
    status: response.status,
    headers: response.headers,
    body: Array.isArray(json) ? {} : (json as Record<string, unknown>),
    list: Array.isArray(json) ? (json as Record<string, unknown>[]) : [],
    causes: causes.map(({ errorSummary }) => errorSummary).join('\n'),
  };
}

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The `Authorization` header of a new service app with these scopes and roles. */
export async function authorizeApp(
  okta: OktaEmulator,
  scopes: readonly string[],
  adminRoles?: readonly string[],
): Promise<string> {
  const clientId = `0oa${randomUUID()}`;
  okta.registerServiceApp({ clientId, publicJwk: await exportJWK(KEYS.publicKey), scopes, adminRoles });
  const url = `${okta.orgUrl}/oauth2/v1/token`;
  const now = Math.floor(Date.now() / 1000);
  const assertion = await new SignJWT({ iss: clientId, sub: clientId, aud: url, iat: now, exp: now + 300 })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(KEYS.privateKey);
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: scopes.join(' '),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  });
  return `Bearer ${String((await jsonOf(response))['access_token'])}`;
}

/** The body that creates a telephony hook with a secret in a header. */
export function telephonyHook(uri: string, value = 'hook-secret'): Record<string, unknown> {
  return {
    name: 'Codes',
    type: 'com.okta.telephony.provider',
    version: '1.0.0',
    channel: {
      type: 'HTTP',
      version: '1.0.0',
      config: { uri, method: 'POST', authScheme: { type: 'HEADER', key: 'Authorization', value } },
    },
  };
}

/** The body that creates an event hook, by default for the events about codes. */
export function eventHook(
  uri: string,
  value = 'event-secret',
  items: readonly string[] = [
    'user.authentication.auth_via_mfa',
    'user.mfa.factor.activate',
    'inline_hook.executed',
  ],
): Record<string, unknown> {
  return {
    name: 'Outcomes',
    events: { type: 'EVENT_TYPE', items },
    channel: {
      type: 'HTTP',
      version: '1.0.0',
      config: { uri, headers: [], authScheme: { type: 'HEADER', key: 'Authorization', value } },
    },
  };
}
