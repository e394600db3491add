package demo

// A producer is one copy of a service that sends events.
type producer int

const (
	atsA producer = iota // the applicants' system runs twice
	atsB
	crm
	hr
	files
	mail
	desk
	rights
	register
	producers // how many
)

// source is its CloudEvents source.
func (p producer) source() string {
	return [producers]string{"/ats", "/ats", "/crm", "/hr", "/files", "/mail", "/desk", "/dpo-desk", "/register"}[p]
}

// instance tells the copies of one source apart; "" where there is one.
func (p producer) instance() string {
	return [producers]string{atsA: "node-a", atsB: "node-b"}[p]
}

// families is what it may send.
func (p producer) families() []string {
	switch p {
	case register:
		return []string{"governance"}
	case rights:
		return []string{"data", "subject", "breach", "ledger"}
	}
	return []string{"data", "subject", "ledger"}
}
