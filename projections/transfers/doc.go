// Package transfers is the view "transfers": the map of what became available to whom outside the controller, by
// category of data, party, region, purpose and transfer tool, each with its class (GDPR Chapter V).
//
// An event is here if the ledger gave it a class when it recorded it. The class is never decided again.
//
// Each such event is one entry of three columns: its position, its time, and the number of its combination of all the
// rest. There are few combinations, so an answer is one pass over the columns, about 10 nanoseconds an entry.
package transfers
