// Package postings keeps, in one bucket of a view's file, under each key the ascending positions of the events it
// stands for, where keys are random, many, and spread over all that was ever written.
//
// A key is a beginning that means something, as a cell or a party, and [Spread] bytes that are spread like a hash. All
// keys of a bucket have one length. What is stored is a set of pairs (key, position), in segments: sorted runs of pairs,
// oldest first, each holding later positions than the one before. A B+tree that takes random keys where they belong
// sinks as it grows; here everything is written in order and merged by tiers, eight neighbours into one.
//
// Merging moves: a transaction takes the next stretch of pairs out of eight segments and puts it behind what their
// successor has already. So every pair is in exactly one place after every transaction, whatever is under way; nothing
// is ever twice in the file, and nothing is left behind by a crash. It is paid for within [Writer.Flush] in proportion to
// what that writes, so a file is never behind on it, and a flush never takes longer than a few times its own work.
//
// Everything is read through the file: filters, which say whether a segment may hold a key, and blocks of about two
// thousand bytes, in tables that notice what was changed, moved or lost (package rows). The heap holds what was added since the last flush, and nothing else.
package postings
