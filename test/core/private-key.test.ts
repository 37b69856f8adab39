import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { readPrivateKey } from '#lib/core/private-key.js';
import { rsaKeys } from '#harness/rsa-keys.js';

const rsa = rsaKeys();
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function pemOf(key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1'): string {
  return key.export({ type, format: 'pem' }).toString();
}

describe('readPrivateKey()', () => {
  it('reads a PEM in PKCS#8, PKCS#1 and SEC1', () => {
    for (const pem of [pemOf(rsa.privateKey, 'pkcs8'), pemOf(rsa.privateKey, 'pkcs1')]) {
      const { privateKey, algorithm, keyId } = readPrivateKey(pem);
      expect(privateKey.equals(rsa.privateKey)).to.equal(true);
      expect(algorithm).to.equal('RS256');
      expect(keyId).to.equal(undefined);
    }
    for (const pem of [pemOf(ec.privateKey, 'pkcs8'), pemOf(ec.privateKey, 'sec1')]) {
      expect(readPrivateKey(pem).algorithm).to.equal('ES256');
    }
  });

  it('reads a PEM on one line, as in an environment file', () => {
    const pem = pemOf(rsa.privateKey, 'pkcs8').trim().replaceAll('\n', '\\n');
    expect(readPrivateKey(pem).privateKey.equals(rsa.privateKey)).to.equal(true);
  });

  it('reads a JWK as an object and as JSON, with the id of the JWK', () => {
    const jwk = { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'key-1' };
    for (const key of [jwk, JSON.stringify(jwk), ` ${JSON.stringify(jwk, undefined, 2)}\n`]) {
      const read = readPrivateKey(key);
      expect(read.privateKey.equals(rsa.privateKey)).to.equal(true);
      expect(read.keyId).to.equal('key-1');
    }
    for (const kid of ['', 7, null]) expect(readPrivateKey({ ...jwk, kid }).keyId).to.equal(undefined);
  });

  it('uses the algorithm of the JWK, or that of the curve', () => {
    const jwk = rsa.privateKey.export({ format: 'jwk' });
    for (const alg of ['RS256', 'RS384', 'RS512']) {
      expect(readPrivateKey({ ...jwk, alg }).algorithm).to.equal(alg);
    }
    for (const [namedCurve, algorithm] of [
      ['P-256', 'ES256'],
      ['P-384', 'ES384'],
      ['P-521', 'ES512'],
    ] as const) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve });
      const ecJwk = privateKey.export({ format: 'jwk' });
      expect(readPrivateKey(ecJwk).algorithm).to.equal(algorithm);
      expect(readPrivateKey({ ...ecJwk, alg: algorithm }).algorithm).to.equal(algorithm);
    }
  });

  it('refuses everything but a private key that Okta accepts, without quoting it', () => {
    const jwk = rsa.privateKey.export({ format: 'jwk' });
    const encrypted = rsa.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    });
    const refused: [string, string | object][] = [
      ['a public PEM', rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
      ['a public JWK', rsa.publicKey.export({ format: 'jwk' })],
      ['an encrypted PEM', encrypted.toString()],
      ['a short RSA key', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'pkcs8')],
      [
        'a foreign curve',
        generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({ format: 'jwk' }),
      ],
      ['Ed25519', generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })],
      ['a secret', { kty: 'oct', k: 'c2VjcmV0LXNlY3JldA' }],
      ['an algorithm for encryption', { ...jwk, alg: 'RSA-OAEP' }],
      ['an algorithm of another curve', { ...ec.privateKey.export({ format: 'jwk' }), alg: 'ES512' }],
      ['broken JSON', `{"kty":"RSA","d":"${String(jwk.d)}"`],
      ['a broken PEM', pemOf(rsa.privateKey, 'pkcs8').slice(0, 200)],
      ['a word', 'secret-word'],
      ['nothing', ''],
    ];
    for (const [what, key] of refused) {
      const quoted = typeof key === 'string' ? key.slice(30, 60) : JSON.stringify(key).slice(10, 40);
      let error: unknown;
      try {
        readPrivateKey(key);
      } catch (thrown) {
        error = thrown;
      }
      expect(error, what).to.be.instanceOf(Error);
      const { message, cause } = error as Error;
      expect(cause, what).to.equal(undefined);
      expect(message, what).to.match(/^The (RSA )?key /);
      if (quoted !== '') expect(message, what).not.to.contain(quoted);
      expect(message.includes('looks like JSON'), what).to.equal(what === 'broken JSON');
    }
  });
});
