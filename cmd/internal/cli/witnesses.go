package cli

import (
	"context"
	"log/slog"
	"net/url"

	"github.com/imalink/custody/cmd/internal/witness"
	"github.com/imalink/custody/ledger"
)

// witnessURLs are those of the witnesses to ask.
func (o *serveOptions) witnessURLs() (all []*url.URL, err error) {
	for _, text := range o.witnesses {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, misuse("--witness is not of the form https://host/prefix")
		}
		all = append(all, u)
	}
	if len(all) > 0 && o.commitEvery == 0 {
		return nil, misuse("--witness needs evidence: --commit-every is 0")
	}
	return all, nil
}

// askWitnesses has checkpoints cosigned, and gives what ends that.
func askWitnesses(ctx context.Context, l *ledger.Ledger, witnesses []*url.URL, log *slog.Logger) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	if len(witnesses) == 0 {
		return cancel
	}
	wait := witness.Ask(ctx, l.Evidence(), witnesses, witness.Every, log)
	return func() {
		cancel()
		wait()
	}
}
