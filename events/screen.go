package events

import "strings"

// What a text looks like. The words go into the detail of a [PersonalData] error.
const (
	anEmail     = "e-mail address"
	aPhone      = "phone number"
	anIBAN      = "IBAN"
	aNational   = "national number"
	aFileName   = "file name"
	aSearch     = "search string"
	anInvisible = "invisible character"
)

// punctuation is a set of ASCII punctuation, one bit a byte modulo 64. Four rare pairs share a bit
// (such as '<' and '|'), which costs a second look and never an answer.
type punctuation uint64

const (
	hasAt          punctuation = 1 << ('@' & 63)
	hasDot         punctuation = 1 << ('.' & 63)
	hasPercent     punctuation = 1 << ('%' & 63)
	hasEquals      punctuation = 1 << ('=' & 63)
	hasSpace       punctuation = 1 << (' ' & 63)
	hasQuote       punctuation = 1 << ('"' & 63)
	hasApostrophe  punctuation = 1 << ('\'' & 63)
	fewestOfNumber             = 8 // digits in the shortest number looked for
)

// screenText says what personal data s looks like, "" for nothing. An event states facts about
// processing; the data itself, and search strings and file names that repeat it, have no place in it.
// Screening catches what slips in by accident; nobody can screen for what is disguised on purpose.
//
// Found: e-mail addresses; Belgian national numbers with their check digits, BIS numbers included;
// IBANs with theirs; phone numbers that begin with + or 00, and Belgian, French and Dutch ones that
// begin with 0 and are grouped (of those without separators only Belgian mobile numbers); names with
// a document's, picture's or archive's extension; searches. Other scripts' digits, full-width forms,
// percent-encoding, marks and joiners between the characters make no difference; any other invisible
// character is a finding of its own.
//
// Left alone: dates, times, versions, IP addresses, UUIDs, hex and codes. Of ten million random tokens
// each, BenchmarkFalsePositives saw taken for something: UUIDs, 32 hex digits, 22 of base62 and 43 of
// base64url 0, 44 of base64 1, 16 hex digits 2, 26 of base32 5. Bare numbers have no such margin: 2,499
// in a million of 11 digits (national numbers) and 4,961 of 10 (mobiles), so letter what is so long.
//
// The time is linear in len(s). Nothing is allocated unless s holds something to be normalised.
func screenText(s string) string {
	seen, digits, plain := survey(s)
	if !plain || seen&hasPercent != 0 {
		var visible bool
		if s, visible = fold(unescape(s)); !visible {
			return anInvisible
		}
		seen, digits, _ = survey(s)
	}
	switch {
	case seen&hasAt != 0 && hasEmail(s):
		return anEmail
	case seen&hasDot != 0 && hasFileName(s):
		return aFileName
	case seen&(hasSpace|hasEquals) != 0 && hasSearch(s, seen):
		return aSearch
	case digits >= fewestOfNumber:
		return screenNumbers(s)
	}
	return ""
}

// survey is the one pass that every text gets: which punctuation it has, how many digits, and whether
// it is printable ASCII and nothing else.
func survey(s string) (seen punctuation, digits int, plain bool) {
	plain = true
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digits++
		case isLetter(c):
		case c < ' ' || c > '~':
			plain = false
		default:
			seen |= 1 << (c & 63)
		}
	}
	return seen, digits, plain
}

// screenNumbers looks at every run of letters and digits once, and at what follows a '+'.
func screenNumbers(s string) string {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '+':
			if readNumber(s, i+1).isInternational() {
				return aPhone
			}
			i++
			continue
		case !isAlnum(c):
			i++
			continue
		case isUUID(s[i:]):
			i += uuidLen
			continue
		case isLetter(c) && isIBAN(s[i:]):
			return anIBAN
		case isDigit(c):
			if what := screenNumber(s, i); what != "" {
				return what
			}
		}
		for i < len(s) && isAlnum(s[i]) {
			i++
		}
	}
	return ""
}

const uuidLen = 36

// isUUID reports that s starts with a UUID that ends there.
func isUUID(s string) bool {
	if len(s) < uuidLen || s[8] != '-' || len(s) > uuidLen && isAlnum(s[uuidLen]) {
		return false
	}
	for i := range uuidLen {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if _, ok := hexDigit(s[i]); !ok {
			return false
		}
	}
	return true
}

