package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// producer is a producer as it is sent and listed.
type producer struct {
	Name     string   `json:"name" pattern:"^[a-z0-9][a-z0-9-]{0,31}$" patternDescription:"1 to 32 of a-z, 0-9 and -, not beginning with -" doc:"its events bear / and this as their source" example:"ats"`
	Families []string `json:"families" minItems:"1" maxItems:"5" nullable:"false" enum:"data,subject,governance,breach,ledger" doc:"families of events that it may send"`
	Except   []string `json:"except,omitempty" required:"false" maxItems:"64" nullable:"false" doc:"kinds of those families that it may not" example:"[\"data.deleted\"]"`
}

// putProducer is a producer with what became of it.
type putProducer struct {
	Name     string   `json:"name"`
	Families []string `json:"families" nullable:"false"`
	Except   []string `json:"except,omitempty" nullable:"false"`
	Outcome  string   `json:"outcome" enum:"added,changed,unchanged"`
}

// token is a token as it is listed.
type token struct {
	ID       string     `json:"id" doc:"for revoking it"`
	Role     string     `json:"role"`
	Name     string     `json:"name"`
	Producer string     `json:"producer,omitempty"`
	NKey     string     `json:"nkey,omitempty" doc:"the public key, of a token that is an NKEY"`
	Case     string     `json:"case,omitempty" doc:"every question is asked for it"`
	From     *time.Time `json:"from,omitempty" doc:"nothing that happened before is shown"`
	To       *time.Time `json:"to,omitempty" doc:"nothing that happened then or later is shown"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires,omitempty"`
	Revoked  *time.Time `json:"revoked,omitempty"`
}

// madeToken is a new token with its secret.
type madeToken struct {
	ID       string     `json:"id"`
	Role     string     `json:"role"`
	Name     string     `json:"name"`
	Producer string     `json:"producer,omitempty"`
	NKey     string     `json:"nkey,omitempty"`
	Case     string     `json:"case,omitempty"`
	From     *time.Time `json:"from,omitempty"`
	To       *time.Time `json:"to,omitempty"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires,omitempty"`
	Token    string     `json:"token,omitempty" doc:"the token itself, shown this once; an NKEY has none"`
}

// newToken is what a token is asked to be.
type newToken struct {
	Role     string    `json:"role" enum:"producer,relay,dpo,investigator,auditor,operator,subject" doc:"what its holder may do"`
	Name     string    `json:"name" pattern:"^[a-z0-9][a-z0-9-]{0,31}$" patternDescription:"1 to 32 of a-z, 0-9 and -, not beginning with -" doc:"a relay is named by it in the events it sends" example:"import"`
	Producer string    `json:"producer,omitempty" required:"false" doc:"for role producer, whom it speaks for"`
	NKey     string    `json:"nkey,omitempty" required:"false" pattern:"^U[A-Z2-7]{55}$" patternDescription:"the public key of a user: 56 characters, the first of them U" doc:"for role producer, to connect over NATS: the public key of a new NKEY, whose seed you keep. The token then has no text"`
	Expires  time.Time `json:"expires,omitempty" required:"false" doc:"absent is never"`
	Case     string    `json:"case,omitempty" required:"false" maxLength:"64" doc:"for role investigator or dpo: the case that every question is asked for" example:"breach-2026-07"`
	From     time.Time `json:"from,omitempty" required:"false" doc:"for role investigator or dpo: the begin of the time it may look at, included"`
	To       time.Time `json:"to,omitempty" required:"false" doc:"and its end, excluded"`
	Person   string    `json:"person,omitempty" required:"false" maxLength:"256" doc:"for role subject: an identifier of whom it is for; what is kept of it is not an identifier" example:"candidate:10001"`
}

// Bodies and parameters, as huma wants them.
type (
	pageInput struct {
		Cursor string `query:"cursor" doc:"next of the page before"`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
	}
	producerInput  struct{ Body producer }
	producerOutput struct {
		Status int
		Body   putProducer
	}
	producersOutput struct {
		Body struct {
			Producers []producer `json:"producers" nullable:"false"`
			Next      string     `json:"next,omitempty" doc:"cursor of the next page, absent on the last"`
		}
	}
	nameInput struct {
		Name string `path:"name" maxLength:"32"`
	}
	tokenInput   struct{ Body newToken }
	tokenOutput  struct{ Body madeToken }
	tokensOutput struct {
		Body struct {
			Tokens []token `json:"tokens" nullable:"false"`
			Next   string  `json:"next,omitempty" doc:"cursor of the next page, absent on the last"`
		}
	}
	idInput struct {
		ID string `path:"id" maxLength:"32"`
	}
)

