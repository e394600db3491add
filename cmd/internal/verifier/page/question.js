// Questions: how many, none, or which records have a flag, by position, by day of the event, or by its instant.

const whats = ['', 'count', 'absence', 'list'];
const ranges = ['', 'positions', 'days', 'instants'];

class Question {
  // read takes 20 bytes; whether the positions exist is asked of within.
  static read(cursor) {
    const q = new Question();
    q.what = whats[cursor.uint(1)];
    q.bits = cursor.uint(2);
    q.of = ranges[cursor.uint(1)];
    q.from = cursor.uint(8);
    q.to = cursor.uint(8);
    need(q.what && q.of && q.bits !== 0, 'question');
    need((q.bits & (q.bits - 1)) === 0 || (q.bits & ~classBits) === 0, 'question');
    need(q.of === 'days' ? q.from <= q.to && q.to < noDay : q.from < q.to, 'question');
    q.flags = [];
    for (let i = 0; i < 16; i++) if (q.bits >> i & 1) q.flags.push(i);
    return q;
  }

  // within demands that all positions asked about are among the first n.
  within(n) {
    need(this.of !== 'positions' || this.to <= n, 'question');
    return this;
  }

  // matches gives the bits of the question's flags for which a record counts.
  matches(index, flags, day, millis) {
    const v = { positions: index, days: day, instants: millis }[this.of];
    const within = this.from <= v && (this.of === 'days' ? v <= this.to : v < this.to);
    return within ? flags & this.bits : 0;
  }

  // closable tells whether the node of leaves [lo, hi) may be closed, and of which flags its counts lie inside.
  closable(lo, hi, a) {
    const inside = [], whole = this.what !== 'list';
    let may = true;
    for (const i of this.flags) {
      if (a.count[i] === 0) continue;
      const [from, to, end] = this.of === 'days' ? [a.first[i], a.last[i], this.to] : [lo, hi - 1, this.to - 1];
      if (to < this.from || from > end) continue;
      if (whole && from >= this.from && to <= end) inside.push(i); else may = false;
    }
    return { may, inside };
  }
}
