// The statement of a bundle, held against its proofs. What no proof says is asserted, and is not looked at here.

// compared sets verified figures beside those that the statement says: {what, verified, asserted}.
function compared([list, counts, working], statement) {
  const at = (...path) => path.reduce((v, name) => v instanceof Map ? v.get(name) : undefined, statement);
  const row = (path, verified) => ({ what: path, verified, asserted: at(...path.split('.')) });
  const { question: q, commit } = list;
  return [
    row('version', 1), row('range.from', day(q.from)), row('range.to', day(q.to)),
    row('covers.origin', list.origin), row('covers.events', list.upto), row('covers.commit', list.leaf.index + 1),
    row('covers.root', hex(commit.root)), row('covers.annotated', hex(commit.annotated)), row('covers.rules', hex(commit.rules)),
    row('covers.size', list.size),
    row('result.transfers', sum(counts.counts.slice(2, 6))), row('result.unknown', counts.counts[6]),
    ...counts.question.flags.map((i) => ({ what: 'classes.' + flagNames[i], verified: counts.counts[i], asserted: classEvents(at('classes'), flagNames[i]) })),
    { what: 'transfers', verified: proofItems(list), asserted: saidItems(at('transfers')) },
    { what: 'working', verified: proofItems(working), asserted: saidItems(at('working')) },
  ];
}

function sum(all) { return all.reduce((a, b) => a + b, 0); }

// classEvents is how many events of a class the statement says; T1f counts as T1.
function classEvents(classes, name) {
  const rows = (Array.isArray(classes) ? classes : []).filter((r) => r instanceof Map && [name, name + 'f'].includes(r.get('class')));
  return rows.length === (name === 'T1' ? 2 : 1) ? sum(rows.map((r) => r.get('events'))) : undefined;
}

// An Items is a list of positions, each with the digest of the event.
class Items {
  constructor(words) { this.words = words; }

  toString() { return this.words.join('\n'); }
}

function proofItems(proof) { return new Items(proof.records.map((r) => r.index + 1 + ' ' + hex(r.record.digest))); }

function saidItems(list) {
  if (list === undefined) return new Items([]);
  return Array.isArray(list) && list.every((r) => r instanceof Map) ? new Items(list.map((r) => r.get('position') + ' ' + r.get('digest'))) : undefined;
}

// agrees tells whether a figure is said as it was verified, and in the same way of JSON.
function agrees({ verified, asserted }) {
  if (verified instanceof Items) return asserted instanceof Items && String(asserted) === String(verified);
  return asserted === verified;
}

// readStatement reads a statement and refuses one that says otherwise than the proofs.
function readStatement(bytes, proofs) {
  const statement = readJSON(bytes);
  for (const row of compared(proofs, statement)) need(agrees(row), 'statement', row.what);
  return statement;
}
