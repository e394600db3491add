// Bytes and the numbers and words in them. Whatever is wrong throws a Refused.

// Refused says why a file does not hold together. code names a text of the table "why".
class Refused extends Error {
  constructor(code, detail) {
    super(detail ? code + ': ' + detail : code);
    this.code = code;
    this.detail = detail || '';
  }
}

function refuse(code, detail) { throw new Refused(code, detail); }

function need(holds, code, detail) { if (!holds) refuse(code, detail); }

const limit = Number.MAX_SAFE_INTEGER; // 2^53 - 1

// uint reads n bytes, big-endian, below 2^53.
function uint(bytes, at, n) {
  let v = 0;
  for (let i = 0; i < n; i++) {
    v = v * 256 + bytes[at + i];
    need(v <= limit, 'number');
  }
  return v;
}

// putUint writes n bytes, big-endian.
function putUint(bytes, at, n, v) {
  for (let i = n - 1; i >= 0; i--) {
    bytes[at + i] = v % 256;
    v = Math.floor(v / 256);
  }
}

// Cursor reads a file from its first byte to its last.
class Cursor {
  constructor(bytes) { this.bytes = bytes; this.at = 0; }

  left() { return this.bytes.length - this.at; }

  // take gives the next n bytes: a view, not a copy.
  take(n) {
    need(n <= this.left(), 'short');
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  uint(n) { return uint(this.take(n), 0, n); }

  end() { need(this.left() === 0, 'trailing'); }
}

function equal(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

// compare orders bytes as strings of bytes are ordered.
function compare(a, b) {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function concat(...parts) {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) { all.set(p, at); at += p.length; }
  return all;
}

function hex(bytes) {
  let s = '';
  for (const b of bytes) s += (b < 16 ? '0' : '') + b.toString(16);
  return s;
}

// unhex reads lower-case hexadecimal, or gives null.
function unhex(s) {
  if (!/^([0-9a-f]{2})*$/.test(s)) return null;
  const bytes = new Uint8Array(s.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(s.substr(2 * i, 2), 16);
  return bytes;
}

// unbase64 reads padded base64 in its one spelling, or gives null: atob passes over white space and stray bits.
function unbase64(s) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(s) || s.length % 4 !== 0) return null;
  const raw = atob(s);
  if (btoa(raw) !== s) return null;
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

function utf8(text) { return new TextEncoder().encode(text); }

// unutf8 reads UTF-8 as it is, a byte order mark included, or gives null.
function unutf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (e) {
    return null;
  }
}

// decimal reads a number below 2^53 in its one spelling, or gives null.
function decimal(s) {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(s)) return null;
  const v = Number(s);
  return v <= limit ? v : null;
}

// Pace lets the page breathe during long work, and tells how far it is.
class Pace {
  constructor(report) { this.report = report || (() => {}); this.last = Date.now(); this.work = 1; this.done = 0; }

  // expect adds work to come; the unit is one record.
  expect(n) { this.work += n; }

  // step says that n more are done, and gives the browser a turn every 40 ms.
  async step(n) {
    this.done += n;
    if (Date.now() - this.last < 40) return;
    this.report(Math.min(1, this.done / this.work));
    await new Promise((resume) => setTimeout(resume, 0));
    this.last = Date.now();
  }
}
