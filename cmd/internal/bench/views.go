package main

import (
	"context"
	"fmt"
	"time"
)

// A view is what the server says of one.
type view struct {
	Name, State    string
	Position, Head uint64
	Error          string
}

// views asks how far each view is.
func (c *client) views() ([]view, error) {
	var answer struct{ Views []view }
	err := c.get("/v1/views", &answer)
	return answer.Views, err
}

// caughtUp waits until every view can be read and is at the head, and returns
// the head.
func (s *server) caughtUp(ctx context.Context) (head uint64, err error) {
	c, err := s.client(ctx, s.operator)
	if err != nil {
		return 0, err
	}
	defer c.close()
	for {
		views, err := c.views()
		if err != nil {
			return 0, err
		}
		done := len(views) > 0
		for _, v := range views {
			if v.State == "failed" {
				return 0, fmt.Errorf("view %s: %s", v.Name, v.Error)
			}
			done = done && v.State == "live" && v.Position == v.Head
			head = v.Head
		}
		if done {
			return head, nil
		}
		if err := pause(ctx, watchEvery); err != nil {
			return 0, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
