package events

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	for _, i := range []int64{0, 1, -1, 1 << 32, -1 << 40, math.MaxInt64, math.MinInt64} {
		if got := IntOf(i).Int(); got != i {
			t.Errorf("IntOf(%d) is %d", i, got)
		}
	}
	if !BoolOf(true).Bool() || BoolOf(false).Bool() || BoolOf(false).IsZero() {
		t.Error("booleans")
	}
	if v := TextOf("a"); v.Text() != "a" || v.IsZero() || v.Int() != 0 || v.Bool() || v.List() != nil || v.Texts() != nil {
		t.Error("texts")
	}
	if v := TextOf(""); v.IsZero() || v.Text() != "" {
		t.Error("an empty text is a text")
	}
	if got := TextsOf("a", "b").Texts(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("TextsOf gives %q", got)
	}
	var zero Value
	if !zero.IsZero() || zero.Text() != "" || zero.Object().Get("x").Text() != "" || len(zero.List()) != 0 {
		t.Error("the zero Value is something")
	}
}

func TestObject(t *testing.T) {
	data := mustDecode(t, typical).Data
	if got := data.Get("recipient").Object().Get("party").Text(); got != "acme-bank" {
		t.Errorf("recipient.party is %q", got)
	}
	if got := data.Get("location").Object().Get("access").Texts(); !slices.Equal(got, []string{"BE", "FR"}) {
		t.Errorf("location.access is %q", got)
	}
	if got := data.Get("subjects").List()[0].Object().Get("role").Text(); got != "candidate" {
		t.Errorf("the first subject's role is %q", got)
	}
	if got := data.Get("volume").Object().Get("records").Int(); got != 1 {
		t.Errorf("volume.records is %d", got)
	}
	last := -1
	for name := range data.All() {
		i, _ := data.shape.find([]byte(name), 0)
		if i <= last {
			t.Errorf("%s is out of order", name)
		}
		last = i
	}
}

func TestObjectWith(t *testing.T) {
	e := mustDecode(t, accessed("a1", "candidate:1", "s1", ""))
	filled, ok := e.Data.With("purpose", TextOf("placing"))
	if !ok || filled.Get("purpose").Text() != "placing" || !e.Data.Get("purpose").IsZero() {
		t.Error("With does not set, or changes the original")
	}
	before, after := string(appendMembers(nil, e.Data)), string(appendMembers(nil, filled))
	if strings.Replace(after, `"purpose":"placing",`, "", 1) != before {
		t.Errorf("With puts the field in the wrong place: %s", after)
	}
	if removed, ok := filled.With("purpose", Value{}); !ok || string(appendMembers(nil, removed)) != before {
		t.Error("With does not remove")
	}
	if again, _ := filled.With("purpose", TextOf("other")); again.Get("purpose").Text() != "other" || again.n != filled.n {
		t.Error("With does not replace")
	}
	if _, ok := e.Data.With("nothing", TextOf("x")); ok {
		t.Error("With sets a field that the catalogue does not have")
	}
	if _, ok := (Object{}).With("purpose", TextOf("x")); ok {
		t.Error("With sets a field of no object")
	}
}

// holder shows what printing does to values inside somebody else's struct: fmt calls no methods on
// unexported fields.
type holder struct {
	Event  *Event
	Stored *Stored
	Data   Object
	Text   Value
	inner  struct {
		event *Event
		data  Object
		list  Value
		texts []Value
	}
}

// TestNothingPrints: no verb, log or encoding shows a part of an event but its kind. (A correlation,
// which is no identifier, is a plain field of the Event, and shows where fmt does not call methods.)
func TestNothingPrints(t *testing.T) {
	e := mustDecode(t, strings.NewReplacer("employee:jdp", "employee:zzz", "candidate:10412", "candidate:zwicker").Replace(typical))
	h := holder{Event: e, Stored: &Stored{Event: e}, Data: e.Data, Text: e.Data.Get("actor").Object().Get("id")}
	h.inner.event, h.inner.data, h.inner.list, h.inner.texts = e, e.Data, e.Data.Get("subjects"), e.Data.Get("categories").List()

	var out bytes.Buffer
	for _, v := range []any{e, *e, h.Stored, *h.Stored, e.Data, h.Text, h.inner.list, h, &h, []any{e, h.Text}, map[string]any{"e": *e}, map[*Event]Value{e: h.Text}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		if raw, err := json.Marshal(v); err == nil {
			out.Write(raw)
		}
		if raw, err := xml.Marshal(v); err == nil {
			out.Write(raw)
		}
	}
	for _, part := range []string{"zwicker", "zzz", "sess-0289", "precontract", "career_cv", "acme",
		fmt.Sprintf("%x", "zwicker"), fmt.Sprintf("%X", "zwicker"), "122 119 105 99"} {
		if i := bytes.Index(out.Bytes(), []byte(part)); i >= 0 {
			t.Errorf("%q is shown: ...%s...", part, out.Bytes()[max(0, i-200):min(out.Len(), i+40)])
		}
	}
	if !strings.Contains(out.String(), "data.shared") {
		t.Error("not even the kind is shown")
	}
}
