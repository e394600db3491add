package cli

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
)

// pages yields the elements of a list that the server gives page by page. The
// list stands under name; next, if there is more, is the cursor to go on from.
func pages[T any](ctx context.Context, c *client, path, name string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		query := url.Values{}
		for {
			var page map[string]json.RawMessage
			if err := c.call(ctx, http.MethodGet, path, query, nil, &page); err != nil {
				yield(none, err)
				return
			}
			var list []T
			var next string
			if json.Unmarshal(page[name], &list) != nil || page["next"] != nil && json.Unmarshal(page["next"], &next) != nil {
				yield(none, errors.New("the server's answer is not a list"))
				return
			}
			for _, element := range list {
				if !yield(element, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			query.Set("cursor", next)
		}
	}
}
