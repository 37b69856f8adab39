import { randomUUID } from 'node:crypto';
import { jsonReply, type Reply } from '../server/reply.js';

/** A problem (RFC 7807) as Vonage writes it. @param error - `1420`, `unauthorized`. */
export function errorOf(error: string, title: string): Readonly<Record<string, unknown>> {
  return {
    type: `https://developer.vonage.com/api-errors${/^\d/.test(error) ? '/messages' : ''}#${error}`,
    title: title || error,
    detail: 'As the reference says.',
    instance: randomUUID().replaceAll('-', ''),
  };
}

export function refusalReply(status: number, error: string, title: string, extra: object = {}): Reply {
  const headers = { 'content-type': 'application/problem+json' };
  return jsonReply(status, { ...errorOf(error, title), ...extra }, headers);
}
