package erased

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/backup/escrow"
	"github.com/imalink/custody/projections"
)

// A scene is a ledger as it is served, with its views, log, backup and escrow, and
// many people in it.
type scene struct {
	t      *testing.T
	dir    string
	cfg    ledger.Config
	l      *ledger.Ledger
	set    *projections.Set
	desk   *ask.Desk
	office *forget.Office
	log    *os.File

	sent         []sent
	left         map[string]int                 // who was erased, and how many events had been sent then
	certificates map[string]*report.Certificate // by who was erased
}

// sent is an event as it was sent.
type sent struct {
	id       string
	class    events.Retention
	at       time.Time
	subjects []string
	actor    string
	session  string
	reason   string
	line     string
}

// A key pair of age made for these tests.
const (
	escrowTo   = "age12afpwe2ms2pqtt9csm6lsynh7syqafhgh5pw36ytnzvg5adxv5uqra3v5r"
	escrowOpen = "AGE-SECRET-KEY-1LG3VQDT3XMZ50NY2R26PL6XACGP48X5N4YHJ4T3UWXAF8HVWMWLQM5QXYQ"
)

func dpo() ask.Asker {
	return ask.Asker{Token: "0123456789abcdef", Name: "dpo-1", Role: access.RoleDPO}
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir(), left: map[string]int{}, certificates: map[string]*report.Certificate{}}
	for _, dir := range []string{"logs", "escrow"} {
		s.must(os.Mkdir(filepath.Join(s.dir, dir), 0o700))
	}
	var err error
	s.log, err = os.Create(filepath.Join(s.dir, "logs", "custody.log"))
	s.must(err)
	t.Cleanup(func() { s.log.Close() })
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.cfg = ledger.Config{
		Data: filepath.Join(s.dir, "data"), Keys: filepath.Join(s.dir, "keys"), Index: views.Identities(log), Log: log,
		Ship: ledger.Shipper{Backup: filepath.Join(s.dir, "backup"), Escrow: filepath.Join(s.dir, "escrow", "root"), Recipients: []string{escrowTo}},
	}
	s.must(ledger.Create(t.Context(), s.cfg))
	s.open()
	t.Cleanup(func() {
		if s.l != nil {
			s.close()
		}
	})
	return s
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) open() {
	s.t.Helper()
	var err error
	s.l, err = ledger.Open(context.Background(), s.cfg)
	s.must(err)
	s.set, err = views.Open(context.Background(), filepath.Join(s.cfg.Data, "views"), s.l, s.cfg.Log)
	s.must(err)
	s.desk, err = ask.New(ask.Config{Ledger: s.l, Views: s.set})
	s.must(err)
	s.office = forget.New(forget.Config{Ledger: s.l, Desk: s.desk, Log: s.cfg.Log})
}

func (s *scene) close() {
	s.t.Helper()
	s.must(errors.Join(s.set.Close(), s.l.Close(context.Background())))
	s.l = nil
}

// gather takes everything that exists now.
func (s *scene) gather() hoard {
	s.t.Helper()
	in := func(name string) string { return filepath.Join(s.dir, name) }
	h := gather(s.t, []string{in("data"), in("logs"), in("backup"), in("escrow")}, in("keys"))
	return h.with(s.escrowed())
}

// escrowed is what somebody who can open the escrow finds there.
func (s *scene) escrowed() file {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "identity")
	s.must(os.WriteFile(path, []byte(escrowOpen), 0o600))
	who, err := escrow.ParseIdentities([]string{path})
	s.must(err)
	root, err := escrow.Read(s.cfg.Ship.Escrow, who)
	s.must(err)
	return file{path: "the opened escrow", key: true, data: root.Reveal()}
}

// Who is in it.
const (
	people    = 140
	employees = 8
)

// name is an identifier whose bytes stand nowhere by chance.
func name(kind string, r *rand.Rand) string {
	b := []byte(kind + ":")
	for range 12 {
		b = append(b, byte('a'+r.IntN(26)))
	}
	return string(b)
}

// folk are everybody, the same in every run.
type folk struct {
	people, staff, alias []string // alias of the first of people, "" for none
}

func everybody() (f folk) {
	r := rand.New(rand.NewPCG(5, 3))
	for i := range people {
		f.people, f.alias = append(f.people, name("candidate", r)), append(f.alias, "")
		if i%10 == 1 {
			f.alias[i] = name("mail", r)
		}
	}
	for range employees {
		f.staff = append(f.staff, name("employee", r))
	}
	return f
}

