import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** A private key, how it signs, and the id that it came with. */
export interface ReadKey {
  readonly privateKey: KeyObject;
  /** E.g. `RS256` or `ES256`: one that Okta takes for client assertions; other vendors take fewer. */
  readonly algorithm: string;
  /** A JWK's own `kid`. */
  readonly keyId: string | undefined;
}

/** RFC 7518, section 3.3. */
const MIN_RSA_BITS = 2048;
const RSA_ALGORITHMS: readonly unknown[] = ['RS256', 'RS384', 'RS512'];
const ALGORITHM_OF_CURVE: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/**
 * Reads the private key of an application at a vendor's: a PEM (PKCS#8, PKCS#1 or SEC1, not encrypted), a JWK object, or a JWK
 * as JSON. An RSA key, of 2048 bits or more, signs with RS256 or what the JWK's `alg` says, an EC key as its curve
 * has it.
 *
 * @throws Error with a message that holds nothing of the key.
 */
export function readPrivateKey(key: string | object): ReadKey {
  const source = typeof key === 'string' ? readText(key.trim()) : { ...key };
  let privateKey: KeyObject;
  try {
    privateKey =
      typeof source === 'string'
        ? createPrivateKey(source)
        : createPrivateKey({ key: source as JsonWebKey, format: 'jwk' });
  } catch {
    // Node's own message is left out: it may quote what was given.
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

function readText(text: string): string | Jwk {
  // A PEM that was put on one line of an environment file has its line ends written out.
  if (!text.startsWith('{')) return text.includes('\n') ? text : text.replaceAll('\\n', '\n');
  try {
    // What begins with a brace is an object, once it is parsed.
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
