package ask

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/imalink/custody/ledger/vault"
)

// MaxRevealed is how many identities one request may show.
const MaxRevealed = 20_000

// A RevealRequest asks who is behind the tags of one event, of the events of a
// session, or who has a handle.
type RevealRequest struct {
	Position uint64 // of an event; or
	Session  string // what producers call it; or
	Handle   string // of a session, a person or an actor

	Who        string    // of an event or a session: actors, subjects or all
	From, To   time.Time // of a session: event time, From included, To excluded; zero is open
	ReasonCode string    // why, a code
	Reason     string    // why in words, "" for none; it is sealed
	Case       string    // what it is asked for, a code
	Approved   string    // name of the token that approved, "" if nobody had to
}

// check refuses a request that makes no sense.
func (r *RevealRequest) check() error {
	of := 0
	for _, asked := range []bool{r.Position != 0, r.Session != "", r.Handle != ""} {
		if asked {
			of++
		}
	}
	switch {
	case of != 1:
		return fmt.Errorf("%w: exactly one of position, session and handle is asked for", ErrQuestion)
	case r.ReasonCode == "":
		return fmt.Errorf("%w: reason_code is missing", ErrQuestion)
	}
	return nil
}

// suits refuses what makes no sense for what is asked about.
func (r *RevealRequest) suits(about []About) error {
	session := len(about) > 0 && about[0].What == Session
	switch {
	case !session && !(r.From.IsZero() && r.To.IsZero()):
		return fmt.Errorf("%w: from and to bound nothing here", ErrQuestion)
	case session || len(about) == 0:
		if !slices.Contains([]string{"actors", "subjects", "all"}, r.Who) {
			return fmt.Errorf("%w: who is actors, subjects or all", ErrQuestion)
		}
	case r.Who != "":
		return fmt.Errorf("%w: who is for events and sessions", ErrQuestion)
	}
	return nil
}

// Revealed is who is behind masks.
type Revealed struct {
	AsOf       AsOf       `json:"as_of"`
	Window     Window     `json:"window"`
	Items      []Identity `json:"items" nullable:"false"`
	Unresolved int        `json:"unresolved" doc:"tags that are nobody's any more: erased, or forgotten"`
	Recorded   []uint64   `json:"recorded" nullable:"false" doc:"positions of the events that say that these were shown"`
}

// An Identity is one identifier that is shown.
type Identity struct {
	Pointer string    `json:"pointer,omitempty" doc:"of one event: where its data have the tag (RFC 6901)"`
	Mask    string    `json:"mask" doc:"the same for identifiers that are linked as one person's; it says nothing in another answer"`
	ID      Disclosed `json:"id"`

	role vault.Role // subject or actor
}

// Reveal shows who is behind tags, once that is recorded: as one
// ledger.identity-revealed, or as several that share a bulk where there are more
// identifiers than one event lists. Role subject is shown nobody. After an error none is shown, though some may
// be recorded as if they were. More than [MaxRevealed] identities are refused.
func (d *Desk) Reveal(ctx context.Context, a Asker, r RevealRequest) (Revealed, error) {
	if err := r.check(); err != nil {
		return Revealed{}, err
	}
	q := Question{Name: "reveal", Case: r.Case, From: r.From, To: r.To}
	about, err := d.revealable(a, r)
	if err == nil {
		err = r.suits(about)
	}
	if err != nil {
		return Revealed{}, err
	}
	q.About = about
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Revealed{}, err
	}
	out := Revealed{AsOf: s.asOf, Window: s.window(), Items: []Identity{}}
	switch {
	case r.Position != 0:
		err = s.behindEvent(ctx, r, &out)
	case about[0].What == Session:
		err = s.behindSession(ctx, r, &out)
	default:
		err = s.behindHandle(ctx, &out)
	}
	if err != nil {
		return Revealed{}, err
	}
	if len(out.Items) > MaxRevealed {
		return Revealed{}, fmt.Errorf("%w: more than %d identities: narrow it", ErrQuestion, MaxRevealed)
	}
	if out.Recorded, err = s.revealedAll(ctx, r, out.Items); err != nil {
		return Revealed{}, err
	}
	return out, nil
}

// revealable is the session or the person that a request is about. Linked
// identifiers have no time: a token with a window gets [ErrBox] for them.
func (d *Desk) revealable(a Asker, r RevealRequest) ([]About, error) {
	if r.Session != "" {
		return []About{{What: Session, ID: opaque(r.Session)}}, nil
	}
	if r.Handle == "" {
		return nil, nil
	}
	var err error
	for _, w := range []What{Session, Person, Acting} {
		var id vault.Identifier
		if id, err = d.whose(a, w, r.Handle); err == nil {
			if w != Session && a.windowed() {
				return nil, ErrBox
			}
			return []About{{What: w, ID: opaqueID{id}}}, nil
		}
	}
	return nil, err
}
