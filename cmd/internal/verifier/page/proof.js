// Proofs: each type's body, from its first byte to its last.

const magic = utf8('CUSTODYP');
const maxEvent = 2 ** 23;

function isProof(bytes) { return equal(bytes.subarray(0, 8), magic); }

// proofTypes: how each is read, and what it needs of the signatures under its notes, in the order of said.notes: the last
// is the one that the verdict is about.
const proofTypes = new Map([
  [1, { name: 'event', read: readEventProof, needs: ['witness'] }],
  [2, { name: 'growth', read: readGrowth, needs: ['log', 'witness'] }],
  [3, { name: 'REPLAY', read: readReplay, needs: ['witness'] }],
  [4, { name: 'LIGHT', read: readLight, needs: ['replay'] }],
  [17, { name: 'fork', read: readFork, needs: ['log', 'log'], fraud: true }],
  [18, { name: 'rewritten', read: readRewritten, needs: ['log', 'log'], fraud: true }],
  [19, { name: 'false commit', read: readFalseCommit, needs: ['log'], fraud: true }],
  [20, { name: 'false record', read: readFalseRecord, needs: ['log'], fraud: true }],
  [21, { name: 'shown less', read: readShownLess, needs: ['log', 'log'], fraud: true }],
  [22, { name: 'false facts', read: readFalseFacts, needs: ['log'], fraud: true }],
]);

// readProof recomputes all that a proof says and gives what follows from it, the signatures not yet judged.
async function readProof(bytes, pace) {
  const cursor = new Cursor(bytes);
  need(equal(cursor.take(Math.min(8, cursor.left())), magic), 'not-proof');
  need(cursor.uint(1) === 1, 'version');
  const type = proofTypes.get(cursor.uint(1));
  need(type, 'type');
  const said = await type.read(cursor, pace);
  cursor.end();
  const last = said.notes[said.notes.length - 1];
  return Object.assign({ type: type.name, fraud: !!type.fraud, needs: type.needs, origin: last.origin, size: last.size, root: last.root }, said);
}

// takeSigned takes a note, or signatures alone, with their length before them.
function takeSigned(cursor) {
  const n = cursor.uint(2);
  need(n <= maxNote, 'note');
  return cursor.take(n);
}

function takeNote(cursor, least = 1) {
  const note = readCheckpoint(takeSigned(cursor));
  need(note.size >= least, 'checkpoint');
  return note;
}

function takeEvent(cursor) {
  const n = cursor.uint(4);
  need(n <= maxEvent, 'event-form');
  return n === 0 ? null : cursor.take(n);
}

// takeRoot reads a pruned record tree over n leaves.
async function takeRoot(cursor, pace, n, { opened, record, cut }) {
  const tree = new RecordTree({ cursor, opened, record, cut, pace });
  const root = await tree.root(n);
  return { root, former: cut === undefined ? null : tree.atCut() };
}

const none = { opened: () => false, record: () => null };

// takeLeaf takes a leaf, and the event if it is told: another one would say nothing about this record.
async function takeLeaf(cursor, pace) {
  const index = cursor.uint(8), note = takeNote(cursor);
  need(index < note.size, 'index');
  const raw = cursor.take(recordSize), event = takeEvent(cursor);
  const { root } = await takeRoot(cursor, pace, note.size, { opened: openRange(index, index + 1), record: () => raw });
  need(equal(root, note.root), 'root');
  const record = readRecord(raw);
  if (event) need(equal(record.digest, sha256(event)), 'digest');
  return { notes: [note], leaf: { index, record, raw }, event };
}

async function readEventProof(cursor, pace) {
  const said = await takeLeaf(cursor, pace);
  need(soundRecord(said.leaf.record), 'record');
  return said;
}

function takeTwo(cursor, least = 1) {
  const notes = [takeNote(cursor), takeNote(cursor, least)];
  need(notes[0].origin === notes[1].origin, 'origin');
  return notes;
}

async function takeGrown(cursor, pace) {
  const notes = takeTwo(cursor), [old, now] = notes;
  need(old.size < now.size, 'sizes');
  const { root, former } = await takeRoot(cursor, pace, now.size, Object.assign({ cut: old.size }, none));
  need(equal(root, now.root), 'root');
  return { notes, formerSize: old.size, same: equal(former, old.root) };
}

