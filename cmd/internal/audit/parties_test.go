package audit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A party is shown a ledger, and says whether it caught a lie.
type party interface {
	name() string
	meet(k *liar, size int) bool
	says() string // for the log of a test
}

func newParties(t *testing.T, w *world) []party {
	return []party{newWitnessing(t, w), newAuditing(t, w, false), newAuditing(t, w, true), newProducing(t, w)}
}

// An auditing is an auditor that is shown a ledger over the network.
type auditing struct {
	t      *testing.T
	w      *world
	events bool
	office *office
	stage  *stage
	url    string
	last   *Report
}

func newAuditing(t *testing.T, w *world, events bool) *auditing {
	p := &auditing{t: t, w: w, events: events, office: newOffice(t), stage: &stage{}}
	p.stage.accepted = []string{p.office.keys.Replay.Verifier(), p.office.keys.Witness.Verifier()}
	server := httptest.NewServer(p.stage)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *auditing) name() string {
	if p.events {
		return "event auditor"
	}
	return "record auditor"
}

func (p *auditing) says() string { return fmt.Sprintf(": %+v", p.last) }

func (p *auditing) config() Config {
	return Config{Do: ask(p.url, ""), Trust: p.w.trust, Events: p.events}
}

func (p *auditing) meet(k *liar, size int) bool {
	p.t.Helper()
	p.stage.show(k, size)
	left := len(p.stage.left)
	r, err := p.office.round(p.config())
	if err != nil {
		p.t.Fatalf("%s: %v", p.name(), err)
	}
	p.last = r
	if r.Sound != (len(p.stage.left) == left+1) || r.Sound != r.Cosigned {
		p.t.Errorf("the %s found it sound, %t, and cosigned, %t", p.name(), r.Sound, r.Cosigned)
	}
	return !r.Sound
}

// proves demands a proof of this type, which whoever has the key of the log confirms; of type 0, none.
func (p *auditing) proves(want evidence.Type) {
	p.t.Helper()
	proofs, faults := p.office.proofs(), 0
	for _, f := range p.last.Findings {
		if f.Fault {
			faults++
		}
	}
	if faults > 1 {
		p.t.Errorf("the %s finds more than is false: %+v", p.name(), p.last.Findings)
	}
	if want == 0 {
		if len(proofs) > 0 {
			p.t.Errorf("the %s proves what cannot be proven", p.name())
		}
		return
	}
	if len(proofs) == 0 {
		p.t.Errorf("the %s has no proof: %+v", p.name(), p.last.Findings)
	}
	for _, b := range proofs {
		trust := p.w.trust
		if want == evidence.TypeShownLess {
			trust = p.w.trusting(p.office.keys.Witness)
		}
		v, err := evidence.VerifyFacts(b, trust, ledger.JudgeFacts)
		if err != nil || v.Outcome != evidence.Proven || v.Type != want {
			p.t.Errorf("the proof of the %s: %v, %+v, want %v", p.name(), err, v, want)
		}
	}
}

// A witnessing is a witness, which a ledger asks.
type witnessing struct {
	t      *testing.T
	office *office
	w      *world
	size   uint64
	said   string
}

func newWitnessing(t *testing.T, w *world) *witnessing {
	return &witnessing{t: t, office: newOffice(t), w: w}
}

func (p *witnessing) name() string { return "witness" }
func (p *witnessing) says() string { return ": " + p.said }

func (p *witnessing) meet(k *liar, size int) bool {
	p.t.Helper()
	r := checkpoint.Request{Old: min(p.size, uint64(size)), Note: k.note(size)}
	if r.Old > 0 {
		r.Proof = must(evidence.GrowthPath(k.tree, r.Old, r.Note.Size))
	}
	a, err := NewWitness(p.office.dir, p.office.keys, p.w.trust, time.Now).Add(r)
	if err != nil {
		p.t.Fatal(err)
	}
	if errors.Is(a.Err, checkpoint.ErrFork) {
		v, err := evidence.Verify(p.office.proofs()[0], p.w.trust)
		if err != nil || v.Outcome != evidence.Proven || v.Type != evidence.TypeFork || filepath.Dir(a.Proof) != p.office.dir {
			p.t.Errorf("the proof of the witness: %v, %+v", err, v)
		}
	}
	p.said = fmt.Sprint(a.Status, a.Err)
	if a.Err == nil {
		p.size = uint64(size)
	}
	return a.Err != nil
}

// A producing is a producer with the receipts of two events that it sent.
type producing struct {
	t        *testing.T
	w        *world
	sent     map[int]*events.Event // by index
	receipts map[int]checkpoint.Note
	why      error
}

func newProducing(t *testing.T, w *world) *producing {
	p := &producing{t: t, w: w, sent: map[int]*events.Event{}, receipts: map[int]checkpoint.Note{}}
	for _, line := range story() {
		e := must(events.Decode([]byte(line)))
		if slices.Contains([]string{"ats-3", "ats-7", transferred}, e.ID) {
			p.sent[w.find(e.ID)] = e
		}
	}
	return p
}

func (p *producing) name() string { return "producer" }
func (p *producing) says() string { return fmt.Sprintf(": %v", p.why) }

func (p *producing) meet(k *liar, size int) bool {
	s := &stage{ledger: k, size: size}
	server := httptest.NewServer(s)
	defer server.Close()
	for index, sent := range p.sent {
		if p.why = p.receipt(ask(server.URL, ""), index, sent); p.why != nil {
			return true
		}
	}
	return false
}

// receipt asks for the receipt of an event and compares it with what was sent, and its checkpoint with the one before.
func (p *producing) receipt(do Do, index int, sent *events.Event) error {
	body, err := do(p.t.Context(), http.MethodGet, "/v1/proofs/event", url.Values{"position": {strconv.Itoa(index + 1)}, "told": {"true"}}, nil)
	if err != nil {
		return err
	}
	v, err := evidence.Verify(must(io.ReadAll(body)), p.w.trust)
	if err != nil {
		return err
	}
	st, err := events.DecodeStored(v.Event)
	if err != nil {
		return err
	}
	e, r := st.Event, v.Leaf.Record
	same := e.ID == sent.ID && e.Source == sent.Source && e.Kind == sent.Kind && e.At.Equal(sent.At) && e.Seq == sent.Seq &&
		e.Data.Get("result_count").Int() == sent.Data.Get("result_count").Int()
	if !same || v.Leaf.Index != uint64(index) {
		return errors.New("another event than was sent")
	}
	if r != evidence.RecordOf(st, sha256.Sum256(v.Event), r.Producer) {
		return errors.New("recorded as something else")
	}
	before, known := p.receipts[index]
	p.receipts[index] = v.Head.Note
	switch now := v.Head.Note; {
	case !known || before.Checkpoint == now.Checkpoint:
		return nil
	case before.Size >= now.Size:
		return errors.New("an older copy, or a fork")
	}
	body, err = do(p.t.Context(), http.MethodPost, "/v1/proofs/growth", nil, before.Bytes())
	if err != nil {
		return err
	}
	_, err = evidence.Verify(must(io.ReadAll(body)), p.w.trust)
	return err
}
