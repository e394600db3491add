// The annotated tree: per node, of 16 flags, how many leaves below have it, and the first and last day of those.

const blockSize = 256;

class Annotation {
  constructor() {
    this.count = new Array(16).fill(0);
    this.first = new Array(16).fill(noDay);
    this.last = new Array(16).fill(0);
  }

  // add counts n leaves with the flag, of days first to last.
  add(flag, n, first, last) {
    if (n === 0) return;
    this.first[flag] = this.count[flag] === 0 ? first : Math.min(this.first[flag], first);
    this.last[flag] = this.count[flag] === 0 ? last : Math.max(this.last[flag], last);
    this.count[flag] += n;
  }

  entry(bits, day) {
    for (let i = 0; bits >> i; i++) if (bits >> i & 1) this.add(i, 1, day, day);
  }

  static sum(a, b) {
    const s = new Annotation();
    for (const x of [a, b]) for (let i = 0; i < 16; i++) s.add(i, x.count[i], x.first[i], x.last[i]);
    return s;
  }

  // sound demands what an annotation over so many leaves can be.
  sound(leaves) {
    const classes = this.count.slice(0, 7).reduce((a, b) => a + b);
    need(classes <= leaves && this.count.every((c) => c <= leaves && c < 2 ** 40), 'annotation');
    for (let i = 0; i < 16; i++) {
      const none = this.first[i] === noDay && this.last[i] === 0;
      need(this.count[i] === 0 ? none : this.first[i] <= this.last[i] && this.last[i] < noDay, 'annotation');
    }
    return this;
  }

  bytes() {
    const b = new Uint8Array(144);
    for (let i = 0; i < 16; i++) {
      putUint(b, 9 * i, 5, this.count[i]);
      putUint(b, 9 * i + 5, 2, this.first[i]);
      putUint(b, 9 * i + 7, 2, this.last[i]);
    }
    return b;
  }
}

// annotatedBlock makes the node of a block from its entries, 4 bytes each.
function annotatedBlock(entries) {
  const width = entries.length / 4, a = new Annotation(), head = new Uint8Array([2, 0, 0]);
  putUint(head, 1, 2, width);
  for (let i = 0; i < width; i++) a.entry(uint(entries, 4 * i, 2), uint(entries, 4 * i + 2, 2));
  return { a, g: sha256(concat(head, entries)) };
}

function annotatedParent(left, right) {
  return { a: Annotation.sum(left.a, right.a), g: sha256(concat([3], left.a.bytes(), left.g, right.a.bytes(), right.g)) };
}

// annotatedRoot recomputes the tree over the first n leaves of records.
async function annotatedRoot(records, n, pace) {
  const over = async (lo, hi) => {
    if (hi - lo === 1) {
      await pace.step(blockSize);
      return annotatedBlock(entriesOf(records.subarray(lo * blockSize * recordSize, Math.min(hi * blockSize, n) * recordSize)));
    }
    const mid = lo + leftSize(hi - lo), left = await over(lo, mid);
    return annotatedParent(left, await over(mid, hi));
  };
  return over(0, Math.ceil(n / blockSize));
}

function entriesOf(records) {
  const entries = new Uint8Array(records.length / recordSize * 4);
  for (let i = 0; i < entries.length / 4; i++) {
    entries[4 * i] = records[recordSize * i + 4];
    entries[4 * i + 1] = records[recordSize * i + 5];
    putUint(entries, 4 * i + 2, 2, dayOf(uint(records, recordSize * i + 8, 6)));
  }
  return entries;
}

// PrunedTree reads a pruned annotated tree over the first n leaves and answers its question.
class PrunedTree {
  constructor({ cursor, question, n, pace }) {
    Object.assign(this, { cursor, question, n, pace });
    this.blocks = Math.ceil(n / blockSize);
    this.counts = new Array(16).fill(0);
    this.matches = []; // of a list: {index, flags, day}
  }

  root() { return this.node(0, this.blocks); }

  async node(lo, hi) {
    const from = lo * blockSize, to = Math.min(hi * blockSize, this.n);
    const tag = this.cursor.uint(1);
    need(tag <= 1, 'tag');
    const node = tag === 0 ? this.closed() : await (hi - lo === 1 ? this.block(from, to) : this.parent(lo, hi));
    node.a.sound(to - from);
    const { may, inside } = this.question.closable(from, to, node.a);
    need(may === (tag === 0), 'pruning');
    if (tag === 0) for (const i of inside) this.counts[i] += node.a.count[i];
    return node;
  }

  async parent(lo, hi) {
    const mid = lo + leftSize(hi - lo);
    const left = await this.node(lo, mid);
    return annotatedParent(left, await this.node(mid, hi));
  }

  closed() {
    const bits = this.cursor.uint(2), a = new Annotation();
    for (let i = 0; i < 16; i++) {
      if (!(bits >> i & 1)) continue;
      a.count[i] = this.cursor.uint(5);
      a.first[i] = this.cursor.uint(2);
      a.last[i] = this.cursor.uint(2);
      need(a.count[i] > 0, 'annotation');
    }
    return { a, g: this.cursor.take(32) };
  }

  async block(from, to) {
    const entries = this.cursor.take(4 * (to - from));
    await this.pace.step(0);
    for (let i = 0; i < to - from; i++) {
      const flags = uint(entries, 4 * i, 2), day = uint(entries, 4 * i + 2, 2);
      const hit = this.question.matches(from + i, flags, day, 0);
      for (let f = 0; hit >> f; f++) if (hit >> f & 1) this.counts[f]++;
      if (hit && this.question.what === 'list') this.matches.push({ index: from + i, flags, day });
    }
    return annotatedBlock(entries);
  }
}
