package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/notary"
)

const (
	// Every is how often a witness is asked at most.
	Every = 10 * time.Second
	// Again is after how long a checkpoint that did not change is cosigned anew: a later time says that the log still
	// was as it is.
	Again = time.Hour

	answerTime = 10 * time.Second
)

// Ask has each new checkpoint of a ledger cosigned by witnesses, each below a URL prefix, until ctx is done. What they
// answer is kept if its key was announced. wait returns when all is ended.
func Ask(ctx context.Context, n *notary.Notary, witnesses []*url.URL, every time.Duration, log *slog.Logger) (wait func()) {
	var all sync.WaitGroup
	for _, u := range witnesses {
		c := &counterpart{notary: n, url: u.JoinPath(addPath), log: log, http: &http.Client{
			Timeout:       answerTime,
			Transport:     http.DefaultTransport.(*http.Transport).Clone(), // its connections are its own
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}
		all.Go(func() { c.run(ctx, every) })
	}
	return all.Wait
}

// A counterpart is a witness, as the ledger knows it.
type counterpart struct {
	notary *notary.Notary
	url    *url.URL
	http   *http.Client
	log    *slog.Logger

	size    uint64    // that it cosigned last, as far as is known
	kept    uint64    // of the checkpoint of which its cosignature was kept last
	at      time.Time // when that was
	failing string    // what went wrong last
}

// run asks as soon as there is a new checkpoint, at most so often.
func (c *counterpart) run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		c.await(ctx)
		if err := c.turn(ctx); ctx.Err() == nil {
			c.note(err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// await returns when there is a new checkpoint, or it is time to have the same one cosigned again. A ledger that does not
// sign is not waited for: it may begin to.
func (c *counterpart) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, Again)
	defer cancel()
	_ = c.notary.Await(ctx, c.kept+1) // turn finds out
}

// note says what goes wrong, once.
func (c *counterpart) note(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == c.failing:
	case err != nil:
		c.log.Warn("a witness does not cosign; it is asked again", "witness", c.url.Host, "error", err)
	default:
		c.log.Info("a witness cosigns again", "witness", c.url.Host)
	}
	c.failing = text
}

// turn has the newest checkpoint cosigned, unless it is.
func (c *counterpart) turn(ctx context.Context) error {
	note, err := c.notary.Checkpoint()
	if errors.Is(err, notary.ErrUnsigned) || errors.Is(err, notary.ErrBehind) || err == nil && note.Size == 0 {
		return nil // nothing to cosign; why, the notary says
	}
	if err != nil || note.Size == c.kept && time.Since(c.at) < Again {
		return err
	}
	lines, err := c.ask(ctx, note)
	if err != nil {
		return err
	}
	c.size = note.Size
	if err := c.notary.Answered(ctx, note, lines); err != nil {
		return err
	}
	c.kept, c.at = note.Size, time.Now()
	return nil
}

// ask asks for the cosignature of a checkpoint, and once more if the witness says which size it knows.
func (c *counterpart) ask(ctx context.Context, note checkpoint.Note) ([]checkpoint.Signature, error) {
	if c.size > note.Size {
		c.size = 0 // whatever it was, it is not of this log
	}
	lines, knows, err := c.post(ctx, note, c.size)
	if err == nil || !errors.Is(err, errOther) {
		return lines, err
	}
	if knows > note.Size {
		return nil, fmt.Errorf("it knows a larger checkpoint, of size %d", knows)
	}
	lines, _, err = c.post(ctx, note, knows)
	return lines, err
}

// errOther reports that the witness knows another size than it was told.
var errOther = errors.New("it cosigned another size last")

func (c *counterpart) post(ctx context.Context, note checkpoint.Note, old uint64) (lines []checkpoint.Signature, knows uint64, err error) {
	request, err := c.notary.Request(note, old)
	if err != nil {
		return nil, 0, err
	}
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), bytes.NewReader(request.Bytes()))
	if err != nil {
		return nil, 0, errors.New("its URL is not one")
	}
	asked.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := c.http.Do(asked)
	if err != nil {
		return nil, 0, withoutURL(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, checkpoint.MaxNote+1))
	switch {
	case err != nil:
		return nil, 0, withoutURL(err)
	case response.StatusCode == http.StatusOK:
		lines, err = checkpoint.ParseSignatures(body)
		return lines, 0, err
	case response.StatusCode == http.StatusConflict && response.Header.Get("Content-Type") == checkpoint.SizeType:
		knows, err := checkpoint.ParseSizeText(body)
		if err != nil {
			return nil, 0, err
		}
		return nil, knows, errOther
	}
	return nil, 0, fmt.Errorf("it answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
}

// withoutURL takes the URL out of an error: it may hold a secret.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
