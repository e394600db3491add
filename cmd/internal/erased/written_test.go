package erased

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// A message is one record of a block file: docs/FORMAT.md, block file.
type message struct {
	sequence, time uint64
	subject        string
	data           []byte
}

// messagesIn reads a block.
func messagesIn(b []byte) (all []message) {
	for len(b) >= 34 {
		size := int(binary.LittleEndian.Uint32(b) &^ (1 << 31))
		if size > len(b) || size < 34 {
			return all
		}
		m := message{binary.LittleEndian.Uint64(b[4:]), binary.LittleEndian.Uint64(b[12:]), "", nil}
		at := 22 + int(binary.LittleEndian.Uint16(b[20:]))
		m.subject = string(b[22:at])
		at += 4 + int(binary.LittleEndian.Uint32(b[at:]))
		m.data = b[at : size-8]
		all, b = append(all, m), b[size:]
	}
	return all
}

// stream reads all messages of whoever's subjects begin so, in their order.
func (h hoard) stream(subject string) (all []message) {
	for _, f := range h.only("/nats/") {
		if strings.HasSuffix(f.path, ".blk") {
			for _, m := range messagesIn(f.data) {
				if strings.HasPrefix(m.subject, subject) {
					all = append(all, m)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b message) int { return int(a.sequence) - int(b.sequence) })
	return all
}

// A writing is a message of rows, and those of them whose keys are gone.
type writing struct {
	message
	dead []record
}

// writings are the messages of rows in the vault's stream, in their order.
func (a *adversary) writings() (all []writing) {
	for _, m := range a.stream("vault.") {
		if !strings.HasSuffix(m.subject, ".rows") {
			continue
		}
		w := writing{message: m}
		for rest := m.data[54 : len(m.data)-32]; len(rest) > recordHead; {
			rec, ok := recordAt(rest)
			if !ok {
				break
			}
			if _, opened := a.opened[rec.id]; !opened {
				w.dead = append(w.dead, rec)
			}
			rest = rest[recordHead+12+len(rec.box):]
		}
		all = append(all, w)
	}
	return all
}

// written: a row's rid and group stand in clear, and so does when it was written:
// just before the first event about whoever it was, and again when they were
// linked. So those events are known to be about the same nobody, though their cells
// differ; and guesses are ruled out for an event, not for the ledger alone. A token
// with which somebody asked about themselves names their row, too.
func (l *learner) written(t *testing.T) {
	nobodys := l.nobodys()
	stored := l.after.stream("custody.")
	events := map[rid][]string{} // that follow a writing of it, in which as many are nobody as were written
	shards := map[rid]byte{}
	lives := map[rid]bool{} // some of them were written again, under the next key of a group
	for _, r := range l.after.rows {
		lives[r.rid] = true
	}
	for _, w := range l.after.writings() {
		i := slices.IndexFunc(stored, func(e message) bool { return e.time >= w.time })
		dead := slices.DeleteFunc(w.dead, func(r record) bool { return lives[r.rid] })
		if i < 0 || len(dead) == 0 {
			continue
		}
		e := parseEvent(t, bytes.Clone(stored[i].data))
		if n := len(slices.DeleteFunc(e.people, func(t tag) bool { return !nobodys[t] })); n != len(dead) {
			continue
		}
		for _, rec := range dead {
			events[rec.rid], shards[rec.rid] = append(events[rec.rid], e.id), rec.shard
		}
	}
	first, linked := 0, 0
	for rid, ids := range events {
		about := l.at.sent[slices.IndexFunc(l.at.sent, func(e sent) bool { return e.id == ids[0] })]
		for route := range l.after.routes {
			if sum := hmac(route, []byte(about.subjects[0])); len(about.subjects) == 1 && shards[rid] == sum[0] {
				first++
			}
		}
		if len(ids) > 1 {
			linked++
		}
	}
	if first == 0 || linked == 0 {
		t.Errorf("%d first events have a group, %d go together with another: say so no more", first, linked)
	}
	owners := 0
	for _, m := range l.after.stream("access.") {
		var said struct{ Token struct{ Name, Person string } }
		if err := json.Unmarshal(m.data, &said); err != nil {
			t.Fatal(err)
		}
		if owner, ok := parseTag(said.Token.Person); ok && len(events[rid(owner)]) > 0 && said.Token.Name == "own-record" {
			owners++
		}
	}
	if owners != 1 {
		t.Errorf("%d tokens name the row that they were for: say so no more", owners)
	}
}
