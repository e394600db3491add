package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

// A Finding is one thing that is not as it was written.
type Finding struct {
	Part     string // events, vault, access, files
	Position uint64 // first event or message affected, 0 if none in particular
	Text     string // for the operator; names no person
}

// A Report is the outcome of a check.
type Report struct {
	Name, ID  string
	Events    uint64   // events read
	Checked   []string // what was held against what
	Notes     []string // what could not be known, or is not a fault
	Findings  []Finding
	truncated bool
}

// maxFindings bounds a report: what follows is counted, not listed.
const maxFindings = 1000

// Sound reports whether nothing was found.
func (r *Report) Sound() bool { return len(r.Findings) == 0 }

func (r *Report) find(part string, position uint64, format string, args ...any) {
	switch {
	case len(r.Findings) < maxFindings:
		r.Findings = append(r.Findings, Finding{part, position, fmt.Sprintf(format, args...)})
	case !r.truncated:
		r.truncated = true
		r.Notes = append(r.Notes, fmt.Sprintf("more than %d findings; the rest is not listed", maxFindings))
	}
}

// Check holds the whole ledger against itself, from the bytes on disk, without
// starting a server and without writing anything but the lock it holds
// meanwhile. It finds what a start would refuse, and beyond that: stored bytes
// that are not exactly one event in its one spelling, recorded times that go
// back, identities that stand twice, facts and classes that the register at
// that place does not give, tags and seals the vault does not know, a history
// other than the one the durable mark names.
//
// The error says that the check could not be made ([ErrLocked], [ErrNoLedger],
// an unreadable root key); what it found is in the report. progress, if not
// nil, is called now and then with events read and events in all. Memory grows
// by 16 bytes an event, for identities.
func Check(ctx context.Context, cfg Config, progress func(done, all uint64)) (*Report, error) {
	l, err := prepare(cfg)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	r := &Report{}
	if err != nil {
		r.find("files", 0, "%v", err)
		return r, nil
	}
	r.Name, r.ID = l.manifest.Name, l.manifest.ID
	if _, err := os.Stat(l.paths.keys); err != nil {
		return nil, fmt.Errorf("%w: key directory: %w", ErrConfig, err)
	}
	lock, err := takeLock(l.paths.lock())
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	c := checker{Ledger: l, report: r, progress: progress}
	return r, c.run(ctx)
}

// A checker is one run of Check.
type checker struct {
	*Ledger
	report   *Report
	progress func(done, all uint64)
	known    mark
	have     bool
	last     map[string]uint64 // last good sequence of each stream
	resolver *vault.Resolver   // nil if the vault cannot be read
	root     uint64            // version of the root key, 0 if it cannot be read

	judge              *Judge
	witness            *recount // nil if the record log cannot be read
	unresolved, closed int      // tags that are nobody's, seals whose keys are gone
}

func (c *checker) run(ctx context.Context) error {
	var err error
	if c.known, c.have, err = c.readMark(); err != nil {
		c.report.find("files", 0, "%v", err)
	}
	if !c.have {
		c.report.Notes = append(c.report.Notes, "no durable mark beside the keys: an older copy of the data could not be told from the newest")
	}
	if !c.preflight(ctx) {
		return nil // the blocks themselves are unsound: nothing in them can be trusted
	}
	c.vaultSound()
	c.accessSound(ctx)
	return c.eventsSound(ctx)
}

// preflight verifies every block of every stream, as a start would.
func (c *checker) preflight(ctx context.Context) bool {
	cfg := natsd.Config{Dir: c.paths.store(), Streams: c.manifest.streams(), Log: c.logger}
	if c.have {
		cfg.Durable = map[string]uint64{
			c.manifest.events(): c.known.Events, c.manifest.vault(): c.known.Vault, c.manifest.access(): c.known.Access,
		}
	}
	report, err := natsd.Preflight(ctx, cfg)
	if err != nil {
		c.report.find("files", 0, "%v", err)
		return false
	}
	c.last = map[string]uint64{}
	for _, s := range report.Streams {
		c.last[s.Name] = s.Last
		if s.Torn != nil {
			c.report.Notes = append(c.report.Notes, fmt.Sprintf("torn tail above everything known to be durable; the next start cuts it: %v", s.Torn))
		}
	}
	c.report.Checked = append(c.report.Checked, "checksum and sequence of every record in every block", "durable mark")
	return true
}

// messages yields the good messages of one stream from its files.
func (c *checker) messages(name string) iter.Seq2[stream.Message, error] {
	return func(yield func(stream.Message, error) bool) {
		if c.last[name] == 0 {
			return
		}
		for m, err := range natsd.Scan(c.paths.store(), name) {
			if err != nil {
				yield(m, err)
				return
			}
			if m.Sequence > c.last[name] || !yield(m, nil) {
				return
			}
		}
	}
}

