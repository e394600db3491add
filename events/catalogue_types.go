package events

// form is how a value is written and checked.
type form uint8

const (
	wordForm     form = iota + 1 // text of a fixed alphabet: prefix, first, rest, min, max
	textForm                     // any text of min to max code points
	patternForm                  // text that match accepts
	timeForm                     // RFC 3339 date-time
	dateForm                     // RFC 3339 full-date
	enumForm                     // one of words
	kindForm                     // the type of a kind a producer may send
	boolForm                     // true or false
	intForm                      // integer of min to max
	listForm                     // min to max items, none twice
	objectForm                   // an object of a shape
	documentForm                 // any object
	dataForm                     // the event's data, of the shape its type gives
)

// spec is the type of a field.
type spec struct {
	form     form
	ref      string // its name under $defs of the published schema; "" when written in place
	note     string // its description there
	pattern  string // the regular expression there, of a word or a pattern
	expected string // what a refusal says was expected

	prefix      string
	first, rest alphabet
	match       func([]byte) bool
	min, max    int64 // of an integer, of the items of a list, of the code points or bytes of a text
	words       []string
	items       *spec
	shape       *shape

	closed bool // says nothing of the sender's own choice: neither screened nor searched
	digest bool // random hex: searched, but not screened
}

// holdsSecrets tells the objects that have a field that does not stay clear.
func (s *spec) holdsSecrets() bool { return s.form == objectForm && s.shape.secrets }

// fixed marks a closed form, random a digest.
func (s *spec) fixed() *spec  { s.closed = true; return s }
func (s *spec) random() *spec { s.digest = true; return s }

// named gives the spec a place under $defs.
func (s *spec) named(ref, note string) *spec { s.ref, s.note = ref, note; return s }

func word(expected, pattern, prefix string, first, rest alphabet, min, max int64) *spec {
	return &spec{form: wordForm, expected: expected, pattern: pattern, prefix: prefix, first: first, rest: rest, min: min, max: max}
}

func freeText(min, max int64) *spec { return &spec{form: textForm, min: min, max: max} }

func enum(words ...string) *spec { return &spec{form: enumForm, words: words, closed: true} }

func integer(min, max int64) *spec { return &spec{form: intForm, min: min, max: max} }

func list(items *spec, min, max int64) *spec {
	return &spec{form: listForm, items: items, min: min, max: max}
}

func some(items *spec) *spec  { return list(items, 1, 64) }
func any64(items *spec) *spec { return list(items, 0, 64) }

func objectOf(fields ...field) *spec { return &spec{form: objectForm, shape: object(fields...)} }

// Texts of a fixed alphabet.
var (
	code = word("a code: a-z 0-9 _ . - of at most 64, beginning with a letter or digit",
		`^[a-z0-9][a-z0-9_.-]{0,63}$`, "", az|d09, az|d09|under|dot|dash, 1, 64).named("code", "")
	reference = word("a reference: A-Z a-z 0-9 : . _ / - of at most 96, beginning with a letter or digit",
		`^[A-Za-z0-9][A-Za-z0-9:._/-]{0,95}$`, "", az|capitals|d09, az|capitals|d09|colon|dot|under|slash|dash, 1, 96).named("reference", "")
	country = word("a country: ISO 3166-1 alpha-2 in capitals",
		`^[A-Z]{2}$`, "", capitals, capitals, 2, 2).named("country", "ISO 3166-1 alpha-2").fixed()
	eventID = word("an id: A-Z a-z 0-9 . _ : - of at most 64",
		`^[A-Za-z0-9._:-]{1,64}$`, "", az|capitals|d09|dot|under|colon|dash, az|capitals|d09|dot|under|colon|dash, 1, 64)
	eventSource = word("a source: / and the producer's name, a-z 0-9 - of at most 32",
		`^/[a-z0-9][a-z0-9-]{0,31}$`, "/", az|d09, az|d09|dash, 1, 32).named("", "'/' and the producer's name").fixed()
	sequence = word("a number from 1, of at most 14 digits, as a string",
		`^[1-9][0-9]{0,13}$`, "", d19, d09, 1, 14).named("", "counts the events of (source, producerinstance) from 1").fixed()
	operation = word("a DPV operation: dpv: and its name",
		`^dpv:[A-Z][A-Za-z]{1,40}$`, "dpv:", capitals, az|capitals, 2, 41)
	digest     = word("a SHA-256 in lower-case hex", `^[0-9a-f]{64}$`, "", hex, hex, 64, 64).random()
	language   = word("a language: two lower-case letters", `^[a-z]{2}$`, "", az, az, 2, 2).fixed()
	cookieName = word("a cookie's name: A-Z a-z 0-9 _ . - of at most 64",
		`^[A-Za-z0-9_.-]{1,64}$`, "", az|capitals|d09|under|dot|dash, az|capitals|d09|under|dot|dash, 1, 64)
)

