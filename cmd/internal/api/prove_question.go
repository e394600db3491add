package api

import (
	"errors"
	"strings"
	"time"

	"github.com/imalink/custody/ledger/evidence"
)

// question reads what is asked. What is wrong is named by its parameter.
func (in *proveAnswerInput) question() (q evidence.Question, err error) {
	if q.Flags, err = evidence.ParseFlags(in.Flag); err != nil {
		return q, problem(invalidRequest, "flags are "+strings.Join(evidence.FlagNames(), " ")).at("/flag")
	}
	if q.Flags&^evidence.Classes != 0 && q.Flags&(q.Flags-1) != 0 {
		return q, problem(invalidRequest, "one flag, or several of the classes T0 to U: an event may have two of the others, and would count twice").at("/flag")
	}
	q.What = map[string]evidence.What{"count": evidence.Count, "absence": evidence.Absence, "list": evidence.List}[in.What]
	days, positions, instants := in.FromDay+in.ToDay != "", in.FromPosition|in.ToPosition != 0, in.From+in.To != ""
	switch {
	case days && !positions && !instants:
		q.Of = evidence.Days
		q.From, q.To, err = daysOf(in.FromDay, in.ToDay)
	case positions && !days && !instants:
		q.Of = evidence.Positions
		q.From, q.To, err = positionsOf(in.FromPosition, in.ToPosition)
	case instants && !days && !positions:
		q.Of = evidence.Instants
		q.From, q.To, err = instantsOf(in)
	default:
		err = problem(invalidRequest, "give one range: from_day and to_day, from_position and to_position, or from and to")
	}
	return q, err
}

// daysOf are whole UTC days, both included, in days since 1970.
func daysOf(fromDay, toDay string) (from, to uint64, err error) {
	if from, err = dayNumber(fromDay, "/from_day"); err != nil {
		return 0, 0, err
	}
	if to, err = dayNumber(toDay, "/to_day"); err != nil {
		return 0, 0, err
	}
	if from > to {
		return 0, 0, problem(invalidRequest, "the last day is not before the first").at("/to_day")
	}
	return from, to, nil
}

func dayNumber(text, path string) (uint64, error) {
	day, err := time.Parse(time.DateOnly, text)
	n := day.Unix() / (24 * 60 * 60)
	if err != nil || day.Unix() < 0 || n >= evidence.NoDay {
		return 0, problem(invalidRequest, "a UTC day from 1970-01-01 to 2149-06-05, as 2025-07-01").at(path)
	}
	return uint64(n), nil
}

// positionsOf are indices, the second not included, of the positions first to last.
func positionsOf(first, last uint64) (from, to uint64, err error) {
	switch {
	case first == 0:
		return 0, 0, problem(invalidRequest, "the first position, from 1").at("/from_position")
	case last == 0:
		return 0, 0, problem(invalidRequest, "the last position, included").at("/to_position")
	case first > last:
		return 0, 0, problem(invalidRequest, "the last position is not before the first").at("/to_position")
	}
	return first - 1, last, nil
}

// instantsOf are milliseconds since 1970, the second not included.
func instantsOf(in *proveAnswerInput) (from, to uint64, err error) {
	if in.Class != "replay" {
		return 0, 0, problem(invalidRequest, "instants take class replay: light knows whole UTC days").at("/class")
	}
	if from, err = instantNumber(in.From, "/from"); err != nil {
		return 0, 0, err
	}
	if to, err = instantNumber(in.To, "/to"); err != nil {
		return 0, 0, err
	}
	if from >= to {
		return 0, 0, problem(invalidRequest, "the end is after the beginning").at("/to")
	}
	return from, to, nil
}

func instantNumber(text, path string) (uint64, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.UnixMilli() < 0 || at.UnixMilli() > evidence.MaxTime {
		return 0, problem(invalidRequest, "an instant from 1970 to 2149, as 2025-07-01T00:00:00Z (RFC 3339)").at(path)
	}
	if !at.Equal(time.UnixMilli(at.UnixMilli())) {
		return 0, problem(invalidRequest, "instants are whole milliseconds").at(path)
	}
	return uint64(at.UnixMilli()), nil
}

// questionProblem is the problem of a question that cannot be asked, or whose answer is no; nil for any other error.
func questionProblem(err error) *Problem {
	switch {
	case errors.Is(err, evidence.ErrPresent):
		return problem(refuted, "there are such records: ask for a list")
	case errors.Is(err, evidence.ErrQuestion):
		return problem(invalidRequest, strings.TrimPrefix(err.Error(), evidence.ErrQuestion.Error()+": "))
	}
	return nil
}
