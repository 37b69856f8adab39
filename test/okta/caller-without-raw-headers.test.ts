import type { IncomingHttpHeaders } from 'node:http';
import { expect } from 'chai';
import { Agent } from 'undici';
import { RequestError } from '#lib/core/request-error.js';
import { createCallerVerifier } from '#lib/okta/verify-caller.js';
import { HOOK_SECRET } from '#harness/scene.js';

describe('a caller whose request has no raw headers, as adapters of serverless platforms make them', () => {
  const dispatcher = new Agent();
  after(() => dispatcher.close());
  const verifier = createCallerVerifier(
    [{ scheme: 'header', name: 'X-Okta-Hook', secrets: [HOOK_SECRET, 'previous'] }],
    { dispatcher, clock: Date.now, keysWaitMs: 100 },
  );
  // A header that Node itself never gives as a list, an adapter may.
  const verify = (headers: IncomingHttpHeaders): unknown => {
    try {
      return verifier.verify({ headers, rawHeaders: [] }) ?? 'passes';
    } catch (error) {
      return error instanceof RequestError ? error.code : error;
    }
  };

  for (const [what, headers, outcome] of [
    ['with the header', { 'x-okta-hook': HOOK_SECRET }, 'passes'],
    ['with the header in a list', { 'x-okta-hook': [HOOK_SECRET] }, 'passes'],
    ['with the header twice', { 'x-okta-hook': [HOOK_SECRET, HOOK_SECRET] }, 'CALLER_NOT_PROVEN'],
    ['with a wrong one', { 'x-okta-hook': 'wrong' }, 'CALLER_NOT_PROVEN'],
    ['without it', { authorization: HOOK_SECRET }, 'CALLER_NOT_PROVEN'],
  ] as const) {
    it(`${outcome === 'passes' ? 'passes' : 'does not pass'} ${what}`, () => {
      // The types of Node know no list that cannot be changed.
      expect(verify(structuredClone(headers) as IncomingHttpHeaders)).to.equal(outcome);
    });
  }
});
