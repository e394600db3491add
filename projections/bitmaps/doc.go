// Package bitmaps has what views of low cardinality are made of, each in one bucket of a view's file:
//
//   - [Words] numbers texts in the order in which they first appear;
//   - [Sets] holds, for each value, the set of slots that have it;
//   - [Column] holds one number for each slot.
//
// A slot is a place in a sequence that only grows, counted from 0. Slots come in chunks of [ChunkSlots]. A set is kept
// as one container a chunk, in the smallest of the three forms that Roaring bitmaps have, and a query works on one
// chunk at a time, in a [Set] of one bit a slot: what it holds in memory does not depend on how many slots there are.
//
// Keys begin with the chunk, so that writing appends. Each value is sealed, see [rows.Seal]; one that does not match is
// never read: the error wraps [projections.ErrDamaged]. A word that has gone is noticed by whoever looks for it, a set by
// what its chunk says it has, a block of a column by the column's length. That a whole chunk of sets, or the end of a
// column, has gone is noticed by who knows how many slots there are: see [SetsReader.Counts] and [ColumnReader.Len].
//
// Writers belong to one goroutine, readers to one transaction. A write that failed leaves a writer that must not be
// used again.
package bitmaps
