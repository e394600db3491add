package vault

import (
	"fmt"
	"slices"
)

// A link is written in both rows before the event that makes it is recorded, so
// it may outlive an event that never was. It holds only if the event at its
// position has its salt. Asking for every link would cost a start its speed, so
// every rows message says up to which position events were durable when it was
// written, and rows whose links did not come to be are written anew no later
// than the first message that says so of their position. Thus, on opening, only
// links above the last such position are in doubt.

// Link says, by the event at position with that salt, that identifiers are one
// person's: every two of them. Those unknown are left out. It counts for this
// and later batches at once, for readers from Commit.
func (b *Batch) Link(ids []Identifier, position uint64, salt [16]byte) error {
	return b.state(ids, link{position: position, salt: salt})
}

// Unlink takes back what was said of every two of the identifiers. They remain
// one person if others still connect them.
func (b *Batch) Unlink(ids []Identifier, position uint64, salt [16]byte) error {
	return b.state(ids, link{position: position, salt: salt, off: true})
}

// Room returns an error that wraps [ErrLimit] if a statement about ids would
// exceed a limit. It creates nobody: ask before tagging those unknown.
func (b *Batch) Room(ids []Identifier) error {
	if len(ids) > MaxLinked {
		return fmt.Errorf("%w: %d identifiers in a link, at most %d", ErrLimit, len(ids), MaxLinked)
	}
	v := b.v
	v.mu.Lock()
	defer v.mu.Unlock()
	people, err := v.known(ids)
	if err != nil {
		return err
	}
	return room(people, len(ids)-1)
}

// room checks that each of people can have more links.
func room(people []*person, more int) error {
	for _, p := range people {
		if len(p.links)+more > MaxLinks {
			return fmt.Errorf("%w: an identifier would have %d links, at most %d", ErrLimit, len(p.links)+more, MaxLinks)
		}
	}
	return nil
}

// state adds one statement about every pair. After an error nothing is said.
func (b *Batch) state(ids []Identifier, l link) error {
	if len(ids) > MaxLinked {
		return fmt.Errorf("%w: %d identifiers in a link, at most %d", ErrLimit, len(ids), MaxLinked)
	}
	v := b.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := b.usable(); err != nil {
		return err
	}
	people, err := v.known(ids)
	if err != nil {
		return err
	}
	if err := room(people, len(people)-1); err != nil {
		return err
	}
	l.batch = b
	for i, p := range people {
		for _, q := range people[i+1:] {
			if p.says(q.rid, l.off) {
				continue
			}
			b.touch(p, q.rid, l)
			b.touch(q, p.rid, l)
		}
	}
	return nil
}

// known returns who has these identifiers, each once, without those unknown.
func (v *Vault) known(ids []Identifier) ([]*person, error) {
	var people []*person
	for _, id := range ids {
		p, err := v.find(id)
		if err != nil {
			return nil, err
		}
		if p != nil && !slices.Contains(people, p) {
			people = append(people, p)
		}
	}
	return people, nil
}

func (b *Batch) touch(p *person, other rid, l link) {
	l.other = other
	p.links = append(p.links, l)
	b.v.recent.put(p)
	b.written = false
	if !slices.Contains(b.touched, p) {
		b.touched = append(b.touched, p)
	}
}

// says reports whether a statement about p and other would say nothing new.
func (p *person) says(other rid, off bool) bool {
	for _, l := range slices.Backward(p.links) {
		if l.other == other {
			return l.batch == nil && l.off == off
		}
	}
	return off
}

// keepLinks settles what a committed batch said of p.
func (v *Vault) keepLinks(b *Batch, p *person) {
	for i := range p.links {
		if p.links[i].batch == b {
			p.links[i].batch = nil
		}
	}
	p.compact()
	v.reverse.notes.noteLinks(p)
}

// compact drops settled statements that later settled ones overrule, and those
// that a pair is not linked if they are the last: so says silence.
func (p *person) compact() {
	var links []link
	for i, l := range p.links {
		overruled := slices.ContainsFunc(p.links[i+1:], func(m link) bool { return m.other == l.other && m.batch == nil })
		if l.batch != nil || !overruled && !l.off {
			links = append(links, l)
		}
	}
	p.links = links
}

// dropLinks takes back what an aborted batch said of p. If it was written, the
// row is to be written anew.
func (v *Vault) dropLinks(b *Batch, p *person) {
	p.links = slices.DeleteFunc(p.links, func(l link) bool { return l.batch == b })
	if b.written {
		v.restate(p)
	}
}

// restate has p's row written by the next Flush.
func (v *Vault) restate(p *person) {
	if p.stale == 0 {
		v.stale = append(v.stale, p)
	}
	p.stale++
	v.recent.put(p)
}

// neighbours returns the rows that p is linked with; pending says whether
// batches not yet committed count.
func (p *person) neighbours(pending bool) []rid {
	var out []rid
	for _, l := range p.links {
		if l.batch != nil && !pending {
			continue
		}
		out = slices.DeleteFunc(out, func(r rid) bool { return r == l.other })
		if !l.off {
			out = append(out, l.other)
		}
	}
	return out
}

// component returns the rows of the person that p is part of, p first.
func (v *Vault) component(p *person, pending bool) ([]*person, error) {
	rows, seen := []*person{p}, map[rid]bool{p.rid: true}
	for i := 0; i < len(rows); i++ {
		for _, other := range rows[i].neighbours(pending) {
			if seen[other] {
				continue
			}
			seen[other] = true
			q, err := v.byRID(other)
			if err != nil {
				return nil, err
			}
			rows = append(rows, q)
		}
	}
	return rows, nil
}

func (v *Vault) byRID(r rid) (*person, error) {
	if p := v.recent.byRID[r]; p != nil {
		return p, nil
	}
	rec, ok, err := v.index.row(r)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, damaged("a row is linked with one that is not there")
	}
	return v.load(rec)
}

// settleOpen asks confirm about each stored link above the durable position that
// the stream itself vouches for. Those that do not hold are dropped, and their
// rows written anew by the first Flush.
func (v *Vault) settleOpen(confirm func(uint64) ([16]byte, bool, error)) error {
	for r := range v.index.state.open {
		p, err := v.byRID(r)
		if err != nil {
			return err
		}
		kept := p.links[:0:0]
		for _, l := range p.links {
			holds := l.position <= v.tail.events
			if !holds {
				salt, ok, err := confirm(l.position)
				if err != nil {
					return fmt.Errorf("confirming the link made at position %d: %w", l.position, err)
				}
				holds = ok && salt == l.salt
			}
			if holds {
				kept = append(kept, l)
			}
		}
		if len(kept) < len(p.links) {
			p.links = kept
			v.restate(p)
		}
		p.compact()
	}
	return nil
}
