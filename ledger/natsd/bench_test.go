package natsd

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/imalink/custody/ledger/stream"
)

const eventSize = 450 // bytes

// BenchmarkRawAsync is the raw line: plain JetStream that syncs every two minutes, publishing asynchronously.
func BenchmarkRawAsync(b *testing.B) {
	opts := &server.Options{DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: b.TempDir()}
	srv, err := server.NewServer(opts)
	if err != nil {
		b.Fatal(err)
	}
	srv.Start()
	defer srv.WaitForShutdown()
	defer srv.Shutdown()
	if !srv.ReadyForConnections(10 * time.Second) {
		b.Fatal("not ready")
	}
	nc, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	js, err := nc.JetStream(nats.PublishAsyncMaxPending(4000))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		b.Fatal(err)
	}
	data := make([]byte, eventSize)
	for b.Loop() {
		if _, err := js.PublishAsync("s.a", data); err != nil {
			b.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkAppend is the durable raw line: one committer that writes groups of a size.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 8, 64, 1000, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			srv, s, _ := started(b, created(b))
			defer srv.Stop(context.WithoutCancel(b.Context()))
			msgs := messages(n, eventSize)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Append(b.Context(), msgs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

func filled(b *testing.B, n int) (Config, *Server, *stream.Stream) {
	cfg := created(b)
	srv, s, _ := started(b, cfg)
	for s.Last() < uint64(n) {
		if _, err := s.Append(b.Context(), messages(min(5000, n), eventSize)); err != nil {
			b.Fatal(err)
		}
	}
	return cfg, srv, s
}

func BenchmarkReplay(b *testing.B) {
	_, srv, s := filled(b, 200_000)
	defer srv.Stop(context.WithoutCancel(b.Context()))
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range s.Replay(b.Context(), 1, s.Last()) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
}

func BenchmarkPreflight(b *testing.B) {
	cfg, srv, _ := filled(b, 200_000)
	if err := srv.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := Preflight(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(r.Streams[0].Bytes)
	}
}

func BenchmarkScan(b *testing.B) {
	cfg, srv, _ := filled(b, 200_000)
	if err := srv.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		for _, err := range Scan(cfg.Dir, "S") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkStart is a start on 200,000 messages until the stream is open, after a clean stop and after a kill.
func BenchmarkStart(b *testing.B) {
	for _, clean := range []bool{true, false} {
		b.Run(map[bool]string{true: "clean", false: "killed"}[clean], func(b *testing.B) {
			cfg, srv, _ := filled(b, 200_000)
			for b.Loop() {
				b.StopTimer()
				if err := srv.Stop(b.Context()); err != nil {
					b.Fatal(err)
				}
				if !clean {
					if err := removeFile(filepath.Join(cfg.Dir, markerFile)); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				srv, _, _ = started(b, cfg)
			}
			srv.Stop(context.WithoutCancel(b.Context()))
		})
	}
}

// BenchmarkBreakEven sends small groups both ways, with batches staged in memory and on the disk: where the two
// ways take the same time is stream.Config.Singles.
func BenchmarkBreakEven(b *testing.B) {
	for _, way := range []struct {
		name    string
		memory  bool
		singles int
	}{{"singles", true, 1 << 10}, {"batch-memory", true, 1}, {"batch-disk", false, 1}} {
		for _, n := range []int{2, 3, 4, 6, 8, 12, 16, 24} {
			b.Run(fmt.Sprintf("%s/%d", way.name, n), func(b *testing.B) {
				srv, _, _ := started(b, created(b))
				defer srv.Stop(context.WithoutCancel(b.Context()))
				if !way.memory {
					if err := srv.unstage(); err != nil {
						b.Fatal(err)
					}
				}
				cfg := srv.Guard(testStream("S"))
				cfg.Singles = way.singles
				s, err := stream.Open(b.Context(), srv.Conn(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				msgs := messages(n, eventSize)
				for b.Loop() {
					if _, err := s.Append(b.Context(), msgs); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
