import { verify, X509Certificate, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import type { SendContext } from '../../core/channel.js';
import { asObject, parseJson } from '../../core/json.js';

/** Proves that Amazon SNS has sent a message. Source: "Verifying the signatures of Amazon SNS messages" in the guide of Amazon SNS. */

/** A message of SNS, as far as it is read here. */
export interface SnsMessage {
  readonly Type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  readonly Message: string;
  readonly SubscribeURL?: string | undefined;
}

interface ProofOptions {
  readonly topicArn: string;
  /** The origin of an emulator, which signs in place of Amazon SNS. */
  readonly signer: string | undefined;
  readonly clock: () => number;
}

type Http = SendContext['http'];

const SNS_HOST = /^sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?$/;
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[\w-]{1,64}\.pem$/;

/** SNS repeats a message for an hour. An older one is a replay. */
const MAX_AGE_MS = 60 * 60_000;
const MIN_RSA_BITS = 2048;

/** SNS has one certificate at a time, and changes it about once a year. */
const MAX_CERTIFICATES = 8;
/** Anyone can name a certificate before the signature is checked. */
const MAX_FETCHES = 10;
const PER_MS = 60_000;

/** What a signature covers, in this order. A field that is absent is left out. */
const CONFIRMATION = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
const SIGNED: Readonly<Record<string, readonly string[]>> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: CONFIRMATION,
  UnsubscribeConfirmation: CONFIRMATION,
};

/** Whether a URL is at Amazon SNS, or at the emulator in its place. */
export function isFromSns(url: URL, signer: string | undefined): boolean {
  if (signer !== undefined) return url.origin === signer;
  return url.protocol === 'https:' && url.port === '' && SNS_HOST.test(url.hostname);
}

/**
 * Makes the proof for one topic: the message, `undefined` if it is not proven, or `'again'` if the certificate cannot be
 * fetched now.
 */
export function snsProof({
  topicArn,
  signer,
  clock,
}: ProofOptions): (body: string, http: Http) => Promise<SnsMessage | 'again' | undefined> {
  const certificates = certificateCache(clock);
  return async (body, http) => {
    const fields = asObject(parseJson(body));
    const { Type: type, SigningCertURL: certUrl, Timestamp: timestamp, Signature: signature } = fields;
    const names = typeof type === 'string' && Object.hasOwn(SIGNED, type) ? SIGNED[type] : undefined;
    const ageMs = Math.abs(clock() - Date.parse(String(timestamp)));
    const isWanted =
      names !== undefined &&
      fields['TopicArn'] === topicArn &&
      fields['SignatureVersion'] === '2' &&
      typeof signature === 'string' &&
      ageMs <= MAX_AGE_MS &&
      names.every((name) => typeof fields[name] === (isOptional(name, fields) ? 'undefined' : 'string'));
    if (!isWanted || typeof certUrl !== 'string' || !URL.canParse(certUrl)) return undefined;
    const url = new URL(certUrl);
    const isCertificate = isFromSns(url, signer) && CERTIFICATE_PATH.test(url.pathname) && url.search === '';
    if (!isCertificate) return undefined;
    const key = await certificates.keyOf(url.href, http);
    if (key === undefined) return 'again';
    const text = names.map((name) => (name in fields ? `${name}\n${String(fields[name])}\n` : '')).join('');
    const isSigned = verify('RSA-SHA256', Buffer.from(text), key, Buffer.from(signature, 'base64'));
    // Each of its fields was checked above.
    return isSigned ? (fields as unknown as SnsMessage) : undefined;
  };
}

const isOptional = (name: string, fields: object): boolean => name === 'Subject' && !(name in fields);

interface Kept {
  readonly key: KeyObject;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The keys of certificates that were fetched and are valid. Requests for one that come at the same time share a fetch. */
function certificateCache(clock: () => number): {
  keyOf(url: string, http: Http): Promise<KeyObject | undefined>;
} {
  const kept = new LRUCache<string, Kept>(atMost(MAX_CERTIFICATES));
  const fetching = new Map<string, Promise<Kept | undefined>>();
  let fetches: readonly number[] = [];

  const fetchKey = async (url: string, http: Http): Promise<Kept | undefined> => {
    const answer = await http({ method: 'GET', url, headers: { accept: '*/*' } });
    const found =
      answer.kind === 'answered' && answer.status === 200 ? readCertificate(answer.body) : undefined;
    if (found !== undefined) kept.set(url, found);
    return found;
  };

  return {
    async keyOf(url, http) {
      const now = clock();
      let found = kept.get(url);
      if (found === undefined || found.untilMs < now) {
        let fetch = fetching.get(url);
        if (fetch === undefined) {
          fetches = fetches.filter((at) => Math.abs(now - at) < PER_MS);
          if (fetches.length >= MAX_FETCHES) return undefined;
          fetches = [...fetches, now];
          fetch = fetchKey(url, http).finally(() => fetching.delete(url));
          fetching.set(url, fetch);
        }
        found = await fetch;
      }
      return found !== undefined && found.fromMs <= now && now <= found.untilMs ? found.key : undefined;
    },
  };
}

/** The key of a certificate and its validity. Its issuer is not checked: the URL is Amazon's, and TLS proves the server. */
function readCertificate(pem: string): Kept | undefined {
  try {
    const { publicKey: key, validFrom, validTo } = new X509Certificate(pem);
    const isStrong =
      key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS;
    return isStrong ? { key, fromMs: Date.parse(validFrom), untilMs: Date.parse(validTo) } : undefined;
  } catch {
    return undefined;
  }
}
