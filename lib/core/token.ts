import { randomBytes } from 'node:crypto';

const PREFIX = randomBytes(9).toString('base64url');
let count = 0;

/** Identifies one piece of news, one claim or one write among those of all gateways: a state recognises it if it comes twice. */
export function newToken(): string {
  count += 1;
  return `${PREFIX}${count}`;
}
