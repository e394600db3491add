package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// raw is what the store alone does, in messages a second: the cost that every
// other figure is set beside.
type raw struct {
	async   float64 // plain JetStream, asynchronous, not durable
	durable float64 // durable groups of 1,000, one committer
	groups  map[string]float64
}

// measureRaw runs the store's own benchmarks, in this run and on this machine.
func measureRaw(ctx context.Context) (raw, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^(BenchmarkRawAsync|BenchmarkAppend)$", "-benchtime", "2s", "./ledger/natsd")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return raw{}, fmt.Errorf("raw benchmarks: %w: %s", err, out)
	}
	r := raw{groups: map[string]float64{}}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		for i, unit := range fields {
			if unit != "msg/s" || i == 0 {
				continue
			}
			n, err := strconv.ParseFloat(fields[i-1], 64)
			if err != nil {
				return raw{}, fmt.Errorf("raw benchmarks: %w", err)
			}
			r.groups[strings.TrimSuffix(fields[0], fmt.Sprint("-", runtime.GOMAXPROCS(0)))] = n
		}
	}
	r.async, r.durable = r.groups["BenchmarkRawAsync"], r.groups["BenchmarkAppend/1000"]
	if r.async == 0 || r.durable == 0 {
		return raw{}, fmt.Errorf("raw benchmarks printed no figures: %s", out)
	}
	return r, nil
}

func (r raw) print() {
	row("raw JetStream, asynchronous, not durable", fmt.Sprintf("%.0f/s", r.async), "450-byte messages")
	for _, n := range []string{"1", "8", "64", "1000", "5000"} {
		row("raw durable groups of "+n, fmt.Sprintf("%.0f/s", r.groups["BenchmarkAppend/"+n]), fmt.Sprintf("%.2f of raw asynchronous", r.groups["BenchmarkAppend/"+n]/r.async))
	}
}
