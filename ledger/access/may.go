package access

import "github.com/imalink/custody/events"

// May says whether p may send an event of this source and kind, and if not why:
// a source must be registered, a producer's its own, and the kind one that the
// source was added for. Nil is yes.
func (s *Store) May(p Principal, source string, k events.Kind) *events.Error {
	if !p.Can(Record) {
		return &events.Error{Path: "", Type: "role", Detail: "this token may not send events"}
	}
	name, ok := sourceName(source)
	if p.Role == RoleProducer && (!ok || name != p.Producer) {
		return &events.Error{Path: "/source", Type: events.WrongSource, Detail: "must be the producer's own: a slash and its name"}
	}
	registered := s.state.Load().producers[name]
	if !ok || registered == nil {
		return &events.Error{Path: "/source", Type: events.WrongSource, Detail: "no producer is registered for this source"}
	}
	if !registered.kinds.has(k) {
		return &events.Error{Path: "/type", Type: events.WrongFamily, Detail: "the producer of this source was not added for this kind of event"}
	}
	return nil
}

// sourceName returns the producer's name in a source.
func sourceName(source string) (string, bool) {
	if len(source) < 2 || source[0] != '/' {
		return "", false
	}
	return source[1:], true
}
