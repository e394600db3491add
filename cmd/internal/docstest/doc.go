// Package docstest holds the pages under docs against the program: the pages of events against the
// catalogue, their examples against the decoder and an independent JSON Schema validator, the dashboard
// and the alert rules against what /metrics shows, the table of log lines against the source, and every
// link against the page it leads to. It has tests only.
package docstest
