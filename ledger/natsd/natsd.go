// Package natsd is the embedded server. It is the only package that imports nats-server, and the only one that
// knows how the server keeps a stream in files.
//
// What is always true:
//   - The server never starts on files that its own recovery would delete or cut: every record of every block
//     has been verified first, without touching anything.
//   - No healthy byte is deleted. What a torn tail made unusable is copied to quarantine before it is cut, and only
//     if it lies above everything known to be durable; damage below that refuses the start.
//   - What the server removes all the same while it recovers, because a read failed, is put back.
//   - What a start reports as present is synced to disk, whatever the process before it had left in memory.
//   - The server listens on nothing; its one connection is in process. A [Door] listens: another server, without streams.
//
// One process a folder is the caller's business.
package natsd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/imalink/custody/ledger/stream"
)

const (
	// DefaultMaxBatch is how many messages one atomic batch may hold when Config does not say.
	DefaultMaxBatch = 5000
	// MaxPayload is the most bytes of one message, headers included: a stored event of 8 MiB and what surrounds it.
	MaxPayload = 9 << 20

	readyStep   = 100 * time.Millisecond
	memoryStore = 256 << 20 // for consumers, which keep nothing on disk
	healthEvery = time.Second

	memorySingles = 3 // stream.Config.Singles when batches are staged in memory: see BenchmarkBreakEven
)

// Config of an embedded server.
type Config struct {
	Dir        string            // the server's folder
	Streams    []string          // the streams that are in it, all of them
	Durable    map[string]uint64 // last durable sequence of a stream as known from outside Dir; absent: not known
	Quarantine string            // folder for copies of what is cut off; made when needed
	Log        *slog.Logger      // nil: slog.Default()
	MaxBatch   int               // messages in one atomic batch; 0: DefaultMaxBatch
	MaxStore   int64             // most bytes of all streams; 0: what the file system has, less a reserve
}

func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" { // the server would take a temporary folder
		return c, errors.New("natsd: Dir is empty")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, fmt.Errorf("natsd: Dir: %w", err)
	}
	c.Dir = dir
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = DefaultMaxBatch
	}
	if c.MaxStore == 0 {
		if c.MaxStore, err = roomFor(dir); err != nil {
			return c, fmt.Errorf("natsd: measuring the room for %s: %w", dir, err)
		}
	}
	return c, nil
}

// Server is a running embedded server. Its methods are safe for concurrent use.
type Server struct {
	cfg  Config
	srv  *server.Server
	conn *nats.Conn
	log  *serverLog

	failOnce sync.Once
	failed   chan struct{}
	failure  error // set before failed is closed

	stopOnce sync.Once
	stopping chan struct{}
	watching sync.WaitGroup
	guards   []*guard
	staging  string   // folder in memory; "" if there is none
	owner    *os.File // of it, locked
}

// Start verifies the files, quarantines torn tails, syncs what is left, and starts the server on it. It returns
// once every stream is there with exactly the sequences that were verified. A [*Damage] error means that nothing
// was changed, but for files put back that the server had removed in a start before; the report, never nil when
// there is one, says what was found in each stream.
func Start(ctx context.Context, cfg Config) (*Server, *Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	s, report, err := start(ctx, cfg)
	if err != nil {
		return nil, report, fmt.Errorf("starting on %s: %w", cfg.Dir, err)
	}
	s.watching.Go(s.watch) // not earlier: a stream being made is a stream that is not well
	return s, report, nil
}

func start(ctx context.Context, cfg Config) (*Server, *Report, error) {
	if err := putBack(cfg); err != nil { // what a start that was killed had kept
		return nil, nil, err
	}
	report, found, err := preflight(ctx, cfg)
	if err != nil {
		return nil, report, err
	}
	if err := prepare(cfg, report, found); err != nil {
		return nil, report, err
	}
	if err := keep(cfg); err != nil {
		return nil, report, errors.Join(err, putBack(cfg))
	}
	s, err := launch(ctx, cfg)
	if err != nil {
		return nil, report, errors.Join(err, putBack(cfg))
	}
	if err := s.settleIn(report); err != nil {
		if down := s.shutdown(ctx); down != nil { // it may still remove files: they stay kept
			return nil, report, errors.Join(err, down)
		}
		return nil, report, errors.Join(err, s.unstage(), putBack(cfg))
	}
	return s, report, nil
}

// settleIn ends the recovery: the server has every stream as it was verified, and nothing need be kept for it.
func (s *Server) settleIn(report *Report) error {
	if err := errors.Join(s.confirm(report), nothingMissing(s.cfg.Dir)); err != nil {
		return err
	}
	if err := giveUp(s.cfg.Dir); err != nil {
		return err
	}
	return s.stage()
}

// launch starts the server on cfg.Dir and connects to it.
func launch(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, failed: make(chan struct{}), stopping: make(chan struct{})}
	s.log = &serverLog{log: cfg.Log, fail: s.fail}
	srv, err := server.NewServer(options(cfg))
	if err != nil {
		return nil, fmt.Errorf("configuring the server: %w", err)
	}
	s.srv = srv
	srv.SetLoggerV2(s.log, false, false, false)
	srv.Start()
	if err := s.connect(ctx); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, errors.Join(err, s.log.said())
	}
	return s, nil
}

