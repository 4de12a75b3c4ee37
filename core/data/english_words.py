"""Closed word classes and short verb lists of English that `core/data/english.py` decides by."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BE = _words("am is are was were be been being m s re isn aren wasn weren become becomes became")
AUXILIARIES = BE | _words(
    "has have had do does did can could will would shall should may might must won wouldn didn doesn don couldn hasn "
    "ll ve"
)
PREPOSITIONS = _words(
    "about above across after against along among around as at before behind below beneath beside besides between "
    "beyond by despite during except for from in inside into like near of off on onto out outside over past per since "
    "than through throughout till to toward towards under until unto up upon via with within without"
)
CONJUNCTIONS = _words(
    "and or but nor so yet because although though if unless while when whenever where wherever whether that"
)
PRONOUNS = _words(
    "i you he she it we they me him us them who whom whose which what why how everyone someone anyone nobody"
)
DETERMINERS = _words("a an the this these those some any each every no another my your our their his its")
ADVERBS = _words(
    "again ago ahead alone already also always anyway anymore apart away aside back down either else enough ever "
    "forever forth here home however instead just maybe never now often once only rather sometimes soon still then "
    "there therefore today together tomorrow tonight too twice yesterday indoors outside upstairs downstairs not "
    "please thanks everything something nothing anything anywhere everywhere somewhere all well several many much "
    "straight such what both"
)
CLOSED = AUXILIARIES | PREPOSITIONS | CONJUNCTIONS | PRONOUNS | DETERMINERS | ADVERBS
"""Words that end a noun phrase: with few exceptions what follows "her" as an object, or a noun."""

# "let her go": after these "her" and a plain verb are object and infinitive.
CAUSATIVES = _words(
    "let lets letting make makes made making saw see sees seeing watch watched watching hear heard hears help helped "
    "helps helping feel felt bid bade have had"
)
PLAIN_VERBS = _words(
    "accept agree answer arrive ask be become begin believe breathe bring build buy call carry catch change choose "
    "clean climb close come cook cross cry dance decide die do draw drink drive eat enter explain fall feel fight "
    "fill find finish fix fly follow forget get give go grow happen have hear help hide hold improve join jump keep "
    "know laugh learn leave lie lift listen live look lose love make meet miss move open pack pass pay pick play "
    "prepare pull push put reach read realise realize relax remember rest return ride rise run say see sell send set "
    "settle shake show sign sing sit sleep smile solve speak spend stand start stay stop study suffer swim take talk "
    "teach tell think throw try turn understand use wait wake walk want wash watch wear win wonder work worry write"
)
# Plain verbs that are at least as often nouns: "saw her work".
VERBS_OR_NOUNS = _words("work walk love smile help change rest sleep talk study fight")
# Of the causatives, those after which such a word is rather the noun.
POSSESSORS = _words("have had see feel felt watch")
# "kept her waiting": after these "her" and a word in -ing are object and participle.
CATCHERS = _words(
    "keep keeps kept catch caught catches find finds found leave leaves left hear heard see saw seen spotted watch "
    "watched stop stopped got had notice noticed remember"
)
NOUNS_IN_ING = _words("ring king thing wedding building clothing feeling painting")
# "made her happy": after these a state belongs to the object.
RESULTATIVES = _words(
    "think thinks thought suppose make makes made making keep keeps kept keeping leave leaves left leaving get gets "
    "got getting drive drives drove find finds found call calls called consider considered let lets set"
)
STATES = _words(
    "happy sad angry sick ill safe busy late tired proud nervous anxious upset worried comfortable uncomfortable "
    "awake asleep alive dead mad crazy calm afraid scared speechless breathless warm cold hungry thirsty free ready "
    "famous rich poor strong stronger weak weaker better worse well healthy uneasy curious jealous sleepy dizzy blind "
    "deaf silent smile laugh unconscious responsible eligible unhappy furious confused satisfied dissatisfied "
    "informed updated involved embarrassed trapped stranded disappointed frustrated uncertain motivated seem look "
    "guilty pale clever wonderful worthy capable conscious violent beautiful independent quiet still right wrong"
)
NOT_ADVERBS_IN_LY = _words(
    "family only early daily weekly monthly yearly elderly lovely friendly unfriendly lonely holy ugly silly curly "
    "deadly lively costly ghostly motherly sisterly kindly assembly reply supply belly ally bully jelly fly homily "
    "anomaly orderly hourly nightly chilly woolly"
)
# Closed words that may yet begin what belongs to her or him: "her only son", "his past".
MAY_BELONG = _words("only past home outside inside one like own very back may will still once")
# "saw her last week", "liked her more than"
TIMES = _words("week month year night time summer winter spring autumn fall monday tuesday wednesday thursday friday")
AFTER_AN_OBJECT = frozenset({("very", "much"), ("very", "well"), ("very", "soon"), ("more", "than"), ("less", "than")})
MEASURES = _words("take takes took taken cost costs")
NUMBERS = _words("two three four five six seven eight nine ten twenty fifteen thirty")
INJURIES = _words("hurt hurts injured strained broke twisted turned on")
# What stands before a singular noun ("a German") rather than before a name ("Christian asked").
NOUN_BEFORE = _words(
    "a an the one another this that every each any fellow no my our your former practising practicing devout proud "
    "young old first many some few other two three most all as"
)
# Common verbs that follow a person.
VERBS_AFTER = _words(
    "said says asked asks told tells wrote writes came comes went goes thinks thought wants wanted works worked lives "
    "lived called calls got gets took takes made makes knows knew feels felt left won lost bought paid"
)
# Said of people, not of things: "they are black" may be shoes.
PEOPLE_PRONOUNS = _words("i he she who we you")
DEGREES = _words("also not very openly proudly both a still now always just half")
# "blind to the risk" is not said of a disability.
COMPLEMENTS = _words("to with of as up out in on for")
