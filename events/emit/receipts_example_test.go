package emit_test

import (
	"context"
	"log"
	"os"

	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A producer has each event's receipt awaited, compared and kept, and holds all of them against the ledger now and
// then.
func ExampleReceipts() {
	ctx := context.Background()
	err := func() error {
		file, err := os.ReadFile("/etc/ats/imalink.trust") // the ledger's key, as had from its operator
		if err != nil {
			return err
		}
		trust, err := checkpoint.ParseTrust(file)
		if err != nil {
			return err
		}
		to := &emit.HTTP{URL: "https://ledger.example:8420", TokenFile: "/run/secrets/custody"}
		receipts, err := emit.OpenReceipts("/var/lib/ats/receipts", to, trust)
		if err != nil {
			return err
		}
		ledger, err := emit.Open(emit.Config{Producer: "ats", Spool: "/var/lib/ats/custody", To: to, Receipts: receipts,
			Disputed: func(position uint64, err error) { log.Printf("position %d: %v", position, err) }})
		if err != nil {
			return err
		}
		defer ledger.Close()

		// Once a day: is everything still there, as it was, in one history?
		_, err = receipts.Check(ctx, func(position uint64, err error) { log.Printf("position %d: %v", position, err) })
		return err
	}()
	if err != nil {
		log.Print(err)
	}
}
