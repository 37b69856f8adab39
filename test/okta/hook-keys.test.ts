import { expect } from 'chai';
import { SignJWT } from 'jose';
import type { Dispatcher } from 'undici';
import { RequestError } from '#lib/core/request-error.js';
import { createHookKeys, type HookKeys } from '#lib/okta/hook-keys.js';
import { until } from '#harness/until.js';
import { rsaKeys } from '#harness/rsa-keys.js';
import { makeGate, NOW, startScriptedOkta, type Answer, type ScriptedOkta } from './scripted-okta.js';

const ISSUER = 'https://acme.okta.com/oauth2/default';
const AUDIENCE = 'api://default';
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

const KEYS = new Map([
  ['first', rsaKeys(0)],
  ['second', rsaKeys(1)],
]);

/** The issuer's answer with these keys. */
const keySet = (...names: string[]): Answer => ({
  status: 200,
  body: {
    keys: names.map((kid) => ({ ...KEYS.get(kid)?.publicKey.export({ format: 'jwk' }), kid, alg: 'RS256' })),
  },
});

describe("an issuer's keys", () => {
  let okta: ScriptedOkta;
  let now: number;
  let keys: HookKeys;
  /** The path of each fetch, added when it starts. */
  const begun: string[] = [];
  let ended = 0;
  const allEnded = async (): Promise<void> => {
    await until(() => ended === begun.length);
    // Then the code that waits for the last fetch runs.
    await new Promise((resolve) => setImmediate(resolve));
  };
  before(async () => {
    okta = await startScriptedOkta();
  });
  after(() => okta.close());
  beforeEach(() => {
    now = NOW;
    begun.length = 0;
    ended = 0;
    const noting: Pick<Dispatcher, 'dispatch'> = {
      dispatch: (options, handler) => {
        begun.push(options.path);
        const end = handler.onResponseEnd?.bind(handler);
        handler.onResponseEnd = (...args) => {
          end?.(...args);
          ended += 1;
        };
        return okta.dispatcher.dispatch(options, handler);
      },
    };
    keys = createHookKeys({
      jwksUri: new URL(`${okta.origin}/oauth2/default/v1/keys?of=hook`),
      // A fetch uses only dispatch().
      dispatcher: noting,
      clock: () => now,
      waitMs: 2_000,
    });
    okta.answerWith(() => keySet('first'));
  });

  /** Times of the claims are seconds from now. */
  const sign = (kid = 'first', claims: { exp?: number; nbf?: number } = {}): Promise<string> => {
    const seconds = now / 1000;
    const { exp = 3600, nbf = 0 } = claims;
    return new SignJWT({ sub: 'okta' })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(seconds + exp)
      .setNotBefore(seconds + nbf)
      .sign((KEYS.get(kid) ?? rsaKeys(2)).privateKey);
  };
  const check = async (token: string | Promise<string> = sign()): Promise<unknown> => {
    const given = await token;
    try {
      return (await keys.verify(given, { issuer: ISSUER, audience: AUDIENCE, now: new Date(now) })).sub;
    } catch (error) {
      return error;
    }
  };
  const isUnavailable = (outcome: unknown, why: string): void => {
    expect(outcome).to.be.instanceOf(RequestError).with.property('code', 'PROOF_UNAVAILABLE');
    const { cause, message } = outcome as RequestError;
    expect((cause as Error).message).to.equal(why);
    expect(message).to.equal('The caller cannot be checked at the moment.');
  };

  it('are fetched once, as JSON, with the full path and query of their URL', async () => {
    expect(await Promise.all([check(), check()])).to.deep.equal(['okta', 'okta']);
    expect(await check()).to.equal('okta');
    expect(begun).to.deep.equal(['/oauth2/default/v1/keys?of=hook']);
    expect(okta.requests[0]).to.include({ method: 'GET' });
    expect(okta.requests[0]?.headers.accept).to.equal('application/json');
  });

  it('are fetched once more if the connection ends before an answer', async () => {
    okta.answerWith(() => (okta.requests.length === 1 ? 'reset' : keySet('first')));
    expect(await check()).to.equal('okta');
    expect(okta.requests).to.have.length(2);
  });

  it('are fetched for a new key id even if the clock was set back by an hour, or twice by five minutes', async () => {
    await check();
    for (const [name, minutes] of [
      ['second', 60],
      ['first', 5],
      ['second', 5],
    ] as const) {
      now -= minutes * MINUTE_MS;
      okta.answerWith(() => keySet(name));
      expect(await check(sign(name))).to.equal('okta');
    }
  });

  it('are fetched again after a failure even if the clock was set back by an hour', async () => {
    okta.answerWith(() => ({ status: 500, body: {} }));
    expect(await check()).to.be.instanceOf(RequestError);
    now -= 60 * MINUTE_MS;
    okta.answerWith(() => keySet('first'));
    expect(await check()).to.equal('okta');
  });

  it('are renewed in the background when they are older than ten minutes', async () => {
    await check();
    now += 10 * MINUTE_MS;
    await check();
    expect(begun).to.have.length(1);
    const gate = makeGate();
    okta.answerWith(async () => {
      await gate.opened;
      return keySet('second');
    });
    now += 1;
    expect(await check(), 'the known keys serve meanwhile').to.equal('okta');
    expect(begun).to.have.length(2);
    gate.open();
    await allEnded();
    expect(await check(sign('second'))).to.equal('okta');
    expect(begun).to.have.length(2);
  });

  it('serve past ten minutes while the issuer fails, with one fetch every 30 s', async () => {
    await check();
    okta.answerWith(() => ({ status: 500 }));
    now += 10 * MINUTE_MS + 1;
    for (const [waitMs, fetches] of [
      [0, 2],
      [29_999, 2],
      [1, 3],
    ] as const) {
      now += waitMs;
      expect(await check()).to.equal('okta');
      expect(begun).to.have.length(fetches);
      await allEnded();
    }
  });

  it('are fetched again one second after a failure, not before', async () => {
    okta.answerWith(() => ({ status: 500 }));
    isUnavailable(await check(), "the issuer's keys could not be fetched (status 500)");
    now += SECOND_MS - 1;
    isUnavailable(await check(), 'the keys could not be fetched a moment ago');
    expect(begun).to.have.length(1);
    okta.answerWith(() => keySet('first'));
    now += 1;
    expect(await check()).to.equal('okta');
  });

  for (const [what, answer, why] of [
    ['does not come', 'hang', "the issuer's keys could not be fetched (TIMEOUT)"],
    [
      'has another status than 200',
      { ...(keySet('first') as object), status: 201 },
      "the issuer's keys could not be fetched (status 201)",
    ],
    ['is not JSON', { status: 200, body: '<html>' }, "the issuer's keys cannot be read"],
    ...[{}, { keys: {} }, { keys: [null] }, [], 'keys'].map(
      (body) =>
        [
          `is not a key set: ${JSON.stringify(body)}`,
          { status: 200, body: JSON.stringify(body) },
          "the issuer's keys cannot be read",
        ] as const,
    ),
    [
      'contains a malformed key',
      { status: 200, body: { keys: [{ kty: 'RSA', n: '-', e: 'AQAB', kid: 'first', alg: 'RS256' }] } },
      "the issuer's key cannot be used",
    ],
  ] as const satisfies readonly (readonly [string, Answer, string])[]) {
    it(`are unavailable if the issuer's answer ${what}`, async () => {
      okta.answerWith(() => answer);
      keys = createHookKeys({
        jwksUri: new URL(`${okta.origin}/keys`),
        dispatcher: okta.dispatcher,
        clock: () => now,
        waitMs: answer === 'hang' ? 50 : 2_000,
      });
      const outcome = await check();
      isUnavailable(outcome, why);
      // The library's own error is one cause deeper.
      const { cause } = (outcome as RequestError).cause as Error;
      expect(cause instanceof Error).to.equal(!why.includes('fetched'));
    });
  }

  it('are fetched for unknown key ids at most every 30 s', async () => {
    await check();
    for (const [waitMs, fetches] of [
      [0, 2],
      [29_999, 2],
      [1, 3],
    ] as const) {
      now += waitMs;
      expect(await check(sign('made-up'))).to.have.property('code', 'ERR_JWKS_NO_MATCHING_KEY');
      expect(begun).to.have.length(fetches);
    }
  });

  it('stay in use if the issuer fails during the fetch for an unknown key id', async () => {
    await check();
    okta.answerWith(() => ({ status: 500 }));
    expect(await check(sign('second'))).to.have.property('code', 'ERR_JWKS_NO_MATCHING_KEY');
    expect(await check()).to.equal('okta');
  });

  it('stay in use if the issuer answers without a key that signs tokens', async () => {
    await check();
    const [good] = (keySet('first') as { body: { keys: readonly object[] } }).body.keys;
    for (const others of [
      [],
      [{ ...good, use: 'enc' }],
      [{ ...good, alg: 'RSA-OAEP' }],
      [{ ...good, n: false }],
      [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
    ]) {
      okta.answerWith(() => ({ status: 200, body: { keys: others } }));
      now += 10 * MINUTE_MS + 1;
      expect(await check(), JSON.stringify(others)).to.equal('okta');
      await allEnded();
      expect(await check(), JSON.stringify(others)).to.equal('okta');
      isUnavailable(
        await keys.refresh().catch((error: unknown) => error),
        "the issuer's answer has no key that signs tokens",
      );
    }
    okta.answerWith(() => keySet('second'));
    expect(await check(sign('second')), 'new keys replace them').to.equal('okta');
  });

  it('accept a token whose times are up to ten seconds off by the given clock', async () => {
    for (const [claims, holds] of [
      [{ exp: -9 }, true],
      [{ exp: -10 }, false],
      [{ nbf: 10 }, true],
      [{ nbf: 11 }, false],
    ] as const) {
      const outcome = await check(sign('first', claims));
      expect(outcome === 'okta', JSON.stringify(claims)).to.equal(holds);
    }
  });

  it('delay a request by at most waitMs: the fetch goes on and serves the next one', async () => {
    const gate = makeGate();
    okta.answerWith(async () => {
      await gate.opened;
      return keySet('first');
    });
    keys = createHookKeys({
      jwksUri: new URL(`${okta.origin}/keys`),
      dispatcher: okta.dispatcher,
      clock: () => now,
      waitMs: 30,
    });
    const fetched = keys.refresh();
    isUnavailable(await check(), "the issuer's keys could not be fetched (TIMEOUT)");
    isUnavailable(await check(), "the issuer's keys could not be fetched (TIMEOUT)");
    gate.open();
    await fetched;
    expect(await check()).to.equal('okta');
    expect(okta.requests).to.have.length(1);
  });

  it('are fetched by refresh() before the first token; its rejection says why a fetch failed', async () => {
    await keys.refresh();
    await check();
    expect(begun).to.have.length(1);
    okta.answerWith(() => ({ status: 503 }));
    const failure: unknown = await keys.refresh().catch((error: unknown) => error);
    isUnavailable(failure, "the issuer's keys could not be fetched (status 503)");
  });
});
