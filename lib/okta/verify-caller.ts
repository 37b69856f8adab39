import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { JOSEError } from 'jose/errors';
import { decodeJwt } from 'jose/jwt/decode';
import passport from 'passport';
import type { HttpDispatcher } from '../http/call.js';
import { RequestError } from '../core/errors.js';
import { createHookKeys, type HookKeys } from './hook-keys.js';

/** What the access token of a hook call must say. */
export interface ExpectedToken {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId: string;
  readonly scope: string;
}

/** How Okta proves itself, as the options say it, with every default filled in. */
export type HookScheme =
  | { readonly scheme: 'header'; readonly name: string; readonly secrets: readonly string[] }
  | {
      readonly scheme: 'basic';
      readonly users: readonly { readonly username: string; readonly password: string }[];
    }
  | ({ readonly scheme: 'oauth2'; readonly jwksUri: URL } & ExpectedToken);

/**
 * What is looked at of a request. passport is given an object of its own with it: it writes its own methods on
 * whatever it is given, and the request is the gateway's, whose passport may be another one.
 */
export type CallerHeaders = Pick<IncomingMessage, 'headers' | 'rawHeaders'>;

/** Proves that a caller is Okta, by any of the configured schemes. */
export interface CallerVerifier {
  /**
   * Returns if one scheme holds; a promise where a token must be checked.
   * @throws RequestError `CALLER_NOT_PROVEN`, or `PROOF_UNAVAILABLE` where a token could not be checked.
   */
  verify(caller: CallerHeaders): Promise<void> | undefined;
  /** Fetches the keys of every OAuth issuer; resolves at once where there is none. For `ready()`. */
  warmUp(): Promise<void>;
}

/** Registers one passport strategy per scheme, each by a name, on an Authenticator of our own. */
export function createCallerVerifier(
  schemes: readonly HookScheme[],
  parts: {
    readonly dispatcher: HttpDispatcher;
    readonly clock: () => number;
    /** The share of the budget that waiting for keys may take. */
    readonly keysWaitMs: number;
  },
): CallerVerifier {
  // The gateway's own passport is never touched.
  const authenticator = new passport.Passport();
  const keyRings: HookKeys[] = [];
  // Tokens last: a key server that is down must not stop a caller whom a header proves.
  const ordered = [...schemes].sort((a, b) => Number(a.scheme === 'oauth2') - Number(b.scheme === 'oauth2'));
  const names = ordered.map((scheme, index) => {
    // By name: an instance handed to authenticate() is shared by requests that overlap (passport 0.7.0).
    const name = `${scheme.scheme}-${index}`;
    authenticator.use(name, strategyOf(scheme));
    return name;
  });

  function strategyOf(scheme: HookScheme): passport.Strategy {
    switch (scheme.scheme) {
      case 'header':
        return new HeaderStrategy(scheme.name, scheme.secrets);
      case 'basic':
        return new BasicStrategy(scheme.users);
      case 'oauth2': {
        const keys = createHookKeys({
          jwksUri: scheme.jwksUri,
          dispatcher: parts.dispatcher,
          clock: parts.clock,
          waitMs: parts.keysWaitMs,
        });
        keyRings.push(keys);
        return new AccessTokenStrategy(createTokenCheck(scheme, keys, parts.clock));
      }
    }
  }

  return {
    verify: ({ headers, rawHeaders }) => {
      const proof: { verdict?: 'proven' | Error; tell?: (verdict: 'proven' | Error) => void } = {};
      const done: passport.AuthenticateCallback = (error: unknown, caller, challenges) => {
        proof.verdict = error instanceof Error ? error : caller ? 'proven' : notProven(challenges);
        proof.tell?.(proof.verdict);
      };
      const middleware = authenticator.authenticate(names, { session: false }, done) as (
        caller: CallerHeaders,
        res: undefined,
        next: () => void,
      ) => void;
      // Neither `res` nor `next` is used where there is a callback.
      middleware({ headers, rawHeaders }, undefined, NOTHING);
      // A header is compared at once: nothing has to be waited for.
      if (proof.verdict === 'proven') return undefined;
      if (proof.verdict !== undefined) throw proof.verdict;
      return new Promise((resolve, reject) => {
        proof.tell = (verdict) => {
          if (verdict === 'proven') resolve();
          else reject(verdict);
        };
      });
    },
    warmUp: async () => {
      await Promise.all(keyRings.map((keys) => keys.refresh()));
    },
  };
}

function notProven(challenges: unknown): RequestError {
  const list: unknown[] = Array.isArray(challenges) ? challenges : [challenges];
  const texts = list.filter((challenge): challenge is string => typeof challenge === 'string');
  return new RequestError('CALLER_NOT_PROVEN', 'Unauthorized', {
    headers: { 'WWW-Authenticate': [...new Set(texts)].join(', ') },
  });
}

const NOTHING = (): void => undefined;

const REALM = 'realm="okta-telephony-hook"';

// passport runs each request on an object made from the strategy by Object.create, which has no #private
// fields: the strategies keep to TypeScript's.

