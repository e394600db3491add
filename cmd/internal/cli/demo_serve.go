package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imalink/custody/cmd/internal/api"
	"github.com/imalink/custody/cmd/internal/demo"
	"github.com/imalink/custody/ledger"
)

// demonstrate records the year of a home, as far as it is not, and then serves it
// and says what to look at, until interrupted. With a nil answer, or --fill-only,
// it only records.
func (s *session) demonstrate(ctx context.Context, a *answer, o demoOptions, home demo.Home, y *demo.Year, made bool) (err error) {
	if err := keepMemoryPrivate(); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	serves := a != nil && !o.fillOnly
	var up *serving
	var web *api.API
	var listener net.Listener
	var pace time.Duration
	if serves { // before the long work: a port that is taken is found at once
		pace = time.Second
		if web, up, listener, err = demoServer(o.listen, log); err != nil {
			return err
		}
		defer up.http.Close()
	}
	l, closeLedger, err := s.demoLedger(ctx, home, y, made, pace, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLedger()) }()
	if a == nil {
		return nil
	}
	g, err := guideTo(ctx, home, y, l)
	if err != nil || !serves {
		return errors.Join(err, g.print(a))
	}
	files := serveOptions{folders: folders{data: home.Data, keys: home.Keys}}
	closeViews, err := files.answer(ctx, web, l, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeViews()) }()
	web.Attach(l)
	web.AttachEvidence(l)
	g.URL = address(listener, false)
	if err := errors.Join(g.print(a), a.Flush()); err != nil {
		return err
	}
	return up.until(ctx)
}

// demoServer listens, and answers that it is not ready until a ledger is attached.
func demoServer(listen string, log *slog.Logger) (*api.API, *serving, net.Listener, error) {
	web, err := api.New(api.Config{Version: thisBuild().Version, Log: log})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("making the routes: %w", err)
	}
	up := &serving{log: log, http: web.Server(), failed: make(chan error, 1)}
	if err := api.CheckListen(listen, false); err != nil {
		return nil, nil, nil, &fault{status: misused, err: err}
	}
	listener, err := api.Listen(listen, false, up.http)
	if err != nil {
		return nil, nil, nil, advise(err, "choose another with --listen; with port 0 the system does")
	}
	up.begin(listener)
	return web, up, listener, nil
}

// guide is what a visitor is told.
type guide struct {
	URL     string       `json:"url,omitempty"`
	Data    string       `json:"data"`
	Keys    string       `json:"keys"`
	Spec    demo.Spec    `json:"year"`
	Tokens  []guideToken `json:"tokens"`
	Stories []demo.Story `json:"stories"`

	from, to time.Time
}

type guideToken struct {
	Role  string `json:"role"`
	Sees  string `json:"sees"`
	File  string `json:"file"`
	Value string `json:"token"`
}

func guideTo(ctx context.Context, home demo.Home, y *demo.Year, l *ledger.Ledger) (guide, error) {
	g := guide{Data: absolute(home.Data), Keys: absolute(home.Keys), Spec: y.Spec, Stories: y.Stories(), from: y.From(), to: y.To()}
	tokens, err := y.Tokens(ctx, home, l)
	for _, t := range tokens {
		g.Tokens = append(g.Tokens, guideToken{string(t.Role), t.Sees, absolute(t.File), t.Value})
	}
	return g, err
}

func (g guide) print(a *answer) error {
	if a.format != "table" {
		return a.describe(g)
	}
	line := func(format string, args ...any) { fmt.Fprintf(a, format+"\n", args...) }
	line("A year at a staffing company: %s events, %s to %s, seed %d. Everybody in it is made up.\n",
		count(g.Spec.Size), g.from.Format(time.DateOnly), g.to.AddDate(0, 0, -1).Format(time.DateOnly), g.Spec.Seed)
	line("data    %s", g.Data)
	line("keys    %s", g.Keys)
	if g.URL == "" {
		line("\nNext: custody demo --data %s --keys %s", g.Data, g.Keys)
		return nil
	}
	line("server  %s\n", g.URL)
	line("%s", a.paint(bold, "Tokens, each also in a file of the data directory"))
	for _, t := range g.Tokens {
		line("  %-13s %s\n  %-13s %s; %s", t.Role, t.Value, "", t.Sees, filepath.Base(t.File))
	}
	line("\n%s", a.paint(bold, "In another terminal"))
	line("  export CUSTODY_URL=%s DEMO=%s", g.URL, g.Data)
	line("  export CUSTODY_TOKEN_FILE=$DEMO/dpo.token%s", ownPath())
	for i, story := range g.Stories {
		line("\n%s", a.paint(bold, fmt.Sprintf("%d  %s", i+1, story.Title)))
		for _, text := range wrapped(story.Shows, 76) {
			line("   %s", text)
		}
		for _, command := range story.Commands {
			line("   %s", a.paint(green, command))
		}
	}
	line("\n%s\n   One bit of a copy is flipped, and found.\n   %s", a.paint(bold, fmt.Sprintf("%d  Somebody with root edits the ledger.", len(g.Stories)+1)), a.paint(green, g.tamper()))
	line("\nCtrl-C stops; custody demo goes on where it was.")
	return nil
}

// tamper is the command that shows tampering in this ledger.
func (g guide) tamper() string {
	return fmt.Sprintf("custody demo --tamper --data $DEMO --keys %s", g.Keys)
}

// ownPath puts this program on the path of the shell, where custody is not.
func ownPath() string {
	own, err := os.Executable()
	if err != nil || filepath.Base(own) != "custody" {
		return ""
	}
	if found, err := exec.LookPath("custody"); err == nil && absolute(found) == own {
		return ""
	}
	return " PATH=" + filepath.Dir(own) + ":$PATH"
}

// wrapped is text in lines of at most so many characters, unless a word is longer.
func wrapped(text string, width int) (lines []string) {
	for word := range strings.FieldsSeq(text) {
		if last := len(lines) - 1; last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
