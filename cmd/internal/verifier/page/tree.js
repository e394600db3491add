// The record log's tree: RFC 6962 over records, pruned to what a proof needs.

// leftSize is the largest power of two below n, which is at least 2.
function leftSize(n) {
  let p = 1;
  while (p * 2 < n) p *= 2;
  return p;
}

// openRange opens the leaves [from, to); openList those of a list in ascending order.
function openRange(from, to) { return (lo, hi) => lo < to && from < hi; }

function openList(list) {
  return (lo, hi) => {
    let a = 0, b = list.length;
    while (a < b) {
      const mid = (a + b) >> 1;
      if (list[mid] < lo) a = mid + 1; else b = mid;
    }
    return a < list.length && list[a] < hi;
  };
}

// RecordTree computes a root from opened leaves and the hashes of all else, which it takes from cursor.
// opened tells whether [lo, hi) holds an opened leaf; record gives the 54 bytes of one.
class RecordTree {
  constructor({ cursor, opened, record, cut, pace }) {
    Object.assign(this, { cursor, opened, record, cut, pace });
    this.below = []; // the largest nodes within [0, cut)
    this.work = new Uint8Array(65 * 64); // of each depth: 0x01 || left || right
    for (let i = 0; i < this.work.length; i += 65) this.work[i] = 1;
    this.leaf = new Uint8Array(1 + recordSize); // 0x00 || record
  }

  async root(n) {
    const out = new Uint8Array(32);
    await this.large(0, n, 0, out, 0);
    return out;
  }

  // atCut is the root of the first cut leaves.
  atCut() {
    return this.below.sort((a, b) => a.lo - b.lo).map((node) => node.hash)
      .reduceRight((hash, left) => sha256(concat([1], left, hash)));
  }

  cuts(lo, hi) { return this.cut !== undefined && lo < this.cut && this.cut < hi; }

  closed(lo, hi) { return !this.opened(lo, hi) && !this.cuts(lo, hi); }

  async large(lo, hi, depth, out, at) {
    if (hi - lo <= 4096 || this.closed(lo, hi)) {
      this.node(lo, hi, depth, out, at);
      return this.pace.step(this.opened(lo, hi) ? hi - lo : 0);
    }
    const mid = lo + leftSize(hi - lo), w = depth * 65;
    await this.large(lo, mid, depth + 1, this.work, w + 1);
    await this.large(mid, hi, depth + 1, this.work, w + 33);
    this.join(lo, mid, hi, w, out, at);
  }

  node(lo, hi, depth, out, at) {
    if (this.closed(lo, hi)) {
      out.set(this.cursor.take(32), at);
    } else if (hi - lo === 1) {
      this.leaf.set(this.record(lo), 1);
      sha256Into(this.leaf, 0, 1 + recordSize, out, at);
    } else {
      const mid = lo + leftSize(hi - lo), w = depth * 65;
      this.node(lo, mid, depth + 1, this.work, w + 1);
      this.node(mid, hi, depth + 1, this.work, w + 33);
      this.join(lo, mid, hi, w, out, at);
    }
  }

  join(lo, mid, hi, w, out, at) {
    if (this.cuts(lo, hi) && mid <= this.cut) {
      this.below.push({ lo, hash: this.work.slice(w + 1, w + 33) });
    }
    sha256Into(this.work, w, 65, out, at);
  }
}