// vaultSound opens every live row and table of the vault under the root key.
func (c *checker) vaultSound() {
	device, err := wrapper(c.device, c.manifest.ID)
	if err != nil {
		c.report.find("files", 0, "%v", err)
		return
	}
	root, err := vault.OpenRoot(c.paths.root(), device)
	if err != nil {
		c.report.find("files", 0, "%s: %v", c.paths.root(), err)
		return
	}
	c.root = root.Version()
	found, err := vault.Inspect(c.messages(c.manifest.vault()), root)
	if err != nil {
		c.report.find("vault", 0, "%v", err)
		return
	}
	for _, f := range found.Faults {
		c.report.find("vault", f.Sequence, "%v", f.Err)
	}
	if c.resolver, err = vault.NewResolver(c.messages(c.manifest.vault()), root); err != nil {
		c.report.find("vault", 0, "%v", err)
		return
	}
	c.report.Checked = append(c.report.Checked, "every row and table of the vault opens, links go both ways")
}

// scanned is a stream read from its files; nothing can be appended to it.
type scanned struct {
	*checker
	name string
}

func (s scanned) Last() uint64 { return s.last[s.name] }

func (s scanned) Replay(_ context.Context, from, to uint64) iter.Seq2[stream.Message, error] {
	return func(yield func(stream.Message, error) bool) {
		for m, err := range s.messages(s.name) {
			if err == nil && (m.Sequence < from || m.Sequence > to) {
				continue
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

func (s scanned) Append(context.Context, []stream.Message) (uint64, error) {
	return s.Last(), fmt.Errorf("%w: read-only", stream.ErrRejected)
}

func (s scanned) Reconcile(context.Context) (uint64, error) { return s.Last(), nil }

func (c *checker) accessSound(ctx context.Context) {
	if _, err := access.Open(ctx, access.Config{Log: scanned{c, c.manifest.access()}, Ledger: c.manifest.Name, Now: c.now}); err != nil {
		c.report.find("access", 0, "%v", err)
		return
	}
	c.report.Checked = append(c.report.Checked, "producers and tokens fold")
}

// eventsSound reads every event once and holds it against all it must agree with.
func (c *checker) eventsSound(ctx context.Context) error {
	c.judge = NewJudge()
	c.recountEvidence()
	all := c.last[c.manifest.events()]
	seen := make(map[key]struct{}, all)
	for m, err := range c.messages(c.manifest.events()) {
		if err != nil {
			c.report.find("events", m.Sequence, "%v", err)
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		c.report.Events++
		if c.progress != nil && m.Sequence%4096 == 0 {
			c.progress(m.Sequence, all)
		}
		st := c.eventSound(m)
		if st == nil {
			continue
		}
		id := identityKey(st.Event.Source, st.Event.ID)
		if _, twice := seen[id]; twice {
			c.report.find("events", m.Sequence, "its identity stands at an earlier position, too")
		}
		seen[id] = struct{}{}
		c.secretsSound(m.Sequence, st)
	}
	c.evidenceSound()
	if c.progress != nil {
		c.progress(all, all)
	}
	if c.root != 0 && c.root < c.judge.register.Shredded {
		c.report.find("vault", 0, "the root key has version %d, and an erasure that was recorded destroyed all below %d", c.root, c.judge.register.Shredded)
	}
	c.report.Checked = append(c.report.Checked, "one spelling of every event", "order of recorded times", "identities", "facts and classes")
	if c.resolver != nil {
		c.report.Checked = append(c.report.Checked, "every tag is somebody's, every seal opens and agrees with the tags beside it")
	}
	if n := c.judge.Older(); n > 0 {
		c.report.Notes = append(c.report.Notes, fmt.Sprintf("%d events were classed under older legal tables; their classes were not decided again", n))
	}
	if c.unresolved+c.closed > 0 {
		c.report.Notes = append(c.report.Notes, fmt.Sprintf("%d tags that no longer resolve, %d seals whose keys are gone", c.unresolved, c.closed))
	}
	return nil
}

// eventSound holds one message against its own format, the register as it stands, and the evidence that names it.
// It returns nil if it is no event.
func (c *checker) eventSound(m stream.Message) *events.Stored {
	if c.have && m.Sequence == c.known.Events && sha256.Sum256(m.Data) != c.known.Digest {
		c.report.find("events", m.Sequence, "not the event that the durable mark names: another history")
	}
	st, faults, err := c.judge.Next(m.Sequence, m.Data)
	if err != nil {
		c.report.find("events", m.Sequence, "%v", err)
		c.witness.give(c, m, nil)
		return nil
	}
	for _, fault := range faults {
		c.report.find("events", m.Sequence, "%s", fault)
	}
	if want := c.subject(st.Event); m.Subject != want {
		c.report.find("events", m.Sequence, "stored under another subject than its own")
	}
	c.witness.give(c, m, st)
	return st
}
