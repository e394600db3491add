package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// producer is who may send events: its source is "/" and its name.
type producer struct {
	Name     string   `json:"name"`
	Families []string `json:"families"`
	Except   []string `json:"except,omitempty"`
}

func (s *session) producerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "producer",
		Short: "Say which services may send events, and of which families",
		Long: `A producer is a service that sends events. Its events bear its name as their
source (the producer ats sends source /ats), and it may send only the families
it was added for, so that no service can register parties or speak for another.

The families are data, subject, governance, breach and ledger.`,
		Example: `  custody producer add ats crm --families data,subject,ledger
  custody producer list`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(s.producerAddCommand(), s.producerListCommand(), s.producerRemoveCommand())
	return cmd
}

func (s *session) producerAddCommand() *cobra.Command {
	var families, except []string
	var nkey bool
	cmd := &cobra.Command{
		Use:   "add NAME...",
		Short: "Add producers, or change what they may send",
		Long: `Adds producers with the same families, or changes what existing ones may send.
Kinds that a producer should not send although it may send their family are
listed with --except.

Adding the same producer twice changes nothing.

With --nkey one producer also gets an NKEY, with which it can connect over NATS.
The pair is made here; the server is told the public key only. The seed, which
is the secret, is printed once, and nothing else is: with --out it goes to a file
that only you can read. Each time makes another key, so that a service can change
to it before the old one, which token list shows, is revoked.`,
		Example: `  custody producer add ats crm hr files mail --families data,subject,ledger
  custody producer add register --families governance
  custody producer add crm --families data --except data.deleted,data.exported
  custody producer add ats --families data,subject,ledger --nkey --out ats.nk`,
		Args: arguments(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(families) == 0 {
				return advise(misuse("custody producer add needs --families"), "such as --families data,subject")
			}
			if nkey {
				return s.addWithKey(cmd.Context(), args, families, except)
			}
			return s.addProducers(cmd.Context(), args, families, except)
		},
	}
	cmd.Flags().StringSliceVar(&families, "families", nil, "families of events they may send, separated by commas")
	cmd.Flags().StringSliceVar(&except, "except", nil, "kinds of those families they may not send, such as data.deleted")
	cmd.Flags().BoolVar(&nkey, "nkey", false, "make an NKEY for it, to connect over NATS, and print its seed, once")
	cmd.RegisterFlagCompletionFunc("families", several(familyNames()))
	cmd.RegisterFlagCompletionFunc("except", several(kindNames()))
	return cmd
}

// addProducers adds each in turn. After an error those named before it are added.
func (s *session) addProducers(ctx context.Context, names, families, except []string) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	list := producerListing(e.answer)
	for i, name := range names {
		p := producer{Name: name, Families: families, Except: except}
		if err = e.call(ctx, http.MethodPost, "/v1/producers", nil, p, &p); err != nil {
			err = fmt.Errorf("adding producer %d of %d: %w", i+1, len(names), err)
			break
		}
		if err = list.row(p, p.cells()...); err != nil {
			break
		}
	}
	return list.end(err)
}

func (s *session) producerListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the producers and what they may send",
		Long: `Lists the producers of the ledger, what families of events they may send, and
which kinds of those families they may not.`,
		Example: `  custody producer list
  custody producer list -o csv --out producers.csv`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listProducers(cmd.Context()) },
	}
}

func (s *session) listProducers(ctx context.Context) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	list := producerListing(e.answer)
	for p, err := range pages[producer](ctx, e.client, "/v1/producers", "producers") {
		if err != nil {
			return list.end(err)
		}
		if err := list.row(p, p.cells()...); err != nil {
			return list.end(err)
		}
	}
	if list.rows == 0 {
		s.note("no producers yet: custody producer add NAME --families data")
	}
	return list.end(nil)
}

func (s *session) producerRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME...",
		Short: "Take away producers' right to send",
		Long: `Removes producers: from then on nothing is accepted from them, and their tokens
are dead for ever. What they sent stays recorded.`,
		Example: `  custody producer remove old-crm`,
		Args:    arguments(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.deleteAll(cmd.Context(), "/v1/producers/", args, "removed")
		},
	}
}

// deleteAll deletes what has these names below path, one after the other. After
// an error those before it are gone.
func (s *session) deleteAll(ctx context.Context, path string, names []string, done string) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	for i, name := range names {
		if err := c.call(ctx, http.MethodDelete, path+url.PathEscape(name), nil, nil, nil); err != nil {
			return fmt.Errorf("number %d of %d: %w", i+1, len(names), err)
		}
		s.note("%s %d of %d", done, i+1, len(names))
	}
	return nil
}

func producerListing(a *answer) *listing {
	return a.listing(column{"name", 20}, column{"families", 32}, column{"except", 0})
}

func (p producer) cells() []string {
	return []string{p.Name, strings.Join(p.Families, ","), strings.Join(p.Except, ",")}
}
