package api

// results is the answer to a request with events, as the document has it. What
// is sent is written by appendResults; a test holds the two together.
type results struct {
	Results []eventResult `json:"results" nullable:"false"`
}

type eventResult struct {
	Line     int         `json:"line,omitempty" doc:"of NDJSON, from 1"`
	Source   string      `json:"source,omitempty" doc:"absent where it cannot be repeated"`
	ID       string      `json:"id,omitempty" doc:"absent where it cannot be repeated"`
	Status   string      `json:"status" enum:"recorded,duplicate,refused,valid"`
	Position uint64      `json:"position,omitempty" doc:"place in the ledger; of a duplicate, the first one's"`
	Error    *eventError `json:"error,omitempty"`
	Warnings []string    `json:"warnings,omitempty" nullable:"false" doc:"pointers of strings that look like an identifier of the event"`
}

type eventError struct {
	Type   string `json:"type" doc:"a stable word" example:"unknown-field"`
	Path   string `json:"path" doc:"JSON pointer (RFC 6901) into the event" example:"/data/basis"`
	Detail string `json:"detail" doc:"what was expected, or the limit"`
}