// What only stored events hold.
var (
	tag       = word("a tag: 32 lower-case hex digits", `^[0-9a-f]{32}$`, "", hex, hex, 32, 32)
	base64url = word("unpadded base64url", `^[A-Za-z0-9_-]+$`, "", az|capitals|d09|under|dash, az|capitals|d09|under|dash, 1, MaxStored)
)

// Other texts.
var (
	identifier  = freeText(1, 256).named("identifier", "identifies a person; replaced by a tag before anything is stored")
	instant     = (&spec{form: timeForm, max: 35, expected: "an instant as RFC 3339 has it, of at most 35 characters"}).named("time", "").fixed()
	date        = (&spec{form: dateForm, expected: "a day that exists, as YYYY-MM-DD"}).named("date", "a day in the controller's zone, inclusive").fixed()
	period      = (&spec{form: patternForm, match: isPeriod, pattern: `^P([0-9]{1,4}[YMD]){1,3}$`, expected: "a period such as P2Y or P6M"}).fixed()
	traceparent = (&spec{form: patternForm, match: isTraceparent, pattern: `^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`,
		expected: "a traceparent as W3C Trace Context has it"}).random()
)

// Numbers, booleans and documents.
var (
	boolean  = &spec{form: boolForm}
	count    = integer(0, 1_000_000_000_000)
	part     = integer(1, 1_000_000)
	position = integer(1, 1<<63-1)
	document = &spec{form: documentForm}
)

// Vocabularies used by several kinds.
var (
	basis = enum("A6-1-a", "A6-1-b", "A6-1-c", "A6-1-d", "A6-1-e", "A6-1-f").named("basis", "eu-gdpr legal basis, Art. 6(1)")
	a9    = enum("A9-2-a", "A9-2-b", "A9-2-c", "A9-2-d", "A9-2-e", "A9-2-f", "A9-2-g", "A9-2-h", "A9-2-i", "A9-2-j").named("a9", "")

	transferTool = enum("A45-3", "A46-2-a", "A46-2-b", "A46-2-c", "A46-2-d", "A46-2-e", "A46-2-f", "A46-3-a", "A46-3-b",
		"A49-1-a", "A49-1-b", "A49-1-c", "A49-1-d", "A49-1-e", "A49-1-f", "A49-1-g", "A49-2", "privacy-shield", "safe-harbour").named("transferTool", "")
	subjectRole = enum("candidate", "employee", "client_contact", "supplier_contact", "reference_person", "website_visitor", "other").named("subjectRole", "")

	assertion      = enum("observed", "declared", "inferred", "reconciled")
	ourRole        = enum("controller", "joint_controller", "processor", "subprocessor")
	medium         = enum("email", "phone", "letter", "sms", "chat", "social")
	objectionScope = enum("direct_marketing", "legitimate_interest", "profiling")
)

// Lists used by several kinds.
var (
	codes     = some(code)
	countries = some(country)
)

// Objects used by several kinds.
var (
	subjects = list(objectOf(
		req("id", identifier).subject(),
		req("role", subjectRole),
		opt("country", country),
	), 1, MaxSubjects).named("subjects", "")

	actor = (&spec{form: objectForm, shape: object(
		req("id", identifier).actor(),
		req("role", code),
		opt("kind", enum("human", "contractor", "service", "processor", "subject", "authority")),
		opt("party", code),
		opt("unit", code),
		opt("session", freeText(1, 128)).joinable("/data/actor/session"),
		opt("for", identifier).actor(),
	).demanding("party", "kind", "processor", "contractor")}).named("actor", "")

	recipient = objectOf(
		req("party", code),
		req("role", enum("client", "processor", "subprocessor", "other_controller", "authority", "group", "subject")),
		opt("via", code),
	).named("recipient", "")

	location        = objectOf(opt("storage", countries), opt("access", countries)).named("location", "")
	transfer        = objectOf(req("tool", transferTool), opt("tool_ref", reference), opt("tia_ref", reference)).named("transfer", "")
	bulk            = objectOf(req("id", reference), req("part", part), opt("parts", part)).named("bulk", "")
	subjectsUnknown = objectOf(req("upper_bound", count)).named("subjectsUnknown", "")

	fee       = objectOf(req("cents", count), req("ground", enum("unfounded", "excessive", "extra_copy", "volume", "other")))
	eventName = objectOf(req("source", freeText(0, 33)), req("id", freeText(0, 64)))
)

// common begins every kind's data.
func common(actor field) []field {
	return []field{
		actor,
		opt("assertion", assertion),
		opt("reference", reference).joinable("/data/reference"),
		opt("reason", freeText(0, 200)).sealed("/data/reason"),
	}
}

// aboutSubjects begins the data of the kinds that name the people they are about.
func aboutSubjects() []field {
	return append(common(req("actor", actor)),
		req("subjects", subjects),
		opt("system", code),
		opt("bulk", bulk),
		opt("our_role", ourRole),
		opt("on_behalf_of", code),
		opt("secrecy", enum("inquiry", "privilege")),
	)
}

func onBehalf(fields []field) *shape {
	return object(fields...).demanding("on_behalf_of", "our_role", "processor", "subprocessor")
}
