package cli

// How lists of events are shown. The columns of CSV are the same in all.

func eventSheet() sheet {
	return sheet{{"position", "position", -9}, {"time", "time", 23}, {"kind", "kind", 24}, {"source", "source", 12},
		{"actor", "actor.mask", 16}, {"role", "actor.role", 16}, {"party", "party", 18}, {"class", "class", 5},
		{"categories", "categories", 24}, {"purpose", "purpose", 0}}
}

func accessSheet() sheet {
	return sheet{{"position", "position", -9}, {"time", "time", 23}, {"kind", "kind", 14}, {"actor", "actor.mask", 16},
		{"role", "actor.role", 16}, {"unit", "actor.unit", 14}, {"system", "system", 12}, {"dataset", "dataset", 16},
		{"mode", "mode", 8}, {"categories", "categories", 24}, {"purpose", "purpose", 0}}
}

func disclosureSheet() sheet {
	return sheet{{"position", "position", -9}, {"time", "time", 23}, {"kind", "kind", 16}, {"party", "party", 18},
		{"as", "recipient_role", 16}, {"class", "class", 5}, {"region", "region", 6}, {"countries", "countries", 12},
		{"persons", "persons", -7}, {"categories", "categories", 24}, {"purpose", "purpose", 0}}
}

func eventCSV() sheet {
	return plain("position", "source", "id", "kind", "time", "recordedtime", "relay", "actor.mask", "actor.role", "actor.kind",
		"actor.unit", "actor.party", "persons", "system", "dataset", "environment", "activity", "categories", "special", "purpose",
		"basis", "mode", "origin", "party", "recipient_role", "agreement", "class", "region", "countries", "tool", "forgotten")
}

func readSheet() sheet {
	return sheet{{"position", "position", -9}, {"time", "time", 23}, {"role", "role", 12}, {"token", "token", 16},
		{"query", "query", 22}, {"case", "case", 20}, {"persons", "persons", 0}}
}

func recipientSheet() sheet {
	return sheet{{"party", "party", 20}, {"events", "events", -7}, {"first", "first", 23}, {"last", "last", 23},
		{"as", "roles", 16}, {"classes", "classes", 16}, {"agreements", "agreements", 18}, {"categories", "categories", 28}, {"purposes", "purposes", 0}}
}
