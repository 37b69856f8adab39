import type { Dispatcher } from 'undici';
import type { OktaApiClient } from '#lib/okta/api-client.js';
import { rsaKeys } from '#harness/rsa-keys.js';
import {
  clientOf,
  isTokenRequest,
  NOW,
  startScriptedOkta,
  type Answer,
  type ScriptedOkta,
  type SeenRequest,
} from './scripted-okta.js';

export const RSA_KEYS = rsaKeys();
export const SERVICE_APP = {
  clientId: '0oaServiceApp',
  privateKey: RSA_KEYS.privateKey,
  algorithm: 'RS256',
  keyId: 'key-1',
} as const;
export const MINUTE_MS = 60_000;

export function tokenAnswer(value: string, seconds = 3600): Answer {
  return { status: 200, body: { token_type: 'Bearer', expires_in: seconds, access_token: value } };
}

/** A service app whose clock stands still, and an org whose answers the test scripts. */
export interface ServiceAppScene {
  readonly okta: ScriptedOkta;
  /** The app's clock. */
  now: number;
  /** Starts over, without a token and with a correct clock. */
  reset(scopes?: readonly string[], dispatcher?: Dispatcher): void;
  /** Makes one API call. */
  get(timeoutMs?: number): ReturnType<OktaApiClient['request']>;
  /** What the token endpoint answers to its first, second... request, and the API to a token; 200 by default. */
  issue(
    onToken: (count: number) => Answer | Promise<Answer>,
    onApi?: (token: string) => Answer | Promise<Answer>,
  ): void;
  tokenRequests(): SeenRequest[];
  /** The `Authorization` of each API call. */
  tokensUsed(): (string | undefined)[];
  /** Waits until work in the background has made this true. */
  until(isSo: () => boolean): Promise<void>;
}

export async function startServiceAppScene(): Promise<ServiceAppScene> {
  const okta = await startScriptedOkta();
  let client: OktaApiClient;
  const scene: ServiceAppScene = {
    okta,
    now: NOW,
    reset(scopes, dispatcher = okta.dispatcher) {
      scene.now = NOW;
      client = clientOf(
        { dispatcher },
        { orgUrl: okta.origin, ...SERVICE_APP },
        {
          clock: () => scene.now,
          ...(scopes === undefined ? {} : { scopes }),
        },
      );
    },
    get: (timeoutMs = 2_000) => client.request({ method: 'GET', path: '/api/v1/users/00u1', timeoutMs }),
    issue(onToken, onApi = () => ({ status: 200 })) {
      okta.answerWith((request) =>
        isTokenRequest(request)
          ? onToken(scene.tokenRequests().length)
          : onApi((request.headers.authorization ?? '').replace(/^Bearer /, '')),
      );
    },
    tokenRequests: () => okta.requests.filter(isTokenRequest),
    tokensUsed: () =>
      okta.requests.filter((request) => !isTokenRequest(request)).map(({ headers }) => headers.authorization),
    async until(isSo) {
      while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
    },
  };
  scene.reset();
  return scene;
}
