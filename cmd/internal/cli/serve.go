package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/api"
	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/cmd/internal/ingest"
	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/ledger"
)

const serveLong = `Opens a ledger and serves it, until interrupted. It works on files and on one
port; one server at a time can have a ledger open.

Before anything is served, every block on disk is read. Damage in what was
acknowledged ends the start with exit status 3 and changes nothing. A torn tail,
which a crash leaves and of which nothing was acknowledged, is copied to the
folder quarantine, cut off, and reported.

When the ledger is ready to record, one line on standard output says where:
listening on http://127.0.0.1:8420. Everything else is logged on standard error;
no log line names a person.

Without a certificate it listens on this machine only. With port 0 the system
chooses a port.

With --nats it also listens for producers over NATS, and a second line says
where. Each connects with the NKEY that producer add --nkey made, and reaches
nothing but its own custody.ingest.NAME.

SIGINT or SIGTERM lets it finish what is in hand; a second one ends it at once,
which loses nothing that was acknowledged.`

type serveOptions struct {
	folders
	listen, nats, cert, key, logFormat string
	retention                          string
	twoPersons                         bool
	backup, escrow                     string
	commitEvery                        time.Duration
	witnesses                          []string
	recipients                         []string
	schedule                           *forget.Schedule // what retention holds, nil for none
	device                             bool             // one seals the root key, as found when it was opened
}

// shipper is where a change of keys is taken.
func (o *serveOptions) shipper() ledger.Shipper {
	return ledger.Shipper{Backup: o.backup, Escrow: o.escrow, Recipients: o.recipients}
}

func (s *session) serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve --data DIR --keys DIR",
		Short: "Run a ledger",
		Long:  serveLong,
		Example: `  custody serve --data /var/lib/custody --keys /etc/custody/keys
  custody serve --data D --keys K --listen 127.0.0.1:0 --log-format json
  custody serve --data D --keys K --listen :8420 --nats :4222 --tls-cert c.pem --tls-key k.pem`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data", "keys"); err != nil {
				return err
			}
			return s.serve(cmd.Context(), o)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8420", "host and port to listen on")
	f.StringVar(&o.nats, "nats", "", "host and port to listen on for producers over NATS (default not at all)")
	f.StringVar(&o.cert, "tls-cert", "", "certificate chain, PEM; needed to listen beyond this machine")
	f.StringVar(&o.key, "tls-key", "", "its private key, PEM")
	f.StringVar(&o.retention, "retention", "", "schedule of how long each class of events is kept, carried out every month (default for good)")
	f.StringVar(&o.backup, "backup", "", "folder to keep a backup in, brought up to date every hour and before every erasure (default none)")
	f.StringVar(&o.escrow, "escrow", "", "file to keep the root key in, sealed with age; never beside the backup (default none)")
	f.StringArrayVar(&o.recipients, "escrow-to", nil, "who can open the escrow: a public key of age; may be repeated")
	cmd.MarkFlagDirname("backup")
	f.BoolVar(&o.twoPersons, "two-persons", false, "have every reveal of an identity wait for a second person")
	f.DurationVar(&o.commitEvery, "commit-every", time.Second, "how often evidence is committed to and signed; 0 keeps none")
	f.StringArrayVar(&o.witnesses, "witness", nil, "URL prefix of a witness (c2sp.org/tlog-witness) that is asked to cosign checkpoints; may be repeated")
	f.StringVar(&o.logFormat, "log-format", "text", "format of the log: text or json")
	cmd.RegisterFlagCompletionFunc("log-format", one([]string{"text", "json"}))
	return cmd
}

// stopTime is how long a stop waits for requests in hand, and again for the
// ledger to close.
const stopTime = 20 * time.Second

// serving is a server that is up, with or without its ledger.
type serving struct {
	log    *slog.Logger
	http   *http.Server
	failed chan error // why it stopped serving
}

func (s *session) serve(ctx context.Context, o serveOptions) (err error) {
	log, err := s.logger(o.logFormat)
	if err != nil {
		return err
	}
	certificates, err := o.certificates()
	if err != nil {
		return err
	}
	witnesses, err := o.witnessURLs()
	if err != nil {
		return err
	}
	if o.retention != "" {
		schedule, err := forget.ReadSchedule(o.retention)
		if err != nil {
			return &fault{status: misused, err: err}
		}
		o.schedule = &schedule
	}
	if err := keepMemoryPrivate(); err != nil {
		return err
	}
	a, err := api.New(api.Config{Version: thisBuild().Version, Log: log})
	if err != nil {
		return fmt.Errorf("making the routes: %w", err)
	}
	up := &serving{log: log, http: a.Server(), failed: make(chan error, 1)}
	up.http.TLSConfig = certificates
	for _, addr := range o.addresses() {
		if err := api.CheckListen(addr, certificates != nil); err != nil {
			return &fault{status: misused, err: err}
		}
	}
	listener, err := api.Listen(o.listen, certificates != nil, up.http)
	if err != nil {
		return err
	}
	up.begin(listener)
	l, closeLedger, err := o.open(ctx, log)
	if err != nil {
		up.http.Close()
		return ledgerFault(err)
	}
	defer func() { err = errors.Join(err, closeLedger()) }()
	closeViews, err := o.answer(ctx, a, l, log)
	if err != nil {
		up.http.Close()
		return err
	}
	defer func() { err = errors.Join(err, closeViews()) }()
	a.Attach(l)
	a.AttachEvidence(l)
	defer askWitnesses(ctx, l, witnesses, log)()
	closeNATS, line, err := o.listenNATS(ctx, a, l, certificates, log)
	if err != nil {
		up.http.Close()
		return err
	}
	defer func() { err = errors.Join(err, closeNATS()) }()
	fmt.Fprintf(s.Stdout, "listening on %s\n%s", address(listener, certificates != nil), line)
	return up.until(ctx)
}