func (s *Server) connect(ctx context.Context) error {
	for ready := false; !ready; {
		ready = s.srv.ReadyForConnections(readyStep)
		if err := errors.Join(s.Health(), ctx.Err()); err != nil {
			return fmt.Errorf("awaiting the server: %w", err)
		}
	}
	conn, err := nats.Connect("", nats.InProcessServer(s.srv), nats.Name("custody"), nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.cfg.Log.Warn("nats", "err", err) }))
	if err != nil {
		return fmt.Errorf("connecting in process: %w", err)
	}
	s.conn = conn
	return nil
}

func options(cfg Config) *server.Options {
	return &server.Options{
		ServerName: "custody", DontListen: true, NoSigs: true, DisableJetStreamBanner: true,
		JetStream: true, StoreDir: cfg.Dir, SyncAlways: true,
		JetStreamMaxMemory: memoryStore, JetStreamMaxStore: cfg.MaxStore,
		MaxPayload: MaxPayload, MaxPending: 128 << 20,
		JetStreamLimits: server.JSLimitOpts{MaxBatchSize: cfg.MaxBatch, MaxBatchTimeout: time.Minute},
	}
}

// confirm compares the streams as the server sees them with the report.
func (s *Server) confirm(report *Report) error {
	account := s.srv.GlobalAccount()
	for i := range report.Streams {
		want := &report.Streams[i]
		info, err := s.srv.JszAccount(&server.JSzOptions{Account: account.GetName(), Streams: true, Config: true})
		if err != nil {
			return errors.Join(fmt.Errorf("asking for the streams: %w", err), s.log.said())
		}
		found := false
		for _, st := range info.Streams {
			if st.Name != want.Name {
				continue
			}
			found = true
			if st.State.LastSeq != want.Last || st.State.Msgs != want.Last {
				err := fmt.Errorf("stream %s: the server has %d messages up to %d, the files %d", want.Name, st.State.Msgs, st.State.LastSeq, want.Last)
				return errors.Join(err, s.log.said())
			}
		}
		if !found {
			return errors.Join(fmt.Errorf("stream %s: the server did not take it", want.Name), s.log.said())
		}
		g, err := newGuard(s.cfg.Dir, want.Name)
		if err != nil {
			return fmt.Errorf("stream %s: %w", want.Name, err)
		}
		s.guards = append(s.guards, g)
	}
	return nil
}

// Conn is the in-process connection. It is closed by Stop.
func (s *Server) Conn() *nats.Conn { return s.conn }

// InProcessConn makes Server a nats.InProcessConnProvider: long reads go well over a connection of their own.
func (s *Server) InProcessConn() (net.Conn, error) { return s.srv.InProcessConn() }

// Guard completes the configuration of one of the server's streams: how large a batch may be, from where it pays, and
// what makes it durable beyond the server's own promise.
func (s *Server) Guard(cfg stream.Config) stream.Config {
	cfg.MaxBatch, cfg.Barrier, cfg.Settle = s.cfg.MaxBatch, s.Barrier(cfg.Name), s.settle(cfg.Name)
	if s.staging != "" {
		cfg.Singles = memorySingles
	}
	return cfg
}

// Stop shuts the server down, syncs everything, and leaves the marker of a clean stop, unless the server had failed.
// Stopping again does nothing.
func (s *Server) Stop(ctx context.Context) error {
	var err error
	s.stopOnce.Do(func() { err = s.stop(ctx) })
	if err != nil {
		return fmt.Errorf("stopping the server on %s: %w", s.cfg.Dir, err)
	}
	return nil
}

func (s *Server) stop(ctx context.Context) error {
	health := s.Healthy()
	if err := errors.Join(s.shutdown(ctx), s.unstage(), health); err != nil {
		return err
	}
	return finish(s.cfg)
}

// shutdown ends the server without a marker.
func (s *Server) shutdown(ctx context.Context) error {
	close(s.stopping)
	s.watching.Wait()
	s.conn.Close()
	s.srv.Shutdown()
	down := make(chan struct{})
	go func() { s.srv.WaitForShutdown(); close(down) }()
	select {
	case <-down:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("awaiting the server's end: %w", ctx.Err())
	}
}

// finish syncs what a stopped server left and marks it as complete.
func finish(cfg Config) error {
	if err := syncTree(cfg.Dir); err != nil {
		return err
	}
	return writeMarker(cfg.Dir, cfg.Streams)
}

// Create makes the server's folder, which must be absent or empty, and the streams in it, and syncs it all,
// up to and including the folder's parent. Nothing is running when it returns. After an error the folder is not
// to be used: remove it and create again.
func Create(ctx context.Context, cfg Config, streams []stream.Config) error {
	if err := create(ctx, cfg, streams); err != nil {
		return fmt.Errorf("creating %s: %w", cfg.Dir, err)
	}
	return nil
}

func create(ctx context.Context, cfg Config, streams []stream.Config) error {
	cfg.Streams = nil
	for _, st := range streams {
		cfg.Streams = append(cfg.Streams, st.Name)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(cfg.Dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: it holds %s", os.ErrExist, entries[0].Name())
	}
	if cfg, err = cfg.withDefaults(); err != nil {
		return err
	}
	s, err := launch(ctx, cfg)
	if err != nil {
		return err
	}
	for _, st := range streams {
		if err := stream.Create(ctx, s.conn, st); err != nil {
			return errors.Join(err, s.shutdown(ctx))
		}
	}
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return syncDir(filepath.Dir(cfg.Dir))
}