/** A shared secret in a header, as typed into Okta: the whole value, several of them while one is rotated. */
class HeaderStrategy extends passport.Strategy {
  private readonly header: string;
  private readonly digests: readonly Buffer[];

  constructor(name: string, secrets: readonly string[]) {
    super();
    this.header = name.toLowerCase();
    this.digests = secrets.map((secret) => digestOf(Buffer.from(secret, 'utf8')));
  }

  override authenticate(req: CallerHeaders): void {
    const value = onlyHeader(req, this.header);
    if (value !== undefined && isOneOf(value, this.digests)) this.success({});
    else this.fail(`SharedSecret ${REALM}`);
  }
}

/** RFC 7617; the password may hold colons. */
class BasicStrategy extends passport.Strategy {
  private readonly digests: readonly Buffer[];

  constructor(users: readonly { readonly username: string; readonly password: string }[]) {
    super();
    this.digests = users.map(({ username, password }) =>
      digestOf(Buffer.from(`${username}:${password}`, 'utf8')),
    );
  }

  override authenticate(req: CallerHeaders): void {
    const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(onlyHeader(req, 'authorization') ?? '') ?? [];
    const isKnown =
      encoded !== undefined && isOneOf(Buffer.from(encoded, 'base64').toString('latin1'), this.digests);
    if (isKnown) this.success({});
    else this.fail(`Basic ${REALM}, charset="UTF-8"`);
  }
}

/** RFC 6750, in the header only. */
class AccessTokenStrategy extends passport.Strategy {
  private readonly check: ReturnType<typeof createTokenCheck>;

  constructor(check: ReturnType<typeof createTokenCheck>) {
    super();
    this.check = check;
  }

  override authenticate(req: CallerHeaders): void {
    const [, token] = /^bearer +([\w.~+/-]+=*) *$/i.exec(onlyHeader(req, 'authorization') ?? '') ?? [];
    if (token === undefined) {
      this.fail(`Bearer ${REALM}`);
      return;
    }
    this.check(token).then(
      (challenge) => {
        if (challenge === undefined) this.success({});
        else this.fail(`Bearer ${REALM}${challenge}`);
      },
      (error: unknown) => {
        this.error(error);
      },
    );
  }
}

/**
 * Checks access tokens of a custom authorization server, that Okta got as the configured client: resolves to what the
 * challenge says of one that does not hold, to `undefined` for one that does.
 *
 * The check rejects with a RequestError `PROOF_UNAVAILABLE` if a token could not be checked.
 */
export function createTokenCheck(
  expected: ExpectedToken,
  keys: HookKeys,
  clock: () => number,
): (token: string) => Promise<string | undefined> {
  const isOurs = ({ cid, scp }: Readonly<Record<string, unknown>>): boolean =>
    cid === expected.clientId && Array.isArray(scp) && scp.includes(expected.scope);

  /** What can be seen without a key: a made-up token must not make us fetch any. */
  const mayHold = (token: string): boolean => {
    try {
      const payload = decodeJwt(token);
      return (
        decodeProtectedHeader(token).alg === 'RS256' && payload.iss === expected.issuer && isOurs(payload)
      );
    } catch {
      return false;
    }
  };

  return async (token) => {
    if (!mayHold(token)) return '';
    const { issuer, audience } = expected;
    try {
      const payload = await keys.verify(token, { issuer, audience, now: new Date(clock()) });
      // Any client of that server gets tokens with this issuer and audience: who, and what for, decides.
      const holds = isOurs(payload) && typeof payload.exp === 'number';
      return holds ? undefined : ', error="insufficient_scope"';
    } catch (error) {
      if (error instanceof JOSEError) return ', error="invalid_token"';
      throw error;
    }
  };
}

/** The header's value if it came exactly once: two of them are nobody's secret. */
export function onlyHeader(req: CallerHeaders, name: string): string | undefined {
  const { rawHeaders } = req;
  // Adapters of serverless platforms make requests that have no raw headers.
  if (rawHeaders.length === 0) {
    const value = req.headers[name];
    return Array.isArray(value) ? (value.length === 1 ? value[0] : undefined) : value;
  }
  let found: string | undefined;
  // Names and values in turn.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== name) continue;
    if (found !== undefined) return undefined;
    found = rawHeaders[index + 1];
  }
  return found;
}

/** Compares with every digest, in a time that does not tell which one, or how much of it, agreed. */
function isOneOf(value: string, digests: readonly Buffer[]): boolean {
  // Node reads header bytes as latin1; the secret was typed, and so digested, as UTF-8.
  const digest = digestOf(Buffer.from(value, 'latin1'));
  let isFound = false;
  for (const known of digests) isFound = timingSafeEqual(digest, known) || isFound;
  return isFound;
}

/** Written in hexadecimal: of a digest as bytes each one takes memory outside the heap, and thrice the time to make. */
function digestOf(bytes: Buffer): Buffer {
  return Buffer.from(hash('sha256', bytes, 'hex'), 'latin1');
}
