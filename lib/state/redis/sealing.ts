import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

/**
 * Encrypts ("seals") all values that are written to Redis, and derives the names of their keys.
 *
 * Each encryption key of the list names and seals its own copy of everything. Gateways whose lists have a key
 * in common therefore read each other's values, whatever else is in their lists: a key can be added, and
 * another removed, one gateway at a time.
 */

/** Kinds of sealed values. Each kind has a derived key, so no value opens as another kind. */
export type SealedKind = 'answer' | 'message' | 'attempt' | 'lastCode' | 'suppressions' | 'alarm' | 'history';

/** Kinds of names: one event, one limit, and so on. */
export type NamedKind =
  | 'event'
  | 'limit'
  | 'person'
  | 'newest'
  | 'message'
  | 'attempt'
  | 'lastCode'
  | 'suppressions'
  | 'alarm'
  | 'learned';

/** The operations of one encryption key. */
export interface Sealing {
  /** Identifies the key and reveals nothing about it. */
  readonly id: string;
  /** A Redis key. Without the encryption key it cannot be linked to its text. */
  nameOf(kind: NamedKind, text: string): string;
  /** The same without the prefix, for use inside a value. */
  digestOf(kind: NamedKind, text: string): string;
  /** Seals text or bytes, bound to a kind and a name. The plain head, if any, stands before the sealed bytes. */
  seal(kind: SealedKind, name: string, plain: string | Uint8Array, head?: string): Buffer;
  /** Opens a value; `undefined` if this key did not seal it with this kind and name. */
  open(kind: SealedKind, name: string, sealed: Buffer): string | undefined;
  /** Like `open`, for bytes. */
  openBytes(kind: SealedKind, name: string, sealed: Buffer): Buffer | undefined;
}

const CIPHER = 'aes-256-gcm';
const ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Nonces are used once. Generating one costs as much as generating many. */
const NONCES_AT_ONCE = 256;
/** Characters: 128 bits of a keyed hash, so that names never collide by chance and stay short. */
const DIGEST_LENGTH = 22;
/**
 * A keyed hash by prefixing the key: SHA-3 allows no length extension and needs no HMAC
 * (https://keccak.team/keccak_strengths.html). A code has eight names, and this takes a third of HMAC's time.
 */
const KEYED_HASH = 'sha3-256';

/** Part of every derived key: another version of this file opens nothing of this one's. */
const VERSION = 'okta-telephony-hook 2';

/**
 * Derives the keys of one encryption key.
 *
 * @param key - 32 bytes.
 * @param prefix - stands before every name, as a Redis hash tag.
 */
export function createSealing(key: Buffer, prefix: string): Sealing {
  const keyOf: Readonly<Record<SealedKind, KeyObject>> = {
    answer: derive(key, 'answer'),
    message: derive(key, 'message'),
    attempt: derive(key, 'attempt'),
    lastCode: derive(key, 'lastCode'),
    suppressions: derive(key, 'suppressions'),
    alarm: derive(key, 'alarm'),
    history: derive(key, 'history'),
  };
  const idBytes = Buffer.from(hkdfSync('sha256', key, '', `${VERSION} id`, ID_BYTES));
  const namingKey = derive(key, 'names').export().toString('base64url');
  const digestOf = (kind: NamedKind, text: string): string =>
    hash(KEYED_HASH, `${namingKey} ${kind} ${text}`, 'base64url').slice(0, DIGEST_LENGTH);

  const openBytes: Sealing['openBytes'] = (kind, name, sealed) => {
    if (sealed.length < ID_BYTES + NONCE_BYTES + TAG_BYTES) return undefined;
    if (!sealed.subarray(0, ID_BYTES).equals(idBytes)) return undefined;
    const nonce = sealed.subarray(ID_BYTES, ID_BYTES + NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, keyOf[kind], nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(additionalData(kind, name));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      const body = sealed.subarray(ID_BYTES + NONCE_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]);
    } catch {
      return undefined;
    }
  };

  const nextNonce = nonces();
  return {
    id: idBytes.toString('base64url'),
    digestOf,
    nameOf: (kind, text) => plainName(prefix, `${kind}:${digestOf(kind, text)}`),
    seal(kind, name, plain, head = '') {
      const nonce = nextNonce();
      const cipher = createCipheriv(CIPHER, keyOf[kind], nonce);
      cipher.setAAD(additionalData(kind, name));
      const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
      // Empty in GCM, whose ciphertext is as long as the plain text. The tag is available afterwards.
      cipher.final();
      const sealed = [idBytes, nonce, body, cipher.getAuthTag()];
      return Buffer.concat(head === '' ? sealed : [Buffer.from(head), ...sealed]);
    },
    open: (kind, name, sealed) => openBytes(kind, name, sealed)?.toString('utf8'),
    openBytes,
  };
}

/** A Redis key that does not depend on the encryption keys. */
export function plainName(prefix: string, word: string): string {
  return `{${prefix}}:${word}`;
}

function nonces(): () => Buffer {
  let random: Buffer = Buffer.alloc(0);
  let used = 0;
  return () => {
    if (used === random.length) {
      random = randomBytes(NONCE_BYTES * NONCES_AT_ONCE);
      used = 0;
    }
    used += NONCE_BYTES;
    return random.subarray(used - NONCE_BYTES, used);
  };
}

function derive(key: Buffer, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `${VERSION} ${purpose}`, 32)));
}

/** Binds a value to its kind (a single word) and name: it does not open elsewhere. */
function additionalData(kind: SealedKind, name: string): Buffer {
  return Buffer.from(`${kind} ${name}`);
}
