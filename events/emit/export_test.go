package emit

import "time"

// Hasty has Close wait no longer than this for a ledger that does not answer.
func Hasty(c *Config, grace time.Duration) { c.grace = grace }

// Clock has the emitter go by another clock.
func Clock(c *Config, now func() time.Time) { c.now = now }

// FrameCount is how many receipts an answer holds.
func FrameCount(answer []byte) (int, error) {
	frames, err := readFrames(answer)
	return len(frames), err
}