async function readGrowth(cursor, pace) {
  const said = await takeGrown(cursor, pace);
  need(said.same, 'former');
  return said;
}

async function readReplay(cursor, pace) {
  const question = Question.read(cursor), note = takeNote(cursor);
  question.within(note.size);
  const [from, to] = question.of === 'positions' ? [question.from, question.to] : [0, note.size];
  const records = cursor.take((to - from) * recordSize);
  const at = (i) => records.subarray((i - from) * recordSize, (i - from + 1) * recordSize);
  pace.expect(2 * (to - from));
  const { root } = await takeRoot(cursor, pace, note.size, { opened: openRange(from, to), record: at });
  need(equal(root, note.root), 'root');
  const said = { notes: [note], question, from, to, upto: note.size, counts: new Array(16).fill(0), totals: new Annotation(), records: [] };
  for (let i = from; i < to; i++) {
    tally(said, i, at(i));
    if (i % 4096 === 0) await pace.step(4096);
  }
  return answered(said);
}

// tally asks the question of one record.
function tally(said, index, raw) {
  const record = readRecord(raw), day = dayOf(record.time), { question } = said;
  need(soundRecord(record), 'record');
  said.totals.entry(record.flags, day);
  const hit = question.matches(index, record.flags, day, record.time);
  for (let f = 0; hit >> f; f++) if (hit >> f & 1) said.counts[f]++;
  if (hit && question.what === 'list') said.records.push({ index, record, raw });
}

function answered(said) {
  if (said.question.what === 'absence') need(said.counts.every((c) => c === 0), 'absence');
  return said;
}

async function readLight(cursor, pace) {
  const question = Question.read(cursor);
  need(question.of !== 'instants', 'question');
  const note = takeNote(cursor), at = cursor.uint(8), raw = cursor.take(recordSize), event = takeEvent(cursor);
  need(at < note.size, 'index');
  const record = readRecord(raw);
  const commit = readCommit(record, event);
  need(commit.size <= at, 'commit-covers');
  question.within(commit.size);
  const tree = new PrunedTree({ cursor, question, n: commit.size, pace });
  const { a, g } = await tree.root();
  need(equal(g, commit.annotated) && equal(a.bytes(), commit.totals), 'annotated');
  const records = tree.matches.map((m) => listed(m, cursor.take(recordSize)));
  const raws = new Map(records.map((r) => [r.index, r.raw]).concat([[at, raw]]));
  const opened = openList([...raws.keys()]);
  const { root, former } = await takeRoot(cursor, pace, note.size, { opened, record: (i) => raws.get(i), cut: commit.size });
  need(equal(root, note.root), 'root');
  need(equal(former, commit.root), 'commit-root');
  need(soundRecord(record), 'record');
  return answered({ notes: [note], question, commit, leaf: { index: at, record, raw }, event, upto: commit.size, counts: tree.counts, totals: a, records });
}

// listed holds a record of a list against its entry.
function listed({ index, flags, day }, raw) {
  const record = readRecord(raw);
  need(soundRecord(record), 'record');
  need(record.flags === flags && dayOf(record.time) === day, 'entry');
  return { index, record, raw };
}

// readCommit reads a commit, and holds its record against it.
function readCommit(record, event) {
  need(event, 'event-missing');
  need(record.kind === committed && equal(record.digest, sha256(event)), 'digest');
  const text = (bytes) => String.fromCharCode(...bytes);
  const m = new RegExp('"data":\\{"size":([0-9]+),"root":"([0-9a-f]{64})","annotated":"([0-9a-f]{64})",' +
    '"totals":"([0-9a-f]{288})","rules":"([0-9a-f]{64})","ledger":\\{\\}\\}\\}$').exec(text(event.subarray(-1024)));
  need(m && text(event.subarray(0, 21)) === '{"custodyformat":"1",', 'commit');
  const size = decimal(m[1]);
  need(size && size < 2 ** 40, 'commit');
  const [root, annotated, totals, rules] = m.slice(2).map(unhex);
  return { size, root, annotated, totals, rules };
}
