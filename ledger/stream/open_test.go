package stream_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/stream"
)

func TestCreateAndOpenAreDifferentActs(t *testing.T) {
	srv := server(t, nil)
	if err := stream.Create(t.Context(), srv.Conn(), testConfig); !errors.Is(err, stream.ErrExists) {
		t.Fatalf("creating what is there: %v", err)
	}
	if _, err := stream.Open(t.Context(), srv.Conn(), stream.Config{Name: "T", Subjects: []string{"t.>"}}); !errors.Is(err, stream.ErrMissing) {
		t.Fatalf("opening what is not there: %v", err)
	}
	for _, cfg := range []stream.Config{{}, {Name: "a.b", Subjects: []string{"x"}}, {Name: "A"}, {Name: "A", Subjects: []string{"x"}, MaxBatch: -1}} {
		if err := stream.Create(t.Context(), srv.Conn(), cfg); err == nil {
			t.Errorf("created %+v", cfg)
		}
	}
}

// drifts are configurations other than ours, in the first field named (and whatever else the server then needs).
var drifts = []struct {
	field  string
	value  any
	needed map[string]any
}{
	{"storage", "memory", nil}, {"retention", "workqueue", nil}, {"discard", "old", nil}, {"max_consumers", 9, nil},
	{"max_msgs", 1000, nil}, {"max_bytes", 1 << 20, nil}, {"max_age", int64(time.Hour), nil}, {"max_msg_size", 100, nil},
	{"max_msgs_per_subject", 5, nil}, {"duplicate_window", int64(2 * time.Minute), nil}, {"compression", "s2", nil},
	{"deny_delete", false, nil}, {"deny_purge", false, nil}, {"allow_rollup_hdrs", true, map[string]any{"deny_purge": false}},
	{"allow_direct", false, nil}, {"allow_atomic", false, nil}, {"allow_msg_ttl", true, nil}, {"allow_msg_counter", true, map[string]any{"discard": "old"}},
	{"allow_msg_schedules", true, map[string]any{"discard": "old"}}, {"allow_batched", true, nil}, {"no_ack", true, nil},
	{"description", "x", nil}, {"first_seq", 10, nil}, {"discard_new_per_subject", true, map[string]any{"max_msgs_per_subject": 5}},
	{"persist_mode", "async", map[string]any{"allow_atomic": false}}, {"subjects", []string{"other"}, nil},
	{"subject_transform", map[string]any{"src": ">", "dest": "x.>"}, nil}, {"republish", map[string]any{"src": ">", "dest": "r.>"}, nil},
	{"consumer_limits", map[string]any{"inactive_threshold": int64(time.Second)}, nil}, {"metadata", map[string]any{"a": "b"}, nil},
	{"sources", []any{map[string]any{"name": "S"}}, nil},
	{"subject_delete_marker_ttl", int64(time.Second), map[string]any{"deny_purge": false, "allow_msg_ttl": true}},
}

func TestOpenRefusesEveryDrift(t *testing.T) {
	srv := server(t, nil)
	good := api(t, srv.Conn(), "STREAM.INFO.S", nil)["config"].(map[string]any)
	for i, d := range drifts {
		t.Run(d.field, func(t *testing.T) {
			cfg := stream.Config{Name: fmt.Sprint("T", i), Subjects: []string{fmt.Sprintf("t%d.>", i)}}
			drifted := maps.Clone(good)
			drifted["name"], drifted["subjects"] = cfg.Name, cfg.Subjects
			maps.Copy(drifted, d.needed)
			drifted[d.field] = d.value
			api(t, srv.Conn(), "STREAM.CREATE."+cfg.Name, drifted)
			_, err := stream.Open(t.Context(), srv.Conn(), cfg)
			var ce *stream.ConfigError
			if !errors.As(err, &ce) {
				t.Fatalf("opened: %v", err)
			}
			// The server changes other fields by itself for some; the first in the alphabet is named.
			if _, also := d.needed[ce.Field]; ce.Field != d.field && !also && ce.Field > d.field {
				t.Fatalf("named %s: %v", ce.Field, ce)
			}
			t.Log(ce)
		})
	}
}

// What an administrator can do to a stream that refuses deletion is noticed when it is opened.
func TestOpenRefusesAfterUpdate(t *testing.T) {
	srv := server(t, nil)
	cfg := srv.Guard(testConfig)
	s := open(t, srv.Conn(), cfg)
	if _, err := s.Append(t.Context(), group(100, "a")); err != nil {
		t.Fatal(err)
	}
	for field, value := range map[string]any{"max_msgs_per_subject": 5, "max_age": 1_000_000_000_000, "allow_msg_ttl": true} {
		update(t, srv.Conn(), map[string]any{field: value})
		var ce *stream.ConfigError
		if _, err := stream.Open(t.Context(), srv.Conn(), cfg); !errors.As(err, &ce) || ce.Field != field {
			t.Fatalf("%s: %v", field, err)
		}
		if field == "allow_msg_ttl" {
			break // cannot be undone
		}
		update(t, srv.Conn(), map[string]any{field: -1 * boolInt(field == "max_msgs_per_subject")})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Messages were deleted and the configuration put back: the stream is not what it was.
func TestOpenRefusesDeletedMessages(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	if _, err := s.Append(t.Context(), append(group(10, "a"), group(10, "b")...)); err != nil {
		t.Fatal(err)
	}
	update(t, srv.Conn(), map[string]any{"max_msgs_per_subject": 5})
	update(t, srv.Conn(), map[string]any{"max_msgs_per_subject": -1})
	var gap *stream.GapError
	if _, err := stream.Open(t.Context(), srv.Conn(), srv.Guard(testConfig)); !errors.As(err, &gap) || gap.Missing != 1 || gap.Got != 6 {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), 3); !errors.As(err, &gap) || gap.Missing != 3 {
		t.Fatal(err)
	}
	for _, err := range s.Replay(t.Context(), 1, 20) {
		if !errors.As(err, &gap) || gap.Missing != 1 || gap.Got != 6 {
			t.Fatal(err)
		}
	}
}
