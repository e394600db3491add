// Proofs of a fault of the log: types from 17 on.

async function readRewritten(cursor, pace) {
  const said = await takeGrown(cursor, pace);
  need(!said.same, 'no-fault');
  return said;
}

async function readFork(cursor) {
  const notes = takeTwo(cursor), [a, b] = notes;
  need(a.size === b.size, 'sizes');
  need(!equal(a.root, b.root), 'no-fault');
  need(compare(a.body, b.body) < 0, 'order');
  return { notes };
}

// takeFirst takes the records of [0, to]: all their bytes, and a function that gives those of one.
function takeFirst(cursor, to) {
  const records = cursor.take((to + 1) * recordSize);
  return { records, record: (i) => records.subarray(i * recordSize, (i + 1) * recordSize) };
}

async function readFalseCommit(cursor, pace) {
  const note = takeNote(cursor), at = cursor.uint(8), event = takeEvent(cursor);
  need(at < note.size, 'index');
  const { records, record } = takeFirst(cursor, at);
  pace.expect(3 * at);
  const { root } = await takeRoot(cursor, pace, note.size, { opened: openRange(0, at + 1), record });
  need(equal(root, note.root), 'root');
  for (let i = 0; i <= at; i++) {
    soundly(record(i));
    if (i % 4096 === 0) await pace.step(4096);
  }
  const commit = readCommit(readRecord(record(at)), event);
  need(commit.size > at || await misstated(commit, records, record, pace), 'no-fault');
  return { notes: [note], leaf: { index: at, record: readRecord(record(at)), raw: record(at) }, commit, event };
}

// misstated tells whether a commit says other roots or totals than the records have.
async function misstated(commit, records, record, pace) {
  const { root } = await takeRoot(new Cursor(new Uint8Array(0)), pace, commit.size, { opened: () => true, record });
  const { a, g } = await annotatedRoot(records, commit.size, pace);
  return !equal(root, commit.root) || !equal(g, commit.annotated) || !equal(a.bytes(), commit.totals);
}

async function readFalseRecord(cursor, pace) {
  const said = await takeLeaf(cursor, pace), { leaf: { record }, event } = said;
  need(!soundRecord(record) || (event && !sameRecord(record, recordOf(event))), 'no-fault');
  return said;
}

// readShownLess: the verdict is about the first note, which was signed; the second is what was shown.
async function readShownLess(cursor) {
  const [signed, shown] = takeTwo(cursor, 0);
  need(shown.size < signed.size, 'sizes');
  const sighting = readSighting(takeSigned(cursor), signed, shown);
  return { notes: [shown, signed], formerSize: shown.size, sighting };
}

// deciding are the kinds of events that facts are decided by: parties, their agreements and tools, and activities.
const deciding = [33, 34, 35, 38, 47];

// readFalseFacts checks all but the facts: to decide them as the ledger does takes the legal tables, which are not here.
async function readFalseFacts(cursor, pace) {
  const note = takeNote(cursor), at = cursor.uint(8), after = cursor.uint(8);
  need(at < after && after < note.size, 'index');
  const { record } = takeFirst(cursor, after), kind = (i) => record(i)[1];
  pace.expect(2 * after + cursor.left() / 256);
  let before = at - 1, event = null;
  while (before >= 0 && kind(before) !== committed) before--;
  for (let i = 0; i <= after; i++) {
    const { digest } = soundly(record(i));
    need(i <= at || (kind(i) === committed) === (i === after), 'commit');
    const told = i === before || i === at || i === after || (i < at && deciding.includes(kind(i)));
    const stored = told ? await takeTold(cursor, digest, pace) : null;
    if (i === at) event = stored;
    if (i === before || i === after) readCommit(readRecord(record(i)), stored);
    if (i % 4096 === 0) await pace.step(4096);
  }
  const { root } = await takeRoot(cursor, pace, note.size, { opened: openRange(0, after + 1), record });
  need(equal(root, note.root), 'root');
  return { notes: [note], leaf: { index: at, record: readRecord(record(at)), raw: record(at) }, event, unjudged: true };
}

// takeTold takes an event that must be told.
async function takeTold(cursor, digest, pace) {
  const event = takeEvent(cursor);
  need(event, 'untold');
  need(equal(digest, await sha256Long(event, pace)), 'digest');
  return event;
}

// soundly reads a record that may not contradict itself.
function soundly(raw) {
  const record = readRecord(raw);
  need(soundRecord(record), 'record');
  return record;
}
