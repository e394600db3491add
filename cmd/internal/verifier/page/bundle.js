// Bundles: a zip in one spelling, and a signed manifest of what is in it.

const maxBundle = 2 ** 31;

const crcTable = new Int32Array(256).map((_, i) => {
  for (let k = 0; k < 8; k++) i = i & 1 ? i >>> 1 ^ 0xedb88320 : i >>> 1;
  return i;
});

async function crc32(bytes, pace) {
  let c = -1;
  for (let at = 0; at < bytes.length;) {
    const to = Math.min(bytes.length, at + (1 << 20));
    for (; at < to; at++) c = c >>> 8 ^ crcTable[(c ^ bytes[at]) & 255];
    await pace.step((1 << 20) / 512);
  }
  return (c ^ -1) >>> 0;
}

// little writes fields of a zip: pairs of value and width.
function little(...pairs) {
  const bytes = [];
  for (let [v, n] of pairs) for (; n > 0; n--) { bytes.push(v % 256); v = Math.floor(v / 256); }
  return new Uint8Array(bytes);
}

// What a local and a central header have in common: version needed, flags, method, time, date, sum, sizes, length of the name, no extra.
function zipCommon(m) {
  return little([20, 2], [0, 2], [0, 2], [0, 2], [0x21, 2], [m.crc, 4], [m.data.length, 4], [m.data.length, 4], [m.raw.length, 2], [0, 2]);
}

function zipLocal(m) { return concat(little([0x04034b50, 4]), zipCommon(m), m.raw); }

function zipCentral(m) {
  return concat(little([0x02014b50, 4], [20, 2]), zipCommon(m), little([0, 2], [0, 2], [0, 2], [0, 4], [m.at, 4]), m.raw);
}

// readZip gives the members by name. It takes each one's name and data, and demands that all else is as it would write it.
async function readZip(bytes, pace) {
  need(bytes.length <= maxBundle, 'zip');
  const members = new Map(), cursor = new Cursor(bytes);
  let last = null, central = new Uint8Array(0);
  pace.expect(bytes.length / 512);
  while (cursor.left() > 4 && bytes[cursor.at + 2] === 3) {
    const m = await zipMember(cursor, pace);
    need(last === null || compare(last, m.raw) < 0, 'zip');
    last = m.raw;
    members.set(m.name, m);
    central = concat(central, zipCentral(m));
  }
  const start = cursor.at, n = members.size;
  const end = little([0x06054b50, 4], [0, 2], [0, 2], [n, 2], [n, 2], [central.length, 4], [start, 4], [0, 2]);
  need(equal(cursor.take(cursor.left()), concat(central, end)), 'zip');
  return members;
}

async function zipMember(cursor, pace) {
  const at = cursor.at, head = cursor.take(30);
  const size = head[22] + head[23] * 2 ** 8 + head[24] * 2 ** 16 + head[25] * 2 ** 24;
  const raw = cursor.take(head[26] + head[27] * 2 ** 8);
  const name = unutf8(raw);
  need(name !== null && /^[a-z0-9][a-z0-9.-]*$/.test(name), 'zip');
  const header = cursor.bytes.subarray(at, cursor.at), data = cursor.take(size);
  const m = { at, name, raw, data, crc: await crc32(data, pace) };
  need(equal(header, zipLocal(m)), 'zip');
  return m;
}

// readManifest parses the manifest: {note, origin, sums by name}.
function readManifest(bytes) {
  const note = readNote(bytes), lines = note.text.split('\n');
  need(lines.pop() === '' && lines[0] === 'custody bundle 1' && lines.length >= 2 && trustedName(lines[1]), 'manifest');
  const sums = new Map();
  let last = '';
  for (const line of lines.slice(2)) {
    const m = /^([0-9a-f]{64})  ([a-z0-9][a-z0-9.-]*)$/.exec(line);
    need(m && m[2] > last, 'manifest');
    last = m[2];
    sums.set(m[2], m[1]);
  }
  return Object.assign(note, { origin: lines[1], sums, only: 'bundle' });
}

// The members of a bundle, and what its three proofs must answer.
const memberNames = ['checkpoint', 'counts', 'events', 'manifest', 'proof', 'statement.html', 'statement.json', 'verify.html', 'working'];
const bundleProofs = [
  { name: 'proof', bits: 0x7c, what: 'list' },
  { name: 'counts', bits: 0x7f, what: 'count' },
  { name: 'working', bits: 0x02, what: 'list' },
];

// readBundle checks a bundle as far as it goes without keys: {manifest, members, proofs, events, statement}.
async function readBundle(bytes, pace) {
  const members = await readZip(bytes, pace);
  need(equal(utf8([...members.keys()].join()), utf8(memberNames.join())), 'members');
  const data = (name) => members.get(name).data;
  const manifest = readManifest(data('manifest'));
  need(manifest.sums.size === members.size - 1, 'manifest');
  pace.expect(bytes.length / 256);
  for (const name of memberNames) {
    if (name === 'manifest') continue;
    need(manifest.sums.get(name) === hex(await sha256Long(data(name), pace)), 'member', name);
  }
  const proofs = [];
  for (const p of bundleProofs) proofs.push(await readBundled(p, data(p.name), data('checkpoint'), pace));
  const [first] = proofs;
  for (const p of proofs) {
    need(p.leaf.index === first.leaf.index && p.question.from === first.question.from && p.question.to === first.question.to, 'member', p.member);
  }
  need(manifest.origin === first.origin, 'origin');
  const listed = proofs.flatMap((p) => p.records).sort((a, b) => a.index - b.index);
  return { manifest, members, proofs, events: readEvents(data('events'), listed), statement: readStatement(data('statement.json'), proofs) };
}

// readBundled reads one proof of a bundle and holds it to its place there.
async function readBundled({ name, bits, what }, bytes, checkpoint, pace) {
  const said = await readProof(bytes, pace);
  need(said.type === 'LIGHT' && equal(said.notes[0].bytes, checkpoint), 'member', name);
  const q = said.question, asked = what === 'list' && said.records.length === 0 ? 'absence' : what;
  need(q.of === 'days' && q.bits === bits && q.what === asked, 'member', name);
  return Object.assign(said, { member: name });
}

// readEvents holds the stored events of a bundle against the records that its proofs list: all of them, and no other.
function readEvents(data, listed) {
  const events = [];
  for (let at = 0, end; at < data.length; at = end + 1) {
    end = data.indexOf(10, at);
    need(end > at, 'events');
    events.push(data.subarray(at, end));
  }
  need(events.length === listed.length && events.every((e, i) => equal(sha256(e), listed[i].record.digest)), 'events');
  return events.map((bytes, i) => ({ index: listed[i].index, record: listed[i].record, bytes }));
}
