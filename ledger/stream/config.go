package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	defaultMaxBatch = 1000
	defaultSingles  = 16               // a single takes 0.3 to 0.5 ms, a batch staged on a disk 4 to 10: BenchmarkBreakEven of natsd
	apiWait         = 30 * time.Second // for one request to the server's API, when ctx has no earlier deadline
)

func (c Config) withDefaults() (Config, error) {
	if c.Name == "" || strings.Trim(c.Name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return c, errors.New("stream: Name must be letters, digits, '-' and '_'")
	}
	if len(c.Subjects) == 0 {
		return c, errors.New("stream: Subjects is empty")
	}
	if c.MaxBatch < 0 || c.Singles < 0 {
		return c, errors.New("stream: MaxBatch or Singles is negative")
	}
	if c.Singles == 0 {
		c.Singles = defaultSingles
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = defaultMaxBatch
	}
	return c, nil
}

// settings is the whole configuration the server must have, by its JSON names: file storage that is never
// trimmed, rolled up, expired, compressed, transformed or mirrored, and refuses rather than forgets.
// A field that the server reports and that is not here must be absent or empty.
func (c Config) settings() map[string]any {
	return map[string]any{
		"name": c.Name, "subjects": c.Subjects,
		"storage": "file", "num_replicas": 1, "retention": "limits", "discard": "new",
		"max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msgs_per_subject": -1, "max_msg_size": -1,
		"duplicate_window": int64(100 * time.Millisecond), // least allowed: no message carries an id, and a start reads the whole window
		"compression":      "none",
		"deny_delete":      true, "deny_purge": true, "sealed": false, "allow_rollup_hdrs": false,
		"allow_direct": true, "mirror_direct": false, "allow_atomic": true,
		"allow_msg_ttl": false, "allow_msg_counter": false, "allow_msg_schedules": false, "allow_batched": false,
		"consumer_limits": map[string]any{},
	}
}

// Create makes the stream. It refuses with [ErrExists] if there is one of that name, whatever its configuration,
// and reads the new one back: the server changes some configurations silently.
func Create(ctx context.Context, nc *nats.Conn, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	if _, err := request(ctx, nc, "$JS.API.STREAM.INFO."+cfg.Name, nil); err == nil {
		return fmt.Errorf("creating stream %s: %w", cfg.Name, ErrExists)
	} else if !errors.Is(err, ErrMissing) {
		return fmt.Errorf("creating stream %s: %w", cfg.Name, err)
	}
	made, err := request(ctx, nc, "$JS.API.STREAM.CREATE."+cfg.Name, cfg.settings())
	if err != nil {
		return fmt.Errorf("creating stream %s: %w", cfg.Name, err)
	}
	if !made.Created { // the server answers a creation of what is there already with success
		return fmt.Errorf("creating stream %s: %w", cfg.Name, ErrExists)
	}
	if _, err := assert(ctx, nc, cfg); err != nil {
		return fmt.Errorf("creating stream %s: %w", cfg.Name, err)
	}
	return nil
}

// assert reads the stream's state, having compared its configuration with ours.
func assert(ctx context.Context, nc *nats.Conn, cfg Config) (*response, error) {
	info, err := request(ctx, nc, "$JS.API.STREAM.INFO."+cfg.Name, nil)
	if err != nil {
		return nil, err
	}
	wantJSON, err := json.Marshal(cfg.settings())
	if err != nil {
		return nil, fmt.Errorf("encoding the configuration: %w", err)
	}
	var want map[string]any
	if err := json.Unmarshal(wantJSON, &want); err != nil {
		return nil, fmt.Errorf("decoding the configuration: %w", err)
	}
	return info, compare(cfg.Name, info.Config, want)
}

// compare finds the first field, by name, in which got differs from want. Absent, false, 0 and empty are the same:
// that is how the server leaves fields out. The server's own metadata says only which version it needs.
func compare(stream string, got, want map[string]any) error {
	if m, ok := got["metadata"].(map[string]any); ok {
		maps.DeleteFunc(m, func(k string, _ any) bool { return strings.HasPrefix(k, "_nats.") })
	}
	fields := slices.Sorted(maps.Keys(got))
	for _, f := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[f]; !ok {
			fields = append(fields, f)
		}
	}
	for _, f := range fields {
		if empty(got[f]) && empty(want[f]) || reflect.DeepEqual(got[f], want[f]) {
			continue
		}
		return &ConfigError{Stream: stream, Field: f, Got: asJSON(got[f]), Want: asJSON(want[f])}
	}
	return nil
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	default:
		return reflect.ValueOf(v).IsZero()
	}
}

func asJSON(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// response is what the parts of the server's API used here answer.
type response struct {
	Error   *apiError      `json:"error"`
	Config  map[string]any `json:"config"`
	State   state          `json:"state"`
	Created bool           `json:"did_create"`
}

type state struct {
	Messages uint64 `json:"messages"`
	First    uint64 `json:"first_seq"`
	Last     uint64 `json:"last_seq"`
	Deleted  uint64 `json:"num_deleted"`
}

// contiguous reports deleted messages: the stream holds 1..Last or has a gap.
func (st state) contiguous(stream string) error {
	if st.Messages == st.Last && st.Deleted == 0 && (st.First == 1 || st.Last == 0) {
		return nil
	}
	if st.First > 1 {
		return &GapError{Stream: stream, Missing: 1, Got: st.First}
	}
	return fmt.Errorf("stream %s: %d of %d messages are missing", stream, st.Last-min(st.Messages, st.Last), st.Last)
}

// apiError is the server's own error object.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string { return fmt.Sprintf("server: %s (%d)", e.Description, e.ErrCode) }

const (
	codeStreamNotFound     = 10059
	codeWrongLastSequence  = 10071
	codeWrongLastSequenceK = 10164 // the same without the number
)

// request asks the server's API. It fails with [ErrMissing] when the stream is not there.
func request(ctx context.Context, nc *nats.Conn, subject string, body any) (*response, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("encoding the request to %s: %w", subject, err)
		}
	}
	msg, err := nc.RequestWithContext(ctx, subject, data)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", subject, err)
	}
	var r response
	if err := json.Unmarshal(msg.Data, &r); err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", subject, err)
	}
	if r.Error != nil && r.Error.ErrCode == codeStreamNotFound {
		return nil, ErrMissing
	}
	if r.Error != nil {
		return nil, fmt.Errorf("asking %s: %w", subject, r.Error)
	}
	return &r, nil
}