// fill records some hundred events about everybody: alone, with a few others, and
// with more than 16; over four months, with and without what is sealed.
func (s *scene) fill(f folk) {
	r := rand.New(rand.NewPCG(5, 4))
	classes := []events.Retention{events.Access, events.Disclosure, events.LegalState}
	worker := f.staff[0] // who is a data subject as well
	for i, p := range f.people {
		for n := range 3 {
			month := time.Month(1 + r.IntN(4))
			s.about(classes[n], month, f.staff[r.IntN(employees)], n != 1 || i%2 == 0, p)
		}
		if i < 8 {
			for month := time.January; month <= time.April; month++ {
				for _, class := range classes {
					s.about(class, month, f.staff[1+i%3], true, p)
				}
			}
		}
		if alias := f.alias[i]; alias != "" {
			s.about(events.Access, time.February, f.staff[2], true, alias)
			s.linked(p, alias)
		}
	}
	for i, few := range []int{2, 3, 5, 8, 15, 16, 17, 20, 40} {
		for _, class := range classes {
			of := append([]string{f.people[i%8]}, f.people[10+i:10+i+few-1]...)
			s.about(class, time.Month(1+i%4), f.staff[i%employees], true, of...)
			s.about(class, time.April, f.staff[i%employees], true, append([]string{f.people[(i+1)%8]}, f.people[60+i:60+i+few-1]...)...)
		}
	}
	for _, class := range classes {
		s.about(class, time.March, f.staff[1], true, worker)
		s.about(class, time.April, f.staff[1], true, worker, f.people[20])
	}
	s.send(0)
}

// about adds an event to be sent.
func (s *scene) about(class events.Retention, month time.Month, actor string, reasoned bool, subjects ...string) {
	n := len(s.sent) + 1
	e := sent{id: fmt.Sprintf("e%04d", n), class: class, at: time.Date(2025, month, 1+n%27, 9, n%60, 0, 0, time.UTC), subjects: subjects, actor: actor}
	if n%4 == 0 {
		e.session = fmt.Sprintf("sess-%04d", n/40)
	}
	if reasoned {
		e.reason = fmt.Sprintf("because of matter %06d", 100_003*n%1_000_000)
	}
	s.sent = append(s.sent, e.spelt())
}

// spelt writes an event as it is sent.
func (e sent) spelt() sent {
	var list []string
	for _, id := range e.subjects {
		list = append(list, fmt.Sprintf(`{"id":%q,"role":"candidate"}`, id))
	}
	data := fmt.Sprintf(`"actor":{"id":%q,"role":"recruiter","kind":"human"`, e.actor)
	if e.session != "" {
		data += fmt.Sprintf(`,"session":%q`, e.session)
	}
	data += `}`
	if e.reason != "" {
		data += fmt.Sprintf(`,"reason":%q`, e.reason)
	}
	data += `,"subjects":[` + strings.Join(list, ",") + `]`
	const about = `,"system":"ats","dataset":"career_cv","categories":["contact","health"],"special":["health"],"a9":"A9-2-a","purpose":"service_provision","basis":"A6-1-b"`
	kind := "subject.consent-given"
	switch e.class {
	case events.Access:
		kind, data = "data.accessed", data+about+`,"mode":"view"`
	case events.Disclosure:
		kind, data = "data.shared", data+about+`,"recipient":{"party":"acme","role":"processor"}`
	default:
		data += `,"purposes":["pu1"],"method":"electronic"`
	}
	return e.as(kind, data)
}

func (e sent) as(kind, data string) sent {
	e.line = fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/ats","type":"eu.custody.%s.v1","time":%q,"data":{%s}}`, e.id, kind, e.at.Format(time.RFC3339), data)
	return e
}

// linked adds that two identifiers are one person's.
func (s *scene) linked(a, b string) {
	e := sent{id: fmt.Sprintf("e%04d", len(s.sent)+1), class: events.LegalState, at: time.Date(2025, 2, 3, 9, 0, 0, 0, time.UTC), subjects: []string{a, b}, actor: "service:match"}
	s.sent = append(s.sent, e.as("subject.identifiers-linked", fmt.Sprintf(
		`"actor":{"id":"service:match","role":"service","kind":"service"},"subjects":[{"id":%q,"role":"candidate"},{"id":%q,"role":"candidate"}]`, a, b)))
}

// alone is how many events are sent each in a request of its own; then come a few
// in one.
const alone = 40

// send records the events from one on.
func (s *scene) send(from int) {
	s.t.Helper()
	for n := from; n < len(s.sent); {
		some := s.sent[n : n+1]
		if n >= alone {
			some = s.sent[n:min(n+7, len(s.sent))]
		}
		n += len(some)
		var subs []ledger.Submission
		for _, one := range some {
			e, err := events.Decode([]byte(one.line))
			if err != nil {
				s.t.Fatalf("%v: %s", err, one.line)
			}
			subs = append(subs, ledger.Submission{Event: e, Relay: "import"})
		}
		results, err := s.l.Record(s.t.Context(), subs)
		s.must(err)
		for _, r := range results {
			if r.Err != nil {
				s.t.Fatal(r.Err)
			}
		}
	}
}

// sealed reports whether anything of an event is sealed: all but consents have
// special categories.
func (e sent) sealed() bool {
	return e.actor != "service:match" && (e.class != events.LegalState || e.reason != "" || e.session != "")
}
