package emit

import "time"

// Hasty has Close wait no longer than this for a ledger that does not answer.
func Hasty(c *Config, grace time.Duration) { c.grace = grace }
