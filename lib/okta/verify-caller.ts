import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { JOSEError } from 'jose/errors';
import { decodeJwt } from 'jose/jwt/decode';
import passport from 'passport';
import type { HttpDispatcher } from '../core/http.js';
import { RequestError } from '../core/request-error.js';
import { createHookKeys, type HookKeys } from './hook-keys.js';

/** Proves that a caller is Okta: by a shared secret in a header, by Basic authentication, or by an OAuth access token. */

/** How Okta authenticates: the option `credentials.hook` in normal form. */
export type HookScheme =
  | { readonly scheme: 'header'; readonly name: string; readonly secrets: readonly string[] }
  | {
      readonly scheme: 'basic';
      readonly users: readonly { readonly username: string; readonly password: string }[];
    }
  | {
      readonly scheme: 'oauth2';
      readonly jwksUri: URL;
      /** The claims that the access token of a call must have. */
      readonly issuer: string;
      readonly audience: string;
      readonly clientId: string;
      readonly scope: string;
    };

/**
 * The headers of a request. passport gets a new object with them, because it writes its methods on the object that it gets: the
 * request is the gateway's, which may use another passport.
 */
export type CallerHeaders = Pick<IncomingMessage, 'headers'> & {
  readonly rawHeaders?: readonly string[] | undefined;
};

/** Checks callers against all configured schemes. */
export interface CallerVerifier {
  /** Whether the caller has a shared secret in its header. Answers at once; `verify` checks every scheme. */
  hasSecret(caller: CallerHeaders): boolean;
  /**
   * Resolves if one scheme accepts the caller.
   * @throws RequestError `CALLER_NOT_PROVEN`, or `PROOF_UNAVAILABLE` if a token could not be checked.
   */
  verify(caller: CallerHeaders): Promise<void>;
  /** Fetches the keys of every OAuth issuer, for `ready()`. Resolves at once if there is none. */
  warmUp(): Promise<void>;
}

