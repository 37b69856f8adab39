import { createHash, createHmac } from 'node:crypto';

/** `Authorization` of a webhook: a token (HS256) that has the hash of the body. By hand, because jose signs only asynchronously. */
export function signVonageWebhook(
  secret: string,
  body: string,
  claims: Readonly<Record<string, unknown>>,
): string {
  const hash = createHash('sha256').update(body).digest('hex');
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode({ payload_hash: hash, ...claims })}`;
  return `Bearer ${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
