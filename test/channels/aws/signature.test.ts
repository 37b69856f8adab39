import { expect } from 'chai';
import { signRequest } from '#lib/channels/aws/signature.js';

/**
 * AWS's published test suite for Signature Version 4 (`aws-sig-v4-test-suite`): its cases that post to the root. They are signed
 * for the service `service` at this time, with these keys.
 */
const SIGNING = {
  credentials: {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  },
  region: 'us-east-1',
  service: 'service',
  nowMs: Date.parse('2015-08-30T12:36:00Z'),
};

const SESSION_TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';

const NAME = 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request';
const host = 'example.amazonaws.com';

describe('the signature of a request to AWS', () => {
  for (const [title, headers, body, credentials, names, signature] of [
    [
      'post-vanilla',
      {},
      '',
      {},
      'host;x-amz-date',
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    ],
    [
      'post-header-key-sort',
      { 'my-header1': 'value1' },
      '',
      {},
      'host;my-header1;x-amz-date',
      'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
    ],
    [
      'post-x-www-form-urlencoded',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'Param1=value1',
      {},
      'content-type;host;x-amz-date',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
    [
      'post-sts-header-before',
      {},
      '',
      { sessionToken: SESSION_TOKEN },
      'host;x-amz-date;x-amz-security-token',
      '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
    ],
  ] as const) {
    it(`is that of the case ${title} of AWS's test suite`, () => {
      const sent = signRequest(
        { host, headers, body },
        { ...SIGNING, credentials: { ...SIGNING.credentials, ...credentials } },
      );
      expect(sent['authorization']).to.equal(`${NAME}, SignedHeaders=${names}, Signature=${signature}`);
      expect(sent['x-amz-date']).to.equal('20150830T123600Z');
    });
  }
});
