package api

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/ledger/access"
)

// document is the OpenAPI 3.1 document in the making.
type document struct {
	config   huma.Config
	registry huma.Registry
}

func newDocument(version string) *document {
	d := &document{registry: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)}
	d.config = huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Custody", Version: version,
				Description: "The chain of custody for personal data. Problems are RFC 9457; unknown query parameters are refused."},
			Components: &huma.Components{
				Schemas: d.registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer",
					Description: "A token of a role listed under x-custody-roles."}},
			},
		},
		Formats:       map[string]huma.Format{jsonType: strictFormat(d.fields), "json": strictFormat(d.fields), problemType: huma.DefaultJSONFormat},
		DefaultFormat: jsonType,
	}
	d.config.Transformers = []huma.Transformer{d.transform}
	return d
}

// transform sends our problem in place of huma's own error, which repeats what
// was sent.
func (d *document) transform(_ huma.Context, _ string, v any) (any, error) {
	if e, ok := v.(*huma.ErrorModel); ok {
		return redact(e, d.fields()), nil
	}
	return v, nil
}

// fields are the names of all fields and parameters of the document.
func (d *document) fields() map[string]bool {
	names := map[string]bool{"cursor": true, "limit": true, "name": true, "id": true}
	for _, schema := range d.registry.Map() {
		for name := range schema.Properties {
			names[name] = true
		}
	}
	for _, item := range d.config.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			for _, p := range parametersOf(op) {
				names[p.Name] = true
			}
		}
	}
	return names
}

func parametersOf(op *huma.Operation) []*huma.Param {
	if op == nil {
		return nil
	}
	return op.Parameters
}

// operation begins an operation whose answers may be these problems, besides
// those that every guarded one may give.
func operation(method, path, id, summary string, problems ...word) huma.Operation {
	op := huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, MaxBodyBytes: maxSmallBody, BodyReadTimeout: bodyTime,
		Responses: map[string]*huma.Response{}}
	addProblems(&op, append(problems, invalidRequest, unauthenticated, forbidden, internal, notReady)...)
	return op
}

// addProblems documents problems by status.
func addProblems(op *huma.Operation, words ...word) {
	byStatus := map[int][]string{}
	for _, w := range words {
		m := meanings()[w]
		byStatus[m.status] = append(byStatus[m.status], problemPrefix+string(w)+": "+m.title)
	}
	for status, lines := range byStatus {
		slices.Sort(lines)
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: strings.Join(lines, "\n"),
			Content:     map[string]*huma.MediaType{problemType: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}},
		}
	}
}

func (d *document) postEvents() huma.Operation {
	op := operation(http.MethodPost, "/v1/events", "post-events", "Record events",
		invalidEvent, notAllowed, conflict, tooSlow, tooLarge, unsupported, busy, halted, notRecorded)
	op.Description = "One event (structured or binary mode), a JSON batch, or NDJSON: at most " + strconv.Itoa(MaxEvents) +
		" events and 32 MiB. The answer has one result for each event, in order; blank lines of NDJSON are no events. " +
		"A single event that is refused is a problem, which carries its result too. A batch is not atomic. " +
		"After a 503 some events may be recorded: sending all of them again is safe."
	event := &huma.Schema{Type: huma.TypeObject, Description: "an event as custody schema prints it (urn:custody:event:v1)", AdditionalProperties: true}
	text := &huma.Schema{Type: huma.TypeString}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		structuredType: {Schema: event},
		jsonType:       {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "the data of an event in binary mode; its attributes are headers ce-specversion, ce-id and so on"}},
		batchType:      {Schema: &huma.Schema{Type: huma.TypeArray, Items: event}},
		linesType:      {Schema: text},
	}}
	op.Parameters = []*huma.Param{query("dry_run", huma.TypeBoolean, "check the events and record nothing; their status is valid or refused")}
	results := d.registry.Schema(reflect.TypeFor[results](), true, "Results")
	op.Responses["200"] = &huma.Response{Description: "A result for each event", Content: map[string]*huma.MediaType{
		jsonType:  {Schema: results},
		linesType: {Schema: text},
	}}
	return guard(op, access.Record)
}

func (d *document) streamEvents() huma.Operation {
	op := operation(http.MethodGet, "/v1/events/stream", "stream-events", "Replay the ledger")
	op.Description = "NDJSON in the order of recording: position, digest (SHA-256 of the stored event), source, id, type, time, recordedtime, " +
		"class (of a transfer) and event, the stored bytes as they are; for role operator without event. The last line of a whole answer is " +
		`{"end":{"position":n}}: nothing asked for is missing up to n. A last line {"error":problem}, or none, says that it broke off.`
	op.Parameters = []*huma.Param{
		query("from", huma.TypeInteger, "first position"),
		query("to", huma.TypeInteger, "last position"),
		query("since", huma.TypeString, "recorded at this instant (RFC 3339) or later"),
		query("until", huma.TypeString, "recorded before this instant (RFC 3339)"),
		query("follow", huma.TypeBoolean, "go on with events as they are recorded"),
	}
	op.Responses["200"] = &huma.Response{Description: "The events", Content: map[string]*huma.MediaType{linesType: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	return guard(op, access.Replay, access.ReplayEnvelope)
}

func (d *document) healthz() huma.Operation {
	return simple("/healthz", "healthz", "Whether the program answers", jsonType)
}

func (d *document) readyz() huma.Operation {
	op := simple("/readyz", "readyz", "Whether events can be recorded now", jsonType)
	addProblems(&op, notReady, halted)
	return op
}

func (d *document) openapi() huma.Operation {
	return simple("/openapi.json", "openapi", "This document", jsonType)
}

func (d *document) metrics() huma.Operation {
	op := operation(http.MethodGet, "/metrics", "metrics", "Metrics for Prometheus")
	op.Description = "Open to this machine; from elsewhere it takes a token."
	op.Responses["200"] = text("The metrics", "text/plain")
	op = guard(op, access.Metrics)
	op.Metadata["local"] = true
	return op
}

// simple is an operation that is open to everyone.
func simple(path, id, summary, mediaType string) huma.Operation {
	op := huma.Operation{Method: http.MethodGet, Path: path, OperationID: id, Summary: summary, Responses: map[string]*huma.Response{"200": text(summary, mediaType)}}
	addProblems(&op, invalidRequest)
	return unguarded(op)
}

func text(description, mediaType string) *huma.Response {
	schema := &huma.Schema{Type: huma.TypeString}
	if mediaType == jsonType {
		schema = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	}
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{mediaType: {Schema: schema}}}
}

func query(name, kind, description string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: description, Schema: &huma.Schema{Type: kind}}
}

// finish takes out what huma adds for errors that are never sent.
func (d *document) finish(doc *huma.OpenAPI) *huma.OpenAPI {
	d.registry.Schema(reflect.TypeFor[Problem](), true, "Problem")
	schemas := d.registry.Map()
	maps.DeleteFunc(schemas, func(name string, _ *huma.Schema) bool { return name == "ErrorModel" || name == "ErrorDetail" })
	return doc
}
