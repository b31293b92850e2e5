"""Filters and names as text: RFC examples, escaping, and what does not fit."""

from __future__ import annotations

import pytest

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.ldap.filters import escape_value, fill_filter, format_filter, parse_filter
from posthouse.protocols.ldap.names import escape_name_value, fill_name, format_name, parse_name
from posthouse.protocols.ldap.types import And, Compare, Comparison, Extensible, Not, Or, Present, Substrings

EQUAL = Comparison.EQUAL
# the examples of RFC 4515 §4
EXAMPLES = {
    "(cn=Babs Jensen)": Compare("cn", EQUAL, b"Babs Jensen"),
    "(!(cn=Tim Howes))": Not(Compare("cn", EQUAL, b"Tim Howes")),
    "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))": And(
        (
            Compare("objectClass", EQUAL, b"Person"),
            Or((Compare("sn", EQUAL, b"Jensen"), Substrings("cn", b"Babs J"))),
        )
    ),
    "(o=univ*of*mich*)": Substrings("o", b"univ", (b"of", b"mich")),
    "(seeAlso=)": Compare("seeAlso", EQUAL, b""),
    "(cn:caseExactMatch:=Fred Flintstone)": Extensible(b"Fred Flintstone", "cn", "caseExactMatch"),
    "(cn:=Betty Rubble)": Extensible(b"Betty Rubble", "cn"),
    "(sn:dn:2.4.6.8.10:=Barney Rubble)": Extensible(b"Barney Rubble", "sn", "2.4.6.8.10", is_in_dn=True),
    "(o:dn:=Ace Industry)": Extensible(b"Ace Industry", "o", is_in_dn=True),
    "(:1.2.3:=Wilma Flintstone)": Extensible(b"Wilma Flintstone", "", "1.2.3"),
    "(:DN:2.4.6.8.10:=Dino)": Extensible(b"Dino", "", "2.4.6.8.10", is_in_dn=True),
    "(o=Parens R Us \\28for all your parenthetical needs\\29)": Compare(
        "o", EQUAL, b"Parens R Us (for all your parenthetical needs)"
    ),
    "(cn=*\\2A*)": Substrings("cn", b"", (b"*",)),
    "(filename=C:\\5cMyFile)": Compare("filename", EQUAL, b"C:\\MyFile"),
    "(bin=\\00\\00\\00\\04)": Compare("bin", EQUAL, b"\x00\x00\x00\x04"),
    "(sn=Lu\\c4\\8di\\c4\\87)": Compare("sn", EQUAL, "Lučić".encode()),
    "(1.3.6.1.4.1.1466.0=\\04\\02\\48\\69)": Compare("1.3.6.1.4.1.1466.0", EQUAL, b"\x04\x02Hi"),
    "(cn;lang-de=*)": Present("cn;lang-de"),
    "(sn>=m)": Compare("sn", Comparison.GREATER_OR_EQUAL, b"m"),
    "(sn<=m)": Compare("sn", Comparison.LESS_OR_EQUAL, b"m"),
    "(sn~=m)": Compare("sn", Comparison.APPROXIMATE, b"m"),
    "(&)": And(()),
    "(|)": Or(()),
    "(cn=a**b)": Substrings("cn", b"a", (), b"b"),
    "(cn=**)": Present("cn"),
}


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_rfc_are_read(text) -> None:
    """And what is printed is read as the same filter."""
    assert parse_filter(text) == EXAMPLES[text]
    assert parse_filter(format_filter(EXAMPLES[text])) == EXAMPLES[text]


@pytest.mark.parametrize(
    "text",
    ["", "cn=x", "(cn=x", "(cn=x))", "()", "(=x)", "(cn)", "(cn=\\)", "(cn=\\4)", "(cn=\\zz)", "(cn=a(b)", "(&(cn=x)",
     "(!)", "(!(a=1)(b=2))", "(cn>=a*)", "(cn=\x00)", "(:=x)", "(:dn:=x)", "(c n=x)", "(" * 100_000, "(!" * 100,
     "(&" + "(a=1)" * 5_000 + ")"],
)  # fmt: skip
def test_what_is_no_filter_is_a_fault(text) -> None:
    """However deep, and however long."""
    with pytest.raises(SyntaxFault):
        parse_filter(text)


@pytest.mark.parametrize("value", ["*", "a)(uid=*", "\\", "\x00", "ä*", "(", "a\\2a", "\ud800"])
def test_what_strangers_write_stays_one_value(value) -> None:
    """Put into a template, any text is one value and nothing more."""
    octets = value.encode("utf-8", "surrogatepass") if value != "\ud800" else None
    if octets is None:
        with pytest.raises(UnicodeEncodeError):
            fill_filter("(mail={login})", {"login": value})
        return
    assert parse_filter(fill_filter("(mail={login})", {"login": value})) == Compare("mail", EQUAL, octets)
    assert fill_name("uid={login},dc=x", {"login": value.replace("\x00", "")}).endswith(",dc=x")


def test_a_place_that_nothing_fills_is_a_fault() -> None:
    """A template with a name that is not known is refused."""
    with pytest.raises(SyntaxFault):
        fill_filter("(mail={adress})", {"address": "x"})
    with pytest.raises(SyntaxFault):
        fill_name("uid={adress}", {"address": "x"})
    assert escape_value(b"\xff\xfe") == "\\ff\\fe"


# the examples of RFC 4514 §4
NAMES = {
    "UID=jsmith,DC=example,DC=net": ((("UID", "jsmith"),), (("DC", "example"),), (("DC", "net"),)),
    "OU=Sales+CN=J.  Smith,DC=x": ((("OU", "Sales"), ("CN", "J.  Smith")), (("DC", "x"),)),
    'CN=James \\"Jim\\" Smith\\, III': ((("CN", 'James "Jim" Smith, III'),),),
    "CN=Before\\0dAfter": ((("CN", "Before\rAfter"),),),
    "CN=Lu\\C4\\8Di\\C4\\87": ((("CN", "Lučić"),),),
    "1.3.6.1.4.1.1466.0=#04024869": ((("1.3.6.1.4.1.1466.0", "#04024869"),),),
    " cn = x , dc = y ": ((("cn", "x"),), (("dc", "y"),)),
    "cn=\\ lead and trail\\ ": ((("cn", " lead and trail "),),),
    "cn=": ((("cn", ""),),),
    "": (),
}


@pytest.mark.parametrize("text", NAMES)
def test_the_examples_of_names_are_read(text) -> None:
    """And what is printed is read as the same name."""
    assert parse_name(text) == NAMES[text]
    if "#" not in text:
        assert parse_name(format_name(NAMES[text])) == NAMES[text]


@pytest.mark.parametrize("text", ["x", "cn", "cn=x,", "cn=x,,dc=y", "=x", "cn=a\\", "cn=\\ff", "cn=a<b", "x" * 9_000])
def test_what_is_no_name_is_a_fault(text) -> None:
    """At the character that does not fit."""
    with pytest.raises(SyntaxFault):
        parse_name(text)


@pytest.mark.parametrize("value", ["a,b", "a+b=c", " a ", "#a", "a\\", "a\\ ", '"', "<>;", "a\x00b", " ", "  ", "ä"])
def test_escaped_values_are_read_as_they_were(value) -> None:
    """Whatever stands in them."""
    assert parse_name(f"uid={escape_name_value(value)},dc=x") == ((("uid", value),), (("dc", "x"),))
