package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// judgeState is what a judge must know to go on.
type judgeState struct {
	Before   time.Time       `json:"before"`
	Older    uint64          `json:"older"`
	Other    bool            `json:"other,omitempty"`
	Register json.RawMessage `json:"register"`
}

// State is all that the judge knows, for [RestoreJudge]. It names no person. Whoever keeps it must keep others from
// changing it: what follows is judged by it.
func (j *Judge) State() ([]byte, error) {
	register, err := j.register.snapshot()
	if err != nil {
		return nil, fmt.Errorf("writing what a judge knows: %w", err)
	}
	return json.Marshal(judgeState{j.before, j.older, j.other, register})
}

// RestoreJudge is a judge that goes on from a state of this version of the program; of another, judge again from the
// first event.
func RestoreJudge(state []byte) (*Judge, error) {
	var s judgeState
	if err := json.Unmarshal(state, &s); err != nil {
		return nil, fmt.Errorf("reading what a judge knows: %w", err)
	}
	r, err := restoreRegister(s.Register)
	if err != nil {
		return nil, err
	}
	j := NewJudge()
	j.register, j.before, j.older, j.other = r, s.Before, s.Older, s.Other
	again, err := j.State()
	if err == nil && !bytes.Equal(again, state) {
		err = errors.New("reading what a judge knows: not of this version")
	}
	return j, err
}
