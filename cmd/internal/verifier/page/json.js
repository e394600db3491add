// A strict reader of JSON (RFC 8259): JSON.parse keeps the last of two equal names and rounds numbers.
// Objects become Maps. A number that a double does not hold exactly stays text, as a Digits.

class Digits {
  constructor(text) { this.text = text; }
}

class JSONReader {
  constructor(text) { this.text = text; this.at = 0; this.depth = 0; }

  fail() { refuse('json'); }

  space() { while (' \t\n\r'.includes(this.text[this.at] || 'x')) this.at++; }

  // skip passes over one character and the white space around it.
  skip(c) {
    this.space();
    if (this.text[this.at] !== c) return false;
    this.at++;
    this.space();
    return true;
  }

  value() {
    this.space();
    const c = this.text[this.at];
    if (c === '{') return this.object();
    if (c === '[') return this.list();
    if (c === '"') return this.string();
    for (const [word, v] of [['true', true], ['false', false], ['null', null]]) {
      if (this.text.startsWith(word, this.at)) { this.at += word.length; return v; }
    }
    return this.number();
  }

  number() {
    const shape = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
    shape.lastIndex = this.at;
    const m = shape.exec(this.text);
    if (!m) this.fail();
    this.at += m[0].length;
    const v = Number(m[0]);
    return Number.isSafeInteger(v) && String(v) === m[0] ? v : new Digits(m[0]);
  }

  string() {
    const shape = /"((?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"/y;
    const long = /"[^"\\\u0000-\u001f]*"/y; // the usual case, and no recursion for it
    for (const re of [long, shape]) {
      re.lastIndex = this.at;
      const m = re.exec(this.text);
      if (!m) continue;
      this.at += m[0].length;
      const s = re === long ? m[0].slice(1, -1) : JSON.parse(m[0]);
      if (/[\ud800-\udfff]/u.test(s)) this.fail();
      return s;
    }
    return this.fail();
  }

  enter() { if (++this.depth > 64) this.fail(); }

  object() {
    const o = new Map();
    this.enter();
    this.skip('{');
    for (let first = true; !this.skip('}'); first = false) {
      if (!first && !this.skip(',')) this.fail();
      if (this.text[this.at] !== '"') this.fail();
      const name = this.string();
      if (o.has(name) || !this.skip(':')) this.fail();
      o.set(name, this.value());
    }
    this.depth--;
    return o;
  }

  list() {
    const l = [];
    this.enter();
    this.skip('[');
    while (!this.skip(']')) {
      if (l.length > 0 && !this.skip(',')) this.fail();
      l.push(this.value());
    }
    this.depth--;
    return l;
  }
}

// readJSON reads one object in valid UTF-8.
function readJSON(bytes) {
  const text = unutf8(bytes);
  need(text !== null, 'json');
  const r = new JSONReader(text);
  const v = r.value();
  r.space();
  need(r.at === text.length && v instanceof Map, 'json');
  return v;
}
