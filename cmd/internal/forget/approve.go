package forget

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"
)

// approvalTime is how long an act waits for a second person, and then for
// whoever asked for it to come back.
const approvalTime = time.Hour

// maxApprovals bounds what may wait at a time.
const maxApprovals = 256

var (
	// ErrNoApproval is returned for an approval that is not there: it was never
	// asked for, expired, or was used.
	ErrNoApproval = errors.New("forget: no such approval")
	// ErrSamePerson is returned when whoever asked would approve.
	ErrSamePerson = errors.New("forget: a second person is needed")
	// ErrOtherAct is returned for an approval of another act, or of somebody else.
	ErrOtherAct = errors.New("forget: approved was another act")
	// ErrOtherTerms is returned for an act that is not any more what was approved: it
	// would reach more, or less, than whoever approved was told.
	ErrOtherTerms = errors.New("forget: what was approved has changed since")
	// ErrWaiting is wrapped by what [Approvals.Of] returns while nobody approved.
	ErrWaiting = errors.New("forget: it waits for a second person")
	// ErrTooMany is returned when too much waits already.
	ErrTooMany = fmt.Errorf("forget: more than %d acts wait for a second person", maxApprovals)
)

// A Token is who asks or approves: the id of a token, and its name.
type Token struct{ ID, Name string }

// An Approval is an act that waits for a second person, as it may be shown.
type Approval struct {
	ID      string    `json:"id"`
	Act     string    `json:"act" doc:"what it is, in words; it names nobody"`
	Terms   Terms     `json:"terms" doc:"what exactly is agreed on, and nothing else"`
	By      string    `json:"by" doc:"name of the token that asks for it"`
	Asked   time.Time `json:"asked"`
	Expires time.Time `json:"expires"`
	// Approved is the name of the token that approved, "" while nobody has.
	Approved string `json:"approved_by,omitempty"`
}

// Waiting is the error that says which approval an act waits for.
type Waiting struct{ Approval }

func (*Waiting) Error() string { return ErrWaiting.Error() }
func (*Waiting) Unwrap() error { return ErrWaiting }

// Approvals are acts that two people must agree on. They live in memory: a
// restart forgets them, and they are asked for again. What was approved by whom
// is recorded with the act. Methods may be called concurrently.
type Approvals struct {
	now func() time.Time
	key [32]byte // what acts are compared by, so that no digest of an identifier is kept

	mu      sync.Mutex
	waiting map[string]*waiting
}

type waiting struct {
	Approval
	token string // id of the token that asks
	act   [32]byte
	taken bool // the act is being carried out
}

// An Agreement is an approved act in the hands of whoever carries it out: nobody
// else can, until it ends. The zero Agreement is of an act that takes one person.
type Agreement struct {
	By    string // name of the token that approved
	terms *Terms
	id    string
	all   *Approvals
}

// holds says whether an act that is about to be done is what was agreed on: the
// error is [ErrOtherTerms].
func (g Agreement) holds(now Terms) error {
	if g.terms != nil && !reflect.DeepEqual(*g.terms, now) {
		return ErrOtherTerms
	}
	return nil
}

// End says whether the act was done: then the approval is used, else it is good
// again.
func (g Agreement) End(done bool) {
	if g.all == nil {
		return
	}
	g.all.mu.Lock()
	defer g.all.mu.Unlock()
	if done {
		delete(g.all.waiting, g.id)
	} else if w := g.all.waiting[g.id]; w != nil {
		w.taken = false
	}
}

func newApprovals(now func() time.Time) *Approvals {
	a := &Approvals{now: now, waiting: map[string]*waiting{}}
	rand.Read(a.key[:]) // never fails: crypto/rand ends the program first
	return a
}

// Ask has an act wait for a second person; the error is the [*Waiting] that says
// so. Every detail of the act is in exact; what the second person is told is in
// terms. The same act of the same token, on the same terms, waits once.
func (a *Approvals) Ask(by Token, act string, exact []byte, terms Terms) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire()
	digest := a.digest(act, exact)
	for _, w := range a.waiting {
		if w.token == by.ID && w.act == digest && reflect.DeepEqual(w.Terms, terms) {
			return &Waiting{w.Approval}
		}
	}
	if len(a.waiting) >= maxApprovals {
		return ErrTooMany
	}
	var random [16]byte
	rand.Read(random[:])
	now := a.now().UTC().Truncate(time.Millisecond)
	w := &waiting{token: by.ID, act: digest, Approval: Approval{ID: hex.EncodeToString(random[:]), Act: act, Terms: terms, By: by.Name,
		Asked: now, Expires: now.Add(approvalTime)}}
	a.waiting[w.ID] = w
	return &Waiting{w.Approval}
}

// Of returns the agreement on an act that was asked for as id; while nobody
// approved the error is a [*Waiting]. An approval is good once: it is taken until
// [Agreement.End].
func (a *Approvals) Of(by Token, id, act string, exact []byte) (Agreement, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire()
	w := a.waiting[id]
	switch {
	case w == nil:
		return Agreement{}, ErrNoApproval
	case w.token != by.ID, w.act != a.digest(act, exact):
		return Agreement{}, ErrOtherAct
	case w.Approved == "":
		return Agreement{}, &Waiting{w.Approval}
	case w.taken:
		return Agreement{}, ErrNoApproval
	}
	w.taken = true
	return Agreement{w.Approved, &w.Terms, id, a}, nil
}

func (a *Approvals) digest(act string, exact []byte) [32]byte {
	h := hmac.New(sha256.New, a.key[:])
	fmt.Fprintf(h, "%s\x00", act)
	h.Write(exact)
	return [32]byte(h.Sum(nil))
}

// Approve is a second person's yes. Saying it again changes nothing.
func (a *Approvals) Approve(by Token, id string) (Approval, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire()
	w := a.waiting[id]
	switch {
	case w == nil:
		return Approval{}, ErrNoApproval
	case w.token == by.ID, w.By == by.Name:
		return Approval{}, ErrSamePerson
	}
	if w.Approved == "" {
		w.Approved, w.Expires = by.Name, a.now().UTC().Truncate(time.Millisecond).Add(approvalTime)
	}
	return w.Approval, nil
}

// List returns what waits, the oldest first.
func (a *Approvals) List() []Approval {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire()
	list := make([]Approval, 0, len(a.waiting))
	for _, w := range a.waiting {
		list = append(list, w.Approval)
	}
	slices.SortFunc(list, func(x, y Approval) int { return cmp.Or(x.Asked.Compare(y.Asked), cmp.Compare(x.ID, y.ID)) })
	return list
}

func (a *Approvals) expire() {
	now := a.now()
	for id, w := range a.waiting {
		if !now.Before(w.Expires) {
			delete(a.waiting, id)
		}
	}
}
