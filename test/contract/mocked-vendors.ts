import { decodeJwt } from 'jose';
import { isSchema } from './own-checks.js';
import { readBody, type SeenAnswer, type SeenRequest, type VendorDocument } from './prism.js';
import type { Upstream } from './proxy.js';

/** Answers with the examples of the documents. */
export function mocked(documents: readonly VendorDocument[]): Upstream {
  return async (request) => {
    for (const document of documents) {
      const answer = await document.mock(request);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
}

/** The token endpoint, which no document has. */
export const TOKEN_PATH = '/oauth2/v1/token';

/** The opt-in attribute of the example's user: a custom attribute, as the document allows. */
export const OPT_IN = 'whatsAppOptIn';

/** Plays Okta by its document, with a token endpoint. The user of the example has opted in. */
export interface MockedOrg {
  readonly upstream: Upstream;
  readonly user: { readonly userId: string; readonly login: string };
  /** Whether tokens are bound to a key (DPoP). */
  wantsProof: boolean;
}

/** @throws Error if the document's example is no user with an id. */
export async function mockOrg(documents: readonly VendorDocument[]): Promise<MockedOrg> {
  const answerByExample = mocked(documents);
  const org: MockedOrg = {
    wantsProof: false,
    user: userOf(await answerByExample({ ...NOTHING, method: 'GET', path: '/api/v1/users/anyone' })),
    upstream: async (request) => {
      if (request.path === TOKEN_PATH) return answerToken(request, org.wantsProof);
      const answer = await answerByExample(request);
      return answer === undefined ? undefined : optIn(answer);
    },
  };
  return org;
}

const NOTHING = { query: [], headers: {}, body: '' };

function userOf(answer: SeenAnswer | undefined): MockedOrg['user'] {
  const user = answer === undefined ? undefined : readBody(answer);
  const profile = isSchema(user) ? user['profile'] : undefined;
  const userId = isSchema(user) ? user['id'] : undefined;
  const login = isSchema(profile) ? profile['login'] : undefined;
  if (typeof userId !== 'string' || typeof login !== 'string') {
    throw new Error("The example of Okta's document for getUser has no id or no login");
  }
  return { userId, login };
}

function optIn(answer: SeenAnswer): SeenAnswer {
  const user = readBody(answer);
  if (!isSchema(user) || !isSchema(user['profile'])) return answer;
  const profile = { ...user['profile'], [OPT_IN]: true };
  return { ...answer, body: JSON.stringify({ ...user, profile }) };
}

const NONCE = 'a-nonce-of-the-contract-run';

/** As in RFC 9449: requires a proof, then a proof with the nonce. */
function answerToken(request: SeenRequest, wantsProof: boolean): SeenAnswer {
  const proof = request.headers['dpop'];
  if (wantsProof && proof === undefined) return json(400, { error: 'invalid_dpop_proof' });
  if (wantsProof && proof !== undefined && decodeJwt(proof)['nonce'] !== NONCE) {
    return json(400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': NONCE });
  }
  const token_type = wantsProof ? 'DPoP' : 'Bearer';
  return json(200, {
    token_type,
    expires_in: 3600,
    access_token: 'an-access-token',
    scope: 'okta.users.read',
  });
}

function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): SeenAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
