package emit

// The words of the catalogue's closed vocabularies. A word that is not in its vocabulary is refused at the call.
type (
	SubjectRole   string // whose data
	ActorKind     string // what sort of actor
	Assertion     string // how the emitter knows
	OurRole       string // Art. 4(7), 4(8), 26 GDPR
	Basis         string // legal basis, Art. 6(1) GDPR, as eu-gdpr of W3C DPV names it
	Condition     string // condition of Art. 9(2) GDPR
	Mode          string // how data were accessed
	Origin        string // where data came from
	RecipientRole string
	TransferTool  string // Chapter V GDPR, as eu-gdpr of W3C DPV names it
	Erasure       string // dpv:Erase, Destruct, Delete (retrievable, and no erasure), or the key's destruction
	DeletionCause string
	LegKind       string // of a copy that a deletion must reach
	LegState      string
	Medium        string // a channel of contact
	Content       string
	ContactClass  string
	ConsentMethod string
	Scope         string // of an objection, Art. 21 GDPR
	Automation    string // Art. 22 GDPR
	Exception     string // that allows using restricted data, Art. 18(2) GDPR
)

const (
	RoleCandidate       SubjectRole = "candidate"
	RoleEmployee        SubjectRole = "employee"
	RoleClientContact   SubjectRole = "client_contact"
	RoleSupplierContact SubjectRole = "supplier_contact"
	RoleReferencePerson SubjectRole = "reference_person"
	RoleWebsiteVisitor  SubjectRole = "website_visitor"
	RoleOther           SubjectRole = "other"
)

const (
	ActorHuman      ActorKind = "human"
	ActorContractor ActorKind = "contractor"
	ActorService    ActorKind = "service"
	ActorProcessor  ActorKind = "processor"
	ActorSubject    ActorKind = "subject" // the person, by self-service
	ActorAuthority  ActorKind = "authority"
)

const (
	Observed   Assertion = "observed"
	Declared   Assertion = "declared"
	Inferred   Assertion = "inferred"
	Reconciled Assertion = "reconciled"
)

const (
	OurController      OurRole = "controller"
	OurJointController OurRole = "joint_controller"
	OurProcessor       OurRole = "processor"
	OurSubprocessor    OurRole = "subprocessor"
)

const (
	BasisConsent            Basis = "A6-1-a"
	BasisContract           Basis = "A6-1-b"
	BasisLegalObligation    Basis = "A6-1-c"
	BasisVitalInterest      Basis = "A6-1-d"
	BasisPublicTask         Basis = "A6-1-e"
	BasisLegitimateInterest Basis = "A6-1-f"
)

const (
	ModeView     Mode = "view"
	ModeSearch   Mode = "search"
	ModeList     Mode = "list"
	ModePrint    Mode = "print"
	ModeDownload Mode = "download"
	ModeAPI      Mode = "api"
)

const (
	OriginWebForm          Origin = "web_form"
	OriginAdvertResponse   Origin = "advert_response"
	OriginCVMatch          Origin = "cv_match"
	OriginReferral         Origin = "referral"
	OriginCorporateWebsite Origin = "corporate_website"
	OriginBusinessCard     Origin = "business_card"
	OriginOwnInitiative    Origin = "own_initiative"
	OriginCourseOfService  Origin = "in_course_of_service"
	OriginClient           Origin = "client"
	OriginThirdParty       Origin = "third_party"
	OriginPublicRegister   Origin = "public_register"
	OriginPurchased        Origin = "purchased"
	OriginOther            Origin = "other"
)

const (
	ToClient          RecipientRole = "client"
	ToProcessor       RecipientRole = "processor"
	ToSubprocessor    RecipientRole = "subprocessor"
	ToOtherController RecipientRole = "other_controller"
	ToAuthority       RecipientRole = "authority"
	ToGroup           RecipientRole = "group"
	ToSubject         RecipientRole = "subject"
)

const (
	ToolAdequacy        TransferTool = "A45-3"
	ToolBindingRules    TransferTool = "A46-2-b"
	ToolClauses         TransferTool = "A46-2-c" // standard clauses of the Commission
	ToolExplicitConsent TransferTool = "A49-1-a"
	ToolContract        TransferTool = "A49-1-b"
)

const (
	Erase       Erasure = "erase"
	Destruct    Erasure = "destruct"
	Delete      Erasure = "delete" // retrievable: not an erasure
	CryptoShred Erasure = "crypto-shred"
)

const (
	CauseRetention        DeletionCause = "retention"
	CauseRequest          DeletionCause = "request"
	CauseConsentWithdrawn DeletionCause = "consent_withdrawn"
	CauseUnlawful         DeletionCause = "unlawful"
	CauseContractEnd      DeletionCause = "contract_end"
)

const (
	LegLive      LegKind = "live"
	LegReplica   LegKind = "replica"
	LegIndex     LegKind = "index"
	LegCache     LegKind = "cache"
	LegExport    LegKind = "export"
	LegBackup    LegKind = "backup"
	LegProcessor LegKind = "processor"

	LegDone LegState = "done"
	LegDue  LegState = "due"
)

const (
	ByEmail  Medium = "email"
	ByPhone  Medium = "phone"
	ByLetter Medium = "letter"
	BySMS    Medium = "sms"
	ByChat   Medium = "chat"
	BySocial Medium = "social"
)

const (
	ContentServices Content = "services"
	ContentProject  Content = "project"
	ContentEvent    Content = "event"
	ContentOther    Content = "other"

	ContactMarketing ContactClass = "marketing"
	ContactService   ContactClass = "service"
)

const (
	ConsentWritten    ConsentMethod = "written"
	ConsentElectronic ConsentMethod = "electronic"
	ConsentOral       ConsentMethod = "oral"
	ConsentAssumed    ConsentMethod = "assumed"
)

const (
	ScopeDirectMarketing    Scope = "direct_marketing"    // Art. 21(2): absolute
	ScopeLegitimateInterest Scope = "legitimate_interest" // Art. 21(1)
	ScopeProfiling          Scope = "profiling"
)

const (
	ExceptConsent        Exception = "consent"
	ExceptClaims         Exception = "claims"
	ExceptProtection     Exception = "protection"
	ExceptPublicInterest Exception = "public_interest"
	ExceptRightsHandling Exception = "rights_handling"
)

const (
	AutomationNone    Automation = "none"
	AutomationPartial Automation = "partial"
	AutomationFull    Automation = "full"
)
