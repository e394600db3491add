// Signed notes (c2sp.org/signed-note), checkpoints, the trust file, and who signed.

const maxNote = 16384;
const whiteSpace = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/; // Unicode White_Space

// signerName tells what may stand before a signature, trustedName what may be an origin or stand in a trust file.
function signerName(s) { return s !== '' && !s.includes('+') && !whiteSpace.test(s); }

function trustedName(s) { return /^[!-*,-~]{1,255}$/.test(s); }

// readNote parses a note and trusts nobody: {bytes, body, text, signatures: [{name, id, blob}]}.
function readNote(bytes) {
  const all = noteText(bytes), split = all.lastIndexOf('\n\n');
  need(split >= 0, 'note');
  const text = all.slice(0, split + 1);
  return { bytes, text, body: utf8(text), signatures: readSignatures(all.slice(split + 2)) };
}

function noteText(bytes) {
  need(bytes.length <= maxNote, 'note');
  const all = unutf8(bytes);
  need(all !== null && !/[\u0000-\u0009\u000b-\u001f]/.test(all), 'note');
  return all;
}

// readSignatures parses the lines below a note.
function readSignatures(text) {
  const lines = text.split('\n');
  need(lines.pop() === '' && lines.length > 0 && lines.length <= 64, 'note');
  const signatures = lines.map(readSignature);
  need(new Set(signatures.map((s) => s.name + '+' + s.id)).size === lines.length, 'note');
  return signatures;
}

function readSignature(line) {
  const m = /^\u2014 ([^ ]*) ([^ ]*)$/.exec(line);
  need(m && signerName(m[1]), 'note');
  const raw = unbase64(m[2]);
  need(raw !== null && raw.length > 4, 'note');
  return { name: m[1], id: hex(raw.subarray(0, 4)), blob: raw.subarray(4) };
}

// readCheckpoint parses a note whose text is origin, size and root, and nothing else.
function readCheckpoint(bytes) {
  const note = readNote(bytes);
  const lines = note.text.split('\n');
  need(lines.length === 4 && trustedName(lines[0]), 'checkpoint');
  const size = decimal(lines[1]), root = unbase64(lines[2]);
  need(size !== null && root !== null && root.length === 32, 'checkpoint');
  return Object.assign(note, { origin: lines[0], size, root });
}

// What a role's key is: the type in it, and what its name ends in. That of a witness ends in anything but /replay.
const roles = {
  log: { type: 1, suffix: '' },
  witness: { type: 4, suffix: '' },
  replay: { type: 4, suffix: '/replay' },
  bundle: { type: 1, suffix: '/bundle' },
};

// readTrust parses a trust file: {origin, keys by name and id, quorum}.
function readTrust(bytes) {
  const trust = { origin: '', keys: new Map(), quorum: { witness: 0, replay: 0 } }, text = unutf8(bytes);
  need(bytes.length <= 65536 && text !== null && (text === '' || text.endsWith('\n')), 'trust');
  text.split('\n').slice(0, -1).forEach((line, i) => {
    if (line !== '' && !line.startsWith('#')) readTrustLine(trust, line.split(' '), i + 1);
  });
  need(trust.origin !== '', 'trust');
  for (const role of ['witness', 'replay']) {
    const have = [...trust.keys.values()].filter((k) => k.role === role).length;
    need(have === 0 || trust.quorum[role] <= have, 'trust');
    trust.quorum[role] = trust.quorum[role] || 1;
  }
  return trust;
}

function readTrustLine(trust, words, at) {
  if (words[0] === 'quorum') {
    const k = words.length === 3 ? decimal(words[2]) : null;
    need(k && (words[1] === 'witness' || words[1] === 'replay') && trust.quorum[words[1]] === 0, 'trust', String(at));
    trust.quorum[words[1]] = k;
    return;
  }
  need(Object.prototype.hasOwnProperty.call(roles, words[0]), 'trust', String(at));
  const key = readKey(words[1] || '', words[0], at);
  if (words.length === 4 && words[0] === 'log' && words[2] === 'upto') {
    key.upto = decimal(words[3]);
    need(key.upto !== null, 'trust', String(at));
  } else {
    need(words.length === 2, 'trust', String(at));
  }
  if (key.role === 'log') {
    need(trust.origin === '' || trust.origin === key.name, 'trust', String(at));
    trust.origin = key.name;
  }
  for (const k of trust.keys.values()) need(!equal(k.pub, key.pub), 'trust', String(at));
  need(!trust.keys.has(key.name + '+' + key.id), 'trust', String(at));
  trust.keys.set(key.name + '+' + key.id, key);
}

