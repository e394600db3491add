// What the page shows of a bundle: what it recomputed, beside what the statement asserts.

function showBundle(said) {
  const { bundle } = said, [, counts, working] = bundle.proofs;
  const own = said.outcome === 'proven' ? 'verified' : 'recomputed'; // under signatures that are trusted, or only in itself
  const also = (key, p) => [make('h3', {}, badge(own), ' ', say(key)), make('p', {}, ...claim(p)), p.records.length > 0 ? recordTable(p.records) : null];
  return [
    make('section', {}, make('h2', {}, say('s.bundle')), make('p', {}, say('b.lead')), make('p', {}, badge('asserted'), ' ', grade(bundle.statement)),
      ...also('b.working', working), ...also('b.counts', counts), countTable(counts),
      make('p', {}, badge(own), ' ', say('b.events', { n: number(bundle.events.length) }))),
    make('section', {}, make('h2', {}, say('b.compare')), compareTable(bundle, own)),
    make('details', {}, make('summary', {}, badge('asserted'), ' ', say('b.all')), asserted(bundle.statement)),
    ...bundle.events.length > 0 ? [make('details', {}, make('summary', {}, badge(own), ' ', say('b.stored')), ...bundle.events.map(eventBlock))] : [],
    make('details', {}, make('summary', {}, say('b.members')), memberTable(bundle)),
  ];
}

// grade says the result that the statement asserts, which follows from more than what is proven.
function grade(statement) {
  const said = (name) => plain(statement.get('result').get(name));
  const verdict = (name) => texts['verdict.' + said(name)] ? say('verdict.' + said(name)) : said(name);
  return say('b.grade', { grade: said('grade'), law: verdict('law'), policy: verdict('policy') });
}

// badge marks something as verified, recomputed or asserted.
function badge(how) { return make('span', { class: 'badge ' + (how === 'verified' ? 'sure' : 'unsure') }, say('b.' + how)); }

function eventBlock({ index, bytes }) {
  return make('div', {}, make('h3', {}, say('upto', { n: number(index + 1) })), make('pre', {}, storedText(bytes)));
}

function memberTable({ members, manifest }) {
  return table(say('b.members'), [
    ['b.what', (m) => mono(m.name)],
    ['b.size', (m) => number(m.data.length), 'number'],
    ['r.digest', (m) => mono(manifest.sums.get(m.name) || '–')],
  ], [...members.values()]);
}

function compareTable({ proofs, statement }, own) {
  const shown = (v) => v instanceof Items ? number(v.words.length) : value(v);
  const closed = { what: 'range.closed', verified: proofs[0].closed, asserted: statement.get('range').get('closed') };
  return table(say('b.compare'), [
    ['b.what', (r) => mono(r.what)],
    ['b.' + own, (r) => shown(r.verified)],
    ['b.asserted', (r) => shown(r.asserted)],
    ['b.result', (r) => make('strong', { class: agrees(r) ? 'sure' : 'unsure' }, say(agrees(r) ? 'b.agrees' : 'b.differs'))],
  ], compared(proofs, statement).concat([closed]));
}

// plain writes a value that is no object.
function plain(v) {
  if (typeof v === 'boolean') return say(v ? 'yes' : 'no');
  if (v === null || v === undefined) return '–';
  if (v instanceof Digits) return v.text;
  return String(v);
}

// value shows hashes as such.
function value(v) {
  const text = plain(v);
  return /^[0-9a-f]{32,}$/.test(text) ? mono(text) : text;
}

function flat(v) { return !(v instanceof Map) && !(Array.isArray(v) && v.some((x) => !flat(x))); }

// asserted shows what a statement says, whatever it is: names as they are in it, and values as text.
function asserted(v) {
  if (Array.isArray(v) && v.length === 0) return say('none');
  if (Array.isArray(v) && v.every((x) => x instanceof Map)) return assertedTable(v);
  if (Array.isArray(v)) return flat(v) ? v.map(plain).join(', ') : make('ul', {}, v.map((x) => make('li', {}, asserted(x))));
  if (!(v instanceof Map)) return value(v);
  return make('dl', { class: 'asserted' }, [...v].map(([k, x]) => make('div', { class: flat(x) ? null : 'wide' }, make('dt', {}, k), make('dd', {}, asserted(x)))));
}

function assertedTable(rows) {
  const names = [...new Set(rows.flatMap((r) => [...r.keys()]))];
  const head = make('tr', {}, names.map((n) => make('th', { scope: 'col' }, n)));
  const body = rows.map((r) => make('tr', {}, names.map((n) => make('td', { class: flat(r.get(n)) && plain(r.get(n)).length < 30 ? 'short' : null }, r.has(n) ? asserted(r.get(n)) : ''))));
  return make('div', { class: 'frame', tabindex: '0', role: 'region', 'aria-label': say('b.asserted') }, make('table', {}, make('thead', {}, head), make('tbody', {}, body)));
}
