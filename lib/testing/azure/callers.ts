import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RecordedRequest } from '../server/request.js';

/** Azure refuses a signed request whose date differs more. */
const MAX_SKEW_MS = 5 * 60_000;
const TOKEN_LIFE_MS = 60 * 60_000;

const makeKey = (): string => randomBytes(64).toString('base64');

/** Who may call the resource: whoever signs with its access key, or has a token. */
export class AzureCallers {
  readonly #clock: () => number;
  readonly #tokens = new Map<string, number>();
  #accessKey = makeKey();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get accessKey(): string {
    return this.#accessKey;
  }

  rotateKey(): string {
    this.#accessKey = makeKey();
    return this.#accessKey;
  }

  makeToken(): { readonly token: string; readonly expiresOnTimestamp: number } {
    const token = `entra-${randomBytes(24).toString('base64url')}`;
    const expiresOnTimestamp = this.#clock() + TOKEN_LIFE_MS;
    this.#tokens.set(token, expiresOnTimestamp);
    return { token, expiresOnTimestamp };
  }

  revokeTokens(): void {
    this.#tokens.clear();
  }

  isCaller(request: RecordedRequest): boolean {
    const { authorization = '' } = request.headers;
    const [, token] = /^Bearer (\S+)$/.exec(authorization) ?? [];
    if (token !== undefined) return (this.#tokens.get(token) ?? 0) > this.#clock();
    const [, signature = ''] =
      /^HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(\S+)$/.exec(authorization) ??
      [];
    return this.#isSigned(request, Buffer.from(signature, 'base64'));
  }

  #isSigned({ method, path, headers, body }: RecordedRequest, given: Buffer): boolean {
    const date = String(headers['x-ms-date']);
    const hash = createHash('sha256').update(body).digest('base64');
    if (headers['x-ms-content-sha256'] !== hash) return false;
    if (!(Math.abs(Date.parse(date) - this.#clock()) <= MAX_SKEW_MS)) return false;
    const expected = createHmac('sha256', Buffer.from(this.#accessKey, 'base64'))
      .update(`${method}\n${path}\n${date};${headers.host ?? ''};${hash}`)
      .digest();
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
