package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/ledger/access"
)

// view is how far a view is.
type view struct {
	Name     string    `json:"name"`
	Version  uint32    `json:"version" doc:"of its layout"`
	State    string    `json:"state" enum:"live,building,rebuilding,failed"`
	Since    time.Time `json:"since"`
	Position uint64    `json:"position" doc:"up to which it has every event"`
	Head     uint64    `json:"head" doc:"of the ledger"`
	Lag      uint64    `json:"lag" doc:"events that it has yet to take in"`
	Filled   uint64    `json:"filled,omitempty" doc:"of one that is rebuilding: how far the new file is"`
	Rate     float64   `json:"rate" doc:"events a second, of the last commit"`
	Error    string    `json:"error,omitempty" doc:"why it has failed; it is tried again"`
}

type (
	viewsOutput struct {
		Body struct {
			Views []view `json:"views" nullable:"false"`
		}
	}
	viewInput struct {
		Name string `path:"name" maxLength:"32"`
	}
)

// manageViews registers the operations on views.
func (a *API) manageViews(h huma.API) {
	list := operation(http.MethodGet, "/v1/views", "list-views", "How far each view is")
	huma.Register(h, guard(list, access.Status), func(context.Context, *struct{}) (*viewsOutput, error) {
		ready, err := a.ready()
		if err != nil {
			return nil, err
		}
		out := &viewsOutput{}
		out.Body.Views = []view{}
		for _, s := range ready.views.Status() {
			out.Body.Views = append(out.Body.Views, view{s.Name, s.Version, string(s.State), s.Since.UTC(), s.Position, s.Head, s.Lag, s.Filled, s.Rate, s.Error})
		}
		return out, nil
	})
	rebuild := operation(http.MethodPost, "/v1/views/{name}/rebuild", "rebuild-view", "Make a view again from the ledger, while the old one serves", notFound, conflict)
	rebuild.DefaultStatus = http.StatusAccepted
	huma.Register(h, guard(rebuild, access.ManageViews), func(ctx context.Context, in *viewInput) (*struct{}, error) {
		ready, err := a.ready()
		if err != nil {
			return nil, err
		}
		return nil, a.answerable(ctx, ready.views.Rebuild(in.Name))
	})
}
