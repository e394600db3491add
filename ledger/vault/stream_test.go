package vault

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/stream"
)

var _ Log = (*stream.Stream)(nil)

// served is a vault on a real stream of a real server.
type served struct {
	server *natsd.Server
	log    *stream.Stream
	*Vault
}

func serve(t *testing.T, cfg natsd.Config, sc stream.Config, o Options) served {
	t.Helper()
	server, _, err := natsd.Start(t.Context(), cfg)
	must(t, err)
	log, err := stream.Open(t.Context(), server.Conn(), server.Guard(sc))
	must(t, err)
	if log.Last() == 0 {
		must(t, Create(t.Context(), log, o.Subject, o.Root))
	}
	o.Log = log
	v, err := Open(t.Context(), o)
	must(t, err)
	return served{server, log, v}
}

func (s served) stop(t *testing.T) {
	t.Helper()
	must(t, s.Close())
	must(t, s.log.Close())
	must(t, s.server.Stop(context.Background()))
}

func TestOnRealStream(t *testing.T) {
	dir := t.TempDir()
	cfg := natsd.Config{Dir: filepath.Join(dir, "nats"), Streams: []string{"CUSTODY_T_VAULT"}, Quarantine: filepath.Join(dir, "quarantine")}
	sc := stream.Config{Name: "CUSTODY_T_VAULT", Subjects: []string{testSubject + ".>"}}
	must(t, natsd.Create(t.Context(), cfg, []stream.Config{sc}))
	must(t, CreateRoot(filepath.Join(dir, "root"), nil))
	root, err := OpenRoot(filepath.Join(dir, "root"), nil)
	must(t, err)
	o := Options{Root: root, Subject: testSubject, IndexPath: filepath.Join(dir, "vault.db"), Confirm: func(p uint64) ([16]byte, bool, error) { return [16]byte{1}, p == 1, nil }}

	s := serve(t, cfg, sc, o)
	batch := s.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	var tags []Tag
	for i := range 5000 {
		tag, _, err := batch.Tag(c, Identifier(fmt.Sprint("candidate:", i)))
		must(t, err)
		tags = append(tags, tag)
	}
	must(t, batch.Link([]Identifier{"candidate:1", "candidate:2"}, 1, [16]byte{1}))
	must(t, batch.Flush(t.Context(), 0))
	batch.Commit()
	if n := s.log.Last(); n < 4 || n > 6 {
		t.Errorf("5,000 people took %d messages", n)
	}
	check := func() {
		t.Helper()
		for i, want := range tags {
			got, ok, err := s.TagOf(march, Identifier(fmt.Sprint("candidate:", i)))
			if err != nil || !ok || got != want {
				t.Fatalf("tag %d is %v %t %v, want %v", i, got, ok, err, want)
			}
		}
		ids, err := s.Linked("candidate:2")
		must(t, err)
		equal(t, "linked", len(ids), 2)
		r, err := s.Check(t.Context())
		must(t, err)
		equal(t, "faults", len(r.Faults), 0)
	}
	check()
	s.stop(t)
	s = serve(t, cfg, sc, o)
	check()
	must(t, s.Rekey(t.Context(), []uint8{0, 1, 2}))
	check()
	s.stop(t)
	must(t, os.Remove(o.IndexPath))
	s = serve(t, cfg, sc, o)
	check()
	s.stop(t)

	r, err := Inspect(natsd.Scan(cfg.Dir, sc.Name), root)
	must(t, err)
	if len(r.Faults) > 0 || r.People != 5000 || r.Root != 2 || r.Messages > math.MaxInt32 {
		t.Errorf("offline: %+v", r)
	}
}
