package audit

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// mostProducers is how many pairs of source and instance have numbers of their own (docs/FORMAT.md, "Record").
const mostProducers = 65534

// judged is what an event auditor knows beside the records: the register, and the numbers of producers.
type judged struct {
	judge     *ledger.Judge
	producers recordlog.Producers
	pairs     []producer // by number, from 1
}

// A producer is a source and an instance of it.
type producer struct {
	Source   string `json:"source"`
	Instance string `json:"instance,omitempty"`
}

func newJudged() *judged { return &judged{judge: ledger.NewJudge()} }

// record makes the record of a stored event, and decides its facts again. faults are what is not as it should be. The
// error is that it is no event.
func (j *judged) record(position uint64, raw []byte) (r evidence.Record, faults []string, err error) {
	st, faults, err := j.judge.Next(position, raw)
	if err != nil {
		return r, nil, err
	}
	number := j.number(position, producer{st.Event.Source, st.Event.Instance})
	return evidence.RecordOf(st, sha256.Sum256(raw), number), faults, nil
}

func (j *judged) number(position uint64, p producer) uint16 {
	n := j.producers.Number(position, p.Source, p.Instance)
	if n <= mostProducers && int(n) > len(j.pairs) {
		j.pairs = append(j.pairs, p)
	}
	return n
}

// name is that of a producer, for people.
func (j *judged) name(number uint16) string {
	if j == nil || int(number) > len(j.pairs) || number == 0 {
		return fmt.Sprintf("producer %d", number)
	}
	p := j.pairs[number-1]
	if p.Instance == "" {
		return fmt.Sprintf("producer %d, %s", number, p.Source)
	}
	return fmt.Sprintf("producer %d, %s, %s", number, p.Source, p.Instance)
}

// judgedState is how judged is written down. What restore refuses is of another version of this program.
type judgedState struct {
	Judge     json.RawMessage `json:"judge"`
	Producers []producer      `json:"producers"`
}

func (j *judged) state() (*judgedState, error) {
	if j == nil {
		return nil, nil
	}
	b, err := j.judge.State()
	return &judgedState{b, j.pairs}, err
}

func (s *judgedState) restore() (*judged, error) {
	if s == nil {
		return nil, nil
	}
	judge, err := ledger.RestoreJudge(s.Judge)
	if err != nil {
		return nil, err
	}
	if len(s.Producers) == 0 {
		return nil, errors.New("events of no producer")
	}
	j := &judged{judge: judge}
	for i, p := range s.Producers {
		if n := j.number(uint64(i)+1, p); int(n) != i+1 {
			return nil, fmt.Errorf("producer %d stands there twice, or is one too many", i+1)
		}
	}
	return j, nil
}
