import { createHash, createHmac } from 'node:crypto';
import type { RecordedRequest } from '../server/request.js';

/** The keys of an emulated AWS account, as temporary ones. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/;
const REQUIRED = ['host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target'];
const MAX_SKEW_MS = 5 * 60_000;

/** The exception of a request that its signature (Signature Version 4) does not prove; `undefined` if it does. */
export function signatureProblem(
  { headers, body }: RecordedRequest,
  keys: AwsKeys,
  region: string,
  nowMs: number,
): string | undefined {
  const parts = AUTHORIZATION.exec(headers.authorization ?? '');
  if (parts === null) return 'MissingAuthenticationTokenException';
  const [, id, day = '', givenRegion = '', service = '', names = '', signature] = parts;
  if (id !== keys.accessKeyId || headers['x-amz-security-token'] !== keys.sessionToken) {
    return 'UnrecognizedClientException';
  }
  const at = String(headers['x-amz-date']);
  const time = Date.parse(at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const isInTime = Math.abs(time - nowMs) <= MAX_SKEW_MS && at.startsWith(day);
  const signed = names.split(';');
  const isForHere = givenRegion === region && service === 'sms-voice';
  if (!isInTime || !isForHere || !REQUIRED.every((name) => signed.includes(name))) {
    return 'InvalidSignatureException';
  }
  const lines = signed.map((name) => `${name}:${String(headers[name])}\n`).join('');
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  const request = `POST\n/\n\n${lines}\n${names}\n${digest(body)}`;
  let key = Buffer.from(`AWS4${keys.secretAccessKey}`);
  for (const part of [day, region, service, 'aws4_request']) {
    key = createHmac('sha256', key).update(part).digest();
  }
  const text = `AWS4-HMAC-SHA256\n${at}\n${day}/${region}/${service}/aws4_request\n${digest(request)}`;
  const expected = createHmac('sha256', key).update(text).digest('hex');
  return expected === signature ? undefined : 'InvalidSignatureException';
}
