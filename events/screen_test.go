package events

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

func TestScreenFinds(t *testing.T) {
	for want, texts := range map[string][]string{
		anEmail: {
			"jan.peeters@example.org", "called jan.peeters@example.org", "<jan+cv@mail.example.co.uk>", "jan@xn--bcher-kva.example",
			"jan%40example.org", "jan%252540example.org", "jan＠example．org", "jan﹫example.org", "ján@exámple.org", "\"jan p\"@example.org",
			"j@a.b@c.de", "jan@example.org.", "jan@example.org_old", "jan@example.org.2025", "mailto:jan@example.org?subject=x", "j\u200dan@example.org",
		},
		aNational: {
			"85073003328", "nr 85.07.30-033.28", "85.07.30.033.28", "85/07/30-033-28", "850730-033-28", "850730 033 28", "85 07 30 033 28", "850730-03328",
			"ref:85.07.30-033.28/x", "85.07.30 - 033.28", "８５.07.30-033.28", "٨٥٠٧٣٠٠٣٣٢٨", "8\u200c5073003328", "12 85.07.30-033.28 12",
		},
		anIBAN: {
			"BE68539007547034", "be68539007547034", "BE68 5390 0754 7034", "be68-5390-0754-7034", "to BE68 5390 0754 7034 now", "(BE68539007547034)",
			"GB29 NWBK 6016 1331 9268 19", "gb29 nwbk 6016 1331 9268 19", "ＢＥ68539007547034", "BE68\u00a05390\u00a00754\u00a07034",
		},
		aPhone: {
			"+32475123456", "+12345678", "+32 475 12 34 56", "+32 (0)475 12.34.56", "(+32) 2 123 45 67", "tel:+1-212-555-0123", "+352 26 12 34 56", "＋32475123456",
			"0032475123456", "0032 475 12 34 56", "00 32 2 123 45 67", "0033612345678", "0475/12.34.56", "0475 12 34 56", "0475-123456", "0475 123 456", "0475123456",
			"02 123 45 67", "(02) 123 45 67", "02/123.45.67", "010 12 34 56", "081/123456", "06 12 34 56 78", "06-12345678", "020 123 4567", "0475–12–34–56",
			"tel 0475 12 34 56 2 times", "cand/0475/12.34.56", "٠٤٧٥ ١٢ ٣٤ ٥٦",
		},
		aFileName: {
			"CV_Jan_Janssens.pdf", "cv.PDF", "see Jan Peeters (2).docx here", "CV%20Jan.pdf", "scan.jpeg,", "a.zip", "contacts.csv.", "ＣＶ.pdf", "export.tar.zip",
		},
		aSearch: {
			"/candidates?q=jan", "?page=2&query=peeters", `"jan" AND "peeters"`, `java OR "project manager"`, "SELECT name FROM candidates", "select * from candidates",
			"name LIKE '%jan%'",
		},
		anInvisible: {"a\u200bb", "\ufeffa", "a\u202eb", "a\u00adb", "a\x00b", "a\u0085b", "a\U000e0041", "ㅤ", "a%E2%80%8Bb"},
	} {
		for _, text := range texts {
			if got := screenText(text); got != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
	}
}

// Each lacks one thing that what is looked for has.
func TestScreenFindsNoMore(t *testing.T) {
	for _, text := range []string{
		"jan@example", "jan@a.b", "jan@a.", "jan@.be", "@example.org", "jan@1.2.3.4", // no domain, no local part
		"850730033-28", "85.0730-033.28", "8507300332", "850730033281", // separators, digits
		"85133003370", "85533003359", "85073203365", "85073000061", // month, day, serial number
		"GB29nwbk60161331926819", "be68539007547034x", "BE685390075470340", "BE68 5390 07547034", "DE68539007547034", // case, length, groups
		"BE68 5390 0754 70341", "XX68 5390 0754 7034", "AT71ABCDEFGHIJKLMNOP", "nl91ABNA0417164300",
		"+1234567 8th", "+1234567890123456", "+0123456789", "12345678+", // too short, too long, no country
		"00123456789012", "0032475123456789", "00-324751234567", "0-032 475 12 34 56", "0012-345678", "000032475123456", // not Europe, too long, no code
		"0412345678", "0475-1-2-3456", "02-123-45-67-8", "00-12-34-56-78", "0475 - - 12 - - 34 - - 56", "2025.06.12.34.56.78", // no number's groups
		"12-01-2025 10:30", "x0475123456", "0475123456x", "550e8400-e29b-41d4-a716-4466554400000475123456",
		"the .pdf", "a.pdfx", "data.doc-made.v1", "a.doc_type", "faq=1", "freq=yearly", `"a" and "b"`, "a AND b", "LIKE a", "SELECT all",
		"a\tb\r\nc\u2028d", "\u0600 12", "e\u0301", "\u0646\u200c\u0645", "100%", "50% 25%", "\u2764\ufe0f",
	} {
		if got := screenText(text); got != "" {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// The fixture holds texts of a year of events, of each field that is no identifier, and forms that
// codes, references, sessions, dates, versions and addresses of machines have elsewhere.
func TestScreenPasses(t *testing.T) {
	texts, err := os.ReadFile("testdata/screen-pass.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(texts)) {
		line = strings.TrimSuffix(line, "\n")
		if got := screenText(line); got != "" {
			t.Errorf("%q: %s", line, got)
		}
		n++
	}
	if n < 500 {
		t.Errorf("%d texts in the fixture", n)
	}
}

// One digit changed must pass: check digits are what keeps references out.
func TestScreenChecksDigits(t *testing.T) {
	for _, valid := range []string{"85.07.30-033.28", "BE68 5390 0754 7034", "BE68539007547034"} {
		for i := range len(valid) {
			if !isDigit(valid[i]) || strings.HasPrefix(valid, "BE") && i < 4 {
				continue
			}
			b := []byte(valid)
			b[i] = '0' + (b[i]-'0'+1)%10
			if got := screenText(string(b)); got != "" {
				t.Errorf("%s: %s", b, got)
			}
		}
	}
}

// One IBAN of each country, mostly the registry's own examples.
func TestScreenIBANCountries(t *testing.T) {
	ibans := strings.Fields(`AD1200012030200359100100 AE070331234567890123456 AL47212110090000000235698741 AT611904300234573201
		AZ21NABZ00000000137010001944 BA391290079401028494 BE68539007547034 BG80BNBG96611020345678 BH67BMAG00001299123456
		BR1800360305000010009795493C1 BY13NBRB3600900000002Z00AB00 CH9300762011623852957 CR05015202001026284066
		CY17002001280000001200527600 CZ6508000000192000145399 DE89370400440532013000 DK5000400440116243 DO28BAGR00000001212453611324
		EE382200221020145685 EG380019000500000000263180002 ES9121000418450200051332 FI2112345600000785 FO6264600001631634
		FR1420041010050500013M02606 GB29NWBK60161331926819 GE29NB0000000101904917 GI75NWBK000000007099453 GL8964710001000206
		GR1601101250000000012300695 GT82TRAJ01020000001210029690 HR1210010051863000160 HU42117730161111101800000000
		IE29AIBK93115212345678 IL620108000000099999999 IQ98NBIQ850123456789012 IS140159260076545510730339 IT60X0542811101000000123456
		JO94CBJO0010000000000131000302 KW81CBKU0000000000001234560101 KZ86125KZT5004100100 LB62099900000001001901229114
		LC55HEMM000100010012001200023015 LI21088100002324013AA LT121000011101001000 LU280019400644750000 LV80BANK0000435195001
		LY83002048000020100120361 MC5811222000010123456789030 MD24AG000225100013104168 ME25505000012345678951 MK07250120000058984
		MR1300020001010000123456753 MT84MALT011000012345MTLCAST001S MU17BOMM0101101030300200000MUR NL91ABNA0417164300 NO9386011117947
		PK36SCBL0000001123456702 PL61109010140000071219812874 PS92PALS000000000400123456702 PT50000201231234567890154
		QA58DOHB00001234567890ABCDEFG RO49AAAA1B31007593840000 RS35260005601001611379 SA0380000000608010167519
		SC18SSCB11010000000000001497USD SE4550000000058398257466 SI56263300012039086 SK3112000000198742637541 SM86U0322509800000000270100
		ST23000100010051845310146 SV62CENR00000000000000700025 TL380080012345678910157 TN5910006035183598478831
		TR330006100519786457841326 UA213223130000026007233566001 VA59001123000012345678 VG96VPVG0000012345678901 XK051212012345678906`)
	for _, iban := range ibans {
		if got := screenText(iban); got != anIBAN {
			t.Errorf("%s: %q", iban, got)
		}
		if got := screenText(strings.ToLower(inFours(iban, " "))); got != anIBAN {
			t.Errorf("%s in fours, lower case: %q", iban, got)
		}
	}
}

func inFours(s, separator string) string {
	var parts []string
	for len(s) > 4 {
		parts, s = append(parts, s[:4]), s[4:]
	}
	return strings.Join(append(parts, s), separator)
}

// What is generated here is built from the definitions, not from the code that looks for it.
var (
	genNational = rapid.Custom(func(t *rapid.T) string {
		year := rapid.IntRange(1900, 2025).Draw(t, "year")
		month := rapid.IntRange(0, 12).Draw(t, "month") + 20*rapid.IntRange(0, 2).Draw(t, "bis")
		day, serial := rapid.IntRange(0, 31).Draw(t, "day"), rapid.IntRange(1, 998).Draw(t, "serial")
		nine := fmt.Sprintf("%02d%02d%02d%03d", year%100, month, day, serial)
		whole := 0
		fmt.Sscan(strings.TrimLeft(nine, "0"), &whole)
		if year >= 2000 {
			whole += 2_000_000_000
		}
		n := nine + fmt.Sprintf("%02d", 97-whole%97)
		a := rapid.SampledFrom([]string{"", ".", "-", "/", " "}).Draw(t, "date separator")
		b := rapid.SampledFrom([]string{".", "-", "/", " ", " - "}).Draw(t, "serial separator")
		c := rapid.SampledFrom([]string{"", ".", "-", "/", " "}).Draw(t, "check separator")
		if rapid.Bool().Draw(t, "contiguous") {
			return n
		}
		return n[:2] + a + n[2:4] + a + n[4:6] + b + n[6:9] + c + n[9:]
	})
	genIBAN = rapid.Custom(func(t *rapid.T) string {
		form := rapid.SampledFrom([]string{"BE############", "DE##################", "NL@@@@##########", "FR#####################**", "MT@@@@#####******************", "NO###########"}).Draw(t, "form")
		bban := fill(t, form[2:])
		rest := 0
		for _, c := range bban + form[:2] + "00" {
			v := int(c - '0')
			if c >= 'A' {
				v = int(c-'A') + 10
				rest *= 10
			}
			rest = (rest*10 + v) % 97
		}
		iban := form[:2] + fmt.Sprintf("%02d", 98-rest) + bban
		switch rapid.IntRange(0, 3).Draw(t, "style") {
		case 0:
			return inFours(iban, " ")
		case 1:
			return strings.ToLower(inFours(iban, "-"))
		}
		return iban
	})
	genPhone = rapid.Custom(func(t *rapid.T) string {
		return fill(t, rapid.SampledFrom([]string{
			"+32475######", "+32 4## ## ## ##", "+32 (0)2 ### ## ##", "+33 6 ## ## ## ##", "+1-212-555-####", "+352######", "00324########", "0032 4## ## ## ##", "00 31 6 ########",
			"048#######", "04## ## ## ##", "04##/##.##.##", "04##-### ###", "02 ### ## ##", "03/###.##.##", "01#-##-##-##", "06 ## ## ## ##", "06.##.##.##.##", "06-########", "0#1 ### ####",
		}).Draw(t, "form"))
	})
	genEmail = rapid.Custom(func(t *rapid.T) string {
		return rapid.StringMatching(`[a-zéü][a-z0-9._+-]{0,20}@[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z0-9]{1,8}){0,2}\.[a-z]{2,10}`).Draw(t, "e-mail")
	})
	genFile = rapid.Custom(func(t *rapid.T) string {
		return rapid.StringMatching(`[A-Za-zé0-9_ ()-]{0,20}[A-Za-z0-9_)]\.(pdf|PDF|docx?|xlsx?|odt|csv|txt|rtf|jpe?g|png|zip|msg|eml)`).Draw(t, "file")
	})
)

// fill replaces # by a digit, @ by a capital and * by either; the # after a leading zero is not 0.
func fill(t *rapid.T, form string) string {
	b := []byte(form)
	for i, c := range b {
		switch {
		case c == '#' && i > 0 && form[:i] == "0":
			b[i] = rapid.ByteRange('1', '9').Draw(t, "digit")
		case c == '#':
			b[i] = rapid.ByteRange('0', '9').Draw(t, "digit")
		case c == '@':
			b[i] = rapid.ByteRange('A', 'Z').Draw(t, "letter")
		case c == '*':
			b[i] = rapid.SampledFrom([]byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")).Draw(t, "character")
		}
	}
	return string(b)
}

// Whatever stands around it, and in whatever script, a real-looking value is found.
func TestScreenFindsAnywhere(t *testing.T) {
	values := map[string]*rapid.Generator[string]{aNational: genNational, anIBAN: genIBAN, aPhone: genPhone, anEmail: genEmail, aFileName: genFile}
	for want, values := range values {
		t.Run(want, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				before := rapid.SampledFrom([]string{"", "x ", "nr:", "(", "12 ", "see/", "a-", "é", "called the person at ", "\t"}).Draw(t, "before")
				after := rapid.SampledFrom([]string{"", " x", ")", ",", ". Then", " 12", "\n", "; 2025-01-01", "é", "…"}).Draw(t, "after")
				value := values.Draw(t, "value")
				text := before + disguise(t, value) + after
				if got := screenText(text); got == "" {
					t.Errorf("%q passes", text)
				}
				if got := screenText(value); got != want && want != anEmail { // a generated e-mail may hold "x@a.pdf"
					t.Errorf("%q: %q, want %q", value, got, want)
				}
			})
		})
	}
}

// disguise rewrites value as someone's keyboard or browser would.
func disguise(t *rapid.T, value string) string {
	zero := rapid.SampledFrom([]rune{'0', '０', '٠', '०', '𝟎'}).Draw(t, "zero")
	escape := rapid.Bool().Draw(t, "escape")
	joiner := rapid.SampledFrom([]string{"", "", "\u200d", "\ufe0f", "\u0332"}).Draw(t, "joiner")
	var b strings.Builder
	for _, r := range value {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(zero + r - '0')
			b.WriteString(joiner)
		case escape && r < 0x80 && !unicode.IsLetter(r):
			fmt.Fprintf(&b, "%%%02X", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Machines' own names pass.
func TestScreenPassesMachines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
			rapid.StringMatching(`00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]`),
			rapid.StringMatching(`[0-9a-f]{64}`),
			rapid.StringMatching(`[a-z]{2,12}[:-][0-9]{1,7}`),
			rapid.StringMatching(`[a-z]{2,8}(_[a-z]{2,8}){0,3}`),
			rapid.StringMatching(`eu\.custody\.[a-z]{4,10}\.[a-z-]{4,12}\.v[0-9]`),
			rapid.StringMatching(`v?[1-9][0-9]?\.[0-9]{1,2}\.[0-9]{1,3}(-rc\.[0-9])?`),
			rapid.Map(rapid.Int64Range(0, 4e9), func(s int64) string { return time.Unix(s, s%1e9).UTC().Format(time.RFC3339Nano) }),
			rapid.Map(rapid.Int64Range(0, 4e9), func(s int64) string { return time.Unix(s, 0).UTC().Format("02/01/2006 15:04:05") }),
			rapid.Map(rapid.Int64Range(0, 4e9), func(s int64) string { return time.Unix(s, 0).UTC().Format("02-01-2006 15h04") }),
			rapid.Map(rapid.Uint32(), func(a uint32) string { return fmt.Sprintf("%d.%d.%d.%d:8420", a>>24, a>>16&255, a>>8&255, a&255) }),
		).Draw(t, "text")
		if got := screenText(text); got != "" {
			t.Errorf("%q: %s", text, got)
		}
	})
}

func TestFoldDigits(t *testing.T) {
	for _, digits := range []string{"٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿", "᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙", "𞥐𞥑𞥒𞥓𞥔𞥕𞥖𞥗𞥘𞥙"} {
		if got, visible := fold(digits); got != "0123456789" || !visible {
			t.Errorf("%s: %q", digits, got)
		}
	}
	for _, r := range unicode.Nd.R32 { // every stretch is a whole number of tens
		if n := r.Hi - r.Lo + 1; n%10 != 0 || r.Stride != 1 {
			t.Errorf("%U-%U: %d digits", r.Lo, r.Hi, n)
		}
	}
}

func TestScreenAllocatesNothing(t *testing.T) {
	for _, text := range []string{"vacancy:2291", "550e8400-e29b-41d4-a716-446655440000", "2026-03-02T09:14:05.120Z", "Société Générale", "BE68 5390 0754 7034", "0475/12.34.56", "cv.pdf", "jan@example.org"} {
		if n := testing.AllocsPerRun(100, func() { screenText(text) }); n != 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

// The longest text takes some 20 ms; looking anew from every byte would take minutes.
func TestScreenIsLinear(t *testing.T) {
	for _, piece := range []string{"@", "a@", "a@b", "a.", ".pdf.a", "0 ", "0-", "+1", "+1 (", "00", "BE68 ", "BE68 5390 ", "%25", "%", "\u0660", "\u0301", "SELECT ", "12345678-", "?q", `" AND`, "é@é."} {
		start := time.Now()
		screenText(strings.Repeat(piece, MaxEvent/len(piece)))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q: %v", piece, took)
		}
	}
}

func FuzzScreen(f *testing.F) {
	for _, seed := range []string{"", "jan@example.org", "85.07.30-033.28", "BE68 5390 0754 7034", "+32 475", "a.pdf", "%2540", "\u0660\u200d", "\xff", "550e8400-e29b-41d4-a716-446655440000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		what := screenText(s)
		if got := screenText(strings.Clone(s)); got != what {
			t.Errorf("%q, then %q", what, got)
		}
		if folded, visible := fold(unescape(s)); !visible && what == "" {
			t.Error("an invisible character passes")
		} else if again, _ := fold(folded); visible && again != folded && unescape(folded) == folded {
			t.Errorf("folding %q again gives %q", folded, again)
		}
		if s != "" && what != anInvisible && what != aFileName && what != anEmail && screenText("x jan@example.org "+s) != anEmail {
			t.Error("an e-mail address before it is lost")
		}
	})
}
