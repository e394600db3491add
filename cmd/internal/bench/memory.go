package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// memory is what the server takes, in bytes.
type memory struct {
	inUse    float64 // heap spans with something in them, the least of several looks
	live     float64 // what the last collection left
	resident int     // anonymous pages: not those of files
}

// measureMemory asks questions until the heap has been collected several times,
// and looks at it in between. before is an earlier measurement, if there is one.
func measureMemory(ctx context.Context, s *server, label string, before *memory) (*memory, error) {
	a, err := s.asker(ctx)
	if err != nil {
		return nil, err
	}
	defer a.close()
	var m memory
	for i, begin := 0, 0.0; i < 100; i++ {
		if _, err := timed(20, a.random); err != nil {
			return nil, err
		}
		now, err := a.metrics()
		if err != nil {
			return nil, err
		}
		collected := now["go_gc_duration_seconds_count"]
		if i == 0 {
			begin, m.inUse = collected, now["go_memstats_heap_inuse_bytes"]
		}
		m.inUse = min(m.inUse, now["go_memstats_heap_inuse_bytes"])
		m.live = now["go_memstats_next_gc_bytes"] / 2 // GOGC is 100
		if collected >= begin+5 {
			break
		}
	}
	if m.resident, err = s.status("RssAnon"); err != nil {
		return nil, err
	}
	mapped, err := s.status("RssFile")
	if err != nil {
		return nil, err
	}
	compared := ""
	if before != nil {
		compared = fmt.Sprintf("; %.2f of the heap in use, %.2f of the live heap before", m.inUse/before.inUse, m.live/before.live)
	}
	row(label+"heap in use", fmt.Sprintf("%.0f MiB", m.inUse/(1<<20)), fmt.Sprintf("live about %.0f MiB, resident %d MiB, of files mapped %d MiB%s", m.live/(1<<20), m.resident>>20, mapped>>20, compared))
	return &m, nil
}

// metrics reads those without labels.
func (c *client) metrics() (map[string]float64, error) {
	body, err := c.do("GET", "/metrics", "", nil)
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			all[name] = n
		}
	}
	return all, nil
}

// status reads a size of the process, in bytes (proc(5)).
func (s *server) status(name string) (bytes int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			return kib << 10, err
		}
	}
	return 0, errors.New("no " + name + " in the status of a process")
}
