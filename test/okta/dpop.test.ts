import { createHash, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import type { OktaApiClient } from '#lib/okta/api-client.js';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import {
  assertionOf,
  clientOf,
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

const boundToken = (value = 't', headers = {}): Answer => ({
  status: 200,
  body: { token_type: 'DPoP', expires_in: 3600, access_token: value },
  headers,
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

describe('a DPoP token', () => {
  describe('from the emulator', () => {
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
      const client = clientOf(agents, { orgUrl: okta.orgUrl, ...SERVICE_APP }, { clock });
      okta.requests.length = 0;
      return async () =>
        (await client.request({ method: 'GET', path: '/api/v1/users/00u1?fields=id', timeoutMs: 2_000 }))
          .status;
    };

    it('is requested without a proof, with one, and with a nonce; then every call has a proof', async () => {
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

    it('takes one request to renew, and two after the nonce has changed', async () => {
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

    it('is issued even if the clock is six minutes off, before or after the first call', async () => {
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

  describe('by the protocol', () => {
    let okta: ScriptedOkta;
    let client: OktaApiClient;
    before(async () => {
      okta = await startScriptedOkta();
    });
    after(() => okta.close());
    beforeEach(() => {
      client = clientOf(okta, { orgUrl: okta.origin, ...SERVICE_APP });
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

    it('takes two requests if the first refusal contains the nonce', async () => {
      answer((request) => (proofOf(request)?.['nonce'] === 'n1' ? boundToken() : wantsNonce('n1')));
      await get();
      expect(okta.requests).to.have.length(3);
      for (const request of okta.requests.slice(1)) expect(proofOf(request)?.iat).to.equal(NOW / 1000);
    });

    it('is given up if Okta requires the same nonce again, or a new one each time', async () => {
      answer((request) => (proofOf(request) === undefined ? missingProof : wantsNonce('n1')));
      expect(await failureOf(get())).to.include({ code: 'OKTA_HTTP_ERROR', status: 400 });
      expect(okta.requests).to.have.length(3);
      let nonces = 0;
      client = clientOf(okta, { orgUrl: okta.origin, ...SERVICE_APP });
      answer(() => wantsNonce(`n${(nonces += 1)}`));
      expect((await failureOf(get())).message).to.contain('use_dpop_nonce');
      expect(okta.requests).to.have.length(4);
    });

    it('is replaced by a Bearer token, used without a proof, if Okta answers a proof with one', async () => {
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

    it("answers the API's nonce challenge once, with the same token", async () => {
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

    it('uses the nonce of an answer, also of a success, for the server that gave it only', async () => {
      let token = 0;
      let isRefused = false;
      const nonce = { 'DPoP-Nonce': 'token-2' };
      answer(
        (request) => (proofOf(request) === undefined ? missingProof : boundToken(`t${(token += 1)}`, nonce)),
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
      expect(proofOf(renewal)).to.have.property('nonce', 'token-2');
      const calls = okta.requests.filter((request) => !isTokenRequest(request));
      expect(calls.map((request) => proofOf(request)?.['nonce'])).to.deep.equal([
        undefined,
        'api-2',
        'api-2',
      ]);
      expect(calls.at(-1)?.headers.authorization).to.equal('DPoP t2');
    });

    it('fails with OKTA_UNREADABLE if Okta answers a proof with another token type', async () => {
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
      /** The token of each API call, and the nonce of its proof. */
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
        ['is used again with the nonce that a 401 requires', refusal(401, NONCE, 'api-1'), REPEATED],
        ['is used again with the nonce that a 400 requires', refusal(400, NONCE, 'api-1'), REPEATED],
        [
          'is used again with the nonce of a 401 without a challenge',
          refusal(401, undefined, 'api-1'),
          REPEATED,
        ],
        [
          'is used again with the nonce of a 401 whose challenge has no error',
          refusal(401, 'DPoP', 'api-1'),
          REPEATED,
        ],
        [
          'is replaced if the error is not about the nonce',
          refusal(401, 'DPoP error="invalid_token"', 'api-1'),
          [FIRST, ['DPoP t2', 'api-1']],
        ],
        [
          'is replaced if the API requires a nonce and gives none',
          refusal(401, NONCE),
          [FIRST, ['DPoP t2', undefined]],
        ],
        ...['a b', '"a', 'a"'].map(
          (nonce) =>
            [
              `is replaced if the nonce is invalid: ${nonce}`,
              refusal(401, NONCE, nonce),
              [FIRST, ['DPoP t2', undefined]],
            ] as const,
        ),
        [
          'is replaced if a 400 says that the proof is invalid',
          refusal(400, 'DPoP error="invalid_dpop_proof"'),
          [FIRST, ['DPoP t2', undefined]],
        ],
        ['stays after a 400 with a nonce and no challenge', refusal(400, undefined, 'api-1'), [FIRST]],
        [
          'stays after a 400 with a nonce and a challenge without an error',
          refusal(400, 'DPoP', 'api-1'),
          [FIRST],
        ],
        ['stays after a 400 about something else', refusal(400), [FIRST]],
        ['stays after a 403 that requires a nonce', refusal(403, NONCE, 'api-1'), [FIRST]],
        [
          'stays after a 403 that says that the proof is invalid',
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

      it('is used again once, then replaced once, if every answer requires a new nonce', async () => {
        let nonce = 0;
        answer(bind(), () => refusal(401, NONCE, `n${(nonce += 1)}`));
        expect((await failureOf(get())).code).to.equal('OKTA_UNAUTHORIZED');
        expect(seen()).to.deep.equal([FIRST, ['DPoP t1', 'n1'], ['DPoP t2', 'n2']]);
      });

      it('is replaced if it is a Bearer token, even if the API requires a nonce', async () => {
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
