package emit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/imalink/custody/events"
)

// A Transport carries batches to the ledger: [HTTP], or a connection of package emitnats.
type Transport interface {
	// Send carries one batch, a JSON array of events (application/cloudevents-batch+json), and brings back the
	// answer, {"results":[…]}. The error wraps a [*Problem] if something answered, though not with results;
	// after any other error nothing is known.
	Send(ctx context.Context, batch []byte) (answer []byte, err error)

	// MaxBytes is how many bytes a batch may have.
	MaxBytes() int
}

// Status is what became of an event.
type Status string

const (
	Recorded  Status = "recorded"  // durable, at its position for ever
	Duplicate Status = "duplicate" // it had been recorded before, at that position
	Refused   Status = "refused"   // for good
)

// A Result is what became of one event.
type Result struct {
	Status   Status
	Position uint64        // 0 if refused
	Err      *events.Error // why it was refused
}

// A Problem is an answer that says why there are no results (RFC 9457, docs/API.md). It holds nothing of what
// was sent.
type Problem struct {
	Word       string // the type without urn:custody:problem:; "" if it was not the ledger that answered
	Status     int    // of HTTP
	Detail     string
	Path       string // RFC 6901 pointer into what was sent
	RetryAfter time.Duration
}

// Error says what is known.
func (p *Problem) Error() string {
	if p.Word == "" {
		return fmt.Sprintf("what answered is not the ledger: status %d", p.Status)
	}
	s := p.Word
	if p.Path != "" {
		s += ": " + p.Path
	}
	if p.Detail != "" {
		s += ": " + p.Detail
	}
	return s
}

// ReadProblem reads the body of an answer that has no results; retryAfter is the header of that name. For
// transports.
func ReadProblem(status int, body []byte, retryAfter string) *Problem {
	var read struct{ Type, Detail, Path string }
	p := &Problem{Status: status}
	if json.Unmarshal(body, &read) == nil {
		if word, ok := strings.CutPrefix(read.Type, "urn:custody:problem:"); ok {
			p.Word, p.Detail, p.Path = word, read.Detail, read.Path
		}
	}
	if seconds, err := strconv.Atoi(retryAfter); err == nil && seconds > 0 {
		p.RetryAfter = time.Duration(min(seconds, 3600)) * time.Second
	}
	return p
}

// verdict is what a problem means for the events of its request.
type verdict uint8

const (
	passing verdict = iota // the same request may succeed later
	ours                   // nothing of it is wrong, but it will not succeed before somebody has seen to it
	theirs                 // some event of it, or their number, is what is wrong
)

func (p *Problem) verdict() verdict {
	switch p.Word {
	case "not-ready", "busy", "not-recorded", "unknown-outcome", "halted", "too-slow", "internal":
		return passing
	case "invalid-request", "invalid-event", "too-large", "conflict", "not-allowed":
		return theirs
	case "":
		return foreign(p.Status)
	}
	return ours
}

// foreign judges an answer that is not the ledger's. It is no word on any event; but what is too large for a
// proxy may be sent in parts.
func foreign(status int) verdict {
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return theirs
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return passing
	}
	return ours
}

// refusal is the result of the one event of a request that the ledger refused as a whole.
func (p *Problem) refusal() Result {
	return Result{Status: Refused, Err: &events.Error{Path: p.Path, Type: p.Word, Detail: cmp.Or(p.Detail, "the ledger refuses it")}}
}

// readResults reads the answer to a batch of n events. What is not exactly that is no answer of the ledger's.
func readResults(answer []byte, n int) ([]Result, error) {
	var read struct {
		Results []struct {
			Status   Status
			Position uint64
			Error    *struct{ Type, Path, Detail string }
		}
	}
	if err := json.Unmarshal(answer, &read); err != nil || len(read.Results) != n {
		return nil, &Problem{Status: http.StatusBadGateway}
	}
	results := make([]Result, n)
	for i, r := range read.Results {
		results[i] = Result{Status: r.Status, Position: r.Position}
		switch {
		case r.Status == Refused && r.Error != nil:
			results[i] = Result{Status: Refused, Err: &events.Error{Path: r.Error.Path, Type: r.Error.Type, Detail: r.Error.Detail}}
		case (r.Status == Recorded || r.Status == Duplicate) && r.Position > 0:
		default:
			return nil, &Problem{Status: http.StatusBadGateway}
		}
	}
	return results, nil
}