// addresses are where it is asked to listen.
func (o *serveOptions) addresses() []string {
	if o.nats == "" {
		return []string{o.listen}
	}
	return []string{o.listen, o.nats}
}

// listenNATS listens for producers, if that is asked for. It gives the line that
// says where, and what answers those in hand and closes.
func (o *serveOptions) listenNATS(ctx context.Context, a *api.API, l *ledger.Ledger, certificates *tls.Config, log *slog.Logger) (func() error, string, error) {
	if o.nats == "" {
		return func() error { return nil }, "", nil
	}
	s, err := ingest.Start(ctx, ingest.Config{Address: o.nats, TLS: certificates, API: a, Access: l.Access(), Log: log})
	if err != nil {
		return nil, "", err
	}
	scheme := "nats"
	if certificates != nil {
		scheme = "tls"
	}
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		return s.Stop(ctx)
	}, fmt.Sprintf("listening on %s://%s\n", scheme, s.Addr()), nil
}

// begin serves what comes to the listener.
func (up *serving) begin(listener net.Listener) {
	up.log.Info("answering", "address", listener.Addr().String())
	go func() {
		if up.http.TLSConfig != nil {
			up.failed <- up.http.ServeTLS(listener, "", "")
		} else {
			up.failed <- up.http.Serve(listener)
		}
	}()
}

// until serves until ctx is done, then finishes what is in hand.
func (up *serving) until(ctx context.Context) error {
	select {
	case err := <-up.failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	up.log.Info("stopping", "patience", stopTime.String())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := up.http.Shutdown(ctx); err != nil {
		up.log.Warn("requests in hand were cut off", "error", err)
		up.http.Close()
	}
	return nil
}

// open opens the ledger, says what it found on disk, and gives what closes it.
func (o *serveOptions) open(ctx context.Context, log *slog.Logger) (*ledger.Ledger, func() error, error) {
	if o.escrow == "" && len(o.recipients) > 0 || o.escrow != "" && len(o.recipients) == 0 {
		return nil, nil, misuse("--escrow and --escrow-to go together")
	}
	if _, err := os.Stat(o.data); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: %s", ledger.ErrNoLedger, o.data)
	}
	began := time.Now()
	device, closeDevice, err := openDevice(o.keys)
	if err != nil {
		return nil, nil, err
	}
	o.device = device != nil
	l, err := ledger.Open(ctx, ledger.Config{Data: o.data, Keys: o.keys, Index: views.Identities(log), Log: log, Device: device, Ship: o.shipper(), Pace: o.commitEvery})
	if err != nil {
		return nil, nil, errors.Join(err, closeDevice())
	}
	reportStart(log, l.State())
	log.Info("ready", "ledger", l.Name(), "position", l.Head().Position, "took", time.Since(began).Round(time.Millisecond).String())
	return l, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		err := errors.Join(l.Close(ctx), closeDevice())
		log.Info("stopped", "position", l.Head().Position)
		if err != nil {
			return fmt.Errorf("closing the ledger: %w", err)
		}
		return nil
	}, nil
}

// answer opens the views and has questions answered from them; they catch up
// with the ledger while it serves.
func (o *serveOptions) answer(ctx context.Context, a *api.API, l *ledger.Ledger, log *slog.Logger) (func() error, error) {
	set, err := views.Open(context.WithoutCancel(ctx), filepath.Join(o.data, "views"), l, log)
	if err != nil {
		return nil, fmt.Errorf("opening the views: %w", err)
	}
	desk, err := ask.New(ask.Config{Ledger: l, Views: set})
	if err != nil {
		return nil, errors.Join(err, set.Close())
	}
	a.AttachViews(desk, set)
	office := forget.New(forget.Config{Ledger: l, Desk: desk, TwoPersons: o.twoPersons, Ship: o.shipper(), Device: o.device, Log: log})
	a.AttachOffice(office)
	clerk, cancel := context.WithCancel(ctx)
	waitBackup := func() {}
	if o.backup != "" {
		waitBackup = a.AttachBackup(clerk, office.Backup, time.Hour)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		office.Run(clerk, o.schedule)
	}()
	return func() error {
		cancel()
		<-done
		waitBackup()
		return set.Close()
	}, nil
}

// reportStart says what the preflight found that an operator should look at.
func reportStart(log *slog.Logger, st ledger.State) {
	if st.Start == nil {
		return
	}
	for _, stream := range st.Start.Streams {
		if stream.Torn != nil {
			log.Warn("a torn tail above everything known to be durable was cut off", "stream", stream.Name,
				"file", stream.Torn.File, "offset", stream.Torn.Offset, "sequence", stream.Torn.Sequence, "quarantined", stream.Quarantined)
		}
	}
}

func (s *session) logger(format string) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(s.Stderr, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(s.Stderr, nil)), nil
	}
	return nil, misuse("--log-format is text or json")
}

// certificates is how to speak TLS, or nil for not at all.
func (o *serveOptions) certificates() (*tls.Config, error) {
	if (o.cert == "") != (o.key == "") {
		return nil, misuse("--tls-cert and --tls-key go together")
	}
	if o.cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate and its key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// address is the URL that clients on this machine can use.
func address(listener net.Listener, encrypted bool) string {
	scheme := "http"
	if encrypted {
		scheme = "https"
	}
	return scheme + "://" + listener.Addr().String()
}
