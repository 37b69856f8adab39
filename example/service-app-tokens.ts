import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import type { OktaCredential } from 'okta-telephony-hook';
import { callOkta, fieldOf, OktaCallError, reasonIn, type CallAuthorization } from './okta-call.js';

type ServiceApp = Extract<OktaCredential, { readonly clientId: string }>;

interface AccessToken {
  readonly value: string;
  readonly isBound: boolean;
  /** Milliseconds since 1970, a minute before its end. */
  readonly renewAt: number;
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** A PEM, also on one line with `\n` written out, or a JWK. @throws Error that holds nothing of the key. */
function readPrivateKey(key: ServiceApp['privateKey']): { key: KeyObject; algorithm: string } {
  try {
    const read = privateKeyOf(key);
    const algorithm =
      read.asymmetricKeyType === 'rsa' ? 'RS256' : ALGORITHMS[read.asymmetricKeyDetails?.namedCurve ?? ''];
    if (algorithm !== undefined) return { key: read, algorithm };
  } catch {
    // Node's own message may quote what was given.
  }
  throw new Error('that is no private key that can be read: a PEM that is not encrypted, or a private JWK');
}

function privateKeyOf(key: ServiceApp['privateKey']): KeyObject {
  if (typeof key !== 'string') return createPrivateKey({ key: { ...key }, format: 'jwk' });
  if (key.trim().startsWith('{')) return privateKeyOf(JSON.parse(key) as Readonly<Record<string, unknown>>);
  return createPrivateKey(key.replaceAll('\\n', '\n'));
}

/** Access tokens of a service app by private_key_jwt, bound to a key by DPoP where the org asks for it. */
export function createServiceAppTokens(app: ServiceApp, scopes: readonly string[]): CallAuthorization {
  const { key, algorithm } = readPrivateKey(app.privateKey);
  const keyId = app.keyId ?? keyIdIn(app.privateKey);
  const tokenUrl = `${new URL(app.orgUrl).origin}/oauth2/v1/token`;
  let proofKeys: ReturnType<typeof generateKeyPairSync> | undefined;
  let nonce: string | undefined;
  let held: AccessToken | undefined;
  let fetching: Promise<AccessToken> | undefined;

  const prove = async (method: string, url: string, claims: Record<string, string>): Promise<string> => {
    proofKeys ??= generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return new SignJWT({ htm: method, htu: url, ...claims })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(proofKeys.publicKey) })
      .setIssuedAt()
      .setJti(randomUUID())
      .sign(proofKeys.privateKey);
  };
  const assert = (): Promise<string> =>
    new SignJWT()
      .setProtectedHeader({ alg: algorithm, ...(keyId === undefined ? {} : { kid: keyId }) })
      .setIssuer(app.clientId)
      .setSubject(app.clientId)
      .setAudience(tokenUrl)
      .setIssuedAt()
      .setExpirationTime('5m')
      .setJti(randomUUID())
      .sign(key);

  const fetchToken = async (): Promise<AccessToken> => {
    let isBound = proofKeys !== undefined;
    // An org that binds tokens says so by a refusal, and gives its nonce by another one.
    for (let attempt = 1; ; attempt += 1) {
      const proof = isBound
        ? { dpop: await prove('POST', tokenUrl, nonce === undefined ? {} : { nonce }) }
        : {};
      const answer = await callOkta(tokenUrl, {
        method: 'POST',
        headers: { accept: 'application/json', ...proof },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          scope: scopes.join(' '),
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await assert(),
        }),
      });
      nonce = answer.headers.get('dpop-nonce') ?? nonce;
      const value = fieldOf(answer.body, 'access_token');
      const seconds = fieldOf(answer.body, 'expires_in');
      if (answer.status === 200 && typeof value === 'string' && typeof seconds === 'number') {
        return { value, isBound, renewAt: Date.now() + (seconds - 60) * 1000 };
      }
      const error = fieldOf(answer.body, 'error');
      isBound = error === 'use_dpop_nonce' || error === 'invalid_dpop_proof';
      if (!isBound || attempt === 3) {
        throw new OktaCallError(`Okta gave no token: ${answer.status}${reasonIn(answer.body)}`);
      }
    }
  };
  /** One fetch at a time, whoever waits for it. */
  const tokenNow = async (): Promise<AccessToken> => {
    if (held !== undefined && held.renewAt > Date.now()) return held;
    fetching ??= fetchToken().finally(() => {
      fetching = undefined;
    });
    held = await fetching;
    return held;
  };

  return {
    headersFor: async (method, url) => {
      const { value, isBound } = await tokenNow();
      if (!isBound) return { authorization: `Bearer ${value}` };
      const ath = createHash('sha256').update(value).digest('base64url');
      return { authorization: `DPoP ${value}`, dpop: await prove(method, url, { ath }) };
    },
    renew: () => {
      held = undefined;
    },
  };
}

function keyIdIn(key: ServiceApp['privateKey']): string | undefined {
  const jwk: unknown = typeof key === 'string' && key.trim().startsWith('{') ? JSON.parse(key) : key;
  const keyId = fieldOf(jwk, 'kid');
  return typeof keyId === 'string' ? keyId : undefined;
}
