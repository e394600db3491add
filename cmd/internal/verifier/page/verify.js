// What is proven, and to whom.

// verifyFile verifies a proof or a bundle under the bytes of a trust file, or null. It throws only if the trust
// file is none.
async function verifyFile(bytes, trustFile, report) {
  const trust = trustFile === null ? null : readTrust(trustFile);
  const pace = new Pace(report);
  try {
    return isProof(bytes) ? await verifyProof(bytes, trust, pace) : await verifyBundle(bytes, trust, pace);
  } catch (e) {
    if (e instanceof Unsupported) return { outcome: 'unsupported' };
    if (!(e instanceof Refused)) throw e;
    return { outcome: 'false', why: e.code, detail: e.detail };
  }
}

async function verifyProof(bytes, trust, pace) {
  return concluded(await readProof(bytes, pace), trust);
}

// verifyBundle gives the verdict on the first of a bundle's proofs, with those on the others in bundle.proofs.
async function verifyBundle(bytes, trust, pace) {
  need(bytes[0] === 0x50 && bytes[1] === 0x4b, 'not-proof');
  const bundle = await readBundle(bytes, pace);
  for (const p of bundle.proofs) await concluded(p, trust);
  bundle.signatures = await judge(bundle.manifest, trust);
  refuseBad(bundle.signatures);
  const missing = signers(bundle.signatures, 'bundle') > 0 ? [] : [{ role: 'bundle', have: 0, want: 1 }];
  const [first] = bundle.proofs, outcome = missing.length > 0 ? 'unsigned' : first.outcome; // one checkpoint, one outcome
  return Object.assign({}, first, { bundle, outcome, missing: first.missing.concat(missing) });
}

function refuseBad(signatures) {
  for (const s of signatures) need(s.state !== 'bad', 'signature', s.name);
}

// concluded judges the signatures of a proof that holds together, and says what is missing to call it proven.
async function concluded(said, trust) {
  const missing = [];
  for (const [i, note] of said.notes.entries()) {
    note.judged = await judge(note, trust);
    refuseBad(note.judged);
    missing.push(...lacking(note.judged, said.needs[i], trust));
  }
  if (said.sighting) missing.push(...await unseen(said.sighting, trust));
  const signatures = said.notes[said.notes.length - 1].judged;
  const times = signatures.filter((s) => s.role === 'witness' && s.state === 'good').map((s) => s.time);
  const quorum = trust ? trust.quorum.witness : 1; // so many of them say this time, or a later one
  const witnessed = times.length >= quorum ? times.sort((a, b) => b - a)[quorum - 1] : null;
  const outcome = said.unjudged ? 'unsupported' : missing.length === 0 ? 'proven' : 'unsigned';
  return Object.assign(said, { outcome, trusted: trust !== null, missing, signatures, witnessed, closed: periodClosed(said, witnessed) });
}

// lacking lists the roles whose signatures a note has too few of. Who needs a replay needs a witness, and who needs one the log.
function lacking(signatures, needed, trust) {
  const order = ['log', 'witness', 'replay'];
  return order.slice(0, order.indexOf(needed) + 1).flatMap((role) => tooFew(signatures, role, trust));
}

function tooFew(signatures, role, trust) {
  const want = !trust || role === 'log' ? 1 : trust.quorum[role], have = signers(signatures, role);
  return have < want ? [{ role, have, want }] : [];
}

// unseen judges a sighting, and says whether it has too few witnesses.
async function unseen(sighting, trust) {
  sighting.judged = await judge(sighting, trust);
  refuseBad(sighting.judged);
  return tooFew(sighting.judged, 'witness', trust);
}

// grace is how long after its event's time a record is not late, in milliseconds.
const grace = dayMillis;

// periodEnd is the first instant after the period that was asked about, in milliseconds, or null if none was.
function periodEnd({ question }) {
  if (!question || question.of === 'positions') return null;
  return question.of === 'days' ? (question.to + 1) * dayMillis : question.to;
}

// periodClosed tells whether a witness saw the checkpoint when the period and the grace were over. A LIGHT
// answer ends before its commit: if more is under the checkpoint, the commit must be of after that too.
function periodClosed(said, witnessed) {
  const end = periodEnd(said);
  if (end === null) return null;
  const after = end + grace;
  if (witnessed === null || witnessed * 1000 < after) return false;
  return said.type !== 'LIGHT' || said.size === said.upto + 1 || said.leaf.record.time >= after;
}
