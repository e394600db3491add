package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/recordlog"
	"github.com/imalink/custody/ledger/notary"
)

// Media types of evidence.
const (
	noteType  = "text/plain; charset=utf-8"
	tileType  = "application/octet-stream"
	proofType = "application/vnd.custody.proof"
	zipType   = "application/zip"
)

// evidenceState is how far evidence has come.
type evidenceState struct {
	Origin       string         `json:"origin,omitempty" doc:"the name that checkpoints are signed under"`
	Keys         []string       `json:"keys" nullable:"false" doc:"verifier keys of the log, the newest last"`
	Retired      []retiredKey   `json:"retired" nullable:"false" doc:"keys of the log under this origin that sign no more"`
	Bundle       string         `json:"bundle,omitempty" doc:"verifier key of the manifests of bundles"`
	Records      uint64         `json:"records" doc:"in the record log"`
	Committed    uint64         `json:"committed" doc:"covered by the last commit"`
	Signed       uint64         `json:"signed" doc:"covered by the last checkpoint"`
	SignedAt     *time.Time     `json:"signed_at,omitempty"`
	Cosigned     uint64         `json:"cosigned" doc:"covered by the last checkpoint that a witness and an auditor cosigned"`
	Unsigned     string         `json:"unsigned,omitempty" doc:"why it does not sign"`
	Failing      string         `json:"failing,omitempty" doc:"what went wrong last, if it has not gone right since"`
	Cosigners    []announcedKey `json:"cosigners" nullable:"false"`
	Cosignatures []cosignature  `json:"cosignatures" nullable:"false" doc:"of the checkpoint that proofs are made under"`
}

type retiredKey struct {
	Key  string `json:"key" doc:"its verifier key"`
	Upto uint64 `json:"upto" doc:"the last size that it signed for; of what it signs beyond nothing counts"`
}

type announcedKey struct {
	Role     string `json:"role" enum:"witness,replay"`
	Key      string `json:"key" doc:"its verifier key"`
	Operator string `json:"operator,omitempty" doc:"party that keeps it; the controller if not said"`
}

type cosignature struct {
	Role string    `json:"role" enum:"witness,replay"`
	Key  string    `json:"key" doc:"name and id of the key"`
	Time time.Time `json:"time" doc:"when it says that it was made"`
}

type (
	evidenceOutput struct{ Body evidenceState }
	rawOutput      struct {
		ContentType string `header:"Content-Type"`
		Body        []byte
	}
)

// Evidence is what proofs are asked of, and what announces keys. *ledger.Ledger is the one that is used.
type Evidence interface {
	Evidence() *notary.Notary
	RecordKey(ctx context.Context, k events.KeyAnnouncement) (position uint64, err error)
	Announced(ctx context.Context) (notary.Announced, error)
	Event(ctx context.Context, position uint64) (events.Record, error)
	Head() ledger.Head
	Name() string
	ID() string
}

var _ Evidence = (*ledger.Ledger)(nil)

// AttachEvidence has proofs asked of it, from now on.
func (a *API) AttachEvidence(e Evidence) { a.evidence.Store(&e) }

// notary is what makes proofs, or why there is none.
func (a *API) notary() (Evidence, *notary.Notary, error) {
	e := a.evidence.Load()
	if e == nil {
		return nil, nil, problem(notReady, "it is being opened")
	}
	n := (*e).Evidence()
	if n == nil {
		return nil, nil, problem(notFound, "the server was started without evidence: custody serve --commit-every")
	}
	return *e, n, nil
}

// showEvidence registers how far evidence is.
func (a *API) showEvidence(h huma.API) {
	show := operation(http.MethodGet, "/v1/evidence", "get-evidence", "How far evidence has come, and which keys sign", notFound)
	huma.Register(h, guard(show, access.Status), func(ctx context.Context, _ *struct{}) (*evidenceOutput, error) {
		e, n, err := a.notary()
		if err != nil {
			return nil, err
		}
		status := n.Status()
		out := &evidenceOutput{Body: stateOf(status)}
		announced, err := e.Announced(ctx)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		for _, k := range status.Retired(announced) {
			out.Body.Retired = append(out.Body.Retired, retiredKey(k))
		}
		for _, c := range announced.Cosigners {
			out.Body.Cosigners = append(out.Body.Cosigners, announcedKey(c))
		}
		note, err := n.Cosigned()
		if err != nil { // it does not sign, and says so above
			return out, nil
		}
		judged, err := n.Judged(ctx, note)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		out.Body.add("witness", judged.Witnesses)
		out.Body.add("replay", judged.Replays)
		return out, nil
	})
}

