// Package search is the view "search": of every event a card, what a list shows of it without loading it, and its
// facets as bitmaps, so that any combination of facets is found, counted and spread over time without reading events.
//
// A facet is a property that few values are told apart by. No facet is a person, somebody who acts, or a session:
// those are tags, found in other views, and only a card's people hold them. Facets take clear fields only.
//
// Event times count in whole milliseconds, rounded down, here and in the bounds of filters.
//
// Answers are exact as of [Filter.Until], whatever the snapshot holds beyond it. What an answer costs grows with the
// ledger where [Reader] says so, at nanoseconds an event, and by skipping chunks of 65,536 events without a match.
package search
