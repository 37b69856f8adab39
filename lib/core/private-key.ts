import { createPrivateKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto';

/** A private key, its algorithm and its id. */
export interface PrivateKey {
  readonly privateKey: KeyObject;
  /**
   * A JWS algorithm that Okta accepts for client assertions, e.g. `RS256` or `ES256`. Other vendors accept
   * fewer.
   */
  readonly algorithm: string;
  /** The `kid` of a JWK. */
  readonly keyId: string | undefined;
}

/** RFC 7518, section 3.3: at least 2048 bits. */
const MIN_RSA_BITS = 2048;
const RSA_ALGORITHMS: readonly unknown[] = ['RS256', 'RS384', 'RS512'];
const ALGORITHM_OF_CURVE: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/**
 * Reads the private key of an application at Okta or another vendor: a PEM (PKCS#8, PKCS#1 or SEC1, not
 * encrypted), a JWK object, or a JWK as JSON. An RSA key has 2048 bits or more and signs with RS256, or with
 * the JWK's `alg`. An EC key signs with the algorithm of its curve.
 *
 * @throws Error whose message contains nothing of the key.
 */
export function readPrivateKey(key: string | object): PrivateKey {
  const source = typeof key === 'string' ? parseKeyText(key.trim()) : { ...key };
  let privateKey: KeyObject;
  try {
    privateKey =
      typeof source === 'string'
        ? createPrivateKey(source)
        : createPrivateKey({ key: source as JsonWebKeyInput['key'], format: 'jwk' });
  } catch {
    // Node's own message may quote the input.
    throw new Error(
      'The key is no private key that can be read: a PEM that is not encrypted, or a private JWK.',
    );
  }
  const jwk: Jwk = typeof source === 'string' ? {} : source;
  const keyId = jwk['kid'];
  return {
    privateKey,
    algorithm: algorithmOf(privateKey, jwk['alg']),
    keyId: typeof keyId === 'string' && keyId !== '' ? keyId : undefined,
  };
}

type Jwk = Readonly<Record<string, unknown>>;

function parseKeyText(text: string): string | Jwk {
  // A PEM on one line of an environment file has its line breaks as `\n`.
  if (!text.startsWith('{')) return text.includes('\n') ? text : text.replaceAll('\\n', '\n');
  try {
    // JSON that begins with a brace parses to an object.
    return JSON.parse(text) as Jwk;
  } catch {
    // The parser's message would quote the key.
    throw new Error('The key is neither a PEM nor a JWK: it looks like JSON and cannot be parsed.');
  }
}

function algorithmOf(key: KeyObject, wanted: unknown): string {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa': {
      if (modulusLength < MIN_RSA_BITS) throw new Error(`The RSA key has less than ${MIN_RSA_BITS} bits.`);
      if (wanted === undefined) return 'RS256';
      if (typeof wanted === 'string' && RSA_ALGORITHMS.includes(wanted)) return wanted;
      break;
    }
    case 'ec': {
      const algorithm = ALGORITHM_OF_CURVE[namedCurve];
      if (algorithm !== undefined && (wanted === undefined || wanted === algorithm)) return algorithm;
      break;
    }
    default:
  }
  throw new Error('The key signs by no algorithm that Okta takes: RS256, RS384, RS512, ES256, ES384, ES512.');
}