// readKey parses a verifier key, <name>+<id>+<base64 of type and public key>.
function readKey(word, role, at) {
  const m = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(word), { type, suffix } = roles[role];
  const raw = m && unbase64(m[3]);
  need(raw && trustedName(m[1]) && raw.length === 33 && raw[0] === type && m[1].endsWith(suffix) && m[1] !== suffix, 'trust', String(at));
  need(role !== 'witness' || !m[1].endsWith(roles.replay.suffix), 'trust', String(at));
  need(hex(sha256(concat(utf8(m[1] + '\n'), raw)).subarray(0, 4)) === m[2], 'trust', String(at));
  return { role, name: m[1], id: m[2], pub: raw.subarray(1), upto: limit };
}

// Thrown where the browser has no Ed25519: nothing may then be called proven.
class Unsupported extends Error {}

async function ed25519(key, signature, message) {
  const subtle = typeof crypto === 'object' && crypto.subtle;
  if (!subtle) throw new Unsupported();
  try {
    key.imported = key.imported || subtle.importKey('raw', key.pub, { name: 'Ed25519' }, false, ['verify']);
    return await subtle.verify({ name: 'Ed25519' }, await key.imported, signature, message);
  } catch (e) {
    if (e.name === 'DataError') return false; // no point of the curve
    throw new Unsupported();
  }
}

const lastSecond = 253402300799n; // 9999-12-31T23:59:59Z

// checkSignature verifies one signature over a note's text, and gives the time if it has one, in seconds since 1970.
async function checkSignature(key, blob, body) {
  if (roles[key.role].type === 1) return { good: blob.length === 64 && await ed25519(key, blob, body) };
  if (blob.length !== 72) return { good: false };
  const time = new DataView(blob.buffer, blob.byteOffset).getBigUint64(0);
  if (time > lastSecond) return { good: false };
  const good = await ed25519(key, blob.subarray(8), concat(utf8('cosignature/v1\ntime ' + time + '\n'), body));
  return { good, time: Number(time) };
}

// readSighting parses who saw the log show one checkpoint after it had signed another.
function readSighting(bytes, signed, shown) {
  const body = concat(utf8('custody-shown-less/v1\n'), signed.body, shown.body);
  return { origin: signed.origin, body, only: 'witness', signatures: readSignatures(noteText(bytes)) };
}

// counts tells whether a good signature counts: of a manifest and of a sighting those of one role only, of a checkpoint
// not those of bundle keys nor of a log's key beyond its size; and nothing that is about another origin.
function counts(note, key, trust) {
  if (note.origin !== trust.origin) return false;
  return note.only ? key.role === note.only : key.role !== 'bundle' && note.size <= key.upto;
}

// judge says of every signature of a note what the trust file makes of it: good, bad, void (it counts for nothing)
// or unknown; trust may be null.
async function judge(note, trust) {
  const seen = [];
  for (const { name, id, blob } of note.signatures) {
    const key = trust && trust.keys.get(name + '+' + id);
    if (!key) { seen.push({ name, id, role: '', state: await disguised(note, trust, name, id, blob) ? 'bad' : 'unknown' }); continue; }
    const { good, time } = await checkSignature(key, blob, note.body);
    seen.push({ name, id, role: key.role, state: !good ? 'bad' : counts(note, key, trust) ? 'good' : 'void', time });
  }
  return seen;
}

// disguised tells whether a key of the trust file made a signature that has its name or its id, and not the other.
async function disguised(note, trust, name, id, blob) {
  for (const key of trust ? trust.keys.values() : []) {
    if ((key.name === name) !== (key.id === id) && (await checkSignature(key, blob, note.body)).good) return true;
  }
  return false;
}

// signers counts the keys of a role whose signature is good, each once.
function signers(seen, role) {
  return new Set(seen.filter((s) => s.role === role && s.state === 'good').map((s) => s.name + '+' + s.id)).size;
}
