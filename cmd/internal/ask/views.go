package ask

// The names of the views that questions are answered from.
const (
	searchView     = "search"
	personView     = "person"
	accessView     = "access"
	recipientsView = "recipients"
	transfersView  = "transfers"
	governanceView = "governance"
	coverageView   = "coverage"
)
