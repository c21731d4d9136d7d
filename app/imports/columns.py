"""Which column holds what: our own names, and those that spreadsheets and creator tools use in four languages."""

import re
import unicodedata
from collections.abc import Sequence

USERNAME = "username"
DISPLAY_NAME = "displayName"
EMAIL = "email"
TIER = "subscriptionTier"
SPENT = "totalSpent"
LAST_SEEN = "lastSeen"
LABELS = {
    USERNAME: "Username",
    DISPLAY_NAME: "Display Name",
    EMAIL: "Email",
    TIER: "Subscription Tier",
    SPENT: "Total Spent",
    LAST_SEEN: "Last Seen",
}
SYNONYMS = {
    USERNAME: """
        username user handle login screenname fanusername onlyfansusername userhandle usernamehandle profile profileurl
        nomdutilisateur identifiant pseudo benutzername nutzername usuario nombredeusuario""",
    DISPLAY_NAME: """
        displayname name fullname fanname fan nickname subscriber subscribername customername
        nom nomaffiche nomcomplet anzeigename nombre nombrevisible nombrecompleto""",
    EMAIL: """
        email emailaddress mail emails adressemail adresseemail courriel correo correoelectronico emailadresse""",
    TIER: """
        subscriptiontier tier subscription subscriptionplan plan level membership
        abonnement niveau formule abo abostufe stufe suscripcion nivel""",
    SPENT: """
        totalspent spent spend totalspend amountspent lifetimespend lifetimespent lifetimevalue ltv revenue totalrevenue
        total amount totalamount totaldepense depense depensetotale montant montanttotal
        ausgegeben gesamtausgaben gesamtbetrag gesamtumsatz umsatz betrag
        totalgastado gastado gastototal importetotal""",
    LAST_SEEN: """
        lastseen lastseenat lastactive lastactivity lastonline lastlogin lastvisit seen
        vulederniere dernierevisite derniereconnexion derniereactivite vupourladernierefois
        zuletztgesehen zuletztonline zuletztaktiv letzteraktivitat letzteaktivitat letzterbesuch
        ultimavez ultimaconexion ultimavisita ultimaactividad""",
}
KNOWN = {synonym: field for field, synonyms in SYNONYMS.items() for synonym in synonyms.split()}
IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]")
NAME_LENGTH = 100
# These stay in a name: where cells are told apart wrongly, two names must not pass for one.
SEPARATORS = ",;\t"


def match(header: Sequence[str]) -> dict[str, int]:
    """Field → index of the first column whose name means it."""
    found: dict[str, int] = {}
    for index, name in enumerate(header):
        field = KNOWN.get(_plain(name))
        if field is not None:
            found.setdefault(field, index)
    return found


def _plain(name: str) -> str:
    """`Dernière  Connexion (UTC)` → `derniereconnexion`."""
    bare = unicodedata.normalize("NFKD", IN_BRACKETS.sub("", name[:NAME_LENGTH]).casefold())
    return "".join(letter for letter in bare if letter.isalnum() or letter in SEPARATORS)