// hasEmail finds a local part, an '@' and a domain. Addresses of hosts without a dot are let through,
// and so are versions (name@1.2.3).
func hasEmail(s string) bool {
	for i := strings.IndexByte(s, '@'); i >= 0; {
		if i > 0 && isLocalPart(s[i-1]) && isDomain(s[i+1:]) {
			return true
		}
		next := strings.IndexByte(s[i+1:], '@')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// isLocalPart tells the bytes that may stand before the '@' of an address: RFC 5322 atext, the dot, a
// closing quote, and any letter of another script.
func isLocalPart(c byte) bool {
	return isAlnum(c) || c > '~' || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.\"", c) >= 0
}

// isDomain reports that s starts with a label, a dot, and a label of at least two letters.
func isDomain(s string) bool {
	labels, letters, length := 0, 0, 0 // labels ended, letters at the start of this one, its bytes
	for i := 0; ; i++ {
		var c byte
		if i < len(s) {
			c = s[i]
		}
		switch {
		case isLetter(c) || c > '~':
			if letters == length {
				letters++
			}
			length++
			continue
		case isDigit(c):
			length++
			continue
		}
		if labels > 0 && letters >= 2 && letters == length {
			return true
		}
		switch {
		case c == '-' && length > 0:
			length++
		case c == '.' && length > 0:
			labels, letters, length = labels+1, 0, 0
		default:
			return false
		}
	}
}

// hasFileName finds a name, a dot and an extension that people's documents have.
func hasFileName(s string) bool {
	for i := strings.IndexByte(s, '.'); i >= 0; {
		if i > 0 && (isAlnum(s[i-1]) || s[i-1] > '~' || strings.IndexByte("_-)]", s[i-1]) >= 0) && isExtension(s[i+1:]) {
			return true
		}
		next := strings.IndexByte(s[i+1:], '.')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// isExtension reports that s starts with one of the extensions and that no name goes on behind it: a
// dash does, and a dot before a letter or digit, so that codes such as "nl.doc.v2" pass.
func isExtension(s string) bool {
	var ext [5]byte
	n := 0
	for n < len(s) && isAlnum(s[n]) {
		if n == len(ext) {
			return false
		}
		ext[n] = s[n] | 0x20 // lower-case letters; digits are 0x30-0x39 and stay
		n++
	}
	switch string(ext[:n]) {
	case "pdf", "doc", "docx", "xls", "xlsx", "odt", "ods", "ppt", "pptx", "csv", "txt", "rtf",
		"jpg", "jpeg", "png", "heic", "zip", "msg", "eml", "vcf":
	default:
		return false
	}
	rest := s[n:]
	switch {
	case rest == "":
		return true
	case rest[0] == '.':
		return len(rest) == 1 || !isAlnum(rest[1])
	}
	return rest[0] != '-' && rest[0] != '_'
}

// hasSearch finds the query of a search address, quoted terms joined by AND or OR, and SQL.
func hasSearch(s string, seen punctuation) bool {
	if seen&hasEquals != 0 {
		for _, name := range [...]string{"q=", "query=", "search=", "keyword=", "keywords="} {
			if i := strings.Index(s, name); i > 0 && (s[i-1] == '?' || s[i-1] == '&') {
				return true
			}
		}
	}
	if seen&hasSpace == 0 {
		return false
	}
	switch {
	case seen&hasQuote != 0 && (strings.Contains(s, " AND ") || strings.Contains(s, " OR ")):
		return true
	case seen&hasApostrophe != 0 && (strings.Contains(s, "LIKE '") || strings.Contains(s, "like '")):
		return true
	}
	for _, sql := range [...][2]string{{"SELECT ", " FROM "}, {"select * ", "from "}} {
		if i := strings.Index(s, sql[0]); i >= 0 && strings.Contains(s[i:], sql[1]) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool  { return c-'0' < 10 }
func isLetter(c byte) bool { return c|0x20-'a' < 26 }
func isAlnum(c byte) bool  { return isDigit(c) || isLetter(c) }
