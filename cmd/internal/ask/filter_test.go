package ask

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestStretch holds that a page behind the first looks at no more of what concerns
// somebody than it is told to, from the cursor on, and knows if that is all.
func TestStretch(t *testing.T) {
	r := newRig(t)
	var lines []string
	for i := range 40 {
		actor := []string{whiskey, "employee:sierra76"}[i%4/3]
		lines = append(lines, looked(fmt.Sprint("e-", i), january, actor, session, []string{zulu, yankee}[i%2]))
	}
	r.send(lines...)
	sitting := func(newest bool, after uint64, about ...About) *sitting {
		s, err := r.begin(t.Context(), dpo(), Question{Name: "events", About: about, Newest: newest})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.wait(t.Context(), personView, accessView); err != nil {
			t.Fatal(err)
		}
		if s.after = after; after > 0 {
			s.q.Cursor = "of the page before"
		}
		return s
	}
	person, actor := About{What: Person, ID: opaque(zulu)}, About{What: Acting, ID: opaque(whiskey)}
	for _, about := range [][]About{{person}, {actor}, {person, actor}, {actor, person}} {
		all, whole, err := sitting(false, 0, about...).concerning(math.MaxInt)
		if err != nil || !whole || len(all) < 10 || !slices.IsSorted(all) {
			t.Fatalf("%v, %t, %v", all, whole, err)
		}
		first, _, err := sitting(false, 0, about[0]).concerning(math.MaxInt) // of whom so many are looked at
		if err != nil {
			t.Fatal(err)
		}
		for _, newest := range []bool{false, true} {
			for i, after := range all {
				beyond := slices.DeleteFunc(slices.Clone(first), func(p uint64) bool { return newest && p >= after || !newest && p <= after })
				for _, most := range []int{1, 5, len(beyond), 100} {
					seen := beyond[:min(most, len(beyond))]
					if newest {
						seen = beyond[len(beyond)-len(seen):]
					}
					want := slices.DeleteFunc(slices.Clone(seen), func(p uint64) bool { return !slices.Contains(all, p) })
					got, whole, err := sitting(newest, after, about...).concerning(most)
					if err != nil || !slices.Equal(got, want) || whole != (len(seen) == len(beyond)) {
						t.Fatalf("newest %t, behind number %d, %d at most: %v, %t, want %v: %v", newest, i, most, got, whole, want, err)
					}
				}
			}
		}
	}
}
