package projections

import "time"

// A State is what a view is at.
type State string

const (
	Live       State = "live"       // it is read, and follows the head
	Building   State = "building"   // it cannot be read: its file is being judged, or filled for the first time
	Rebuilding State = "rebuilding" // it is read, while a new file is being filled
	Failed     State = "failed"     // it does not go on, see Error; it is tried again by and by
)

// A Status says how far a view is.
type Status struct {
	Name     string
	Version  uint32
	Position uint64    // up to which the file is the fold: the one that is read or, if there is none, the one being filled
	Head     uint64    // of the source
	Lag      uint64    // events from Position to Head
	Filled   uint64    // of a view that is rebuilding: the position of the new file
	State    State     // since Since
	Error    string    // why it has failed, or why a new file does not come about while it serves; "" if nothing is wrong
	Rate     float64   // events a second of the last commit, from its first event folded until it was durable
	Since    time.Time // of State
}

// Status says how far each view is, in the order of the configuration.
func (s *Set) Status() []Status {
	all := make([]Status, 0, len(s.views))
	for _, p := range s.views {
		all = append(all, p.status())
	}
	return all
}

func (p *projector) status() Status {
	head := p.set.source.Head()
	p.mu.Lock()
	defer p.mu.Unlock()
	st := Status{Name: p.view.Name, Version: p.view.Version, Head: head, State: p.state, Since: p.since}
	f := p.serving
	if f == nil {
		f = p.filling
	} else if p.filling != nil {
		st.Filled = p.filling.committed
	}
	if f != nil {
		st.Position, st.Rate = f.committed, f.rate
	}
	st.Lag = head - min(head, st.Position)
	err := p.trouble()
	if err == nil {
		err = p.fault
	}
	if err == nil && p.filling != nil {
		err = p.filling.trouble()
	}
	if err != nil {
		st.Error = err.Error()
	}
	return st
}

// trouble returns why the view does not go on, nil if it does. The caller holds mu.
func (p *projector) trouble() error {
	switch {
	case p.serving != nil:
		return p.serving.trouble()
	case p.fault != nil || p.filling == nil:
		return p.fault
	}
	return p.filling.trouble()
}

// notify tells everyone who watches that something is not as it was. The caller holds mu.
func (p *projector) notify() {
	state := Live
	switch {
	case p.trouble() != nil:
		state = Failed
	case p.serving == nil:
		state = Building
	case p.filling != nil || p.asked:
		state = Rebuilding
	}
	if state != p.state {
		p.state, p.since = state, time.Now()
		p.set.log.Info("view is "+string(state), "view", p.view.Name)
	}
	close(p.changed)
	p.changed = make(chan struct{})
}
