package main

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// A counting is one question that counts.
type counting struct{ what, path string }

func countings(of *stream) []counting {
	middle := of.begin.Add(span / 2).UTC()
	window := url.Values{"from": {middle.Format(time.RFC3339)}, "to": {middle.Add(30 * 24 * time.Hour).Format(time.RFC3339)}}.Encode()
	return []counting{
		{"all facets over everything", "/v1/events/facets"},
		{"histogram by day over everything", "/v1/events/histogram?by=day&tz=Europe/Brussels"},
		{"all facets of two facets' values in 30 days", "/v1/events/facets?system=ats&kind=data.shared&" + window},
		{"histogram of two facets' values", "/v1/events/histogram?by=day&tz=Europe/Brussels&system=ats&kind=data.shared"},
	}
}

// measureCounts times counts over everything, warm; each question is recorded
// first.
func measureCounts(ctx context.Context, s *server, label string) error {
	a, err := s.asker(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	for _, c := range countings(s.events) {
		var answer struct{ Total uint64 }
		took, err := timed(25, func() error { return a.get(c.path, &answer) })
		if err != nil {
			return err
		}
		took.row(label+c.what, fmt.Sprintf("; %d events", answer.Total))
	}
	return nil
}