/** Registers one named passport strategy per scheme, on our own Authenticator. */
export function createCallerVerifier(
  schemes: readonly HookScheme[],
  parts: {
    readonly dispatcher: HttpDispatcher;
    readonly clock: () => number;
    /** How long a request may wait for keys, milliseconds. */
    readonly keysWaitMs: number;
  },
): CallerVerifier {
  // Never the gateway's own passport.
  const authenticator = new passport.Passport();
  const keyRings: HookKeys[] = [];
  /** Of `hasSecret`. Basic authentication goes by passport, as tokens do. */
  const secrets: SecretStrategy[] = [];
  // Tokens last: an unreachable key server must not refuse a caller whom a header proves.
  const ordered = [...schemes].sort((a, b) => Number(a.scheme === 'oauth2') - Number(b.scheme === 'oauth2'));
  const names = ordered.map((scheme, index) => {
    // By name: overlapping requests share a strategy that is passed to authenticate() as an instance (passport 0.7.0).
    const name = `${scheme.scheme}-${index}`;
    authenticator.use(name, strategyOf(scheme));
    return name;
  });

  function strategyOf(scheme: HookScheme): passport.Strategy {
    switch (scheme.scheme) {
      case 'header': {
        const name = scheme.name.toLowerCase();
        const read = (caller: CallerHeaders): string | undefined => onlyHeader(caller, name);
        const strategy = new SecretStrategy(read, scheme.secrets, `SharedSecret ${REALM}`);
        secrets.push(strategy);
        return strategy;
      }
      case 'basic': {
        const pairs = scheme.users.map(({ username, password }) => `${username}:${password}`);
        return new SecretStrategy(basicPairOf, pairs, `Basic ${REALM}, charset="UTF-8"`);
      }
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
    hasSecret: (caller) => secrets.some((strategy) => strategy.accepts(caller)),
    verify: ({ headers, rawHeaders }) =>
      new Promise((resolve, reject) => {
        const done: passport.AuthenticateCallback = (error: unknown, caller, challenges) => {
          if (error instanceof Error) reject(error);
          else if (caller) resolve();
          else reject(notProven(challenges));
        };
        const middleware = authenticator.authenticate(names, { session: false }, done) as (
          caller: CallerHeaders,
          res: undefined,
          next: () => void,
        ) => void;
        // With a callback, passport uses neither `res` nor `next`.
        middleware({ headers, rawHeaders }, undefined, NOTHING);
      }),
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

// passport runs each request on an object that Object.create makes from the strategy. It has no #private fields, so the
// strategies use TypeScript's `private`.

/** A shared secret in a header. There are several secrets while one is being rotated, and several users of Basic authentication. */
class SecretStrategy extends passport.Strategy {
  private readonly read: (caller: CallerHeaders) => string | undefined;
  private readonly digests: readonly Buffer[];
  private readonly challenge: string;

  constructor(
    read: (caller: CallerHeaders) => string | undefined,
    secrets: readonly string[],
    challenge: string,
  ) {
    super();
    this.read = read;
    this.digests = secrets.map((secret) => digestOf(Buffer.from(secret, 'utf8')));
    this.challenge = challenge;
  }

  accepts(caller: CallerHeaders): boolean {
    const value = this.read(caller);
    return value !== undefined && isOneOf(value, this.digests);
  }

  override authenticate(caller: CallerHeaders): void {
    if (this.accepts(caller)) this.success({});
    else this.fail(this.challenge);
  }
}

/** The user and the password of Basic authentication (RFC 7617). The password may contain colons. */
function basicPairOf(caller: CallerHeaders): string | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(onlyHeader(caller, 'authorization') ?? '') ?? [];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('latin1');
}

/** A Bearer token (RFC 6750), in the header only. */
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
 * Makes a check of access tokens that a custom authorization server issued to Okta as the configured client. It resolves to
 * `undefined` for a valid token, else to the `error` part of the challenge. It rejects with a RequestError
 * `PROOF_UNAVAILABLE` if the token could not be checked.
 */
function createTokenCheck(
  expected: Extract<HookScheme, { scheme: 'oauth2' }>,
  keys: HookKeys,
  clock: () => number,
): (token: string) => Promise<string | undefined> {
  const isOurs = ({ cid, scp }: Readonly<Record<string, unknown>>): boolean =>
    cid === expected.clientId && Array.isArray(scp) && scp.includes(expected.scope);

  /** The checks that need no key: a forged token must not make us fetch keys. */
  const mayBeValid = (token: string): boolean => {
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
    if (!mayBeValid(token)) return '';
    const { issuer, audience } = expected;
    try {
      const payload = await keys.verify(token, { issuer, audience, now: new Date(clock()) });
      // Every client of the server gets tokens with this issuer and audience, so the client and the scope decide.
      const isValid = isOurs(payload) && typeof payload.exp === 'number';
      return isValid ? undefined : ', error="insufficient_scope"';
    } catch (error) {
      if (error instanceof JOSEError) return ', error="invalid_token"';
      throw error;
    }
  };
}

/** A header's value if the header came exactly once; two values may differ, so neither counts. */
export function onlyHeader(req: CallerHeaders, name: string): string | undefined {
  const { rawHeaders } = req;
  // Requests of serverless adapters may have no raw headers.
  if (rawHeaders === undefined || rawHeaders.length === 0) {
    const value = req.headers[name];
    return Array.isArray(value) ? (value.length === 1 ? value[0] : undefined) : value;
  }
  let found: string | undefined;
  // Names and values alternate.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== name) continue;
    if (found !== undefined) return undefined;
    found = rawHeaders[index + 1];
  }
  return found;
}

/** Compares with every digest, in a time that does not depend on which one matches, or on how much of it. */
function isOneOf(value: string, digests: readonly Buffer[]): boolean {
  // Node reads header bytes as latin1. The configured secret is digested as UTF-8.
  const digest = digestOf(Buffer.from(value, 'latin1'));
  let isFound = false;
  for (const known of digests) isFound = timingSafeEqual(digest, known) || isFound;
  return isFound;
}

/** In hexadecimal: a digest as bytes takes twice as long on Node 24, and memory outside the heap. */
function digestOf(bytes: Buffer): Buffer {
  return Buffer.from(hash('sha256', bytes, 'hex'), 'latin1');
}
