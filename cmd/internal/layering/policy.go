package layering

// A layer is a set of packages and what they may import.
type layer struct {
	packages string // folders below the module's root; a trailing /* means all below
	ours     string // folders of our packages they may import, besides themselves
	others   string // modules they may import, by prefix
	tests    string // what their tests may import besides: ours by folder, modules by prefix
}

// policy returns who may import what. The standard library is open to all.
//
// DO NOT CHANGE THIS TO FIX BUILDS. A build that breaks here has found a
// mistake in the design of the change; ask first, and write the reason down in
// docs/decisions.
func policy() []layer {
	const (
		rapid  = "pgregory.net/rapid "
		nats   = "github.com/nats-io/nats.go "
		nkeys  = "github.com/nats-io/nkeys "
		server = "github.com/nats-io/nats-server/v2 "
		bbolt  = "go.etcd.io/bbolt "
		peers  = "github.com/cloudevents/sdk-go/v2 github.com/santhosh-tekuri/jsonschema/v6 "
		cmds   = "github.com/spf13/cobra github.com/spf13/pflag github.com/schollz/progressbar/v3 golang.org/x/term "
		uuid   = "github.com/google/uuid "
		script = "github.com/rogpeppe/go-internal "
		age    = "filippo.io/age "
		sumdb  = "golang.org/x/mod "
		paper  = "codeberg.org/go-pdf/fpdf golang.org/x/image "
	)
	return []layer{
		{packages: "events", tests: rapid + peers},
		{packages: "events/law", tests: "events " + rapid},
		{packages: "events/emit", ours: "events events/law events/emit/internal/* ledger/evidence ledger/evidence/checkpoint", others: sumdb, tests: "events/emit/* ledger/evidence/evidencetest " + rapid},
		{packages: "events/emit/internal/*", tests: rapid},
		{packages: "events/emit/emitnats", ours: "events/emit", others: nats, tests: "events/emit/* "},
		{packages: "events/emit/*", ours: "events events/emit", tests: "events/emit/* " + rapid},
		{packages: "ledger/durable"},
		{packages: "ledger/stream", others: nats, tests: "ledger/natsd " + rapid},
		{packages: "ledger/natsd", ours: "ledger/stream", others: server + nats + "github.com/minio/highwayhash", tests: rapid},
		{packages: "ledger/vault", ours: "events ledger/stream", others: bbolt, tests: "ledger/natsd " + nats + rapid},
		{packages: "ledger/access", ours: "events ledger/stream", others: nkeys, tests: "ledger/natsd " + nats + rapid},
		{packages: "ledger/pkcs11", ours: "ledger/vault", others: "github.com/miekg/pkcs11 ", tests: "ledger/natsd ledger/stream " + rapid},
		{packages: "ledger/backup", ours: "ledger/durable ledger/stream", tests: "ledger/natsd " + rapid},
		{packages: "ledger/backup/escrow", ours: "ledger/backup", others: age, tests: rapid},
		{packages: "ledger/evidence", ours: "events events/law ledger/evidence/checkpoint", tests: "ledger/evidence/evidencetest " + sumdb + rapid},
		{packages: "ledger/evidence/checkpoint", others: sumdb, tests: rapid},
		{packages: "ledger/evidence/bundle", ours: "ledger/evidence/checkpoint", others: sumdb, tests: "ledger/evidence ledger/evidence/evidencetest " + rapid},
		{packages: "ledger/evidence/recordlog", ours: "events ledger/evidence", others: sumdb, tests: "ledger/evidence/checkpoint ledger/evidence/evidencetest " + rapid},
		{packages: "ledger/evidence/evidencetest", ours: "events ledger/evidence ledger/evidence/checkpoint", others: sumdb, tests: rapid},
		{packages: "ledger", ours: "events events/law ledger/stream ledger/natsd ledger/vault ledger/access ledger/backup ledger/backup/escrow ledger/durable ledger/notary ledger/evidence ledger/evidence/recordlog", others: uuid, tests: "ledger/evidence/checkpoint ledger/evidence/evidencetest " + age + rapid},
		{packages: "ledger/notary", ours: "events ledger/durable ledger/evidence ledger/evidence/*", tests: rapid},
		{packages: "projections", ours: "events", others: bbolt, tests: rapid},
		{packages: "projections/*", ours: "events projections projections/*", others: bbolt, tests: rapid},
		{packages: "cmd/custody", ours: "cmd/internal/cli", tests: script + nats},
		{packages: "cmd/internal/ask", ours: "events/* ledger/* projections/*", others: bbolt, tests: "cmd/internal/views " + rapid},
		{packages: "cmd/internal/report", ours: "events", others: paper, tests: rapid},
		{packages: "cmd/internal/ingest", ours: "cmd/internal/api ledger/access ledger/natsd", others: nats, tests: "events events/law ledger cmd/internal/views projections " + rapid},
		{packages: "cmd/internal/verifier", tests: "events events/law cmd/internal/attest cmd/internal/statement ledger/evidence/* github.com/chromedp/chromedp"},
		{packages: "cmd/internal/*", ours: "events/* ledger/* projections/* cmd/internal/*",
			others: cmds + uuid + "github.com/prometheus/client_golang github.com/danielgtaylor/huma/v2 golang.org/x/sys golang.org/x/mod ",
			tests:  rapid + peers + script + nats},
	}
}

// emitters are the packages a program imports to send events, which must not
// pull in the server or the database, their tests included: one line of a test
// puts a module into the go.sum of everyone who emits.
const (
	emitters = "events events/law events/emit events/emit/emitnats events/emit/eventstest events/emit/internal/spool events/emit/outbox ledger/evidence ledger/evidence/checkpoint ledger/evidence/evidencetest"
	heavy    = "github.com/nats-io/nats-server/v2 go.etcd.io/bbolt"
)

// atTop is what may stand at the top of the repository, besides names that
// begin with a dot and bin, where builds go.
const atTop = "cmd ledger projections events docs bin go.mod go.sum Makefile README.md LICENSE"

// noNames are package names that say nothing.
const noNames = "util utils common helper helpers misc models types base shared"

// maxLines is the length at which a file has more than one idea.
const maxLines = 400
