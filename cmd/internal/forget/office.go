package forget

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
)

var (
	// ErrHeld is wrapped by a [*Held].
	ErrHeld = errors.New("forget: a legal hold is in the way")
	// ErrOpen is wrapped by an [*AlreadyOpen].
	ErrOpen = errors.New("forget: an erasure of this person is open")
	// ErrEnded is returned for an erasure that was carried out or cancelled.
	ErrEnded = errors.New("forget: this erasure has ended")
	// ErrDecideAgain is returned for an erasure whose person is no longer the one
	// it was opened for: identifiers were linked or unlinked since.
	ErrDecideAgain = errors.New("forget: identifiers were linked or unlinked since: cancel it and open another")
	// ErrGround is returned where what an employee did as an actor would be erased
	// without a ground, or a ground is given for nothing.
	ErrGround = errors.New("forget: a ground is given for erasing what somebody did as an actor, and for nothing else")
	// ErrDue is returned for an erasure that would be due before it is opened, or later
	// than [Latest] after.
	ErrDue = errors.New("forget: an erasure is due after it is opened, and within three months")
	// ErrDestroyed is wrapped by whatever failed after keys were destroyed: that
	// cannot be taken back. The event that says so is there, or follows at the
	// latest when the ledger is opened again.
	ErrDestroyed = errors.New("forget: the keys are destroyed, and then something failed")
)

// Held says which legal holds are in the way.
type Held struct{ Holds []ask.Hold }

func (h *Held) Error() string { return fmt.Sprintf("%v: %d in force", ErrHeld, len(h.Holds)) }
func (*Held) Unwrap() error   { return ErrHeld }

// AlreadyOpen says which erasure of the person is open.
type AlreadyOpen struct{ Position uint64 }

func (o *AlreadyOpen) Error() string { return fmt.Sprintf("%v: number %d", ErrOpen, o.Position) }
func (*AlreadyOpen) Unwrap() error   { return ErrOpen }

// A Config is what an office works with.
type Config struct {
	Ledger *ledger.Ledger
	Desk   *ask.Desk
	// TwoPersons has every reveal, and every retention that somebody asks for, wait for
	// a second person, too.
	TwoPersons bool
	// Ship is where the ledger takes a change of keys. After one its backup is brought
	// up to date, so that it has the event that says so.
	Ship ledger.Shipper
	// Before is called before keys are destroyed; nil is to bring the backup of Ship up
	// to date while recording goes on: what is left is done while it waits.
	Before func(context.Context) error
	// Device says that a device seals the root key. A change of keys succeeds only if
	// it has no key of a former version any more.
	Device bool
	Log    *slog.Logger     // nil discards; no line names a person
	Now    func() time.Time // nil is time.Now
}

// An Office decides, carries out and certifies. Its methods may be called
// concurrently; erasures take turns, so that nobody has two that are open, and
// none is carried out twice.
type Office struct {
	Config
	Approvals *Approvals

	turn    sync.Mutex    // held from deciding on an erasure until it is recorded
	copying chan struct{} // capacity 1: held while a backup is made, and from bringing it up to date until keys have changed
}

// New makes an office.
func New(cfg Config) *Office {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	o := &Office{Config: cfg, Approvals: newApprovals(cfg.Now), copying: make(chan struct{}, 1)}
	if o.Before == nil {
		o.Before = o.backup
	}
	return o
}

// A Request is what is asked to be erased.
type Request struct {
	Identifier string
	Reason     string // one of events.ErasureReasons
	Request    string // reference of the person's request, "" if there is none
	Case       string // a code, "" for none
	AsActor    bool   // what the person did as an actor goes as well
	Ground     string // why that may go, a code
	Keep       []events.Keeping
	Due        time.Time // when keys are destroyed at the latest; zero is a month from now: Art. 12(3)
	Now        bool      // keys are destroyed at once
	Approval   string    // id of the approval, where a second person is needed; "" asks for one

	agreed Agreement
}

// String and Format give nothing of whom it is about.
func (Request) String() string             { return "[redacted]" }
func (Request) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[redacted]") }
func (Request) LogValue() slog.Value       { return slog.StringValue("[redacted]") }

func (r *Request) options() ask.PlanOptions {
	return ask.PlanOptions{Case: r.Case, Reason: r.Reason, AsActor: r.AsActor, Keep: r.Keep}
}

// Latest is until when an erasure that is opened now may be put off: one month, and
// two more where requests are complex or many (GDPR Art. 12(3)), to the end of that
// day wherever it ends (Regulation 1182/71, Art. 3).
func Latest(now time.Time) time.Time { return now.AddDate(0, 3, 1) }

// due is when keys are destroyed at the latest.
func (o *Office) due(r *Request) time.Time {
	if r.Due.IsZero() {
		return o.Now().AddDate(0, 1, 0) // Art. 12(3): within one month
	}
	return r.Due
}

// opening is a request as it is recorded, for the person who has these
// identifiers, with all that is kept.
func (o *Office) opening(who events.Who, r *Request, keep []events.Keeping, subjects ...string) events.Opening {
	return events.Opening{Who: who, Reason: r.Reason, Request: r.Request, Due: o.due(r), Actor: r.AsActor, Ground: r.Ground, Keep: keep, Subjects: subjects}
}

// check refuses what could not be recorded, before anybody is looked up. The
// error points into the event, or is [ErrGround] or [ErrDue].
func (o *Office) check(who events.Who, r *Request) error {
	switch {
	case r.AsActor != (r.Ground != ""):
		return ErrGround
	case o.due(r).Before(o.Now()), o.due(r).After(Latest(o.Now())):
		return ErrDue
	}
	_, err := o.opening(who, r, r.Keep, r.Identifier).Event("", ledger.OwnSource, o.Now())
	return err
}

// decider is whoever asks, as it is recorded.
func decider(a ask.Asker) events.Who { return events.Who{Role: string(a.Role), Token: a.Name} }

// Plan says what an erasure would mean, and changes nothing. Its errors are those
// of [Office.Erase], but for what is in the way.
func (o *Office) Plan(ctx context.Context, a ask.Asker, r Request) (*report.Certificate, error) {
	who := decider(a)
	if err := o.check(who, &r); err != nil {
		return nil, err
	}
	p, err := o.plan(ctx, a, &r)
	if err != nil {
		return nil, err
	}
	return o.planned(report.DryRun, &p, &r, who), nil
}

func (o *Office) plan(ctx context.Context, a ask.Asker, r *Request) (ask.Plan, error) {
	p, err := o.Desk.ErasurePlan(ctx, a, r.Identifier, r.options())
	if err != nil {
		return ask.Plan{}, err
	}
	return p, r.agreed.holds(r.terms(p.Measure()))
}
