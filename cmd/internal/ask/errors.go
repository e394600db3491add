package ask

import "errors"

var (
	// ErrNotKnown says that nobody has the identifier asked about.
	ErrNotKnown = errors.New("ask: not known")
	// ErrHandle says that a handle or cursor is not one of ours, is another token's, or has expired.
	ErrHandle = errors.New("ask: handle or cursor is not valid here")
	// ErrCursor says that a cursor belongs to another question, or that who is linked
	// with whom it asks about has changed: begin anew.
	ErrCursor = errors.New("ask: cursor of another question")
	// ErrBox says that an investigator asks outside the token's case or window.
	ErrBox = errors.New("ask: outside the token's case or window")
	// ErrNotRecorded says that the question could not be recorded, so that there is
	// no answer; it may have been recorded all the same.
	ErrNotRecorded = errors.New("ask: the question could not be recorded")
	// ErrQuestion says that a question makes no sense; the text names the field.
	ErrQuestion = errors.New("ask: question")
)

// Ambiguous says that an identifier without its type could be several.
type Ambiguous struct {
	// Candidates are the typed identifiers; disclosing them is the point.
	Candidates []string
}

// Error does not name the candidates.
func (*Ambiguous) Error() string { return "ask: several identifiers end so" }
