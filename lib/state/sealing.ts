import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

/** The one place that seals what leaves this process to be remembered, and that makes the names it is kept under. */

/** What is sealed: each by a key of its own, and none opens as another. */
export type SealedKind = 'answer' | 'receipt' | 'report' | 'alarm' | 'suppressed' | 'sent' | 'history';

/** What a key is named for: one event, one limit, and so on. */
export type NamedKind =
  | 'event'
  | 'limit'
  | 'person'
  | 'receipt'
  | 'report'
  | 'alarm'
  | 'suppressed'
  | 'newest'
  | 'sent'
  | 'history'
  | 'probe'
  | 'keys';

export interface Sealing {
  /** The Redis key of something: nobody without the encryption key can tell what, nor whether it is a given one. */
  nameOf(kind: NamedKind, text: string): string;
  /** The Redis key of what there is one of, whatever the encryption keys. */
  plainName(word: string): string;
  /** A name without the prefix, for what stands in a value. */
  digestOf(kind: NamedKind, text: string): string;
  /** Plain text, or bytes, under a name, sealed by the first key. */
  seal(kind: SealedKind, name: string, plain: string | Uint8Array): Buffer;
  /** `undefined` for what none of the keys has sealed as this kind and under this name. */
  open(kind: SealedKind, name: string, sealed: Buffer): string | undefined;
  /** The same for bytes. */
  openBytes(kind: SealedKind, name: string, sealed: Buffer): Buffer | undefined;
}

const CIPHER = 'aes-256-gcm';
const ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Each is used once; to ask for one costs as much as to ask for many. */
const NONCES_AT_ONCE = 256;
/** 128 bits of a keyed hash: no two names ever meet by chance, and keys stay short. */
const DIGEST_LENGTH = 22;
/**
 * With the key before the text it is a keyed hash: SHA-3 cannot be lengthened as SHA-2 can, and needs no HMAC around it
 * (https://keccak.team/keccak_strengths.html). A code has eight names, and this takes a third of the time.
 */
const KEYED_HASH = 'sha3-256';

/** Part of every derived key: another version of this file would open nothing of this one's. */
const VERSION = 'okta-telephony-hook 2';

interface SealingKey {
  /** Says which key has sealed a value; tells nothing of the key. */
  readonly id: Buffer;
  readonly of: Readonly<Record<SealedKind, KeyObject>>;
}

/**
 * @param keys - of 32 bytes: the first seals, any opens, and the last makes the names. Gateways that have the new and
 *   the old key and those that have the old one alone so agree on names while a key is brought in.
 * @param prefix - stands before every name, as a Redis hash tag.
 */
export function createSealing(keys: readonly Buffer[], prefix: string): Sealing {
  const sealingKeys = keys.map(sealingKeyOf);
  const [current] = sealingKeys;
  const naming = keys.at(-1);
  if (current === undefined || naming === undefined) throw new Error('there is no encryption key');
  const namingKey = derive(naming, 'names').export().toString('base64url');
  const digestOf = (kind: NamedKind, text: string): string =>
    hash(KEYED_HASH, `${namingKey} ${kind} ${text}`, 'base64url').slice(0, DIGEST_LENGTH);

  const openBytes: Sealing['openBytes'] = (kind, name, sealed) => {
    if (sealed.length < ID_BYTES + NONCE_BYTES + TAG_BYTES) return undefined;
    const id = sealed.subarray(0, ID_BYTES);
    const key = sealingKeys.find((candidate) => candidate.id.equals(id));
    if (key === undefined) return undefined;
    const nonce = sealed.subarray(ID_BYTES, ID_BYTES + NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, key.of[kind], nonce, { authTagLength: TAG_BYTES });
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
    digestOf,
    plainName: (word) => `{${prefix}}:${word}`,
    nameOf: (kind, text) => `{${prefix}}:${kind}:${digestOf(kind, text)}`,
    seal(kind, name, plain) {
      const nonce = nextNonce();
      const cipher = createCipheriv(CIPHER, current.of[kind], nonce);
      cipher.setAAD(additionalData(kind, name));
      // In bytes: a cipher takes longer over a text than this does.
      const body = cipher.update(typeof plain === 'string' ? Buffer.from(plain) : plain);
      // Nothing in this mode, where what is sealed is as long as what was plain; the tag is there after it.
      cipher.final();
      return Buffer.concat([current.id, nonce, body, cipher.getAuthTag()]);
    },
    open: (kind, name, sealed) => openBytes(kind, name, sealed)?.toString('utf8'),
    openBytes,
  };
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

function sealingKeyOf(key: Buffer): SealingKey {
  return {
    id: Buffer.from(hkdfSync('sha256', key, '', `${VERSION} id`, ID_BYTES)),
    of: {
      answer: derive(key, 'answer'),
      receipt: derive(key, 'receipt'),
      report: derive(key, 'report'),
      alarm: derive(key, 'alarm'),
      suppressed: derive(key, 'suppressed'),
      sent: derive(key, 'sent'),
      history: derive(key, 'history'),
    },
  };
}

function derive(key: Buffer, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `${VERSION} ${purpose}`, 32)));
}

/** A value that somebody moves to another key, or takes for another kind, which is one word, does not open there. */
function additionalData(kind: SealedKind, name: string): Buffer {
  return Buffer.from(`${kind} ${name}`);
}
