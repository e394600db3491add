package transfers

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/bitmaps"
	"github.com/imalink/custody/projections/rows"
)

// A Filter says which events count.
type Filter struct {
	From, To time.Time // event time, in whole milliseconds: from included, to excluded; the zero time leaves an end open
	Until    uint64    // as of: no position beyond it; 0 is before the first event. The snapshot is at it, or ahead
}

// A Row is what went one way: all events of one class about one category, to one party, in one region, for one purpose,
// on one tool. An event about several categories is in the row of each.
type Row struct {
	Class     string    `json:"class"` // T0 T1 T1f T2 T3 T4 T5 U
	Category  string    `json:"category,omitempty"`
	Party     string    `json:"party,omitempty"`   // the importer; none for own staff outside
	Region    string    `json:"region,omitempty"`  // the outside country if there is exactly one, ZZ if several or unknown
	Purpose   string    `json:"purpose,omitempty"` // code
	Tool      string    `json:"tool,omitempty"`    // the event's own, or the importer's then; it is named even where none was needed
	Countries []string  `json:"countries"`         // every place: locations of the events, importer as registered then; sorted
	Outside   []string  `json:"outside"`           // those that were outside the EEA; sorted
	Events    uint64    `json:"events"`
	First     time.Time `json:"first"` // event time, UTC
	Last      time.Time `json:"last"`
}

// A Reader answers from one snapshot. It belongs to one goroutine, and is of no use after its transaction. The error
// of any method may wrap [projections.ErrDamaged].
type Reader struct {
	words                   *bitmaps.WordsReader
	positions, times, paths *bitmaps.ColumnReader
}

// Read opens the view in a snapshot of its file.
func Read(tx *bolt.Tx) (*Reader, error) {
	r := &Reader{}
	var err error
	if r.words, err = bitmaps.ReadWords(tx, wordsBucket); err != nil {
		return nil, fmt.Errorf("reading words: %w", err)
	}
	for name, column := range map[string]**bitmaps.ColumnReader{positionsBucket: &r.positions, timesBucket: &r.times, pathsBucket: &r.paths} {
		if *column, err = bitmaps.ReadColumn(tx, name); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
	}
	if r.times.Len() != r.positions.Len() || r.paths.Len() != r.positions.Len() {
		return nil, rows.Damaged("columns of %d, %d and %d entries", r.positions.Len(), r.times.Len(), r.paths.Len())
	}
	return r, nil
}

// Map gives all rows in which the events that match are, by category, party, region, purpose, tool and class.
// It reads every event with a class up to Until.
func (r *Reader) Map(f Filter) ([]Row, error) {
	uses, err := r.uses(f)
	if err != nil {
		return nil, err
	}
	rows := map[key]*Row{}
	for number, u := range uses {
		if u.events == 0 {
			continue
		}
		p, err := r.path(uint32(number))
		if err != nil {
			return nil, err
		}
		categories := p.categories
		if len(categories) == 0 {
			categories = []string{""}
		}
		for _, category := range categories {
			add(rows, category, &p, u)
		}
	}
	return sorted(rows), nil
}

// Summary counts the events that match, by class; classes without any are left out. It reads every event with a class
// up to Until.
func (r *Reader) Summary(f Filter) (map[string]uint64, error) {
	uses, err := r.uses(f)
	if err != nil {
		return nil, err
	}
	counts := map[string]uint64{}
	for number, u := range uses {
		if u.events == 0 {
			continue
		}
		p, err := r.path(uint32(number))
		if err != nil {
			return nil, err
		}
		counts[p.class] += u.events
	}
	return counts, nil
}

func (r *Reader) path(number uint32) (path, error) {
	_, text, err := r.words.Word(number)
	if err != nil {
		return path{}, err
	}
	return parsePath(text)
}

// key is what tells rows apart.
type key struct{ class, category, party, region, purpose, tool string }

func add(rows map[key]*Row, category string, p *path, u use) {
	k := key{p.class, category, p.party, p.region, p.purpose, p.tool}
	first, last := time.UnixMilli(u.first).UTC(), time.UnixMilli(u.last).UTC()
	row := rows[k]
	if row == nil {
		row = &Row{Class: p.class, Category: category, Party: p.party, Region: p.region, Purpose: p.purpose, Tool: p.tool,
			Countries: []string{}, Outside: []string{}, First: first, Last: last}
		rows[k] = row
	}
	row.Events += u.events
	if first.Before(row.First) {
		row.First = first
	}
	if last.After(row.Last) {
		row.Last = last
	}
	row.Countries, row.Outside = union(row.Countries, p.countries), union(row.Outside, p.outside)
}

func union(a, b []string) []string {
	all := append(a, b...)
	slices.Sort(all)
	return slices.Compact(all)
}

func sorted(rows map[key]*Row) []Row {
	list := make([]Row, 0, len(rows))
	for _, row := range rows {
		list = append(list, *row)
	}
	slices.SortFunc(list, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Party, b.Party), cmp.Compare(a.Region, b.Region),
			cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Class, b.Class))
	})
	return list
}

// A use is how often, and when, a path was taken.
type use struct {
	events      uint64
	first, last int64
}

// uses gives the use of each path, by its number, by the events that match.
func (r *Reader) uses(f Filter) ([]use, error) {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !f.From.IsZero() {
		from = f.From.UnixMilli()
	}
	if !f.To.IsZero() {
		to = f.To.UnixMilli()
	}
	end, err := r.entriesUntil(f.Until)
	if err != nil {
		return nil, err
	}
	var uses []use
	for first := uint64(0); first < end; first += bitmaps.BlockSlots {
		least, greatest, err := r.times.Range(first / bitmaps.BlockSlots)
		if err != nil {
			return nil, fmt.Errorf("reading times: %w", err)
		}
		if greatest < from || least >= to {
			continue
		}
		_, most, err := r.paths.Range(first / bitmaps.BlockSlots)
		if err != nil {
			return nil, fmt.Errorf("reading paths: %w", err)
		}
		times, err := r.times.Block(first / bitmaps.BlockSlots)
		if err != nil {
			return nil, fmt.Errorf("reading times: %w", err)
		}
		paths, err := r.paths.Block(first / bitmaps.BlockSlots)
		if err != nil {
			return nil, fmt.Errorf("reading paths: %w", err)
		}
		if n := int(most) + 1; n > len(uses) {
			uses = append(uses, make([]use, n-len(uses))...)
		}
		for i := range int(min(end-first, bitmaps.BlockSlots)) {
			if at := times.At(i); from <= at && at < to {
				uses[paths.At(i)].add(at)
			}
		}
	}
	return uses, nil
}

func (u *use) add(at int64) {
	if u.events == 0 {
		u.first, u.last = at, at
	}
	u.events++
	u.first, u.last = min(u.first, at), max(u.last, at)
}

// entriesUntil is how many entries have a position up to one.
func (r *Reader) entriesUntil(position uint64) (uint64, error) {
	var failed error
	n := sort.Search(int(r.positions.Len()), func(i int) bool {
		at, err := r.positions.At(uint64(i))
		if err != nil {
			failed = err
		}
		return uint64(at) > position
	})
	if failed != nil {
		return 0, fmt.Errorf("reading positions: %w", failed)
	}
	return uint64(n), nil
}
