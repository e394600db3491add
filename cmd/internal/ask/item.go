package ask

// An Item is what a list shows of one event.
type Item struct {
	Position uint64  `json:"position"`
	Source   string  `json:"source"`
	ID       string  `json:"id"`
	Kind     string  `json:"kind"`
	Time     Instant `json:"time" format:"date-time" doc:"when it happened, as the producer said"`
	Recorded Instant `json:"recordedtime" format:"date-time"`
	Relay    string  `json:"relay,omitempty"`
	Actor    *Actor  `json:"actor,omitempty"`
	Persons  int     `json:"persons" doc:"data subjects that the event lists"`

	System      string   `json:"system,omitempty"`
	Dataset     string   `json:"dataset,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Activity    string   `json:"activity,omitempty"`
	Categories  []string `json:"categories,omitempty"`
	Special     bool     `json:"special,omitempty" doc:"it says special categories of data (GDPR Art. 9)"`
	Purpose     string   `json:"purpose,omitempty"`
	Basis       string   `json:"basis,omitempty"`
	Mode        string   `json:"mode,omitempty"`
	Origin      string   `json:"origin,omitempty"`

	Party         string   `json:"party,omitempty" doc:"the recipient, or else the organisation whose staff acted"`
	RecipientRole string   `json:"recipient_role,omitempty"`
	Agreement     string   `json:"agreement,omitempty" doc:"in force with the party when it was recorded"`
	Class         string   `json:"class,omitempty" doc:"of a transfer, as decided when it was recorded"`
	Region        string   `json:"region,omitempty" doc:"the outside country; ZZ if several or unknown"`
	Countries     []string `json:"countries,omitempty" doc:"every place: of the party and of the event"`
	Tool          string   `json:"tool,omitempty"`
	Forgotten     bool     `json:"forgotten,omitempty" doc:"it came after its month was forgotten: its tags are random"`
}

// An Actor is who acted, masked: the same mask is the same person throughout one
// answer, and says nothing in another.
type Actor struct {
	Mask  string `json:"mask,omitempty" doc:"unresolved if the tag is nobody's any more"`
	Role  string `json:"role,omitempty"`
	Kind  string `json:"kind,omitempty"`
	Unit  string `json:"unit,omitempty"`
	Party string `json:"party,omitempty"`
}
