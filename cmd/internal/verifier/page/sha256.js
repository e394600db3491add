// SHA-256 (FIPS 180-4), synchronous: the browser's own costs 50 times as much a call on what is hashed here.

const sha256Round = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const sha256Words = new Int32Array(64);
const sha256State = new Int32Array(8);
const sha256Tail = new Uint8Array(128);

function sha256Start() {
  const s = sha256State;
  s[0] = 0x6a09e667; s[1] = 0xbb67ae85; s[2] = 0x3c6ef372; s[3] = 0xa54ff53a;
  s[4] = 0x510e527f; s[5] = 0x9b05688c; s[6] = 0x1f83d9ab; s[7] = 0x5be0cd19;
}

// sha256Block takes in the 64 bytes from at on.
function sha256Block(bytes, at) {
  const w = sha256Words, k = sha256Round, s = sha256State;
  for (let i = 0; i < 16; i++, at += 4) {
    w[i] = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    const p = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3;
    const q = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
    w[i] = w[i - 16] + p + w[i - 7] + q | 0;
  }
  let a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
  for (let i = 0; i < 64; i++) {
    const q = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
    const t = h + q + (e & f ^ ~e & g) + k[i] + w[i] | 0;
    const p = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
    const u = p + (a & b ^ a & c ^ b & c) | 0;
    h = g; g = f; f = e; e = d + t | 0;
    d = c; c = b; b = a; a = t + u | 0;
  }
  s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
}

// sha256Finish takes in what follows the last whole block of a message of n bytes, and writes the hash.
function sha256Finish(bytes, at, n, out, outAt) {
  const rest = n % 64, end = rest < 56 ? 64 : 128;
  sha256Tail.fill(0);
  for (let i = 0; i < rest; i++) sha256Tail[i] = bytes[at + i];
  sha256Tail[rest] = 0x80;
  putUint(sha256Tail, end - 8, 8, n * 8);
  sha256Block(sha256Tail, 0);
  if (end === 128) sha256Block(sha256Tail, 64);
  for (let i = 0; i < 8; i++) {
    const v = sha256State[i];
    out[outAt + 4 * i] = v >>> 24;
    out[outAt + 4 * i + 1] = v >>> 16;
    out[outAt + 4 * i + 2] = v >>> 8;
    out[outAt + 4 * i + 3] = v;
  }
}

// sha256Into hashes n bytes from at on into 32 bytes of out.
function sha256Into(bytes, at, n, out, outAt) {
  sha256Start();
  const last = at + n - n % 64;
  for (; at < last; at += 64) sha256Block(bytes, at);
  sha256Finish(bytes, last, n, out, outAt);
}

function sha256(bytes) {
  const out = new Uint8Array(32);
  sha256Into(bytes, 0, bytes.length, out, 0);
  return out;
}

// sha256Long hashes many bytes and gives the browser its turns.
async function sha256Long(bytes, pace) {
  const step = 1 << 18, whole = bytes.length - bytes.length % 64, out = new Uint8Array(32);
  const state = new Int32Array(8);
  sha256Start();
  for (let at = 0; at < whole;) {
    const to = Math.min(whole, at + step);
    for (; at < to; at += 64) sha256Block(bytes, at);
    state.set(sha256State); // others may hash during the pause
    await pace.step(step / 256);
    sha256State.set(state);
  }
  sha256Finish(bytes, whole, bytes.length, out, 0);
  return out;
}
