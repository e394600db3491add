package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// token is a token without its secret, as the server lists it.
type token struct {
	ID       string `json:"id"`
	Role     string `json:"role"`
	Name     string `json:"name"`
	Producer string `json:"producer,omitempty"`
	NKey     string `json:"nkey,omitempty"` // of a key, in place of a text
	Case     string `json:"case,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Created  string `json:"created"`
	Expires  string `json:"expires,omitempty"`
	Revoked  string `json:"revoked,omitempty"`
}

// newToken asks for a token.
type newToken struct {
	Role     string `json:"role"`
	Name     string `json:"name"`
	Producer string `json:"producer,omitempty"`
	NKey     string `json:"nkey,omitempty"` // the public key
	Expires  string `json:"expires,omitempty"`
	Case     string `json:"case,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Person   string `json:"person,omitempty"`
}

func (s *session) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Give and take away access",
		Long: `A token lets its holder do what its role may do:

  producer      send events of its own source
  relay         send events of any producer; it is named in each
  dpo           ask anything
  investigator  ask anything, within its case and its window of time
  auditor       verify, and ask what names no person
  operator      run the ledger; sees no person
  subject       a person's own record

The server keeps only a hash: a token is shown once, when it is made.`,
		Example: `  custody token create --role producer --producer ats --name ats-prod
  custody token list
  custody token revoke 0123456789abcdef`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(s.tokenCreateCommand(), s.tokenListCommand(), s.tokenRevokeCommand())
	return cmd
}

func (s *session) tokenCreateCommand() *cobra.Command {
	var asked newToken
	var days int
	var from, to string
	cmd := &cobra.Command{
		Use:   "create --role ROLE --name NAME",
		Short: "Make a token and print it, once",
		Long: `Makes a token and prints it, and nothing else, on standard output. It cannot be
shown again: keep it where the service that uses it reads its secrets.

An investigator's token can be bound to a case, under which all its questions
are recorded, and to a window of event time, outside of which it sees nothing. A
subject's is for one person, and for whoever the identifiers belong to that are
linked with the one given; with - it is read from standard input.

With -o json or ndjson, what the server says about it is printed too.`,
		Example: `  RELAY=$(custody token create --role relay --name import)
  custody token create --role producer --producer ats --name ats-prod --expires 90 > ats.token
  custody token create --role investigator --name inv-7 --case breach-7 --from 2026-03-01 --to 2026-03-31 --expires 14
  custody token create --role subject --name request-12 --person - --expires 30`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "role", "name"); err != nil {
				return err
			}
			if days < 0 {
				return misuse("--expires is a number of days from 1, or 0 for never")
			}
			if days > 0 {
				asked.Expires = instant(time.Now().AddDate(0, 0, days).Truncate(time.Millisecond))
			}
			if err := s.window(&asked, from, to); err != nil {
				return err
			}
			if err := s.identifiers(map[string]*string{"person": &asked.Person}, "person"); err != nil {
				return err
			}
			return s.createToken(cmd.Context(), asked)
		},
	}
	f := cmd.Flags()
	f.StringVar(&asked.Role, "role", "", "what its holder may do: producer, relay, dpo, investigator, auditor, operator or subject")
	f.StringVar(&asked.Name, "name", "", "what it is called in lists and, for a relay, in the events it sends")
	f.StringVar(&asked.Producer, "producer", "", "the producer that a token of role producer speaks for")
	f.IntVar(&days, "expires", 0, "days until it expires (default never)")
	f.StringVar(&asked.Case, "case", "", "the case that all its questions are asked for (investigator, dpo)")
	f.StringVar(&from, "from", "", "first day or instant of event time that it may look at (investigator, dpo)")
	f.StringVar(&to, "to", "", "last day that it may look at, or the instant after it (investigator, dpo)")
	f.StringVar(&asked.Person, "person", "", "identifier of the person that a token of role subject is for; - reads it")
	cmd.RegisterFlagCompletionFunc("role", one(roles()))
	return cmd
}

// window reads --from and --to, and says what was understood of days.
func (s *session) window(asked *newToken, from, to string) error {
	p, err := s.period(from, to)
	if err != nil {
		return err
	}
	if !p.since.IsZero() {
		asked.From = instant(p.since)
	}
	if !p.until.IsZero() {
		asked.To = instant(p.until)
	}
	if from != "" || to != "" {
		fmt.Fprintf(s.Stderr, "It may look at what happened %s.\n", p)
	}
	return nil
}

// createToken makes a token. If the answer is lost the token may exist, unknown
// to anyone; it is seen in the list and can be revoked.
func (s *session) createToken(ctx context.Context, asked newToken) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	a, err := s.answer()
	if err != nil {
		return err
	}
	var made map[string]any
	if err := c.call(ctx, http.MethodPost, "/v1/tokens", nil, asked, &made); err != nil {
		return a.close(err)
	}
	if a.format == "json" || a.format == "ndjson" {
		return a.close(a.describe(made))
	}
	secret, ok := made["token"].(string)
	if !ok {
		return a.close(errors.New("the server's answer holds no token"))
	}
	a.WriteString(secret + "\n")
	return a.close(nil)
}

func (s *session) tokenListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the tokens, without their secrets",
		Long: `Lists the tokens of the ledger: what each may do, since when, and until when.
Secrets are not kept and cannot be shown.`,
		Example: `  custody token list
  custody token list -o json`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listTokens(cmd.Context()) },
	}
}

func (s *session) listTokens(ctx context.Context) error {
	zone, err := s.location()
	if err != nil {
		return err
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	a, err := s.answer()
	if err != nil {
		return err
	}
	list := a.listing(column{"id", 16}, column{"role", 12}, column{"name", 20}, column{"producer", 16}, column{"created", 23}, column{"expires", 23}, column{"revoked", 23},
		column{"case", 16}, column{"from", 23}, column{"to", 0})
	for t, err := range pages[token](ctx, c, "/v1/tokens", "tokens") {
		if err != nil {
			return list.end(err)
		}
		cells := []string{t.ID, t.Role, t.Name, t.Producer, t.Created, t.Expires, t.Revoked, t.Case, t.From, t.To}
		if a.format == "table" {
			for _, i := range [...]int{4, 5, 6, 8, 9} {
				cells[i] = shown(cells[i], zone)
			}
		}
		if err := list.row(t, cells...); err != nil {
			return list.end(err)
		}
	}
	return list.end(nil)
}

func (s *session) tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID...",
		Short: "Make tokens useless, from now on and for ever",
		Long: `Revokes tokens by the id that token list shows. The next request made with one
is refused. The last operator's token cannot be revoked.`,
		Example: `  custody token revoke 0123456789abcdef`,
		Args:    arguments(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.deleteAll(cmd.Context(), "/v1/tokens/", args, "revoked")
		},
	}
}
