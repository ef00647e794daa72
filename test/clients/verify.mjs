// Verifies deliveries with the libraries that receivers use. Each line of the
// input is one delivery:
//
//   {"library", "secret", "id", "timestamp", "signature", "body": base64, "json": bool}
//
// and each line of the output is true, or false and why:
//
//   {"ok": true} or {"ok": false, "error": "..."}
//
// "ed25519" is not a library but Node's crypto module: no library verifies v1a.
import { createPublicKey, verify } from "node:crypto";
import { createInterface } from "node:readline";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import svixV1 from "svix-v1";

const libraries = {
  standardwebhooks: (d) => new StandardWebhook(d.secret).verify(d.body, headers(d), { jsonParse: d.json }),
  svix: (d) => new SvixWebhook(d.secret).verify(d.body, headers(d)),
  "svix-v1": (d) => new svixV1.Webhook(d.secret).verify(d.body, headers(d)),
  ed25519: verifyV1a,
};

function headers(d) {
  return { "webhook-id": d.id, "webhook-timestamp": d.timestamp, "webhook-signature": d.signature };
}

// The raw key behind "whpk_", in the envelope that Node wants (RFC 8410).
function publicKey(text) {
  const raw = Buffer.from(text.slice("whpk_".length), "base64");
  return createPublicKey({ key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]), format: "der", type: "spki" });
}

function verifyV1a(d) {
  const signed = Buffer.concat([Buffer.from(`${d.id}.${d.timestamp}.`), d.body]);
  const key = publicKey(d.secret);
  const good = d.signature
    .split(" ")
    .filter((s) => s.startsWith("v1a,"))
    .some((s) => verify(null, signed, key, Buffer.from(s.slice("v1a,".length), "base64")));
  if (!good) throw new Error("no v1a signature that verifies");
}

for await (const line of createInterface({ input: process.stdin })) {
  const delivery = JSON.parse(line);
  delivery.body = Buffer.from(delivery.body, "base64");
  let answer = { ok: true };
  try {
    libraries[delivery.library](delivery);
  } catch (e) {
    answer = { ok: false, error: String(e.message) };
  }
  console.log(JSON.stringify(answer));
}
