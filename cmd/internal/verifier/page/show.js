// What the page shows of a verdict. Data becomes text nodes, never markup.

// make makes an element; a child that is a string becomes text.
function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) if (v !== null && v !== false) e.setAttribute(k, v);
  e.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return e;
}

function section(key, ...children) { return make('section', {}, make('h2', {}, say(key)), ...children); }

// pairs makes a list of terms and what they are.
function pairs(rows) {
  return make('dl', {}, rows.filter((r) => r).map(([k, ...v]) => make('div', {}, make('dt', {}, say(k)), make('dd', {}, ...v))));
}

function mono(s) { return make('code', {}, s); }

// table shows rows a few hundred at a time. A column is [text key, cell of a row, class].
function table(label, columns, rows, step = 200) {
  const head = make('tr', {}, columns.map(([key, , as]) => make('th', { scope: 'col', class: as || null }, say(key))));
  const body = make('tbody', {}), frame = make('div', { class: 'frame', tabindex: '0', role: 'region', 'aria-label': label });
  frame.append(make('table', {}, make('thead', {}, head), body));
  const whole = make('div', {}, frame);
  const add = (from) => {
    const to = Math.min(rows.length, from + step);
    for (const row of rows.slice(from, to)) {
      body.append(make('tr', {}, columns.map(([, cell, as]) => make('td', { class: as || null }, cell(row)))));
    }
    if (to === rows.length) return;
    const more = make('button', { type: 'button', class: 'more' }, say('more', { n: number(Math.min(step, rows.length - to)) }));
    const rest = make('p', {}, say('shown', { shown: number(to), n: number(rows.length) }), ' ', more);
    more.addEventListener('click', () => { rest.remove(); add(to); });
    whole.append(rest);
  };
  add(0);
  return whole;
}

// outcomeOf names what the one big line says.
function outcomeOf(said) { return said.outcome === 'proven' && said.fraud ? 'fraud' : said.outcome; }

// showVerdict gives the elements of the result, the outcome first.
function showVerdict(said) {
  const outcome = outcomeOf(said);
  const banner = make('section', { class: 'outcome ' + outcome }, make('h2', { class: 'word' }, say('out.' + outcome)));
  if (!said.notes) {
    banner.append(...failure(said));
    return [banner];
  }
  const lead = leadOf(said);
  banner.append(...(lead ? [make('p', {}, say(lead))] : []), make('p', { class: 'claim' }, ...claim(said)));
  if (said.missing.length > 0) banner.append(make('ul', {}, lacks(said).map((text) => make('li', {}, text))));
  return [banner, facts(said), ...details(said)];
}

// leadOf names what is said before a claim that is not proven.
function leadOf(said) {
  if (said.unjudged) return 'lead.facts';
  if (said.outcome !== 'unsigned') return null;
  return said.sighting ? 'lead.unsigned.sighting' : 'lead.unsigned';
}

function failure({ outcome, why, detail }) {
  if (outcome === 'trust') return [make('p', {}, detail ? say('lead.trust', { line: detail }) : say('lead.trust.all'))];
  if (outcome === 'unsupported') return [make('p', {}, say('lead.unsupported'))];
  return [make('p', { class: 'claim' }, say('why.' + why, { detail })), make('p', {}, say('lead.false'))];
}

function lacks(said) {
  if (!said.trusted) return [say('lack.none')];
  return said.missing.map((m) => say('lack.' + (said.sighting && m.role === 'witness' ? 'sighting' : m.role), m));
}

// flagWords joins the names of flags: T2, T3 or U.
function flagWords(q) {
  const names = q.flags.map((i) => flagNames[i]);
  return names.length === 1 ? names[0] : names.slice(0, -1).join(', ') + ' ' + say('or') + ' ' + names[names.length - 1];
}

// claim says in words what follows from a proof.
function claim(said) {
  const at = said.leaf ? number(said.leaf.index + 1) : '';
  const fill = { origin: said.origin, n: number(said.size), former: number(said.formerSize || 0), position: at };
  if (!said.question) return [say('says.' + said.type, fill), ...besides(said)];
  const q = said.question, count = said.counts.reduce((a, b) => a + b);
  const bound = {
    days: () => ({ from: day(q.from), to: day(q.to) }),
    positions: () => ({ from: number(q.from + 1), to: number(q.to) }),
    instants: () => ({ from: moment(q.from), to: moment(q.to) }),
  }[q.of]();
  const key = (count === 0 ? 'none.' : 'some.') + q.of;
  const first = say(key, Object.assign(fill, bound, { n: number(said.upto), flags: flagWords(q), count: number(count) }));
  return q.what === 'list' && count > 0 ? [first, ' ', say('some.list')] : [first];
}

// besides says what else a proof shows: that the event is told, or which witnesses saw it, and when.
function besides({ type, event, sighting }) {
  if (type === 'event' && event) return [' ', say('says.event.told')];
  const seen = sighting ? good(sighting.judged, 'witness') : [];
  const each = seen.map((s) => s.name + ' (' + moment(s.time * 1000) + ' UTC)');
  return seen.length > 0 ? [' ', say('says.seen', { seen: each.join(', ') })] : [];
}

