import type { IncomingHttpHeaders } from 'node:http';
import { expect } from 'chai';
import { Agent } from 'undici';
import { RequestError } from '#lib/core/request-error.js';
import { createCallerVerifier } from '#lib/okta/verify-caller.js';
import { HOOK_SECRET } from '#harness/scene.js';

describe('a caller whose request has no raw headers, as from a serverless adapter,', () => {
  const dispatcher = new Agent();
  after(() => dispatcher.close());
  const verifier = createCallerVerifier(
    [{ scheme: 'header', name: 'X-Okta-Hook', secrets: [HOOK_SECRET, 'previous'] }],
    { dispatcher, clock: Date.now, keysWaitMs: 100 },
  );
  // Node never gives this header as an array, but an adapter may.
  const verify = (headers: IncomingHttpHeaders): unknown => {
    try {
      return verifier.verify({ headers, rawHeaders: [] }) ?? 'passes';
    } catch (error) {
      return error instanceof RequestError ? error.code : error;
    }
  };

  for (const [what, headers, outcome] of [
    ['with the header', { 'x-okta-hook': HOOK_SECRET }, 'passes'],
    ['with the header in an array', { 'x-okta-hook': [HOOK_SECRET] }, 'passes'],
    ['with the header twice', { 'x-okta-hook': [HOOK_SECRET, HOOK_SECRET] }, 'CALLER_NOT_PROVEN'],
    ['with a wrong header', { 'x-okta-hook': 'wrong' }, 'CALLER_NOT_PROVEN'],
    ['without the header', { authorization: HOOK_SECRET }, 'CALLER_NOT_PROVEN'],
  ] as const) {
    it(`${outcome === 'passes' ? 'passes' : 'does not pass'} ${what}`, () => {
      // Node's types do not allow a readonly array.
      expect(verify(structuredClone(headers) as IncomingHttpHeaders)).to.equal(outcome);
    });
  }
});
