import { createHash, createHmac } from 'node:crypto';
import type { AwsCredentials } from './options.js';

/** Signature Version 4 of AWS, for a POST to the root. Source: "Create a signed AWS API request" in the IAM User Guide. */

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** A request before it is signed. */
interface UnsignedRequest {
  /** With the port, unless it is the default of the scheme. */
  readonly host: string;
  /** Names in lower case. Each is signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Who signs, for what and when. */
interface Signing {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
}

/** The headers of a request, with its signature. The HTTP client adds `host`. */
export function signRequest(
  { host, headers, body }: UnsignedRequest,
  { credentials, region, service, nowMs }: Signing,
): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const at = new Date(nowMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, '');
  const day = at.slice(0, 8);
  const sent: Record<string, string> = { ...headers, 'x-amz-date': at };
  if (sessionToken !== undefined) sent['x-amz-security-token'] = sessionToken;
  const signed = Object.entries({ ...sent, host }).sort(([one], [other]) => (one < other ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    'POST',
    '/',
    '',
    ...signed.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, 'aws4_request'].reduce<Buffer | string>(
    (secret, part) => hmac(secret, part),
    `AWS4${secretAccessKey}`,
  );
  const signature = hmac(key, [ALGORITHM, at, scope, sha256(canonical)].join('\n')).toString('hex');
  sent['authorization'] =
    `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return sent;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();
