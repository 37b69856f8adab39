import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A key with a certificate that it has signed itself: Node makes keys, but no certificates. */
export interface SelfSigned {
  readonly privateKey: KeyObject;
  readonly pem: string;
}

const TAG = {
  integer: 2,
  bitString: 3,
  null: 5,
  oid: 6,
  utf8: 12,
  utcTime: 23,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
};

/** One element of DER (X.690): its tag, its length and its content. */
function der(tag: keyof typeof TAG, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(content.length);
  const size = bytes.subarray(bytes.findIndex((byte) => byte > 0));
  const length = content.length < 128 ? [content.length] : [0x80 + size.length, ...size];
  return Buffer.concat([Buffer.from([TAG[tag], ...length]), content]);
}

const RSA_WITH_SHA256 = der('sequence', der('oid', Buffer.from('2a864886f70d01010b', 'hex')), der('null'));
const COMMON_NAME = der('oid', Buffer.from('550403', 'hex'));

/** @param name - the common name of its subject. */
export function selfSigned(name: string, modulusLength = 2048): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  const subject = der('sequence', der('set', der('sequence', COMMON_NAME, der('utf8', Buffer.from(name)))));
  const validity = ['200101000000Z', '491231235959Z'].map((time) => der('utcTime', Buffer.from(time)));
  const unsigned = der(
    'sequence',
    der('version', der('integer', Buffer.from([2]))),
    der('integer', Buffer.from([1])),
    RSA_WITH_SHA256,
    subject,
    der('sequence', ...validity),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('RSA-SHA256', unsigned, privateKey);
  const whole = der('sequence', unsigned, RSA_WITH_SHA256, der('bitString', Buffer.from([0]), signature));
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return { privateKey, pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n` };
}
