package emit

import "time"

// Hasty has Close wait no longer than this for a ledger that does not answer.
func Hasty(c *Config, grace time.Duration) { c.grace = grace }

// FrameCount is how many receipts an answer holds.
func FrameCount(answer []byte) (int, error) {
	frames, err := readFrames(answer)
	return len(frames), err
}