func stateOf(s notary.Status) evidenceState {
	out := evidenceState{Origin: s.Origin, Keys: append([]string{}, s.Keys...), Bundle: s.Bundle,
		Records: s.Size, Committed: s.Committed, Signed: s.Signed, Cosigned: s.Cosigned, Unsigned: s.Unsigned, Failing: s.Failing,
		Retired: []retiredKey{}, Cosigners: []announcedKey{}, Cosignatures: []cosignature{}}
	if !s.SignedAt.IsZero() {
		at := s.SignedAt.UTC()
		out.SignedAt = &at
	}
	return out
}

func (s *evidenceState) add(role string, made []checkpoint.Cosignature) {
	for _, c := range made {
		s.Cosignatures = append(s.Cosignatures, cosignature{role, c.Key.String(), c.Time})
	}
}

// serveCheckpoint serves the newest checkpoint (c2sp.org/tlog-tiles), or the newest that a witness cosigned.
func (a *API) serveCheckpoint(w http.ResponseWriter, r *http.Request, _ access.Principal) {
	_, n, err := a.notary()
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	cosigned, err := flag(r, "witnessed")
	var note checkpoint.Note
	switch {
	case err == nil && cosigned:
		note, err = n.Witnessed()
	case err == nil:
		note, err = n.Checkpoint()
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.send(w, noteType, note.Bytes())
}

// serveTile serves a tile of hashes, which everybody may have. However its path is written, one of records is not
// served here.
func (a *API) serveTile(w http.ResponseWriter, r *http.Request, _ access.Principal) {
	a.tile(w, r, false)
}

// serveEntries serves a tile of records.
func (a *API) serveEntries(w http.ResponseWriter, r *http.Request, _ access.Principal) {
	a.tile(w, r, true)
}

func (a *API) tile(w http.ResponseWriter, r *http.Request, entries bool) {
	_, n, err := a.notary()
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	tile, err := recordlog.ParseTile(strings.TrimPrefix(r.URL.Path, "/v1/"))
	if err == nil && entries != (tile.Level == recordlog.Entries) {
		err = recordlog.ErrNoTile
	}
	var b []byte
	if err == nil {
		b, err = n.Tile(tile)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.send(w, tileType, b)
}

func (a *API) send(w http.ResponseWriter, mediaType string, b []byte) {
	w.Header().Set("Content-Type", mediaType)
	_, _ = w.Write(b) // the client is gone
}

func (d *document) checkpoint() huma.Operation {
	op := simple("/v1/checkpoint", "get-checkpoint", "The newest checkpoint, as a signed note with its cosignatures (c2sp.org/tlog-tiles)", "text/plain")
	op.Parameters = []*huma.Param{query("witnessed", huma.TypeBoolean, "the newest that a witness cosigned; if there is none, the newest")}
	addProblems(&op, notFound, notReady, notProven, unsigned)
	return op
}

func (d *document) tiles() huma.Operation {
	op := simple("/v1/tile/{tile}", "get-tile", "A tile of hashes (c2sp.org/tlog-tiles)", tileType)
	addProblems(&op, notFound, notReady, notProven, unsigned)
	return below(op, "<L>/<N>[.p/<W>]")
}

func (d *document) entries() huma.Operation {
	op := operation(http.MethodGet, "/v1/tile/entries/{tile}", "get-entries", "A tile of records (c2sp.org/tlog-tiles)", notFound, notProven, unsigned)
	op.Responses["200"] = text("Each record behind its length in two bytes", tileType)
	return below(guard(op, access.Prove), "<N>[.p/<W>]")
}

// below is an operation the path of which ends in a tile's, slashes included.
func below(op huma.Operation, form string) huma.Operation {
	op.Parameters = []*huma.Param{{Name: "tile", In: "path", Required: true, Description: form + ", with its slashes", Schema: &huma.Schema{Type: huma.TypeString}}}
	op.Metadata["rest"] = true
	return op
}

// proofProblem is the problem of an error of evidence; nil for any other.
func proofProblem(err error) *Problem {
	for _, known := range []struct {
		err    error
		word   word
		detail string
	}{
		{recordlog.ErrNoTile, notFound, "a tile is named as c2sp.org/tlog-tiles says, and is there once a checkpoint covers it"},
		{notary.ErrUnsigned, unsigned, "GET /v1/evidence says why, and an operator can do something about it"},
		{notary.ErrBehind, notProven, "no checkpoint or commit covers it yet; ask again in a second"},
		{notary.ErrNoCommit, notProven, "nothing is committed yet; ask again in a second"},
		{notary.ErrKeys, conflict, "one key signs, or two while one takes the other's place; a new origin is for a ledger that may not sign"},
		{notary.ErrCosignature, invalidRequest, "send a checkpoint that this ledger signed, with its signature and only cosignatures by keys that were announced"},
		{notary.ErrClosed, notReady, "it is closing; asking again is safe"},
	} {
		if errors.Is(err, known.err) {
			return problem(known.word, known.detail)
		}
	}
	return nil
}
