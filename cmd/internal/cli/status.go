package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"
)

// serverStatus is the state of the ledger, as the server tells it.
type serverStatus struct {
	Ready    bool   `json:"ready"` // not told, but concluded
	Ledger   string `json:"ledger"`
	ID       string `json:"id"`
	Version  string `json:"version"`
	Started  string `json:"started"`
	Position uint64 `json:"position"`
	Digest   string `json:"digest,omitempty"`
	Recorded string `json:"recordedtime,omitempty"`
	Marked   string `json:"markedtime,omitempty"`
	Halted   bool   `json:"halted"`
	Waiting  int    `json:"waiting"`
	Events   struct {
		Recorded   uint64 `json:"recorded"`
		Duplicates uint64 `json:"duplicates"`
		Refused    uint64 `json:"refused"`
	} `json:"events"`
	Groups struct {
		Committed uint64 `json:"committed"`
		Events    uint64 `json:"events"`
		Bytes     uint64 `json:"bytes"`
	} `json:"groups"`
	Access struct {
		Producers int `json:"producers"`
		Tokens    int `json:"tokens"`
	} `json:"access"`
	Evidence *evidenceProgress `json:"evidence,omitempty"`
}

// evidenceProgress is how far evidence has come; nil if none is kept.
type evidenceProgress struct {
	Records   uint64 `json:"records"`
	Committed uint64 `json:"committed"`
	Signed    uint64 `json:"signed"`
	Cosigned  uint64 `json:"cosigned"`
	Unsigned  string `json:"unsigned,omitempty"`
	Failing   string `json:"failing,omitempty"`
}

// line says it in one line.
func (p *evidenceProgress) line() string {
	switch {
	case p == nil:
		return "none: serve runs with --commit-every 0"
	case p.Unsigned != "":
		return "NOT SIGNING: " + p.Unsigned
	case p.Failing != "":
		return fmt.Sprintf("FAILING, signed for the first %s positions: %s", count(p.Signed), p.Failing)
	case p.Cosigned == 0:
		return fmt.Sprintf("signed for the first %s positions, cosigned for none", count(p.Signed))
	}
	return fmt.Sprintf("signed for the first %s positions, cosigned for the first %s", count(p.Signed), count(p.Cosigned))
}

func (s *session) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how the server is doing",
		Long: `Asks the server whether it is ready to record and how far it has come: the
position, recording time and SHA-256 of the last durable event, when the durable
mark beside the keys was written, how far evidence is, and what it has done since
it was started.

Exit status 1 if there is no server, or it cannot record.`,
		Example: `  custody status
  custody status -o json | jq .position`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.status(cmd.Context()) },
	}
}

func (s *session) status(ctx context.Context) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	var st serverStatus
	if err := e.call(ctx, http.MethodGet, "/v1/status", nil, nil, &st); err != nil {
		return e.close(err)
	}
	st.Ready = !st.Halted
	ready := "yes"
	if st.Halted {
		ready = "no: recording has stopped"
	}
	err = e.describe(st,
		field{"ledger", st.Ledger},
		field{"ready", ready},
		field{"position", strconv.FormatUint(st.Position, 10)},
		field{"recorded", shown(st.Recorded, e.zone)},
		field{"durable mark", shown(st.Marked, e.zone)},
		field{"digest", st.Digest},
		field{"evidence", st.Evidence.line()},
		field{"producers", strconv.Itoa(st.Access.Producers)},
		field{"valid tokens", strconv.Itoa(st.Access.Tokens)},
		field{"since", shown(st.Started, e.zone)},
		field{"  recorded", strconv.FormatUint(st.Events.Recorded, 10)},
		field{"  duplicates", strconv.FormatUint(st.Events.Duplicates, 10)},
		field{"  refused", strconv.FormatUint(st.Events.Refused, 10)},
		field{"waiting", strconv.Itoa(st.Waiting)},
		field{"version", st.Version},
	)
	if err := e.close(err); err != nil {
		return err
	}
	if st.Halted {
		return advise(errors.New("the ledger no longer records"), "its log says why; starting the server again finds out what was recorded")
	}
	return nil
}
