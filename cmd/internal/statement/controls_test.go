package statement

import (
	"slices"
	"testing"
)

// TestReconciled: a control is reconciled only if every day was looked at, everywhere,
// and nothing was found.
func TestReconciled(t *testing.T) {
	t.Parallel()
	june := span{day(t, "2025-06-01"), day(t, "2025-06-30")}
	none, some := uint64(0), uint64(1)
	a := func(from, to Day) Attestation {
		return Attestation{Outcome: "effective", Unmapped: &none, From: from, To: to}
	}
	part, bad, found, silent := a("2025-06-01", "2025-06-30"), a("2025-06-01", "2025-06-30"), a("2025-06-01", "2025-06-30"), a("2025-06-01", "2025-06-30")
	part.System, bad.Outcome, found.Unmapped, silent.Unmapped = "ats", "ineffective", &some, nil
	for name, test := range map[string]struct {
		all  []Attestation
		want bool
	}{
		"none":             {nil, false},
		"whole":            {[]Attestation{a("2025-06-01", "2025-06-30")}, true},
		"longer":           {[]Attestation{a("2025-01-01", "2025-12-31")}, true},
		"two, any order":   {[]Attestation{a("2025-06-15", "2025-07-01"), a("2025-06-01", "2025-06-14")}, true},
		"overlapping":      {[]Attestation{a("2025-05-01", "2025-06-20"), a("2025-06-10", "2025-06-12"), a("2025-06-15", "2025-06-30")}, true},
		"a day between":    {[]Attestation{a("2025-06-01", "2025-06-14"), a("2025-06-16", "2025-06-30")}, false},
		"from the second":  {[]Attestation{a("2025-06-02", "2025-06-30")}, false},
		"to the last one":  {[]Attestation{a("2025-06-01", "2025-06-29")}, false},
		"no days":          {[]Attestation{a("", "")}, false},
		"no last day":      {[]Attestation{a("2025-06-01", "")}, false},
		"of one system":    {[]Attestation{part}, false},
		"outcome":          {[]Attestation{a("2025-06-01", "2025-06-30"), bad}, false},
		"something found":  {[]Attestation{a("2025-06-01", "2025-06-30"), found}, false},
		"unmapped unknown": {[]Attestation{a("2025-06-01", "2025-06-30"), silent}, false},
	} {
		if got := reconciled(test.all, june); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	touching := attestedIn([]Attestation{a("2025-05-01", "2025-05-31"), a("2025-05-31", "2025-06-01"), a("2025-06-30", ""), a("", ""), a("2025-07-01", "2025-07-31")}, june)
	if len(touching) != 3 {
		t.Errorf("%+v", touching)
	}
}

// TestRegister: what the register lacks keeps the grade down.
func TestRegister(t *testing.T) {
	t.Parallel()
	d := newDiary()
	const whole = `"country":"BE","storage":["BE"],"access":["BE"],"confirmed_at":"2025-01-01"`
	d.register("party-registered", `"party":"placeless","name":"Some Firm","roles":["processor"],"country":"BE","storage":["BE"],"confirmed_at":"2025-01-01"`)
	d.register("party-registered", `"party":"forgotten","name":"Some Firm","roles":["subprocessor"],"country":"BE","storage":["BE"],"access":["BE"]`)
	d.register("party-registered", `"party":"old-client","name":"Some Firm","roles":["client"],"country":"BE","storage":["BE"],"access":["BE"],"confirmed_at":"2024-06-04"`)
	d.register("party-registered", `"party":"good-client","name":"Some Firm","roles":["client"],`+whole)
	d.add("/register", "governance.party-registered", "2025-06-07T00:00:00.000Z", officer+`,"party":"later","name":"Some Firm","roles":["processor"],"country":"BE"`)
	d.add("/register", "governance.system-registered", "2025-06-07T00:00:00.000Z", officer+`,"system":"later","personal_data":true`)
	d.register("system-registered", `"system":"mute","personal_data":true`)
	d.register("system-registered", `"system":"offshore","personal_data":true,"producer":"ats","storage":["US"],"assertion":"observed"`)
	d.gave("2025-06-05", "old-client", "client")
	d.gave("2025-06-05", "good-client", "client")
	d.seqs["/ats"]--
	d.gave("2025-06-06", "good-client", "client") // with the number of the one before
	d.add("/crm", "data.used", "2025-06-05T10:00:00.000Z", officer+`,"subjects":[{"id":"candidate:1","role":"candidate"}],"system":"crm","dataset":"contacts","categories":["contact"],"purpose":"relations"`)
	d.add("/ats", "ledger.heartbeat", "2025-06-05T04:00:00.000Z", `"state":"running"`)
	s := made(t, record(t, d.lines...), "2025-06-05", "2025-06-06")
	want := []string{"C repeated 1", "C heartbeat 4", "C unregistered 1", "C mute 1", "C places 1", "C stale 2", "C system 1", "B control 5", "B declared 2"}
	if got := whysOf(s); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	var got []string
	for _, c := range s.Controls {
		got = append(got, c.Result)
	}
	if want := []string{Failed, Failed, Failed, Unanswered, Unanswered, Unanswered, Unanswered, Unanswered}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