// manageProducers registers the operations on producers.
func (a *API) manageProducers(h huma.API) {
	list := operation(http.MethodGet, "/v1/producers", "list-producers", "List the producers", notFound)
	huma.Register(h, guard(list, access.ManageProducers), func(_ context.Context, in *pageInput) (*producersOutput, error) {
		out := &producersOutput{}
		all := a.ledger().Access().Producers()
		name := func(p access.Producer) string { return p.Name }
		page, next, err := pageOf(all, name, in)
		if err != nil {
			return nil, err
		}
		out.Body.Producers, out.Body.Next = make([]producer, 0, len(page)), next
		for _, p := range page {
			out.Body.Producers = append(out.Body.Producers, producer(p))
		}
		return out, nil
	})
	put := operation(http.MethodPost, "/v1/producers", "put-producer", "Add a producer, or change what it may send", limitReached, unknownOutcome)
	put.Description = "Answers 201 for a new producer and 200 else. Repeating it is safe."
	huma.Register(h, guard(put, access.ManageProducers), func(ctx context.Context, in *producerInput) (*producerOutput, error) {
		outcome, err := a.ledger().Access().PutProducer(ctx, requestOf(ctx).principal.Token, access.Producer(in.Body))
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		out := &producerOutput{Status: http.StatusOK, Body: putProducer{in.Body.Name, in.Body.Families, in.Body.Except, string(outcome)}}
		if outcome == access.Added {
			out.Status = http.StatusCreated
		}
		return out, nil
	})
	remove := operation(http.MethodDelete, "/v1/producers/{name}", "remove-producer", "End a producer's registration and its tokens", notFound, unknownOutcome)
	huma.Register(h, guard(remove, access.ManageProducers), func(ctx context.Context, in *nameInput) (*struct{}, error) {
		err := a.ledger().Access().RemoveProducer(ctx, requestOf(ctx).principal.Token, in.Name)
		return nil, a.answerable(ctx, err)
	})
}

// manageTokens registers the operations on tokens.
func (a *API) manageTokens(h huma.API) {
	list := operation(http.MethodGet, "/v1/tokens", "list-tokens", "List the tokens, without their secrets", notFound)
	huma.Register(h, guard(list, access.ManageTokens), func(_ context.Context, in *pageInput) (*tokensOutput, error) {
		out := &tokensOutput{}
		all := a.ledger().Access().Tokens()
		page, next, err := pageOf(all, func(t access.Token) string { return tokenKey(t) }, in)
		if err != nil {
			return nil, err
		}
		out.Body.Tokens, out.Body.Next = make([]token, 0, len(page)), next
		for _, t := range page {
			out.Body.Tokens = append(out.Body.Tokens, tokenOf(t))
		}
		return out, nil
	})
	create := operation(http.MethodPost, "/v1/tokens", "create-token", "Make a token", limitReached, unknownOutcome)
	create.DefaultStatus = http.StatusCreated
	create.Description = "The answer is the only place where the token is ever shown. If it is lost, revoke the token and make another."
	huma.Register(h, guard(create, access.ManageTokens), func(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
		asked, err := a.tokenAsked(&in.Body)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		secret, made, err := a.ledger().Access().CreateToken(ctx, requestOf(ctx).principal.Token, asked)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		t := tokenOf(made)
		return &tokenOutput{madeToken{t.ID, t.Role, t.Name, t.Producer, t.NKey, t.Case, t.From, t.To, t.Created, t.Expires, secret.Reveal()}}, nil
	})
	revoke := operation(http.MethodDelete, "/v1/tokens/{id}", "revoke-token", "End a token, at once and for ever", notFound, conflict, unknownOutcome)
	huma.Register(h, guard(revoke, access.ManageTokens), func(ctx context.Context, in *idInput) (*struct{}, error) {
		err := a.ledger().Access().RevokeToken(ctx, requestOf(ctx).principal.Token, in.ID)
		return nil, a.answerable(ctx, err)
	})
}

// tokenAsked is a token as it is to be made: for the row of a person, in place of
// the identifier.
func (a *API) tokenAsked(n *newToken) (access.NewToken, error) {
	asked := access.NewToken{Role: access.Role(n.Role), Name: n.Name, Producer: n.Producer, NKey: n.NKey, Expires: n.Expires,
		Box: access.Box{Case: n.Case, From: n.From, To: n.To}}
	if n.Person == "" {
		return asked, nil
	}
	if asked.Role != access.RoleSubject {
		return access.NewToken{}, &events.Error{Path: "/person", Type: events.UnknownField, Detail: "only a token of role subject has one"}
	}
	row, err := a.ledger().RowOf(n.Person)
	if errors.Is(err, ledger.ErrNobody) {
		return access.NewToken{}, &events.Error{Path: "/person", Type: events.NotInVocabulary, Detail: "nobody is known by this identifier"}
	}
	asked.Person = row
	return asked, err
}

// answerable turns an error of a change into a Problem, so that huma adds
// nothing of its own.
func (a *API) answerable(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	p := problemOf(err)
	a.logProblem(ctx, requestOf(ctx).id, p, err)
	return p
}

func tokenOf(t access.Token) token {
	return token{ID: t.ID, Role: string(t.Role), Name: t.Name, Producer: t.Producer, NKey: t.NKey, Case: t.Case, From: given(t.From), To: given(t.To),
		Created: t.Created, Expires: given(t.Expires), Revoked: given(t.Revoked)}
}

// given is nil for an instant that is not.
func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// tokenKey orders tokens as access lists them.
func tokenKey(t access.Token) string {
	return strconv.FormatInt(t.Created.UnixMilli(), 10) + t.ID
}

// pageOf cuts a page out of all, which is in the order of key.
func pageOf[T any](all []T, key func(T) string, in *pageInput) (page []T, next string, err error) {
	if in.Cursor != "" {
		after, err := base64.RawURLEncoding.DecodeString(in.Cursor)
		if err != nil {
			return nil, "", problem(invalidRequest, "the query parameter cursor is next of the page before")
		}
		start := slices.IndexFunc(all, func(t T) bool { return strings.Compare(key(t), string(after)) > 0 })
		if start < 0 {
			start = len(all)
		}
		all = all[start:]
	}
	if len(all) <= in.Limit {
		return all, "", nil
	}
	return all[:in.Limit], base64.RawURLEncoding.EncodeToString([]byte(key(all[in.Limit-1]))), nil
}