function facts(said) {
  const light = said.type === 'LIGHT', later = said.size - said.upto, looked = said.type === 'REPLAY' ? said.to - said.from : said.upto;
  return section('s.facts', pairs([
    said.question ? ['k.class', say('class.' + said.type)] : ['k.type', say('type.' + said.type)],
    ['k.origin', mono(said.origin)],
    said.question ? ['k.upto', light && later > 0 ? say('upto.later', { n: number(said.upto), later: number(later) }) : say('upto', { n: number(said.upto) })]
      : ['k.upto', say('upto', { n: number(said.size) })],
    said.witnessed !== null && ['k.witnessed', moment(said.witnessed * 1000) + ' UTC'],
    said.closed !== null && ['k.closed', make('span', { class: said.closed ? 'sure' : 'unsure' }, say(said.closed ? 'closed.yes' : 'closed.no'))],
    said.question && ['k.late', say('late', { count: number(said.totals.count[lateFlag]), n: number(looked) })],
    (said.question || said.leaf) && ['k.time', say('time')],
  ]));
}

function details(said) {
  const parts = [];
  if (said.question) parts.push(section('s.counts', countTable(said)));
  const listed = said.question ? said.records : said.leaf ? [said.leaf] : [];
  if (listed.length > 0) parts.push(section('s.records', recordTable(listed)));
  if (said.event && !said.question) {
    const beware = misdescribed(said.leaf.record, said.event) ? make('p', { class: 'problem' }, say('misdescribed')) : null;
    parts.push(section('s.event', beware, make('pre', {}, storedText(said.event))));
  }
  if (said.bundle) parts.push(...showBundle(said));
  parts.push(...signatureTables(said), technical(said));
  return parts;
}

function countTable(said) {
  const { question: q, counts, totals } = said;
  const rows = flagNames.map((name, i) => ({ name, i, asked: q.flags.includes(i) })).filter((r) => r.asked || totals.count[r.i] > 0);
  const dayIf = (r, days) => totals.count[r.i] > 0 ? day(days[r.i]) : '–';
  return table(say('s.counts'), [
    ['c.flag', (r) => make(r.asked ? 'strong' : 'span', {}, r.name)],
    ['c.meaning', (r) => say('flag.' + r.name)],
    ['c.asked', (r) => r.asked ? make('strong', {}, number(counts[r.i])) : '', 'number'],
    ['c.total', (r) => number(totals.count[r.i]), 'number'],
    ['c.first', (r) => dayIf(r, totals.first), 'short'],
    ['c.last', (r) => dayIf(r, totals.last), 'short'],
  ], rows);
}

function kindText(record) {
  if (record.kind === coarse) return say('kind.coarse');
  return kindName(record.kind) || say('kind.unknown', { n: record.kind });
}

function recordTable(leaves) {
  return table(say('s.records'), [
    ['r.position', (l) => number(l.index + 1), 'number'],
    ['r.kind', (l) => kindText(l.record), 'short'],
    ['r.flags', (l) => flagList(l.record.flags).join(' ') || '–'],
    ['r.region', (l) => l.record.region || '–'],
    ['r.time', (l) => moment(l.record.time), 'short'],
    ['r.producer', (l) => number(l.record.producer), 'number'],
    ['r.seq', (l) => l.record.seq ? number(l.record.seq) : '–', 'number'],
    ['r.digest', (l) => mono(hex(l.record.digest))],
  ], leaves);
}

function signatureTables(said) {
  const tables = [], add = (key, signatures) => tables.push(section(key, signatureTable(key, signatures)));
  if (said.sighting) add('s.signatures.sighting', said.sighting.judged);
  if (said.notes.length > 1) add(said.sighting ? 's.signatures.shown' : 's.signatures.former', said.notes[0].judged);
  add('s.signatures', said.signatures);
  if (said.bundle) add('s.signatures.manifest', said.bundle.signatures);
  return tables;
}

function signatureTable(key, signatures) {
  return table(say(key), [
    ['g.name', (s) => mono(s.name + '+' + s.id)],
    ['g.role', (s) => s.role ? say('role.' + s.role) : '–'],
    ['g.time', (s) => s.time === undefined ? '–' : moment(s.time * 1000), 'short'],
    ['g.state', (s) => make('span', { class: s.state === 'good' ? 'sure' : 'unsure' }, say('state.' + s.state))],
  ], signatures);
}

// storedText writes a stored event for people, or as it is if it is not strict JSON.
function storedText(bytes) {
  try {
    return spread(readJSON(bytes), '');
  } catch (e) {
    return unutf8(bytes) || hex(bytes);
  }
}

// spread writes what readJSON read over several lines.
function spread(v, indent) {
  const deeper = indent + '  ', lines = (open, all, close) => all.length === 0 ? open + close : open + '\n' + all.join(',\n') + '\n' + indent + close;
  if (v instanceof Digits) return v.text;
  if (v instanceof Map) return lines('{', [...v].map(([k, x]) => deeper + JSON.stringify(k) + ': ' + spread(x, deeper)), '}');
  if (Array.isArray(v)) return lines('[', v.map((x) => deeper + spread(x, deeper)), ']');
  return JSON.stringify(v);
}

function technical(said) {
  const rows = [
    ['t.size', number(said.size)],
    ['t.root', mono(hex(said.root))],
    said.commit && ['t.commit', number(said.leaf.index + 1)],
    said.commit && ['t.annotated', mono(hex(said.commit.annotated))],
    said.commit && ['t.rules', mono(hex(said.commit.rules))],
    said.file && ['t.file', mono(said.file)],
  ];
  const open = make('details', { class: 'technical' }, make('summary', {}, say('s.technical')), pairs(rows), make('h3', {}, say('t.json')));
  const text = make('pre', {});
  open.addEventListener('toggle', () => { text.textContent = text.textContent || JSON.stringify(verdictJSON(said), null, 1); });
  open.append(text);
  return open;
}
