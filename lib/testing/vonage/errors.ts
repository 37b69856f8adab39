import { randomUUID } from 'node:crypto';
import { jsonReply, type Reply } from '../server/reply.js';

/** One of Vonage's errors: `1420`, `unauthorized`. */
interface VonageRefusal {
  readonly status: number;
  readonly error: string;
  readonly title: string;
}

/** A problem (RFC 7807) as Vonage writes it. */
export function errorOf(error: string, title: string): Readonly<Record<string, unknown>> {
  return {
    type: `https://developer.vonage.com/api-errors${/^\d/.test(error) ? '/messages' : ''}#${error}`,
    title: title || error,
    detail: 'As the reference says.',
    instance: randomUUID().replaceAll('-', ''),
  };
}

export function refusalReply({ status, error, title }: VonageRefusal, extra: object = {}): Reply {
  const headers = { 'content-type': 'application/problem+json' };
  return jsonReply(status, { ...errorOf(error, title), ...extra }, headers);
}
