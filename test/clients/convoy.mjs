// Makes Convoy's signature headers with Node's crypto module. Each line of the
// input is one request:
//
//   {"versions": [{"hash", "encoding"}], "secrets": [...], "unix": 1 or null, "body": base64}
//
// and each line of the output is its header's value as a JSON text: simple, by the
// last version and secret, where unix is null; advanced otherwise.
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";

const names = {
  MD5: "md5",
  SHA1: "sha1",
  SHA224: "sha224",
  SHA256: "sha256",
  SHA384: "sha384",
  SHA512: "sha512",
  SHA3_224: "sha3-224",
  SHA3_256: "sha3-256",
  SHA3_384: "sha3-384",
  SHA3_512: "sha3-512",
  SHA512_224: "sha512-224",
  SHA512_256: "sha512-256",
};

function mac(version, secret, ...parts) {
  const hmac = createHmac(names[version.hash], secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest(version.encoding);
}

function header({ versions, secrets, unix, body }) {
  const bytes = Buffer.from(body, "base64");
  if (unix === null) return mac(versions.at(-1), secrets.at(-1), bytes);
  const signatures = versions.flatMap((v, i) => secrets.map((s) => `v${i + 1}=${mac(v, s, `${unix},`, bytes)}`));
  return [`t=${unix}`, ...signatures].join(",");
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(header(JSON.parse(line))));
}
