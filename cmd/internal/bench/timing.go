package main

import (
	"fmt"
	"slices"
	"time"
)

// times are how long some requests took.
type times []time.Duration

// timed runs f n times.
func timed(n int, f func() error) (times, error) {
	took := make(times, 0, n)
	for range n {
		begin := time.Now()
		if err := f(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took, nil
}

// at gives a quantile.
func (t times) at(q float64) time.Duration { return t[int(q*float64(len(t)-1))] }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// row prints the 99th percentile, and the rest beside it; of a few, the median.
func (t times) row(what, beside string) {
	if len(t) < 100 {
		row(what, "p50 "+millis(t.at(0.5)), fmt.Sprintf("max %s of %d%s", millis(t.at(1)), len(t), beside))
		return
	}
	row(what, "p99 "+millis(t.at(0.99)), fmt.Sprintf("p50 %s  max %s of %d%s", millis(t.at(0.5)), millis(t.at(1)), len(t), beside))
}
