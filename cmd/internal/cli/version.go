package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/verifier"
	"github.com/imalink/custody/events/law"
)

// build says which program this is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Law      string `json:"law"`
	Verifier string `json:"verifier"`
}

func (s *session) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which program this is, and how old its legal tables are",
		Long: `Says which version of Custody this is, what it was built from and with, and the
version of the legal tables in it (membership, adequacy decisions, transfer
tools), which is stored with every event they judge, and the SHA-256 of the page
verify.html that it puts into bundles. It works without a server.`,
		Example: `  custody version
  custody version -o json`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error { return s.version() },
	}
}

func (s *session) version() error {
	a, err := s.answer()
	if err != nil {
		return err
	}
	b := thisBuild()
	return a.close(a.describe(b, field{"version", b.Version}, field{"revision", cmp.Or(b.Revision, "unknown")}, field{"go", b.Go}, field{"legal tables", b.Law}, field{"verify.html", b.Verifier}))
}

func thisBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Law: law.Version(), Verifier: fmt.Sprintf("%x", verifier.Digest())}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = cmp.Or(info.Main.Version, b.Version)
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			b.Revision = setting.Value
		}
	}
	return b
}
