// The form of a verdict that programs read, the same as that of custody verify.

function verdictJSON(said) {
  if (!said.notes || said.unjudged) return Object.assign({ outcome: said.outcome }, said.why ? { why: said.why } : {});
  if (said.bundle) return bundleJSON(said);
  const notes = said.notes, v = Object.assign({ outcome: said.outcome, type: said.type }, headJSON(notes[notes.length - 1]));
  if (notes.length > 1) v.older = headJSON(notes[0]);
  const seen = said.sighting ? cosigned(said.sighting.judged, 'witness') : [];
  if (seen.length > 0) v.sighting = seen;
  if (said.leaf) v.leaf = { index: said.leaf.index, record: hex(said.leaf.raw) };
  if (said.event) v.event = hex(said.event);
  if (said.commit) v.commit = commitJSON(said.commit);
  if (said.question) answerJSON(said, v);
  return v;
}

// good are the signatures of a role that are good.
function good(judged, role) { return judged.filter((s) => s.role === role && s.state === 'good'); }

function cosigned(judged, role) {
  return good(judged, role).map((s) => ({ key: s.name + '+' + s.id, time: moment(s.time * 1000).replace(' ', 'T') + 'Z' }));
}

function headJSON(note) {
  const count = (state) => note.judged.filter((s) => s.state === state).length;
  return {
    origin: note.origin, size: note.size, root: hex(note.root), log: good(note.judged, 'log').map((s) => s.name + '+' + s.id),
    witnesses: cosigned(note.judged, 'witness'), replays: cosigned(note.judged, 'replay'), unknown: count('unknown'), void: count('void'),
  };
}

function commitJSON({ size, root, annotated, totals, rules }) {
  return { size, root: hex(root), annotated: hex(annotated), totals: hex(totals), rules: hex(rules) };
}

function answerJSON(said, v) {
  const { question: q, totals } = said, names = q.flags.map((i) => flagNames[i]);
  v.question = { what: q.what, flags: names, of: q.of, from: q.from, to: q.to };
  v.counts = q.flags.map((i) => ({ flag: flagNames[i], count: said.counts[i] }));
  if (said.records.length > 0) v.list = said.records.map((r) => ({ index: r.index, record: hex(r.raw) }));
  v.upto = said.upto;
  if (said.closed !== null) v.closed = said.closed;
  const some = flagNames.map((flag, i) => ({ flag, count: totals.count[i], first: totals.first[i], last: totals.last[i] })).filter((t) => t.count > 0);
  if (some.length > 0) v.totals = some;
}

// bundleJSON has the verdicts on its proofs, who signed the manifest, and the grade that the statement asserts.
function bundleJSON({ outcome, bundle }) {
  const signed = good(bundle.signatures, 'bundle').map((s) => s.name + '+' + s.id);
  const result = bundle.statement.get('result');
  const grade = result instanceof Map && typeof result.get('grade') === 'string' ? result.get('grade') : '';
  return { outcome, proofs: bundle.proofs.map(verdictJSON), signed, grade };
}
