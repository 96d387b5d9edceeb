import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A key and its certificate, both PEM. */
export interface Certified {
  readonly key: string;
  readonly certificate: string;
  readonly name: string;
}

/** The little of X.509 that a test needs, in DER. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const long = size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(size < 128 ? [size] : long)]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (...bytes: readonly number[]): Buffer => der(0x06, Buffer.from(bytes));
const bits = (content: Uint8Array): Buffer => der(0x03, Buffer.from([0]), content);
const truth = der(0x01, Buffer.from([0xff]));
const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

function named(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(commonName)))));
}

function time(at: Date): Buffer {
  return der(0x17, Buffer.from(`${at.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
}

/** `basicConstraints` of an authority, or `subjectAltName` of a server. */
function extension(server: string | null): Buffer {
  if (server === null) return sequence(oid(0x55, 0x1d, 0x13), truth, der(0x04, sequence(truth)));
  const isAddress = /^[\d.]+$/.test(server);
  const name = isAddress
    ? der(0x87, Buffer.from(server.split('.').map(Number)))
    : der(0x82, Buffer.from(server));
  return sequence(oid(0x55, 0x1d, 0x11), der(0x04, sequence(name)));
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function certify(name: string, server: string | null, issuer: Certified | null): Certified {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const day = 86_400_000;
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ecdsaWithSha256,
    named(issuer?.name ?? name),
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + 30 * day))),
    named(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension(server))),
  );
  const signer = issuer === null ? privateKey : createPrivateKey(issuer.key);
  const signature = sign('sha256', content, signer);
  return {
    name,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: pem('CERTIFICATE', sequence(content, ecdsaWithSha256, bits(signature))),
  };
}

export function createAuthority(name: string): Certified {
  return certify(name, null, null);
}

/** For a server that is reached by this name or IPv4 address. */
export function certifyServer(server: string, authority: Certified): Certified {
  return certify(server, server, authority);
}
