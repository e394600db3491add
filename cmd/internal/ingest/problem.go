package ingest

import "encoding/json"

// titleOf is the title of a problem, for the header that NATS services say what
// went wrong in.
func titleOf(problem []byte) string {
	var p struct{ Title string }
	if json.Unmarshal(problem, &p) != nil || p.Title == "" {
		return "not answered"
	}
	return p.Title
}
