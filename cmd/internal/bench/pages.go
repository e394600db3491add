package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// An asker asks the desk.
type asker struct {
	*client
	of *stream
}

func (s *server) asker(ctx context.Context) (*asker, error) {
	c, err := s.client(ctx, s.reader)
	return &asker{c, s.events}, err
}

// A page is what of an answer is looked at.
type page struct {
	Handle, Next string
	Total        int
	Items        []json.RawMessage
}

// first looks a person up, with the first page of the accesses.
func (a *asker) first(person uint64) (body []byte, err error) {
	return a.do("POST", "/v1/persons/lookup", "application/json", fmt.Appendf(nil, `{"identifier":%q,"show":"accesses"}`, identifier(person)))
}

// random asks for the first page of a random person. A few are not known, as the
// ledger has nothing of them; that is an answer, too.
func (a *asker) random() error {
	_, err := a.first(a.of.anyone())
	if errors.Is(err, errNotFound) {
		return nil
	}
	return err
}

// measureSingle times one event recorded by one client: what every question
// costs at least, as it is recorded before it is answered.
func measureSingle(ctx context.Context, s *server, n int) (times, error) {
	c, err := s.sender(ctx, false)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var body []byte
	return timed(n, func() error {
		e := s.events.at(s.next.Add(1) - 1)
		e.at = time.Now()
		body = e.appendJSON(body[:0])
		return c.post(body, 1)
	})
}

// measurePages times a person's page, cold and warm, alone and under ingest.
func measurePages(ctx context.Context, s *server, cfg config, label string, raw raw) error {
	if err := measureCold(ctx, s, cfg, label); err != nil {
		return err
	}
	if err := warm(filepath.Join(s.data, "views")); err != nil {
		return err
	}
	if err := measureAsked(ctx, s, cfg, label, "", raw); err != nil {
		return err
	}
	l := &load{server: s, rate: cfg.ingest}
	return l.beside(ctx, func() error {
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
		return measureAsked(ctx, s, cfg, label, fmt.Sprintf(", %d/s recorded meanwhile", cfg.ingest), raw)
	})
}

// measureCold asks a process that has just been started, and whose files are
// not in memory, about people each of whom is asked about once.
func measureCold(ctx context.Context, s *server, cfg config, label string) error {
	if err := s.stop(); err != nil {
		return err
	}
	if _, err := s.start(ctx); err != nil {
		return err
	}
	if _, err := s.caughtUp(ctx); err != nil { // reads every page of the views
		return err
	}
	dropped, err := forget(s.data)
	if err != nil {
		return err
	}
	a, err := s.asker(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	begin := time.Now()
	if err := a.random(); err != nil {
		return err
	}
	row(label+"first question to a new process", millis(time.Since(begin)), dropped)
	took, err := timed(cfg.questions/5, a.random)
	if err != nil {
		return err
	}
	took.row(label+"person's page, cold", "; "+dropped)
	return nil
}

// warm reads every file of a folder, so that what is asked next finds them in
// memory however few people were asked about before.
func warm(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		f, err := os.Open(filepath.Join(dir, file.Name()))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// measureAsked asks about random people and about the largest one.
func measureAsked(ctx context.Context, s *server, cfg config, label, how string, raw raw) error {
	single, err := measureSingle(ctx, s, cfg.questions)
	if err != nil {
		return err
	}
	durable := time.Duration(float64(time.Second) / raw.groups["BenchmarkAppend/1"])
	single.row(label+"one event by one client"+how, fmt.Sprintf("; p50 %.1f of a raw durable record", ratio(single.at(0.5), durable)))
	beside := func(t times) string {
		return fmt.Sprintf("; p50 %.1f, p99 %.1f of one event", ratio(t.at(0.5), single.at(0.5)), ratio(t.at(0.99), single.at(0.99)))
	}
	a, err := s.asker(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	took, err := timed(cfg.questions, a.random)
	if err != nil {
		return err
	}
	took.row(label+"person's page"+how, beside(took))
	return a.largest(cfg, label, how, beside)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// largest asks for the first page of the largest person, and then for pages that
// go on.
func (a *asker) largest(cfg config, label, how string, beside func(times) string) error {
	var p page
	took, err := timed(cfg.questions/5, func() error {
		body, err := a.first(largest)
		if err == nil {
			err = json.Unmarshal(body, &p)
		}
		return err
	})
	if err != nil {
		return err
	}
	took.row(label+"largest person's page"+how, fmt.Sprintf("%s; %d events", beside(took), p.Total))
	start := p
	took, err = timed(cfg.questions/5, func() error {
		if p.Next == "" {
			p = start
		}
		handle, next := start.Handle, p.Next
		p = page{}
		return a.get("/v1/persons/"+handle+"/accesses?cursor="+next, &p)
	})
	if err != nil {
		return err
	}
	took.row(label+"largest person's next page"+how, "; not recorded again")
	return nil
}

// forget has the system drop what it keeps in memory of the files below dir,
// and says what was possible.
func forget(dir string) (string, error) {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if os.IsNotExist(err) {
			return nil // it is a server's that runs
		}
		if err != nil {
			return err
		}
		defer f.Close()
		return dropFromMemory(f)
	})
	if errors.Is(err, errStaysInMemory) {
		return "its files still in memory: this system cannot be told", nil
	}
	return "its files dropped from memory, as far as not mapped", err
}
