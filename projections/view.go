package projections

import bolt "go.etcd.io/bbolt"

// A View is one fold of the stream, in a file of its own. Two things make it disposable: a model's Fold and Flush
// are functions of the events and of the file alone, and the file says up to which event it is the fold.
type View struct {
	Name    string // of the file, and in the status: lower case
	Version uint32 // of the layout and of what Fold does: a file of another version is filled anew

	// Open reads, in a file's newest state, what the model needs to go on. An empty file has no buckets yet.
	Open func(tx *bolt.Tx) (Model, error)
}

// A Model folds events. It belongs to one goroutine.
type Model interface {
	// Fold notes what the next event changes; it writes nothing. Events come in order of position, each once.
	Fold(e *Event)
	// Flush writes what was noted since the last Flush. The transaction also takes the position; if it fails, the
	// model is dropped and another opened. A flush follows at most FlushEvents folds, or the one with which they are
	// about FlushPeople data subjects: a model's notes are bounded.
	Flush(tx *bolt.Tx) error
}

const (
	// FlushEvents is how many events are folded at most between two flushes.
	FlushEvents = 1 << 16
	// FlushPeople is about how many data subjects the events between two flushes list: the event that reaches it is
	// the last.
	FlushPeople = 1 << 20
)
