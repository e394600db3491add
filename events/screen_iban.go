package events

// isIBAN reports that s starts with an IBAN (ISO 13616) that ends there: the length registered for its
// country, and 1 as the rest of a division by 97 (ISO 7064). Written in fours with spaces or dashes,
// any case counts; written without, all letters must be upper case, or there are none but the country's.
func isIBAN(s string) bool {
	if len(s) < 15 || !isLetter(s[1]) || !isDigit(s[2]) || !isDigit(s[3]) {
		return false
	}
	length, numeric := ibanForm([2]byte{upper(s[0]), upper(s[1])})
	if length == 0 {
		return false
	}
	var separator byte
	if s[4] == ' ' || s[4] == '-' {
		separator = s[4]
	}
	lower := s[0] != upper(s[0]) || s[1] != upper(s[1])
	rest, i := 0, 4
	for k := 4; k < length; k++ {
		if separator != 0 && k%4 == 0 {
			if i >= len(s) || s[i] != separator {
				return false
			}
			i++
		}
		if i >= len(s) || !isAlnum(s[i]) {
			return false
		}
		if c := s[i]; isLetter(c) && (numeric || separator == 0 && (lower || c != upper(c))) {
			return false
		}
		rest = ibanRest(rest, s[i])
		i++
	}
	for _, c := range [...]byte{s[0], s[1], s[2], s[3]} { // country and check digits come last
		rest = ibanRest(rest, c)
	}
	return rest == 1 && (i == len(s) || !isAlnum(s[i]))
}

// ibanRest continues the division by 97 with one character; letters are 10 to 35.
func ibanRest(rest int, c byte) int {
	if isDigit(c) {
		return (10*rest + int(c-'0')) % 97
	}
	return (100*rest + int(upper(c)-'A') + 10) % 97
}

func upper(c byte) byte {
	if isLetter(c) {
		return c &^ 0x20
	}
	return c
}

// ibanForm gives the length of a country's IBANs, 0 if it has none, and whether their accounts are
// digits only (SWIFT IBAN Registry).
func ibanForm(country [2]byte) (length int, numeric bool) {
	switch string(country[:]) {
	case "NO":
		return 15, true
	case "BE":
		return 16, true
	case "DK", "FI", "FO", "GL", "SD":
		return 18, true
	case "SI":
		return 19, true
	case "AT", "BA", "EE", "LT", "MN", "XK":
		return 20, true
	case "HR":
		return 21, true
	case "CR", "DE", "ME", "RS", "VA":
		return 22, true
	case "AE", "IL", "SO", "TL":
		return 23, true
	case "CZ", "ES", "SE", "SK", "TN":
		return 24, true
	case "LY", "PT", "ST":
		return 25, true
	case "IS":
		return 26, true
	case "BI", "DJ", "MR":
		return 27, true
	case "HU", "PL":
		return 28, true
	case "EG":
		return 29, true
	case "FK", "NL":
		return 18, false
	case "MK":
		return 19, false
	case "KZ", "LU":
		return 20, false
	case "CH", "LI", "LV":
		return 21, false
	case "BG", "BH", "GB", "GE", "IE":
		return 22, false
	case "GI", "IQ", "OM":
		return 23, false
	case "AD", "MD", "PK", "RO", "SA", "VG":
		return 24, false
	case "TR":
		return 26, false
	case "FR", "GR", "IT", "MC", "SM":
		return 27, false
	case "AL", "AZ", "BY", "CY", "DO", "GT", "HN", "LB", "NI", "SV":
		return 28, false
	case "BR", "PS", "QA", "UA":
		return 29, false
	case "JO", "KW", "MU", "YE":
		return 30, false
	case "MT", "SC":
		return 31, false
	case "LC":
		return 32, false
	case "RU":
		return 33, false
	}
	return 0, false
}
