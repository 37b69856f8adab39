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
 * The one place that seals what leaves this process to be remembered, and that makes the names it is kept under.
 *
 * Each of the listed keys names and seals a copy of its own of everything. So gateways whose lists have a key in common find and
 * open all of each other's, whatever else is in their lists and in which order: a key can be added, and another taken off, at one
 * gateway after the other.
 */

/** What is sealed: each by a key of its own, and none opens as another. */
export type SealedKind = 'answer' | 'receipt' | 'report' | 'alarm' | 'suppressed' | 'sent' | 'history';

/** What a key is named for: one event, one limit, and so on. */
export type NamedKind =
  'event' | 'limit' | 'person' | 'receipt' | 'report' | 'alarm' | 'suppressed' | 'newest' | 'sent';

/** One of the listed keys. */
export interface Sealing {
  /** Says which key it is, and tells nothing of it. */
  readonly id: string;
  /** The Redis key of something: nobody without the encryption key can tell what, nor whether it is a given one. */
  nameOf(kind: NamedKind, text: string): string;
  /** A name without the prefix, for what stands in a value. */
  digestOf(kind: NamedKind, text: string): string;
  /** Plain text, or bytes, under a name. */
  seal(kind: SealedKind, name: string, plain: string | Uint8Array): Buffer;
  /** `undefined` for what the key has not sealed as this kind and under this name. */
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

/**
 * @param key - of 32 bytes.
 * @param prefix - stands before every name, as a Redis hash tag.
 */
export function createSealing(key: Buffer, prefix: string): Sealing {
  const keyOf: Readonly<Record<SealedKind, KeyObject>> = {
    answer: derive(key, 'answer'),
    receipt: derive(key, 'receipt'),
    report: derive(key, 'report'),
    alarm: derive(key, 'alarm'),
    suppressed: derive(key, 'suppressed'),
    sent: derive(key, 'sent'),
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
    seal(kind, name, plain) {
      const nonce = nextNonce();
      const cipher = createCipheriv(CIPHER, keyOf[kind], nonce);
      cipher.setAAD(additionalData(kind, name));
      // In bytes: a cipher takes longer over a text than this does.
      const body = cipher.update(typeof plain === 'string' ? Buffer.from(plain) : plain);
      // Nothing in this mode, where what is sealed is as long as what was plain; the tag is there after it.
      cipher.final();
      return Buffer.concat([idBytes, nonce, body, cipher.getAuthTag()]);
    },
    open: (kind, name, sealed) => openBytes(kind, name, sealed)?.toString('utf8'),
    openBytes,
  };
}

/** The Redis key of what is not named for anybody, whatever the encryption keys. */
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

/** A value that somebody moves to another key, or takes for another kind, which is one word, does not open there. */
function additionalData(kind: SealedKind, name: string): Buffer {
  return Buffer.from(`${kind} ${name}`);
}

/**
 * What is given to one of all who ask for it, while several keys are listed: each key has a copy. A gateway that has one of the
 * keys alone takes one copy alone. So each copy says which keys have one, and counts for nothing once another one was taken.
 */

/** A copy under each name, one for each key. @param plain - without a line break. */
export function sealCopies(
  sealings: readonly Sealing[],
  kind: SealedKind,
  names: readonly string[],
  plain: string,
): readonly Buffer[] {
  const text = sealings.length === 1 ? plain : `${sealings.map(({ id }) => id).join(' ')}\n${plain}`;
  return sealings.map((sealing, at) => sealing.seal(kind, names[at] ?? '', text));
}

/**
 * `undefined` if nothing is there, or a copy was taken before.
 *
 * @param values - what was taken under each name, all of them in one step.
 * @throws Error if something is there, and does not open.
 */
export function openCopies(
  sealings: readonly Sealing[],
  kind: SealedKind,
  names: readonly string[],
  values: readonly (Buffer | null | undefined)[],
): string | undefined {
  const texts = sealings.map((sealing, at) => {
    const value = values[at];
    if (value === null || value === undefined) return undefined;
    const text = sealing.open(kind, names[at] ?? '', value);
    if (text === undefined) throw new Error(`what is kept as ${kind} does not open with encryptionKeys`);
    return text;
  });
  const isWhole = (text: string): boolean => {
    const ids = text.slice(0, Math.max(0, text.indexOf('\n'))).split(' ');
    return sealings.every(({ id }, at) => !ids.includes(id) || texts[at] === text);
  };
  const whole = texts.find((text) => text !== undefined && isWhole(text));
  return whole?.slice(whole.indexOf('\n') + 1);
}
