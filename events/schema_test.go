package events

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// TestSchemaIsThePublishedOne holds the catalogue against the contract, as JSON values.
func TestSchemaIsThePublishedOne(t *testing.T) {
	published, err := os.ReadFile("testdata/event.v1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal(published, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(AppendSchema(nil), &got); err != nil {
		t.Fatal(err)
	}
	difference(t, "", want, got)
}

// difference reports every place where two JSON values differ.
func difference(t *testing.T, path string, want, got any) {
	t.Helper()
	w, isObject := want.(map[string]any)
	g, alsoObject := got.(map[string]any)
	if isObject && alsoObject {
		for name := range w {
			difference(t, path+"/"+name, w[name], g[name])
		}
		for name := range g {
			if _, ok := w[name]; !ok {
				t.Errorf("%s/%s: generated but not published", path, name)
			}
		}
		return
	}
	wl, isList := want.([]any)
	gl, alsoList := got.([]any)
	if isList && alsoList && len(wl) == len(gl) {
		for i := range wl {
			difference(t, path+"/"+decimal(int64(i)), wl[i], gl[i])
		}
		return
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("%s: published %v, generated %v", path, want, got)
	}
}

func TestSchemaAppends(t *testing.T) {
	if got := AppendSchema([]byte("before")); !bytes.HasPrefix(got, []byte(`before{"$schema"`)) {
		t.Errorf("AppendSchema does not append: %.20s", got)
	}
}
