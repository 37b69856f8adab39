import { createHash, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { createOktaApiClient, type OktaApiClient } from '#lib/okta/api-client.js';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import {
  assertionOf,
  failureOf,
  isTokenRequest,
  NOW,
  proofOf,
  startScriptedOkta,
  type Answer,
  type ScriptedOkta,
  type SeenRequest,
} from './scripted-okta.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SERVICE_APP = { clientId: '0oaDpop', privateKey, algorithm: 'ES256', keyId: undefined } as const;

const boundToken = (value = 't'): Answer => ({
  status: 200,
  body: { token_type: 'DPoP', expires_in: 3600, access_token: value },
});
const missingProof: Answer = {
  status: 400,
  body: { error: 'invalid_dpop_proof', error_description: 'The DPoP proof JWT header is missing.' },
};
const wantsNonce = (nonce: string): Answer => ({
  status: 400,
  body: { error: 'use_dpop_nonce' },
  headers: { 'DPoP-Nonce': nonce },
});

describe('a token that is bound to a key', () => {
  describe('at the emulator, which checks every proof', () => {
    let okta: OktaEmulator;
    let agents: ScriptedOkta;
    before(async () => {
      [okta, agents] = await Promise.all([startOktaEmulator(), startScriptedOkta()]);
      okta.registerServiceApp({
        clientId: SERVICE_APP.clientId,
        publicJwk: publicKey.export({ format: 'jwk' }),
        requireDpop: true,
      });
      okta.addUser({ id: '00u1', login: 'ana@example.com' });
    });
    after(() => Promise.all([okta.close(), agents.close()]));
    const connect = (clock: () => number = Date.now): (() => Promise<number>) => {
      const client = createOktaApiClient({
        credentials: { orgUrl: okta.orgUrl, ...SERVICE_APP },
        dispatcher: agents.dispatcher,
        clock,
        connectTimeoutMs: 500,
      });
      okta.requests.length = 0;
      return async () =>
        (await client.request({ method: 'GET', path: '/api/v1/users/00u1?fields=id', timeoutMs: 2_000 }))
          .status;
    };

    it('is asked for without a proof, with one, and with its nonce; then every call proves the key', async () => {
      const get = connect();
      expect(await Promise.all([get(), get(), get()])).to.deep.equal([200, 200, 200]);
      const proofs = okta.requests.map((request) => proofOf(request));
      expect(proofs).to.have.length(6);
      expect(proofs[0]).to.equal(undefined);
      expect(proofs[1]).to.have.property('htm', 'POST').and.not.to.have.property('nonce');
      expect(proofs[2]).to.have.property('nonce').that.is.a('string');
      const ids = [
        ...proofs.slice(1).map((proof) => proof?.jti),
        ...okta.requests.slice(0, 3).map((r) => assertionOf(r).jti),
      ];
      expect(new Set(ids).size, 'every proof and assertion is new').to.equal(8);
      for (const request of okta.requests.slice(3)) {
        const token = /^DPoP (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
        const proof = proofOf(request);
        expect(proof).to.include({ htm: 'GET', htu: `${okta.orgUrl}/api/v1/users/00u1`, typ: 'dpop+jwt' });
        expect(proof?.['ath']).to.equal(createHash('sha256').update(token).digest('base64url'));
        expect(proof?.jwk).to.have.all.keys('kty', 'crv', 'x', 'y').and.deep.equal(proofs[1]?.jwk);
      }
    });

    it('costs one request when it is renewed, and two after the nonce has changed', async () => {
      const get = connect();
      await get();
      okta.requests.length = 0;
      okta.revokeTokens();
      expect(await get()).to.equal(200);
      expect(okta.requests.filter(({ method }) => method === 'POST')).to.have.length(1);
      okta.requests.length = 0;
      okta.revokeTokens();
      okta.rotateDpopNonce();
      expect(await get()).to.equal(200);
      expect(okta.requests.filter(({ method }) => method === 'POST')).to.have.length(2);
    });

    it('is had in spite of a clock that is six minutes off, before and after the first call', async () => {
      for (const skewMs of [-360_000, 360_000]) {
        expect(await connect(() => Date.now() + skewMs)()).to.equal(200);
        let laterMs = 0;
        const get = connect(() => Date.now() + laterMs);
        await get();
        laterMs = skewMs;
        expect(await get()).to.equal(200);
      }
    });
  });

  describe('in the cases of the protocol', () => {
    let okta: ScriptedOkta;
    let client: OktaApiClient;
    before(async () => {
      okta = await startScriptedOkta();
    });
    after(() => okta.close());
    beforeEach(() => {
      client = createOktaApiClient({
        credentials: { orgUrl: okta.origin, ...SERVICE_APP },
        dispatcher: okta.dispatcher,
        clock: () => NOW,
        connectTimeoutMs: 500,
      });
    });
    const get = (): ReturnType<OktaApiClient['request']> =>
      client.request({ method: 'GET', path: '/api/v1/users/00u1', timeoutMs: 2_000 });
    const answer = (
      onToken: (request: SeenRequest) => Answer,
      onApi: (request: SeenRequest) => Answer = () => ({ status: 200 }),
    ): void => {
      okta.answerWith((request) => (isTokenRequest(request) ? onToken(request) : onApi(request)));
    };
    const bindWithoutNonce = (request: SeenRequest): Answer =>
      proofOf(request) === undefined ? missingProof : boundToken();

    it('needs two requests where the first refusal brings the nonce', async () => {
      answer((request) => (proofOf(request)?.['nonce'] === 'n1' ? boundToken() : wantsNonce('n1')));
      await get();
      expect(okta.requests).to.have.length(3);
      for (const request of okta.requests.slice(1)) expect(proofOf(request)?.iat).to.equal(NOW / 1000);
    });

    it('ends where Okta wants the nonce that it was given, and where it takes no proof', async () => {
      answer((request) => (proofOf(request) === undefined ? missingProof : wantsNonce('n1')));
      expect(await failureOf(get())).to.include({ code: 'OKTA_HTTP_ERROR', status: 400 });
      expect(okta.requests).to.have.length(3);
      let nonces = 0;
      client = createOktaApiClient({
        credentials: { orgUrl: okta.origin, ...SERVICE_APP },
        dispatcher: okta.dispatcher,
        clock: () => NOW,
        connectTimeoutMs: 500,
      });
      answer(() => wantsNonce(`n${(nonces += 1)}`));
      expect((await failureOf(get())).message).to.contain('use_dpop_nonce');
      expect(okta.requests).to.have.length(4);
    });

    it('is a plain one where Okta says so, proof or not', async () => {
      answer((request) =>
        proofOf(request) === undefined
          ? missingProof
          : { status: 200, body: { token_type: 'bearer', expires_in: 3600, access_token: 't' } },
      );
      await get();
      const { headers } = okta.requests.at(-1)!;
      expect(headers.authorization).to.equal('Bearer t');
      expect(headers['dpop']).to.equal(undefined);
    });

    it('answers a nonce challenge of the API once, with the same token', async () => {
      answer(bindWithoutNonce, (request) =>
        proofOf(request)?.['nonce'] === 'api-1'
          ? { status: 200 }
          : {
              status: 401,
              headers: { 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"', 'DPoP-Nonce': 'api-1' },
            },
      );
      await get();
      expect(okta.requests.filter(isTokenRequest)).to.have.length(2);
      expect(okta.requests).to.have.length(4);
      await get();
      expect(okta.requests, 'the nonce is kept').to.have.length(5);
    });

    it('takes a nonce from a success too, and leaves it to where it came from', async () => {
      let token = 0;
      let isRefused = false;
      answer(
        (request) => (proofOf(request) === undefined ? missingProof : boundToken(`t${(token += 1)}`)),
        () => {
          const status = isRefused ? 401 : 200;
          isRefused = false;
          return {
            status,
            headers: { 'DPoP-Nonce': 'api-2', 'WWW-Authenticate': 'DPoP error="invalid_token"' },
          };
        },
      );
      await get();
      isRefused = true;
      await get();
      const [renewal] = okta.requests.filter(isTokenRequest).slice(-1);
      expect(proofOf(renewal)).not.to.have.property('nonce');
      const calls = okta.requests.filter((request) => !isTokenRequest(request));
      expect(calls.map((request) => proofOf(request)?.['nonce'])).to.deep.equal([
        undefined,
        'api-2',
        'api-2',
      ]);
      expect(calls.at(-1)?.headers.authorization).to.equal('DPoP t2');
    });

    it('is none where what was bound to the key is of another kind', async () => {
      answer((request) =>
        proofOf(request) === undefined
          ? missingProof
          : { status: 200, body: { token_type: 'mac', expires_in: 3600, access_token: 't' } },
      );
      expect((await failureOf(get())).code).to.equal('OKTA_UNREADABLE');
    });

    describe('that the API refuses', () => {
      const FIRST = ['DPoP t1', undefined];
      const REPEATED = [FIRST, ['DPoP t1', 'api-1']];
      const NONCE = 'DPoP error="use_dpop_nonce"';
      /** What each call of the API came with: its token, and the nonce of its proof. */
      const seen = (): unknown[] =>
        okta.requests
          .filter((request) => !isTokenRequest(request))
          .map((request) => [request.headers.authorization, proofOf(request)?.['nonce']]);
      const bind = (): ((request: SeenRequest) => Answer) => {
        let token = 0;
        return (request) => (proofOf(request) === undefined ? missingProof : boundToken(`t${(token += 1)}`));
      };
      const refusal = (status: number, challenge?: string, nonce?: string): Answer => ({
        status,
        headers: {
          ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
          ...(nonce === undefined ? {} : { 'DPoP-Nonce': nonce }),
        },
      });

      for (const [what, refused, calls] of [
        ['is repeated with the nonce that a 401 asks for', refusal(401, NONCE, 'api-1'), REPEATED],
        ['is repeated with the nonce that a 400 asks for', refusal(400, NONCE, 'api-1'), REPEATED],
        ['is repeated with the nonce of a 401 without a word', refusal(401, undefined, 'api-1'), REPEATED],
        ['is repeated with the nonce of a 401 without an error', refusal(401, 'DPoP', 'api-1'), REPEATED],
        [
          'is replaced where the error is another one',
          refusal(401, 'DPoP error="invalid_token"', 'api-1'),
          [FIRST, ['DPoP t2', 'api-1']],
        ],
        [
          'is replaced where a nonce is asked for and none is given',
          refusal(401, NONCE),
          [FIRST, ['DPoP t2', undefined]],
        ],
        ...['a b', '"a', 'a"'].map(
          (nonce) =>
            [
              `is replaced where the nonce is none: ${nonce}`,
              refusal(401, NONCE, nonce),
              [FIRST, ['DPoP t2', undefined]],
            ] as const,
        ),
        [
          'is replaced where a 400 says that the proof does not hold',
          refusal(400, 'DPoP error="invalid_dpop_proof"'),
          [FIRST, ['DPoP t2', undefined]],
        ],
        ['stays where a 400 has a nonce and no word', refusal(400, undefined, 'api-1'), [FIRST]],
        ['stays where a 400 has a nonce and no error', refusal(400, 'DPoP', 'api-1'), [FIRST]],
        ['stays where a 400 is about something else', refusal(400), [FIRST]],
        ['stays at a 403, whatever that asks for', refusal(403, NONCE, 'api-1'), [FIRST]],
        [
          'stays at a 403, whatever that says of the proof',
          refusal(403, 'DPoP error="invalid_dpop_proof"'),
          [FIRST],
        ],
      ] as const) {
        it(what, async () => {
          answer(bind(), (request) =>
            request.headers.authorization === 'DPoP t1' && proofOf(request)?.['nonce'] !== 'api-1'
              ? refused
              : { status: 200 },
          );
          await (calls.length === 1 ? failureOf(get()) : get());
          expect(seen()).to.deep.equal(calls);
        });
      }

      it('is repeated once, then replaced once, where every answer wants another nonce', async () => {
        let nonce = 0;
        answer(bind(), () => refusal(401, NONCE, `n${(nonce += 1)}`));
        expect((await failureOf(get())).code).to.equal('OKTA_UNAUTHORIZED');
        expect(seen()).to.deep.equal([FIRST, ['DPoP t1', 'n1'], ['DPoP t2', 'n2']]);
      });

      it('is replaced where it is bound to no key, whatever nonce is asked for', async () => {
        let token = 0;
        answer(
          () => ({
            status: 200,
            body: { token_type: 'Bearer', expires_in: 3600, access_token: `t${(token += 1)}` },
          }),
          ({ headers }) =>
            headers.authorization === 'Bearer t1' ? refusal(401, NONCE, 'n') : { status: 200 },
        );
        await get();
        expect(seen()).to.deep.equal([
          ['Bearer t1', undefined],
          ['Bearer t2', undefined],
        ]);
      });
    });
  });
});
