package api

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// redact turns huma's own error, which holds what was sent, into a Problem that
// does not. known are the field names of the document: others are not repeated.
func redact(e *huma.ErrorModel, known map[string]bool) *Problem {
	w := invalidRequest
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		w = tooLarge
	case http.StatusRequestTimeout:
		w = tooSlow
	case http.StatusUnsupportedMediaType:
		w = unsupported
	case http.StatusInternalServerError:
		w = internal
	}
	p := problem(w, "must be as /openapi.json says")
	if _, limit, is := strings.Cut(e.Detail, "limit="); is && w == tooLarge {
		p.Detail = "a body here has at most " + limit
	}
	if len(e.Errors) == 0 || e.Errors[0] == nil {
		return p
	}
	first := e.Errors[0]
	if f, is := faultOf(first.Message); is {
		p.Detail = f.detail
		return p.at(f.path)
	}
	if strings.HasPrefix(first.Message, "expected ") || strings.HasPrefix(first.Message, "required ") || first.Message == validation.MsgUnexpectedProperty {
		p.Detail = first.Message // made of the schema only
	}
	return p.at(pointer(first, known))
}

// pointer turns huma's location ("body.families[0]") into a JSON pointer, as far
// as its steps are known names and what can be an index; a property that was not
// expected is repeated if it is harmless.
func pointer(e *huma.ErrorDetail, known map[string]bool) string {
	steps := strings.Split(e.Location, ".")[1:]
	path := ""
	for i, step := range steps {
		name, index := step, ""
		if m := element.FindStringSubmatch(step); m != nil {
			name, index = m[1], "/"+m[2]
		}
		unexpected := e.Message == validation.MsgUnexpectedProperty && i == len(steps)-1
		if !known[name] && !(unexpected && harmless(step)) {
			break
		}
		path += "/" + name + index
	}
	if name, is := strings.CutPrefix(e.Message, "expected required property "); is {
		path += "/" + strings.TrimSuffix(name, " to be present") // of the schema
	}
	return path
}

// element is a step of huma's location into a list that this contract has: a number
// that is longer is somebody's.
var element = regexp.MustCompile(`^([a-z_]+)\[([0-9]{1,3})\]$`)
