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

export interface SnsTopic {
  readonly topicArn: string;
  /** The origin of Amazon SNS for this topic. */
  readonly origin: string;
}

type Http = SendContext['http'];

const CERTIFICATE_PATH = /^\/SimpleNotificationService-[\w-]{1,64}\.pem$/;

/** SNS repeats a message for an hour. An older one is a replay. */
const MAX_AGE_MS = 60 * 60_000;
const MIN_RSA_BITS = 2048;

/** SNS has one certificate at a time, and changes it about once a year. */
const MAX_CERTIFICATES = 8;
/** Anyone can name a certificate before the signature is checked. So many that are new are fetched at once. */
const MAX_FETCHES = 10;
/** One that could not be fetched is not fetched again for so long, milliseconds. SNS waits longer before it tries again. */
const FAILED_MS = 5_000;
const MAX_FAILED = 1_000;

/** What a signature covers, in this order. A field that is absent is left out. */
const CONFIRMATION = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
const SIGNED: Readonly<Record<string, readonly string[]>> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: CONFIRMATION,
  UnsubscribeConfirmation: CONFIRMATION,
};

/** The origin of Amazon SNS in the region of a topic. The topic's messages name URLs of this origin. */
export function snsOriginOf(topicArn: string): string {
  const [, partition, , region] = topicArn.split(':');
  return `https://sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

/**
 * Makes the proof for one topic: the message, `undefined` if it is not proven, or `'again'` if the certificate cannot be
 * fetched now.
 */
export function snsProof(
  { topicArn, origin }: SnsTopic,
  clock: () => number,
): (body: string, http: Http) => Promise<SnsMessage | 'again' | undefined> {
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
    const isCertificate = url.origin === origin && CERTIFICATE_PATH.test(url.pathname) && url.search === '';
    if (!isCertificate) return undefined;
    const key = await certificates.keyOf(origin + url.pathname, http);
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
  /** When the last fetch of each failed. */
  const failed = new LRUCache<string, number>(atMost(MAX_FAILED));

  const fetchKey = async (url: string, http: Http): Promise<Kept | undefined> => {
    const answer = await http({ method: 'GET', url, headers: { accept: '*/*' } });
    const found =
      answer.kind === 'answered' && answer.status === 200 ? readCertificate(answer.body) : undefined;
    if (found === undefined) failed.set(url, clock());
    else kept.set(url, found);
    return found;
  };

  return {
    async keyOf(url, http) {
      const now = clock();
      let found = kept.get(url);
      if (found === undefined || found.untilMs < now) {
        let fetch = fetching.get(url);
        if (fetch === undefined) {
          const hasJustFailed = Math.abs(now - (failed.get(url) ?? -Infinity)) < FAILED_MS;
          // Invented names must not keep out one that was good before.
          const isFull = found === undefined && fetching.size >= MAX_FETCHES;
          if (hasJustFailed || isFull) return undefined;
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
